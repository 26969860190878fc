"""Long polling: a pull that finds nothing is asked again when something is new (R8).

``live(get_asgi_application())`` takes ``…/live/changes/`` out of Django's hands: the request
runs through the project's own middleware and view, in a thread of a small pool, like any other;
where its answer is empty the thread and its database connection are given back, and
the request runs once more when the feed has something for its user. So middleware of
any kind is fine here, and a thousand who wait cost a thousand sockets. What does not wait
runs in the same threads (``plain.py``).

A pull whose caller was authenticated within a heartbeat needs no run: it is answered together with
all others that wait at that moment (``pulls.py``).
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.core import signals
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.urls import set_script_prefix

from .. import logs
from ..conf import conf
from ..http.side_channel import ResponseInfo
from . import probes
from .fair_queue import MOST_HANDSHAKES, FairQueue
from .hub import Hub
from .identities import Keys
from .loop_state import LoopState, with_fresh_connections
from .pulls import Pulls, Reply, note
from .requests import Application, Receive, RequestRunner, Scope, Send, disconnected, ours
from .sse import Stream
from .subrequest import PULL, SOCKET, STREAM, Subrequest, address, credentials, live_view
from .watch import Waiter, Watch
from .websocket import SocketHandler

HELD = Subrequest(held=True)
BEGAN = "django_sync.began"
"""Under this name a request's scope holds the ``turn`` of ``Shared`` at which it came."""


def live(application: Any) -> Live:
    """Wrap a project's ASGI application, so that pulls may wait.

    In ``asgi.py``: ``application = live(get_asgi_application())``. Without it, and under WSGI, a
    pull with ``wait`` is answered at once.
    """
    return Live(application)


