"""Clients that pull from the example under ASGI, and are answered from memory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connections

from django_sync.drf.record_cache import rendered
from django_sync.realtime import live
from example_project.boards.models import Card
from tests.integration.test_long_poll import PATIENCE, in_a_thread
from tests.integration.test_requests import nobody

Header = tuple[str, str]


@dataclass(frozen=True)
class Got:
    """One answer, as it went over the wire."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    @property
    def page(self) -> Any:
        return json.loads(self.body)

    @property
    def ids(self) -> list[str]:
        return [change["id"] for change in self.page["changes"]]


class Site:
    """The example under ASGI; ``whole`` counts what ran through middleware and view."""

    def __init__(self) -> None:
        self.application: Any = live(nobody)
        self.whole = 0
        runner: Any = self.application.runner
        runner.respond = self._counted(runner.respond)

    def _counted(self, respond: Any) -> Any:
        def counted(*args: Any) -> Any:
            self.whole += 1
            return respond(*args)

        return counted

    async def get(self, query: str, *headers: Header, path: str = "changes/", **more: Any) -> Got:
        sent: list[Any] = []
        to_come = [{"type": "http.request"}]

        async def receive() -> Any:
            if not to_come:
                await asyncio.Event().wait()
            return to_come.pop()

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": "GET",
            "path": path if path.startswith("/") else f"/sync/{path}",
            "query_string": query.encode(),
            "headers": [
                (b"host", b"localhost"),
                *((name.lower().encode(), value.encode()) for name, value in headers),
            ],
            "client": ("127.0.0.1", 4711),
            **more,
        }
        await asyncio.wait_for(self.application(scope, receive, send), PATIENCE)
        body = b"".join(message.get("body", b"") for message in sent)
        return Got(sent[0]["status"], sent[0]["headers"], body)

    def forget(self) -> None:
        """From here on the next pull of each runs whole."""
        identities = self.application.pulls.identities
        for user in tuple(identities._of_user):
            identities.forget(user)

    async def poller(self, *headers: Header, query: str = "", path: str = "changes/") -> Poller:
        """One who has pulled all there is, and whose next pull is answered from memory."""
        poller = Poller(self, headers, query, path)
        while (await poller.pull()).page["has_more"]:
            pass
        await poller.pull()
        before = self.whole
        assert (await poller.pull()).page["changes"] == []
        assert self.whole == before, "this is about pulls from memory"
        return poller


class Poller:
    """A client that goes on from the cursor of its last page."""

    def __init__(self, site: Site, headers: tuple[Header, ...], query: str, path: str) -> None:
        self.site, self.headers, self.query, self.path = site, headers, query, path
        self.cursor = ""

    async def pull(self) -> Got:
        got = await self.peek()
        if got.status == 200:
            self.cursor = got.page["cursor"]
        return got

    async def peek(self) -> Got:
        """The answer, from where it stands, and it goes on standing there."""
        query = f"cursor={self.cursor}{self.query}"
        return await self.site.get(query, *self.headers, path=self.path)


@pytest.fixture
def site(boards, settings) -> Iterator[Site]:
    settings.DJANGO_SYNC = {"WATCH_MS": 20}
    rendered.clear()
    made = Site()
    yield made
    made.application.close()
    connections.close_all()


async def holder(site: Site, header: Header) -> Poller:
    """One who has pulled all there is, and whose next pull waits, and is answered from memory."""
    await site.poller(header)
    poller = Poller(site, (header,), "&wait=25", "live/changes/")
    assert not (await poller.pull()).page["has_more"]
    return poller


@contextmanager
def whole(site: Site, number: int) -> Iterator[None]:
    """So many requests run through middleware and view meanwhile."""
    before = site.whole
    yield
    assert site.whole - before == number


def change(function: Callable[..., Any], *args: Any) -> Any:
    """Do something in a thread of its own, as another request would."""
    return in_a_thread(lambda: function(*args))


def create(board: Any, title: str = "New") -> str:
    return str(Card.objects.create(board=board, title=title).sync_id)
