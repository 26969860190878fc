"""Small things that several test files here need."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2

from django_sync.client import Counts, SyncClient
from django_sync.testing.server import MemoryServer


def titles(client: SyncClient, collection: str = "cards") -> list[str]:
    return sorted(record["title"] for record in client.collection(collection).all())


def sent(server: MemoryServer) -> list[list[dict[str, Any]]]:
    """The mutations of each batch that came, empty ones left out."""
    bodies = [json.loads(r.content) for r in server.requests if r.method == "POST"]
    return [body["mutations"] for body in bodies if body.get("mutations")]


@contextmanager
def fault(server: MemoryServer, make: Any) -> Iterator[None]:
    server.faults.append(make)
    try:
        yield
    finally:
        server.faults.remove(make)


def on(path: str, answer: Any) -> Any:
    """A fault for requests to one path; an exception is raised, a response returned."""

    def make(request: httpx2.Request) -> httpx2.Response | None:
        if not request.url.path.endswith(path):
            return None
        if path == "mutations/" and not json.loads(request.content)["mutations"]:
            return None
        found = answer(request) if callable(answer) and not isinstance(answer, type) else answer
        if isinstance(found, type):
            raise found("cut")
        assert found is None or isinstance(found, httpx2.Response)
        return found

    return make


def lose_answers(server: MemoryServer, path: str) -> Any:
    """A fault where the server does its work and the answer is lost on the way."""

    def make(request: httpx2.Request) -> httpx2.Response | None:
        if not request.url.path.endswith(path):
            return None
        server.faults.remove(make)
        server.handle(request)
        server.faults.append(make)
        raise httpx2.ReadError("cut")

    return make


def rows(client: SyncClient, table: str) -> list[dict[str, Any]]:
    """The store's own rows: what a test of the disk looks at."""
    with client._store.read() as db:
        return [dict(row) for row in db.execute(f"SELECT * FROM {table}")]


def pull_only(client: SyncClient) -> None:
    """The second half of an exchange, as where another process sends."""
    client._exchange._client_id = client.client_id
    client._exchange._pull(Counts())


def threads() -> list[threading.Thread]:
    """Those that clients have started and that still run; a server's are its process's."""
    return [t for t in threading.enumerate() if t.name in ("django_sync", "django_sync_connection")]