class Live(ASGIHandler):
    """The ASGI application that holds pulls, and hands all else to ``Plain``."""

    def __init__(self, application: Application) -> None:
        super().__init__()
        self.load_middleware()  # the synchronous chain: it runs whole in one thread
        self.threads = conf.LIVE_THREADS
        self.pool = ThreadPoolExecutor(self.threads, thread_name_prefix="django_sync.live")
        self.runner = RequestRunner(application, self, self.pool, self._answered)
        # Who waits or is connected takes turns in threads of their own: a hundred polls in line for
        # the others would stand before each of their turns.
        self.connection_pool = ThreadPoolExecutor(
            self.threads, thread_name_prefix="django_sync.turns"
        )
        # Whoever is connected does not queue behind a crowd that is just coming.
        self.feed_pool = ThreadPoolExecutor(1, thread_name_prefix="django_sync.look")
        # One thread answers many pulls; it does not wait for either pool above.
        self.pull_pool = ThreadPoolExecutor(1, thread_name_prefix="django_sync.pulls")
        self.keys = Keys()
        self._loop_state: LoopState | None = None
        self._pulls: Pulls | None = None

    def close(self) -> None:
        """Wait for what the threads are at, and end them."""
        writes = self.runner.writes
        for pool in (self.pool, self.connection_pool, writes, self.feed_pool, self.pull_pool):
            pool.shutdown()

    @property
    def loop_state(self) -> LoopState:
        """What all connections of the running event loop share."""
        loop = asyncio.get_running_loop()
        if self._loop_state is None or self._loop_state.loop is not loop:
            shared = LoopState(
                loop, FairQueue(self.connection_pool, self.threads), self._in_feed_thread
            )
            self._pulls = Pulls(self._read, self.keys, lambda: shared.turn)
            shared.forget = self._pulls.identities.forget
            self._loop_state = shared
        return self._loop_state

    @property
    def pulls(self) -> Pulls:
        """The pulls that are answered from memory."""
        assert self.loop_state is self._loop_state
        assert self._pulls is not None
        return self._pulls

    @property
    def watch(self) -> Watch:
        return self.loop_state.watch

    @property
    def hub(self) -> Hub:
        return self.loop_state.hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = probes.asked(scope)
        if asked is not None:
            await probes.answer(asked, scope["method"], send, ending=self.loop_state.ending)
            return
        name = live_view(scope)
        if name == SOCKET and scope["type"] == "websocket":
            await SocketHandler(self)(scope, receive, send)
            return
        if name == STREAM and scope["method"] == "GET":
            await Stream(self, scope, send).serve(receive)
            return
        wait = self._seconds(scope) if name == PULL else None
        if wait is None:
            await self._at_once(scope, receive, send)
            return
        answered = asyncio.ensure_future(self._answer(scope, wait))
        gone = asyncio.ensure_future(disconnected(receive))
        try:
            await asyncio.wait({answered, gone}, return_when=asyncio.FIRST_COMPLETED)
            if answered.done():
                await self._send(answered.result(), send)
        finally:
            for task in (answered, gone):
                task.cancel()
            await asyncio.gather(answered, gone, return_exceptions=True)

    async def _at_once(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer without holding: a pull from memory where possible, else by a request."""
        asked, began = self.keys.pull_request(scope), time.monotonic()
        if asked is not None:
            scope = {**scope, BEGAN: self.loop_state.turn}
            reply = await self.pulls.reply(asked)
            if reply is not None:
                note(reply, began)
                await reply.send(send)
                return
        with self.pulls.checking(asked if ours(scope) else None):
            await self.runner(scope, receive, send)

    def _answered(self, scope: Scope, response: Any) -> None:
        """A view has answered a request: remember whose it was, if it was a pull."""
        if BEGAN in scope:
            self.pulls.remember(self.keys.pull_request(scope), scope, response, scope[BEGAN])

    async def _send(self, answer: Any, send: Send) -> None:
        if isinstance(answer, Reply):
            await answer.send(send)
        else:
            await self.send_response(answer, send)

    def _seconds(self, scope: Scope) -> float | None:
        """How long a request may be held; ``None`` where it is not ours."""
        if scope["type"] != "http" or scope["method"] != "GET":
            return None
        text = dict(parse_qsl(scope["query_string"].decode("latin-1"))).get("wait", "")
        if not (text.isascii() and text.isdecimal()):
            return None  # the view says what is malformed
        return float(min(int(text[:9]), conf.WAIT_SECONDS))

    async def _answer(self, scope: Scope, wait: float) -> Any:
        """The response: the first one with something in it, or the last."""
        began = time.monotonic()
        async with self.watch.join() as waiter:
            with self.loop_state.until_end(lambda: waiter.tell(None)):
                response = await self._held(scope, waiter, began + wait)
        facts = ResponseInfo.of(response).log
        if facts is not None:
            waited = round((time.monotonic() - began) * 1000, 1)
            logs.tell(logs.level_of(response.status_code), facts | {"duration_ms": waited})
        return response

    async def _held(self, scope: Scope, waiter: Waiter, deadline: float) -> Any:
        shared, owner = self.loop_state, address(scope)
        run, began = 0, shared.turn
        with contextlib.ExitStack() as concerned:
            while True:
                run += 1
                response = await self._pulled(scope, owner, run)
                scopes = ResponseInfo.of(response).scopes
                if scopes is None or response.data["changes"] or response.data["has_more"]:
                    return response
                if run == 1:
                    again = functools.partial(waiter.tell, None)
                    concerned.enter_context(shared.concerned(response.sync.user, again, began))
                woken = await _woken(waiter, scopes, deadline - time.monotonic())
                if shared.ending or not woken:
                    return response
                scope = _from(scope, response.data["cursor"])
                owner = f"held {credentials(scope)}"

    async def _pulled(self, scope: Scope, owner: str, run: int) -> Any:
        """One answer to a held pull: from memory, or by a request to the project."""
        asked = self.keys.pull_request(scope)
        reply = await self.pulls.reply(asked, counts=run == 1)
        if reply is not None:
            return reply
        began = self.loop_state.turn
        with self.pulls.checking(asked):
            response = await self.loop_state.turns.run(owner, self._respond, scope, run)
            self.pulls.remember(asked, scope, response, began)
        return response

    async def ask(
        self, scope: Scope, inside: Subrequest, body: bytes = b"", user: str | None = None
    ) -> Any:
        """The project's answer to a request that an open connection makes of it.

        ``user`` is whose that is, once that is known. Raises ``Unavailable`` where it is not, and
        too many wait to be known.
        """
        owner, most = (f"user {user}", None) if user else (address(scope), MOST_HANDSHAKES)
        return await self.loop_state.turns.run(
            owner, self._respond, scope, 1, inside, body, most=most
        )

    def _respond(self, scope: Scope, run: int, inside: Subrequest = HELD, body: bytes = b"") -> Any:
        """Django's answer to one request, in the thread that this runs in.

        ``request.sync.run`` is 1 for the first run of a client's request and 2 for the next.
        Middleware that counts requests may read it.
        """
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=type(self), scope=scope)
        request: Any
        request, refused = self.create_request(scope, BytesIO(body))
        if request is None:
            return refused
        inside.tell(request, run)
        try:
            response: Any = self.get_response(request)
        finally:
            signals.request_finished.send(sender=type(self))
        response._handler_class = type(self)
        return response

    async def _read(self, function: Callable[..., Any], *args: Any) -> Any:
        """Run a function in the thread that answers pulls from memory."""
        work = functools.partial(with_fresh_connections, function, *args)
        return await asyncio.get_running_loop().run_in_executor(self.pull_pool, work)

    async def _in_feed_thread(self, function: Callable[..., Any], *args: Any) -> Any:
        """What a function returns that reads the feed, for all who are connected."""
        return await asyncio.get_running_loop().run_in_executor(self.feed_pool, function, *args)


async def _woken(waiter: Waiter, scopes: frozenset[str], seconds: float) -> bool:
    """Whether something came up within the time."""
    try:
        await asyncio.wait_for(waiter.concerned(scopes), max(seconds, 0))
    except TimeoutError:
        return False
    return True


def _from(scope: Scope, cursor: str) -> Scope:
    """The same request, from where its last answer ended."""
    query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
    return {**scope, "query_string": urlencode({**query, "cursor": cursor}).encode("ascii")}
