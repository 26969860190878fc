"""The example under ASGI without a network: sockets and streams as their servers would see them."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from asgiref.sync import sync_to_async
from django.core.asgi import get_asgi_application
from django.db import connections
from rest_framework.authtoken.models import Token

from django_sync.realtime import live
from tests.tools import asyncapi

PATIENCE = 20
"""Seconds after which what should come counts as not coming."""

Header = tuple[str, str]


def bearer(user: Any) -> Header:
    return ("Authorization", f"Token {Token.objects.get_or_create(user=user)[0].key}")


@sync_to_async
def in_a_thread(function: Callable[..., Any], *args: Any, **values: Any) -> Any:
    try:
        return function(*args, **values)
    finally:
        connections.close_all()


class Site:
    """The application, and the connections that a test opens to it."""

    def __init__(self) -> None:
        self.application: Any = live(get_asgi_application())

    @contextlib.asynccontextmanager
    async def socket(self, *headers: Header, query: str = "", **more: Any) -> AsyncIterator[Wire]:
        wire = Wire(self.application, scope("websocket", "ws/", query, headers, **more))
        wire.come({"type": "websocket.connect"})
        async with wire.open():
            assert (await wire.event())["type"] == "websocket.accept"
            yield wire

    @contextlib.asynccontextmanager
    async def following(self, *headers: Header, **hello: Any) -> AsyncIterator[Wire]:
        """A socket that has caught up."""
        async with self.socket(*headers) as wire:
            await wire.hello(**hello)
            await wire.caught_up()
            yield wire

    @contextlib.asynccontextmanager
    async def stream(self, *headers: Header, query: str = "") -> AsyncIterator[Wire]:
        wire = Wire(self.application, scope("http", "stream/", query, headers, method="GET"))
        wire.come({"type": "http.request"})
        async with wire.open():
            wire.start = await wire.event()
            yield wire

    async def joined(self, number: int) -> None:
        """Until so many lines are served by the hub."""
        await until(lambda: len(self.application.hub) == number)


def scope(kind: str, path: str, query: str, headers: Any, **more: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "path": f"/sync/live/{path}",
        "query_string": query.encode(),
        "headers": [
            (b"host", b"localhost"),
            *((n.lower().encode(), v.encode("latin-1")) for n, v in headers),
        ],
        "subprotocols": [],
        **more,
    }


async def until(condition: Callable[[], object]) -> None:
    async def came() -> None:
        while not condition():
            await asyncio.sleep(0.002)

    await asyncio.wait_for(came(), PATIENCE)


class Wire:
    """One open connection, from its client's end."""

    def __init__(self, application: Any, scope: dict[str, Any]) -> None:
        self._application = application
        self._scope = scope
        self._in: asyncio.Queue[Any] = asyncio.Queue()
        self.out: asyncio.Queue[Any] = asyncio.Queue()
        self.takes = asyncio.Event()
        self.takes.set()
        self.start: Any = None
        self.frames = 0
        self.said: list[Any] = []
        self.cursor: str | None = None

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        self.served: Any = asyncio.create_task(
            self._application(self._scope, self._in.get, self._send)
        )
        try:
            yield
        finally:
            self.takes.set()
            kind = "websocket" if self._scope["type"] == "websocket" else "http"
            self.come({"type": f"{kind}.disconnect", "code": 1000})
            if self.served is not None:  # else the test has seen how it ended
                await asyncio.wait_for(self.served, PATIENCE)

    async def _send(self, event: Any) -> None:
        """A client that does not take what is sent lets its sender wait, as TCP does."""
        await self.takes.wait()
        try:
            self._check(event)
        except Exception as error:  # noqa: BLE001  # it is the test's to fail, not the server's
            event = error
        self.out.put_nowait(event)

    def _check(self, event: Any) -> None:
        """Hold what is sent against docs/asyncapi.yaml, and what was said, where that was taken."""
        if "text" in event:
            frame = json.loads(event["text"])
            asyncapi.check(frame)
            asked = {"welcome": "hello", "results": "mutate"}.get(frame["type"])
            if asked is not None:
                said = [f for f in self.said if f["type"] == asked and self._is_of(f, frame)]
                assert any(asyncapi.validator(asked).is_valid(f) for f in said), said
        elif event.get("body", b"").startswith(b"event: "):
            lines = dict(line.split(": ", 1) for line in event["body"].decode().strip().split("\n"))
            frame = json.loads(lines["data"])
            assert lines["event"] == frame["type"]
            asyncapi.check(frame, "stream")

    def _is_of(self, said: Any, frame: Any) -> bool:
        return frame["type"] == "welcome" or bool(said.get("ref") == frame["ref"])

    def come(self, event: Any) -> None:
        self._in.put_nowait(event)

    async def event(self) -> Any:
        event = await asyncio.wait_for(self.out.get(), PATIENCE)
        if isinstance(event, Exception):
            raise event
        return event

    # A socket

    def text(self, text: str) -> None:
        with contextlib.suppress(ValueError, RecursionError):
            frame = json.loads(text)
            self.said += [frame] if isinstance(frame, dict) and "type" in frame else []
        self.come({"type": "websocket.receive", "text": text})

    def say(self, **frame: Any) -> None:
        self.text(json.dumps(frame))

    async def hello(self, **more: Any) -> Any:
        self.say(type="hello", protocol=1, **more)
        return await self.frame("welcome")

    async def frame(self, kind: str) -> Any:
        """The next frame, which is of this kind."""
        event = await self.event()
        assert event["type"] == "websocket.send", event
        frame = json.loads(event["text"])
        assert frame["type"] == kind, frame
        if kind == "cursor":
            self.cursor = frame["cursor"]
        return frame

    async def changes(self, *, ack: bool = True) -> list[Any]:
        """The changes of the next frame that has any; cursors on the way are kept."""
        while True:
            event = await self.event()
            assert event["type"] == "websocket.send", event
            frame = json.loads(event["text"])
            if frame["type"] == "cursor":
                self.cursor = frame["cursor"]
                continue
            assert frame["type"] == "changes", frame
            self.frames += 1
            if ack:
                self.say(type="ack", frames=self.frames)
            if frame["changes"] or not frame["has_more"]:
                self.last = event["text"]
                return list(frame["changes"])

    async def caught_up(self) -> list[Any]:
        """All changes up to the first page that has no more behind it, and its cursor."""
        found: list[Any] = []
        while True:
            frame = await self.frame("changes")
            found += frame["changes"]
            self.frames += 1
            self.say(type="ack", frames=self.frames)
            await self.frame("cursor")
            if not frame["has_more"]:
                return found

    async def ended(self) -> tuple[int, str | None]:
        """The code with which the socket was closed, and that of the problem told before."""
        problem = None
        while True:
            event = await self.event()
            if event["type"] == "websocket.close":
                return event["code"], problem
            frame = json.loads(event["text"])
            if frame["type"] == "error":
                problem = frame["problem"]["code"]

    # A stream

    async def part(self) -> tuple[str, Any, str | None]:
        """The next event of a stream: its kind, its data, its id; ``""`` for a comment."""
        event = await self.event()
        if not event.get("more_body", False):
            return "end", None, None
        text = event["body"].decode()
        if text.startswith(":"):
            return "", None, None
        lines = dict(line.split(": ", 1) for line in text.strip().split("\n"))
        return lines["event"], json.loads(lines["data"]), lines.get("id")
