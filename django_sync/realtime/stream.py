"""Server-sent events: the feed as a response that does not end (WHATWG HTML, section 9.2).

What comes down is what comes down a socket; nothing goes up. The first page is pulled before the
response begins, so that a bad cursor is answered with its status.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from .. import errors
from ..conf import conf
from .hub import Frame
from .inner import STREAM, Inside, Scope, inner
from .line import Line, Send

if TYPE_CHECKING:
    from .longpoll import Live

Receive = Callable[[], Awaitable[Mapping[str, Any]]]

CHANGES = b"event: changes\n"
BACK_MS = (500, 5000)
"""When a browser comes back, in milliseconds, where its server ended: some time in between."""
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"private, no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would keep events back
]


class Stream(Line):
    """One client's stream."""

    def __init__(self, live: Live, scope: Scope, send: Send) -> None:
        super().__init__(live.hub, send)
        self.live = live
        self.scope = scope
        self._over = asyncio.Event()
        self._again = asyncio.Event()
        self._first: Any = None
        query = parse_qs(scope["query_string"].decode("latin-1"))
        self.collections = query.get("collections", [None])[0]
        resumed = dict(scope["headers"]).get(b"last-event-id", b"").decode("latin-1")
        self.begin = resumed or query.get("cursor", [""])[0] or ""

    async def serve(self, receive: Receive) -> None:
        """Answer, and go on until the client leaves or may no longer stay."""
        self._first = response = await self.pull(self.begin)
        if response.status_code != 200:
            await self.live.send_response(response, self._send)
            return
        with self.live.shared.counted(response.sync_user) as fits:
            if not fits:
                problem = errors.Throttled("You have too many connections open.").problem()
                await answer(self._send, 429, problem)
                return
            await self._send({"type": "http.response.start", "status": 200, "headers": HEADERS})
            self.open(self.begin)
            left = asyncio.create_task(_left(receive))
            beats = asyncio.create_task(self._beat())
            over = asyncio.create_task(self._over.wait())
            try:
                with self.live.shared.until_end(self.leave):
                    await asyncio.wait({left, over}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (left, beats, over):
                    task.cancel()
                await asyncio.gather(left, beats, over, return_exceptions=True)
                await self.close()

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

    def sent(self, event: Mapping[str, Any]) -> None:
        if event["body"].startswith(CHANGES):
            self.take(self.taken + 1)

    def refuse(self, response: Any) -> None:
        data = response.data if isinstance(getattr(response, "data", None), dict) else {}
        self._end({"status": response.status_code, **data})

    def expire(self, error: errors.SyncError) -> None:
        self._end(error.problem())

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
            self._again.clear()
            try:
                await asyncio.wait_for(self._again.wait(), conf.HEARTBEAT)
            except TimeoutError:
                self.put(part(":\n\n"))
            if self.is_stuck():
                self._over.set()
                return
            response = await self._ask("live/stream/")
            if response.status_code != 200:
                self.refuse(response)
                return
            self.look(response.sync_audience)

    def _end(self, problem: Mapping[str, Any]) -> None:
        data = json.dumps({"type": "error", "problem": dict(problem)}, default=str)
        self._ending = asyncio.create_task(self._finish(part(f"event: error\ndata: {data}\n\n")))

    async def _finish(self, event: Mapping[str, Any]) -> None:
        end = {"type": "http.response.body", "body": b"", "more_body": False}
        await self.finish(event, end)
        self._over.set()

    async def _ask(self, path: str, **query: str | None) -> Any:
        scope = inner(self.scope, STREAM, path, {**query, "collections": self.collections})
        return await self.live.ask(scope, Inside(follows=True))


def part(text: str) -> Mapping[str, Any]:
    """The event that sends a piece of the response."""
    return {"type": "http.response.body", "body": text.encode(), "more_body": True}


async def answer(send: Send, status: int, problem: Mapping[str, Any]) -> None:
    """A whole answer that is a problem."""
    headers = [(b"content-type", b"application/problem+json"), (b"retry-after", b"60")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(dict(problem)).encode()})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
