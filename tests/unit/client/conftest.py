"""A server in memory and clients on it; no Django."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from django_sync.client import Backoff, Pace, SyncClient, TokenAuth
from django_sync.testing.clocks import Clock, ManualWaker
from django_sync.testing.server import MemoryServer
from tests.unit.client.helpers import threads

URL = "https://sync.test/sync/"


@pytest.fixture
def server() -> MemoryServer:
    server = MemoryServer()
    server.user("ann", "t-ann", {"b1", "b2"})
    server.user("bob", "t-bob", {"b1", "b2"})
    return server


@pytest.fixture
def connect(server: MemoryServer, tmp_path: Path) -> Iterator[Callable[..., SyncClient]]:
    """Open a client: ``connect("a")`` twice is one store opened twice."""
    opened: list[SyncClient] = []

    def connect(name: str = "a", **options: Any) -> SyncClient:
        options.setdefault("auth", TokenAuth("t-ann"))
        options.setdefault("collections", ["boards", "cards"])
        options.setdefault("transport", server.transport())
        options.setdefault("backoff", Backoff(uniform=lambda low, high: high))
        options.setdefault("sleep", lambda seconds: None)
        client = SyncClient(options.pop("url", URL), store=tmp_path / f"{name}.sqlite3", **options)
        opened.append(client)
        return client

    yield connect
    for client in opened:
        client.close()


@pytest.fixture
def client(connect: Callable[..., SyncClient]) -> SyncClient:
    return connect()


@pytest.fixture
def other(connect: Callable[..., SyncClient]) -> SyncClient:
    """Another installation, of another user."""
    return connect("other", auth=TokenAuth("t-bob"))


def middle(low: float, high: float) -> float:
    return (low + high) / 2


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def waker() -> ManualWaker:
    return ManualWaker()


@pytest.fixture
def link(
    connect: Callable[..., SyncClient], clock: Clock, waker: ManualWaker
) -> Iterator[Callable[..., SyncClient]]:
    """A client on the manual clocks; afterwards none of its threads is left."""

    def link(name: str = "a", **options: Any) -> SyncClient:
        options.setdefault("waker", waker)
        options.setdefault("now", clock.now)
        options.setdefault("pace", Pace(uniform=middle))
        return connect(name, **options)

    opened: list[SyncClient] = []

    def keep(*args: Any, **options: Any) -> SyncClient:
        opened.append(link(*args, **options))
        return opened[-1]

    yield keep
    for client in opened:
        client.close()
    assert threads() == []
