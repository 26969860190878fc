"""The WebSocket, as an ASGI application: frames in, frames out (the protocol's section 8).

It joins no group of a channel layer: changes come from the hub. To authenticate, to pull and to
mutate, it makes requests through the project's own middleware and views, as this client; see
``subrequest``.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from .. import errors, logs
from ..conf import conf
from ..protocol import paths
from .close_codes import (
    BAD_FRAME,
    FAILED,
    NO_HEARTBEAT,
    NOT_AUTHENTICATED,
    RESTARTING,
    code_of,
)
from .connection import WINDOW, Connection
from .frames import Ack, Hello, Mutate, Ping, read, size
from .hub import Frame
from .loop_state import LARGE
from .routes import SOCKET, Receive, Scope, Send
from .subrequest import Subrequest, granted, problem_of, subrequest_scope
from .throttle import Throttle

if TYPE_CHECKING:
    from .asgi import Live

MUTATES = 8
"""Batches of one socket that may wait for a thread."""


class SocketHandler:
    """Serves one client's socket. ``live`` is the application that it belongs to.

    It is an ASGI application for one connection, and reads its events in the server's own task.
    """

    __slots__ = (
        "_is_counted",
        "_is_mutating",
        "_mutates",
        "_recheck_after",
        "_tasks",
        "_timer",
        "connection",
        "epoch",
        "facts",
        "hello",
        "is_closed",
        "live",
        "opened_at",
        "received_at",
        "scope",
        "subrequest",
        "throttle",
        "user",
    )

    def __init__(self, live: Live) -> None:
        self.live = live
        self.hello: Hello | None = None
        self.subrequest = Subrequest(from_page=True)
        self.epoch = ""
        self.user: str | None = None
        self.received_at = self.opened_at = self.now()
        self.is_closed = False
        self.facts: Mapping[str, Any] = {}
        self.throttle = Throttle(conf.SOCKET_FRAMES, live.loop_state.loop.time)
        self._is_counted = False
        self._mutates: list[Mutate] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_mutating = False
        self._timer: asyncio.TimerHandle | None = None
        self._recheck_after = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the socket, and clean up in any case."""
        self.scope = scope
        self.connection = SocketConnection(self, send)
        try:
            while (event := await receive())["type"] != "websocket.disconnect":
                await getattr(self, event["type"].replace(".", "_"))(event)
        finally:
            await self.disconnect(None)

    async def websocket_connect(self, event: Mapping[str, Any]) -> None:
        await self.connect()

    async def websocket_receive(self, event: Mapping[str, Any]) -> None:
        await self.receive(event.get("text"))

    # Opening and closing

    async def connect(self) -> None:
        """Authenticate. A refusal is a close code, so the socket is accepted first."""
        query = parse_qs(
            self.scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True
        )
        state = self.live.loop_state
        began = state.access_version
        try:
            response = await self.ask(paths.SOCKET, ticket=query.get("ticket", [None])[0])
        except errors.Unavailable as error:
            self.accept()
            await self.end(error)
            return
        self.accept()
        state.on_shutdown(self.leave)
        if not granted(response):
            await self.refuse(response)
            return
        if not state.connect(response.sync.user, self.recheck, began):
            await self.end(errors.Throttled("You have too many connections open."))
            return
        self._is_counted = True
        self.user, self.epoch = response.sync.user, response.data["epoch"]
        self.facts = facts_of(response)
        self.log("socket", status=101)
        self.subrequest = Subrequest(
            session=response.sync.session, login=response.sync.login, from_page=True
        )
        self._timer = self._later()
        if self._recheck_after:
            self.recheck()

    def accept(self) -> None:
        """Accept the socket, even to close it with a reason."""
        self.connection.put({"type": "websocket.accept", "subprotocol": None})

    async def disconnect(self, code: int | None) -> None:
        """Clean up."""
        if not self.is_closed and self.user is not None:
            self.log("socket", status=code or 1006)
        self.is_closed = True
        self.live.loop_state.off_shutdown(self.leave)
        if self._is_counted and self.user is not None:
            self._is_counted = False
            self.live.loop_state.disconnect(self.user, self.recheck)
        if self._timer is not None:
            self._timer.cancel()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.connection.close()

    async def end(self, error: errors.SyncError | None, code: int | None = None) -> None:
        """Send the reason, and close."""
        if self.is_closed:
            return
        self.is_closed = True
        if code is None:
            code = BAD_FRAME if error is None else code_of(error.status, error.code)
        self.log("socket", status=code, code=None if error is None else error.code)
        last: list[Mapping[str, Any]] = [{"type": "websocket.close", "code": code}]
        if error is not None:
            last.insert(0, event_of({"type": "error", "problem": error.problem()}))
        await self.connection.finish(*last)

    def leave(self) -> None:
        """The process shuts down; the client connects again, to another process."""
        self.do(self.end(None, RESTARTING))

    async def refuse(self, response: Any) -> None:
        """Close: an answer of the project is no success. Its status and problem give the code."""
        problem = problem_of(response)
        error = None if problem is None else errors.from_problem(problem)
        otherwise = FAILED if error is None else BAD_FRAME
        code = None if problem is None else problem.get("code")
        await self.end(error, code_of(response.status_code, code, otherwise))

    def do(self, work: Any) -> None:
        """Start work in a task, which is cancelled when the socket closes."""
        task = self.connection.begin_work(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # Frames of the client

    async def receive(self, text_data: str | None) -> None:
        if self.is_closed:
            return
        self.received_at = self.now()
        try:
            if LARGE <= (length := size(text_data)) <= conf.BODY_BYTES:
                await self._delay(length)
            frame = read(text_data, conf.BODY_BYTES)
            if not isinstance(frame, Mutate):  # the view logs those, with their results
                self.log(f"frame {type(frame).__name__.lower()}")
            if not (isinstance(frame, Ack) and self.hello) and not self.throttle.allows():
                raise errors.Throttled("Frames come faster than they may.")
            await self._take(frame)
        except errors.SyncError as error:
            await self.end(error)

    async def _delay(self, length: int) -> None:
        """Wait with a large frame until its user may send that much again."""
        pace = self.live.loop_state.pace
        wait = pace.seconds(self.user or "", length, conf.HEARTBEAT)
        if wait is None:
            raise errors.Throttled("Large frames come faster than they may.")
        await asyncio.sleep(wait)

    async def _take(self, frame: Hello | Ack | Mutate | Ping) -> None:
        if self.is_closed:  # while a large frame was delayed
            return
        if isinstance(frame, Ping):
            self.connection.put(PONG)
        elif isinstance(frame, Hello):
            await self._greet(frame)
        elif self.hello is None:
            raise errors.Invalid("“hello” comes first.")
        elif isinstance(frame, Ack):
            if not self.connection.taken < frame.frames <= self.connection.sent_count:
                raise errors.Invalid(
                    "“frames” is not a number of frames that can be acknowledged now."
                )
            self.connection.take(frame.frames)
        else:
            self._mutate(frame)

    async def _greet(self, hello: Hello) -> None:
        if self.hello is not None:
            raise errors.Invalid("“hello” comes once.")
        self.hello = hello
        if hello.session is not None:
            response = await self.ask(paths.SOCKET)
            if not granted(response):
                await self.refuse(response)
                return
            self.facts = facts_of(response)
        welcome = {"type": "welcome", "epoch": self.epoch, "heartbeat": conf.HEARTBEAT}
        self.connection.put(event_of(welcome | {"window": WINDOW}))
        self.connection.open(hello.cursor or "")

    def _mutate(self, frame: Mutate) -> None:
        if len(self._mutates) >= MUTATES:
            raise errors.Throttled("Too many batches wait for their results.")
        self._mutates.append(frame)
        if not self._is_mutating:
            self._is_mutating = True
            self.do(self._apply_batches())

    async def _apply_batches(self) -> None:
        """Apply the batches that wait, one after another."""
        while self._mutates and not self.is_closed:
            await self.connection.drained()  # results may be large: the last ones are sent first
            frame = self._mutates.pop(0)
            response = await self.ask(paths.MUTATIONS, body=frame.text.encode("utf-8", "replace"))
            ref, problem = json.dumps(frame.ref), problem_of(response)
            if response.status_code == 200 and "results" in (getattr(response, "data", None) or ()):
                text = f'{{"type":"results","ref":{ref},{response.content.decode()[1:]}'
            else:
                if problem is None:  # a page of the project; it does not say what was applied
                    problem = errors.Unavailable().problem()
                text = f'{{"type":"error","ref":{ref},"problem":{json.dumps(problem)}}}'
            self.connection.put({"type": "websocket.send", "text": text})
            if response.status_code == 401:
                await self.end(None, NOT_AUTHENTICATED)
        self._is_mutating = False

    # Heartbeats

    def _later(self) -> asyncio.TimerHandle:
        return self.live.loop_state.loop.call_later(conf.HEARTBEAT, self._beat)

    def _beat(self) -> None:
        self.do(self._check())

    def recheck(self) -> None:
        """Check now, and not at the next heartbeat."""
        if self._timer is None:
            self._recheck_after = True  # a check runs, with the access of before
            return
        self._timer.cancel()
        self._timer = None
        self.do(self._check(is_due=False))

    async def _check(self, is_due: bool = True) -> None:
        """Check whether the client is there, takes its frames, and what its user may see (R6).

        ``is_due``: a heartbeat has passed since the last check.
        """
        self._timer = None
        if self.is_closed:
            return
        silent = self.now() - self.received_at > 2 * conf.HEARTBEAT
        if silent or (self.hello is None and is_due):
            await self.end(None, NO_HEARTBEAT)
            return
        if self.connection.is_stuck():
            await self.end(errors.Throttled("Frames are not acknowledged."))
            return
        self._recheck_after = False
        response = await self.ask(paths.SOCKET, follows=True)
        if not granted(response):
            await self.refuse(response)
            return
        if self.hello is not None and self.connection.has_begun:
            self.connection.update_audience(response.sync.audience)
        self._timer = self._later()
        if self._recheck_after:
            self.recheck()

    def log(self, call: str, *, status: int | None = None, code: str | None = None) -> None:
        """Write a line of the log; frequent frames that say little are logged for debugging."""
        level = logging.DEBUG if call in ("frame ack", "frame ping") else logging.INFO
        if not logs.requests.isEnabledFor(level):
            return
        lived = (
            round((self.now() - self.opened_at) * 1000, 1) if status not in (None, 101) else None
        )
        facts = {**self.facts, "call": call, "status": status, "code": code, "duration_ms": lived}
        logs.tell(level, facts)

    # Subrequests

    async def ask(
        self, path: str, *, follows: bool = False, body: bytes | None = None, **query: str | None
    ) -> Any:
        """The project's answer to a request of this client."""
        hello = self.hello
        if follows and hello is not None and hello.collections is not None:
            query["collections"] = ",".join(hello.collections)
        if path == paths.SOCKET and hello is not None and hello.session is not None:
            query["session"] = str(hello.session)
        scope = subrequest_scope(self.scope, SOCKET, path, query, body)
        subrequest = replace(
            self.subrequest,
            follows=follows,
            frame=body is not None,
            position=self.connection.position,
        )
        return await self.live.ask(scope, subrequest, body or b"", self.user)

    def now(self) -> float:
        return asyncio.get_running_loop().time()


class SocketConnection(Connection):
    """The socket as a connection of the hub."""

    __slots__ = ("handler",)

    def __init__(self, handler: SocketHandler, send: Send) -> None:
        super().__init__(handler.live.loop_state, send)
        self.handler = handler

    def frame_event(self, frame: Frame) -> Mapping[str, Any]:
        return frame.for_socket()

    def cursor_event(self, cursor: str) -> Mapping[str, Any]:
        return event_of({"type": "cursor", "cursor": cursor})

    async def pull(self, cursor: str) -> Any:
        return await self.handler.ask(paths.CHANGES, follows=True, cursor=cursor or None)

    def refuse(self, response: Any) -> None:
        self.handler.do(self.handler.refuse(response))

    def expire(self, error: errors.SyncError) -> None:
        self.handler.do(self.handler.end(error))

    def recheck(self) -> None:
        self.handler.recheck()

    def overrun(self) -> None:
        self.handler.do(self.handler.end(errors.Throttled("The client does not read.")))

    def fail(self) -> None:
        self.handler.do(self.handler.end(None, FAILED))


def facts_of(response: Any) -> Mapping[str, Any]:
    """The user, client and session of a connection, for the log."""
    return {name: response.sync.log.get(name) for name in ("user", "client", "session")}


def event_of(frame: Mapping[str, Any]) -> Mapping[str, Any]:
    """The event that sends a frame."""
    return {"type": "websocket.send", "text": json.dumps(frame, separators=(",", ":"))}


PONG = event_of({"type": "pong"})
