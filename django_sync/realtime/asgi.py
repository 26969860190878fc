"""The ASGI application: sockets, streams, held pulls, and all other requests of the protocol (R8).

``live(get_asgi_application())`` serves the URLs of the protocol. A held pull
(``…/live/changes/?wait=25``) runs through the project's own middleware and view, in a thread of a
small pool, as any request does. While its page is empty, it has no thread and no database
connection; it runs once more when the feed has something for its user. So any middleware works, and
a thousand clients that wait cost a thousand sockets. ``requests`` runs what is not held.

A pull whose caller was authenticated within a heartbeat runs no request: it is answered together
with all other pulls that wait at that moment (``memory_pulls``).
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

from django.core.handlers.asgi import ASGIHandler

from .. import logs
from ..conf import conf
from ..http.side_channel import ResponseInfo
from . import probes
from .fair_queue import MOST_HANDSHAKES, FairQueue
from .hub import Hub
from .identity_cache import RequestKeys
from .loop_state import LoopState, with_fresh_connections
from .memory_pulls import MemoryPulls, Reply, log_reply
from .requests import RequestRunner, disconnected
from .routes import (
    PULL,
    SOCKET,
    STREAM,
    Application,
    Receive,
    Scope,
    Send,
    health_view,
    is_ours,
    live_view,
)
from .sse import Stream
from .subrequest import Subrequest, address, credentials
from .watch import Waiter, Watch
from .websocket import SocketHandler

HELD = Subrequest(held=True)
BEGAN = "django_sync.began"
"""The key in a request's scope for the ``access_version`` of ``LoopState`` when it came."""


def live(application: Any) -> Live:
    """Wrap a project's ASGI application, so that pulls may wait.

    In ``asgi.py``: ``application = live(get_asgi_application())``. Without it, and under WSGI, a
    pull with ``wait`` is answered at once.
    """
    return Live(application)


