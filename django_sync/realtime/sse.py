"""Server-sent events: the feed as a response that does not end (WHATWG HTML, section 9.2).

The server sends what it sends over a socket; the client sends nothing. The first page is pulled
before the response begins, so a bad cursor is answered with its HTTP status.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from .. import errors, logs
from ..conf import conf
from ..protocol import paths
from .connection import Connection
from .hub import Frame
from .requests import disconnected
from .routes import STREAM, Receive, Scope, Send
from .subrequest import Subrequest, granted, problem_of, subrequest_scope

if TYPE_CHECKING:
    from .asgi import Live


RETRY_MS = (500, 5000)
"""When a browser connects again after a shutdown, in milliseconds: a random time between."""
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"private, no-store"),
    (b"x-accel-buffering", b"no"),  # else nginx would buffer events
]


class Stream(Connection):
    """One client's stream."""

    def __init__(self, live: Live, scope: Scope, send: Send) -> None:
        super().__init__(live.loop_state, send)
        self.live = live
        self.scope = scope
        self._closing = asyncio.Event()
        self._recheck_now = asyncio.Event()
        self._first: Any = None
        self.user: str | None = None
        self.code: str | None = None
        """The code of the problem that closed it."""
        query = parse_qs(scope["query_string"].decode("latin-1"))
        self.collections = query.get("collections", [None])[0]
        resumed = dict(scope["headers"]).get(b"last-event-id", b"").decode("latin-1")
        self.first_cursor = resumed or query.get("cursor", [""])[0] or ""

    async def serve(self, receive: Receive) -> None:
        """Answer, and send events until the client disconnects or loses its access."""
        state = self.live.loop_state
        began = state.access_version
        try:
            self._first = response = await self.pull(self.first_cursor)
        except errors.Unavailable as error:
            await send_problem(self._send, error)
            return
        if not granted(response):
            await self.live.runner.send(response, self._send)
            return
        self.user = response.sync.user
        with state.connected(response.sync.user, self.recheck, began) as has_room:
            if not has_room:
                await send_problem(
                    self._send, errors.Throttled("You have too many connections open.")
                )
                return
            opened = asyncio.get_running_loop().time()
            facts = {name: response.sync.log.get(name) for name in ("user", "client", "session")}
            logs.tell(logging.INFO, facts | {"call": "stream", "status": 200})
            await self._send({"type": "http.response.start", "status": 200, "headers": HEADERS})
            self.open(self.first_cursor)
            gone = asyncio.create_task(disconnected(receive))
            beats = self.begin_work(self._beat())
            closing = asyncio.create_task(self._closing.wait())
            try:
                with state.until_shutdown(self.leave):
                    await asyncio.wait({gone, closing}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (gone, beats, closing):
                    task.cancel()
                await asyncio.gather(gone, beats, closing, return_exceptions=True)
                await self.close()
                lived = round((asyncio.get_running_loop().time() - opened) * 1000, 1)
                facts |= {"call": "stream end", "code": self.code, "duration_ms": lived}
                logs.tell(logging.INFO, facts)

    # What the hub and the connection call

    def frame_event(self, frame: Frame) -> Mapping[str, Any]:
        return frame.for_stream()

    def cursor_event(self, cursor: str) -> Mapping[str, Any]:
        data = json.dumps({"type": "cursor", "cursor": cursor})
        return part(f"event: cursor\nid: {cursor}\ndata: {data}\n\n")

    async def pull(self, cursor: str) -> Any:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        return await self._ask(paths.CHANGES, cursor=cursor or None)

    def was_sent(self) -> None:
        self.take(self.sent_count)

    def refuse(self, response: Any) -> None:
        self._close_for(problem_of(response) or errors.Unavailable().problem())

    def expire(self, error: errors.SyncError) -> None:
        self._close_for(error.problem())

    def overrun(self) -> None:
        self._closing.set()

    def fail(self) -> None:
        self._closing.set()

    def recheck(self) -> None:
        self._recheck_now.set()

    def leave(self) -> None:
        """The process shuts down. Browsers connect again by themselves, and not all at once."""
        milliseconds = random.randint(*RETRY_MS)  # noqa: S311  # no secret
        self._last_task = asyncio.create_task(self._finish(part(f"retry: {milliseconds}\n\n")))

    # Heartbeats

    async def _beat(self) -> None:
        """At each heartbeat, send a comment, and check what the user may see (R6)."""
        while True:
            try:
                await asyncio.wait_for(self._recheck_now.wait(), conf.HEARTBEAT)
            except TimeoutError:
                self.put(part(":\n\n"))
            self._recheck_now.clear()
            if self.is_stuck():
                self._closing.set()
                return
            response = await self._ask(paths.STREAM)
            if not granted(response):
                self.refuse(response)
                return
            self.user = response.sync.user
            self.update_audience(response.sync.audience)

    def _close_for(self, problem: Mapping[str, Any]) -> None:
        self.code = problem.get("code")
        data = json.dumps({"type": "error", "problem": dict(problem)}, default=str)
        self._last_task = asyncio.create_task(self._finish(part(f"event: error\ndata: {data}\n\n")))

    async def _finish(self, event: Mapping[str, Any]) -> None:
        end = {"type": "http.response.body", "body": b"", "more_body": False}
        await self.finish(event, end)
        self._closing.set()

    async def _ask(self, path: str, **query: str | None) -> Any:
        scope = subrequest_scope(
            self.scope, STREAM, path, {**query, "collections": self.collections}
        )
        subrequest = Subrequest(follows=True, position=self.position)
        return await self.live.ask(scope, subrequest, user=self.user)


def part(text: str) -> Mapping[str, Any]:
    """The event that sends a part of the response."""
    return {"type": "http.response.body", "body": text.encode(), "more_body": True}


async def send_problem(send: Send, error: errors.SyncError) -> None:
    """Answer the request with a problem."""
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"cache-control", b"private, no-store"),
        (b"retry-after", b"60"),
    ]
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(error.problem()).encode()})
