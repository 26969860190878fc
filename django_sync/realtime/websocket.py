"""The WebSocket, as an ASGI application: frames in, frames out (the protocol's section 8).

It joins no group of a channel layer: what is new comes from the hub. All that it asks of the
project (who is this, a pull, a batch of mutations) is a request through the project's own
middleware and views, made as this client; see ``inner``.
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
from .requests import Receive, Scope, Send
from .subrequest import SOCKET, Subrequest, granted, problem_of, subrequest_scope
from .throttle import Throttle

if TYPE_CHECKING:
    from .asgi import Live

OPEN = "live/ws/"
"""The address that says who may have a socket, and whether they still may."""
MUTATES = 8
"""Batches of one socket that may wait for their turn."""


class SocketHandler:
    """One client's socket. ``live`` is the application that serves it.

    It is an ASGI application for one connection, and reads its events in the server's own task.
    """

    __slots__ = (
        "_again",
        "_is_counted",
        "_mutates",
        "_tasks",
        "_timer",
        "_working",
        "ended",
        "epoch",
        "facts",
        "heard",
        "hello",
        "inside",
        "line",
        "live",
        "opened",
        "rate",
        "scope",
        "user",
    )

    def __init__(self, live: Live) -> None:
        self.live = live
        self.hello: Hello | None = None
        self.inside = Subrequest(from_page=True)
        self.epoch = ""
        self.user: str | None = None
        self.heard = self.opened = self.now()
        self.ended = False
        self.facts: Mapping[str, Any] = {}
        self.rate = Throttle(conf.SOCKET_FRAMES, live.loop_state.loop.time)
        self._is_counted = False
        self._mutates: list[Mutate] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._working = False
        self._timer: asyncio.TimerHandle | None = None
        self._again = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the socket; however that ends, nothing of it stays behind."""
        self.scope = scope
        self.line = SocketConnection(self, send)
        try:
            while (event := await receive())["type"] != "websocket.disconnect":
                await getattr(self, event["type"].replace(".", "_"))(event)
        finally:
            await self.disconnect(None)

    async def websocket_connect(self, event: Mapping[str, Any]) -> None:
        await self.connect()

    async def websocket_receive(self, event: Mapping[str, Any]) -> None:
        await self.receive(event.get("text"))

    # From the first moment to the last

    async def connect(self) -> None:
        """Who is it? Whoever may not, is told so by a code, which needs an open socket."""
        query = parse_qs(
            self.scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True
        )
        shared = self.live.loop_state
        began = shared.turn
        try:
            response = await self.ask(OPEN, ticket=query.get("ticket", [None])[0])
        except errors.Unavailable as error:
            self.accept()
            await self.end(error)
            return
        self.accept()
        shared.on_shutdown(self.leave)
        if not granted(response):
            await self.refuse(response)
            return
        if not shared.connect(response.sync.user, self.recheck, began):
            await self.end(errors.Throttled("You have too many connections open."))
            return
        self._is_counted = True
        self.user, self.epoch = response.sync.user, response.data["epoch"]
        self.facts = facts_of(response)
        self.tell("socket", status=101)
        self.inside = Subrequest(
            session=response.sync.session, login=response.sync.login, from_page=True
        )
        self._timer = self._later()
        if self._again:
            self.recheck()

    def accept(self) -> None:
        """Accept the socket; a reason to close it is sent over it."""
        self.line.put({"type": "websocket.accept", "subprotocol": None})

    async def disconnect(self, code: int | None) -> None:
        """Let go of everything."""
        if not self.ended and self.user is not None:
            self.tell("socket", status=code or 1006)
        self.ended = True
        self.live.loop_state.off_shutdown(self.leave)
        if self._is_counted and self.user is not None:
            self._is_counted = False
            self.live.loop_state.disconnect(self.user, self.recheck)
        if self._timer is not None:
            self._timer.cancel()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.line.close()

    async def end(self, error: errors.SyncError | None, code: int | None = None) -> None:
        """Say why, and close."""
        if self.ended:
            return
        self.ended = True
        if code is None:
            code = BAD_FRAME if error is None else code_of(error.status, error.code)
        self.tell("socket", status=code, code=None if error is None else error.code)
        last: list[Mapping[str, Any]] = [{"type": "websocket.close", "code": code}]
        if error is not None:
            last.insert(0, sending({"type": "error", "problem": error.problem()}))
        await self.line.finish(*last)

    def leave(self) -> None:
        """This process ends; another one serves whoever comes back."""
        self.do(self.end(None, RESTARTING))

    async def refuse(self, response: Any) -> None:
        """Close as an answer of the project's has it that is none of success."""
        problem = problem_of(response)
        error = None if problem is None else errors.from_problem(problem)
        otherwise = FAILED if error is None else BAD_FRAME
        told = None if problem is None else problem.get("code")
        await self.end(error, code_of(response.status_code, told, otherwise))

    def do(self, work: Any) -> None:
        """Have something done that takes its time, as long as the socket is there."""
        task = self.line.begin_work(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # What comes in

    async def receive(self, text_data: str | None) -> None:
        if self.ended:
            return
        self.heard = self.now()
        try:
            if LARGE <= (bytes_ := size(text_data)) <= conf.BODY_BYTES:
                pace = self.live.loop_state.pace
                wait = pace.seconds(self.user or "", bytes_, conf.HEARTBEAT)
                if wait is None:
                    raise errors.Throttled("Large frames come faster than they may.")
                await asyncio.sleep(wait)
            frame = read(text_data, conf.BODY_BYTES)
            if not isinstance(frame, Mutate):  # the view tells of those, with what came of them
                self.tell(f"frame {type(frame).__name__.lower()}")
            if not (isinstance(frame, Ack) and self.hello) and not self.rate.allows():
                raise errors.Throttled("Frames come faster than they may.")
            await self._take(frame)
        except errors.SyncError as error:
            await self.end(error)

    async def _take(self, frame: Hello | Ack | Mutate | Ping) -> None:
        if self.ended:  # while a large frame waited
            return
        if isinstance(frame, Ping):
            self.line.put(PONG)
        elif isinstance(frame, Hello):
            await self._greet(frame)
        elif self.hello is None:
            raise errors.Invalid("“hello” comes first.")
        elif isinstance(frame, Ack):
            if not self.line.taken < frame.frames <= self.line.sent_count:
                raise errors.Invalid("This is no number of frames to acknowledge now.")
            self.line.take(frame.frames)
        else:
            self._mutate(frame)

    async def _greet(self, hello: Hello) -> None:
        if self.hello is not None:
            raise errors.Invalid("“hello” comes once.")
        self.hello = hello
        if hello.session is not None:
            response = await self.ask(OPEN)
            if not granted(response):
                await self.refuse(response)
                return
            self.facts = facts_of(response)
        welcome = {"type": "welcome", "epoch": self.epoch, "heartbeat": conf.HEARTBEAT}
        self.line.put(sending(welcome | {"window": WINDOW}))
        self.line.open(hello.cursor or "")

    def _mutate(self, frame: Mutate) -> None:
        if len(self._mutates) >= MUTATES:
            raise errors.Throttled("Too many batches wait for their results.")
        self._mutates.append(frame)
        if not self._working:
            self._working = True
            self.do(self._work())

    async def _work(self) -> None:
        """Carry out the batches that wait, one after another."""
        while self._mutates and not self.ended:
            await self.line.drained()  # results may be large, and wait for whoever takes them
            frame = self._mutates.pop(0)
            response = await self.ask("mutations/", body=frame.text.encode("utf-8", "replace"))
            ref, problem = json.dumps(frame.ref), problem_of(response)
            if response.status_code == 200 and "results" in (getattr(response, "data", None) or ()):
                told = f'{{"type":"results","ref":{ref},{response.content.decode()[1:]}'
            else:
                if problem is None:  # a page of the project's: whether it was done, nobody knows
                    problem = errors.Unavailable().problem()
                told = f'{{"type":"error","ref":{ref},"problem":{json.dumps(problem)}}}'
            self.line.put({"type": "websocket.send", "text": told})
            if response.status_code == 401:
                await self.end(None, NOT_AUTHENTICATED)
        self._working = False

    # Looking after the socket

    def _later(self) -> asyncio.TimerHandle:
        return self.live.loop_state.loop.call_later(conf.HEARTBEAT, self._beat)

    def _beat(self) -> None:
        self.do(self._look_after())

    def recheck(self) -> None:
        """Look now, and not at the next heartbeat."""
        if self._timer is None:
            self._again = True  # it is being looked at, with what was known before
            return
        self._timer.cancel()
        self._timer = None
        self.do(self._look_after(told=True))

    async def _look_after(self, told: bool = False) -> None:
        """See whether the client is there, takes what it gets, and may see it still (R6)."""
        self._timer = None
        if self.ended:
            return
        silent = self.now() - self.heard > 2 * conf.HEARTBEAT
        if silent or (self.hello is None and not told):
            await self.end(None, NO_HEARTBEAT)
            return
        if self.line.is_stuck():
            await self.end(errors.Throttled("Frames are not acknowledged."))
            return
        self._again = False
        response = await self.ask(OPEN, follows=True)
        if not granted(response):
            await self.refuse(response)
            return
        if self.hello is not None and self.line.has_begun:
            self.line.look(response.sync.audience)
        self._timer = self._later()
        if self._again:
            self.recheck()

    def tell(self, call: str, *, status: int | None = None, code: str | None = None) -> None:
        """One line in the log; what there is of in crowds, and says little, is for debugging."""
        level = logging.DEBUG if call in ("frame ack", "frame ping") else logging.INFO
        if not logs.requests.isEnabledFor(level):
            return
        lived = round((self.now() - self.opened) * 1000, 1) if status not in (None, 101) else None
        facts = {**self.facts, "call": call, "status": status, "code": code, "duration_ms": lived}
        logs.tell(level, facts)

    # Asking the project

    async def ask(
        self, path: str, *, follows: bool = False, body: bytes | None = None, **query: str | None
    ) -> Any:
        """The project's answer to a request of this client's."""
        hello = self.hello
        if follows and hello is not None and hello.collections is not None:
            query["collections"] = ",".join(hello.collections)
        if path == OPEN and hello is not None and hello.session is not None:
            query["session"] = str(hello.session)
        scope = subrequest_scope(self.scope, SOCKET, path, query, body)
        inside = replace(
            self.inside, follows=follows, frame=body is not None, position=self.line.reached
        )
        return await self.live.ask(scope, inside, body or b"", self.user)

    def now(self) -> float:
        return asyncio.get_running_loop().time()


class SocketConnection(Connection):
    """A socket, as the hub sees it."""

    __slots__ = ("consumer",)

    def __init__(self, consumer: SocketHandler, send: Send) -> None:
        super().__init__(consumer.live.loop_state, send)
        self.consumer = consumer

    def frame_event(self, frame: Frame) -> Mapping[str, Any]:
        return frame.for_socket()

    def cursor_event(self, cursor: str) -> Mapping[str, Any]:
        return sending({"type": "cursor", "cursor": cursor})

    async def pull(self, cursor: str) -> Any:
        return await self.consumer.ask("changes/", follows=True, cursor=cursor or None)

    def refuse(self, response: Any) -> None:
        self.consumer.do(self.consumer.refuse(response))

    def expire(self, error: errors.SyncError) -> None:
        self.consumer.do(self.consumer.end(error))

    def recheck(self) -> None:
        self.consumer.recheck()

    def overrun(self) -> None:
        self.consumer.do(self.consumer.end(errors.Throttled("What is sent is not taken.")))

    def fail(self) -> None:
        self.consumer.do(self.consumer.end(None, FAILED))


def facts_of(response: Any) -> Mapping[str, Any]:
    """The user, client and session of a connection, for the log."""
    return {name: response.sync.log.get(name) for name in ("user", "client", "session")}


def sending(frame: Mapping[str, Any]) -> Mapping[str, Any]:
    """The event that sends a frame."""
    return {"type": "websocket.send", "text": json.dumps(frame, separators=(",", ":"))}


PONG = sending({"type": "pong"})