class Live(ASGIHandler):
    """The ASGI application that serves the protocol, and leaves all else to ``application``."""

    def __init__(self, application: Application) -> None:
        super().__init__()
        self.load_middleware()  # the synchronous chain: it runs whole in one thread
        self.threads = conf.LIVE_THREADS
        self.request_pool = _pool(self.threads, "live")
        self.runner = RequestRunner(application, self, self.request_pool, self._answered)
        # Connections and held pulls have threads of their own, so they do not wait behind polls.
        self.connection_pool = _pool(self.threads, "connections")
        # The feed is read in a thread of its own, so no handshakes delay open connections.
        self.feed_pool = _pool(1, "feed")
        # One thread answers many pulls from memory; it does not wait for the pools above.
        self.pull_pool = _pool(1, "pulls")
        self.keys = RequestKeys()
        self._loop_state: LoopState | None = None

    def close(self) -> None:
        """Wait for the work in the threads, and end them."""
        own = (self.request_pool, self.connection_pool, self.feed_pool, self.pull_pool)
        for pool in (*own, self.runner.writes):
            pool.shutdown()

    @property
    def loop_state(self) -> LoopState:
        """What all connections of the running event loop share."""
        loop = asyncio.get_running_loop()
        if self._loop_state is None or self._loop_state.loop is not loop:
            queue = FairQueue(self.connection_pool, self.threads)
            self._loop_state = LoopState(
                loop, queue, self.keys, self._in_feed_thread, self._in_pull_thread
            )
        return self._loop_state

    @property
    def pulls(self) -> MemoryPulls:
        return self.loop_state.pulls

    @property
    def watch(self) -> Watch:
        return self.loop_state.watch

    @property
    def hub(self) -> Hub:
        return self.loop_state.hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        probe = health_view(scope)
        if probe is not None:
            is_shutting_down = self.loop_state.is_shutting_down
            await probes.answer(probe, scope["method"], send, is_shutting_down=is_shutting_down)
            return
        name = live_view(scope)
        if name == SOCKET and scope["type"] == "websocket":
            await SocketHandler(self)(scope, receive, send)
            return
        if name == STREAM and scope["method"] == "GET":
            await Stream(self, scope, send).serve(receive)
            return
        wait = _wait_seconds(scope) if name == PULL else None
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
        pull, began = self.keys.pull_request(scope), time.monotonic()
        if pull is not None:
            scope = {**scope, BEGAN: self.loop_state.access_version}
            reply = await self.pulls.reply(pull)
            if reply is not None:
                log_reply(reply, began)
                await reply.send(send)
                return
        with self.pulls.checking(pull if is_ours(scope) else None):
            await self.runner(scope, receive, send)

    def _answered(self, scope: Scope, response: Any) -> None:
        """A view has answered a request: if it was a pull, remember its caller."""
        if BEGAN in scope:
            self.pulls.remember(self.keys.pull_request(scope), scope, response, scope[BEGAN])

    async def _send(self, answer: Any, send: Send) -> None:
        if isinstance(answer, Reply):
            await answer.send(send)
        else:
            await self.runner.send(answer, send)

    # Held pulls

    async def _answer(self, scope: Scope, wait: float) -> Any:
        """The response: the first one with something in it, or the last."""
        began = time.monotonic()
        async with self.watch.join() as waiter:
            with self.loop_state.until_shutdown(lambda: waiter.add_news(None)):
                response = await self._held(scope, waiter, began + wait)
        facts = ResponseInfo.of(response).log
        if facts is not None:
            waited = round((time.monotonic() - began) * 1000, 1)
            logs.tell(logs.level_of(response.status_code), facts | {"duration_ms": waited})
        return response

    async def _held(self, scope: Scope, waiter: Waiter, deadline: float) -> Any:
        state, owner = self.loop_state, address(scope)
        run, began = 0, state.access_version
        with contextlib.ExitStack() as stack:
            while True:
                run += 1
                response = await self._pulled(scope, owner, run)
                scopes = ResponseInfo.of(response).scopes
                if scopes is None or response.data["changes"] or response.data["has_more"]:
                    return response
                if run == 1:
                    pull_again = functools.partial(waiter.add_news, None)
                    stack.enter_context(
                        state.access_followed(response.sync.user, pull_again, began)
                    )
                is_news = await _wait_for_news(waiter, scopes, deadline - time.monotonic())
                if state.is_shutting_down or not is_news:
                    return response
                scope = _from_cursor(scope, response.data["cursor"])
                owner = f"held {credentials(scope)}"

    async def _pulled(self, scope: Scope, owner: str, run: int) -> Any:
        """One answer to a held pull: from memory, or by a request to the project."""
        pull = self.keys.pull_request(scope)
        reply = await self.pulls.reply(pull, counts=run == 1)
        if reply is not None:
            return reply
        began = self.loop_state.access_version
        with self.pulls.checking(pull):
            response = await self._subrequest(owner, scope, HELD, run=run)
            self.pulls.remember(pull, scope, response, began)
        return response

    # Subrequests

    async def ask(
        self, scope: Scope, subrequest: Subrequest, body: bytes = b"", user: str | None = None
    ) -> Any:
        """The project's answer to a request of an open connection.

        ``user`` is the user's key, once it is known. Raises ``Unavailable`` if it is not known yet
        and too many handshakes of the same address wait.
        """
        if user:
            return await self._subrequest(f"user {user}", scope, subrequest, body)
        owner = address(scope)
        return await self._subrequest(owner, scope, subrequest, body, most=MOST_HANDSHAKES)

    async def _subrequest(
        self,
        owner: str,
        scope: Scope,
        subrequest: Subrequest,
        body: bytes = b"",
        *,
        run: int = 1,
        most: int | None = None,
    ) -> Any:
        queue, respond = self.loop_state.fair_queue, self.runner.respond
        return await queue.run(owner, respond, scope, BytesIO(body), subrequest, run, most=most)

    # Threads

    async def _in_pull_thread(self, function: Callable[..., Any], *args: Any) -> Any:
        """Run a function in the thread that answers pulls from memory."""
        work = functools.partial(with_fresh_connections, function, *args)
        return await asyncio.get_running_loop().run_in_executor(self.pull_pool, work)

    async def _in_feed_thread(self, function: Callable[..., Any], *args: Any) -> Any:
        """Run a function in the thread that reads the feed for all open connections."""
        return await asyncio.get_running_loop().run_in_executor(self.feed_pool, function, *args)


def _pool(threads: int, name: str) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix=f"django_sync.{name}")


def _wait_seconds(scope: Scope) -> float | None:
    """How long a pull may be held; ``None`` where it is answered at once."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return None
    text = dict(parse_qsl(scope["query_string"].decode("latin-1"))).get("wait", "")
    if not (text.isascii() and text.isdecimal()):
        return None  # the view answers what is malformed
    return float(min(int(text[:9]), conf.WAIT_SECONDS))


async def _wait_for_news(waiter: Waiter, scopes: frozenset[str], seconds: float) -> bool:
    """Whether something is new in these scopes within the time."""
    try:
        await asyncio.wait_for(waiter.concerned(scopes), max(seconds, 0))
    except TimeoutError:
        return False
    return True


def _from_cursor(scope: Scope, cursor: str) -> Scope:
    """The same request, from the cursor of its last answer."""
    query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
    return {**scope, "query_string": urlencode({**query, "cursor": cursor}).encode("ascii")}
