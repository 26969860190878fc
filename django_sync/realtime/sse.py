"""Server-sent events: the feed as a response that does not end (WHATWG HTML, section 9.2).

What comes down is what comes down a socket; nothing goes up. The first page is pulled before the
response begins, so that a bad cursor is answered with its status.
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
from .connection import Connection
from .hub import Frame
from .requests import Receive, Scope, Send, disconnected
from .subrequest import STREAM, Subrequest, granted, problem_of, subrequest_scope

if TYPE_CHECKING:
    from .asgi import Live


BACK_MS = (500, 5000)
"""When a browser comes back, in milliseconds, where its server ended: some time in between."""
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"private, no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would keep events back
]


class Stream(Connection):
    """One client's stream."""

    def __init__(self, live: Live, scope: Scope, send: Send) -> None:
        super().__init__(live.loop_state, send)
        self.live = live
        self.scope = scope
        self._over = asyncio.Event()
        self._again = asyncio.Event()
        self._first: Any = None
        self.user: str | None = None
        self.why: str | None = None
        """The code of the problem that ended it."""
        query = parse_qs(scope["query_string"].decode("latin-1"))
        self.collections = query.get("collections", [None])[0]
        resumed = dict(scope["headers"]).get(b"last-event-id", b"").decode("latin-1")
        self.begin = resumed or query.get("cursor", [""])[0] or ""

    async def serve(self, receive: Receive) -> None:
        """Answer, and go on until the client leaves or may no longer stay."""
        began = self.live.loop_state.turn
        try:
            self._first = response = await self.pull(self.begin)
        except errors.Unavailable as error:
            await answer(self._send, error)
            return
        if not granted(response):
            await self.live.send_response(response, self._send)
            return
        self.user = response.sync.user
        with self.live.loop_state.counted(response.sync.user, self.recheck, began) as fits:
            if not fits:
                await answer(self._send, errors.Throttled("You have too many connections open."))
                return
            opened = asyncio.get_running_loop().time()
            facts = {name: response.sync.log.get(name) for name in ("user", "client", "session")}
            logs.tell(logging.INFO, facts | {"call": "stream", "status": 200})
            await self._send({"type": "http.response.start", "status": 200, "headers": HEADERS})
            self.open(self.begin)
            left = asyncio.create_task(disconnected(receive))
            beats = self.begin_work(self._beat())
            over = asyncio.create_task(self._over.wait())
            try:
                with self.live.loop_state.until_end(self.leave):
                    await asyncio.wait({left, over}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (left, beats, over):
                    task.cancel()
                await asyncio.gather(left, beats, over, return_exceptions=True)
                await self.close()
                lived = round((asyncio.get_running_loop().time() - opened) * 1000, 1)
                facts |= {"call": "stream end", "code": self.why, "duration_ms": lived}
                logs.tell(logging.INFO, facts)

    # What the hub and the line ask

    def frame_event(self, frame: Frame) -> Mapping[str, Any]:
        return frame.for_stream()

    def cursor_event(self, cursor: str) -> Mapping[str, Any]:
        data = json.dumps({"type": "cursor", "cursor": cursor})
        return part(f"event: cursor\nid: {cursor}\ndata: {data}\n\n")

    async def pull(self, cursor: str) -> Any:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        return await self._ask("changes/", cursor=cursor or None)

    def was_sent(self) -> None:
        self.take(self.sent_count)

    def refuse(self, response: Any) -> None:
        self._end(problem_of(response) or errors.Unavailable().problem())

    def expire(self, error: errors.SyncError) -> None:
        self._end(error.problem())

    def overrun(self) -> None:
        self._over.set()

    def fail(self) -> None:
        self._over.set()

    def recheck(self) -> None:
        self._again.set()

    def leave(self) -> None:
        """This process ends; browsers come back by themselves, and not all at once."""
        milliseconds = random.randint(*BACK_MS)  # noqa: S311  # it keeps no secret
        self._ending = asyncio.create_task(self._finish(part(f"retry: {milliseconds}\n\n")))

    # Its own time

    async def _beat(self) -> None:
        """A comment at each heartbeat, and a look whether the user may still see this (R6)."""
        while True:
            try:
                await asyncio.wait_for(self._again.wait(), conf.HEARTBEAT)
            except TimeoutError:
                self.put(part(":\n\n"))
            self._again.clear()
            if self.is_stuck():
                self._over.set()
                return
            response = await self._ask("live/stream/")
            if not granted(response):
                self.refuse(response)
                return
            self.user = response.sync.user
            self.look(response.sync.audience)

    def _end(self, problem: Mapping[str, Any]) -> None:
        self.why = problem.get("code")
        data = json.dumps({"type": "error", "problem": dict(problem)}, default=str)
        self._ending = asyncio.create_task(self._finish(part(f"event: error\ndata: {data}\n\n")))

    async def _finish(self, event: Mapping[str, Any]) -> None:
        end = {"type": "http.response.body", "body": b"", "more_body": False}
        await self.finish(event, end)
        self._over.set()

    async def _ask(self, path: str, **query: str | None) -> Any:
        scope = subrequest_scope(
            self.scope, STREAM, path, {**query, "collections": self.collections}
        )
        inside = Subrequest(follows=True, position=self.reached)
        return await self.live.ask(scope, inside, user=self.user)


def part(text: str) -> Mapping[str, Any]:
    """The event that sends a piece of the response."""
    return {"type": "http.response.body", "body": text.encode(), "more_body": True}


async def answer(send: Send, error: errors.SyncError) -> None:
    """A whole answer that is a problem."""
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"cache-control", b"private, no-store"),
        (b"retry-after", b"60"),
    ]
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(error.problem()).encode()})
