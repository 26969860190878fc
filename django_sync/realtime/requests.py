"""Runs requests of the protocol through the project's middleware and views, in a few threads.

Django's ASGI handler gives each request a thread, and each thread opens a database connection:
two hundred clients that poll at once are two hundred connections. Here a request waits until one
of a few threads is free, and runs whole in it, as under WSGI. So there are no more connections
than threads, and one change of threads where Django makes several.

A held pull, a socket and a stream ask the project by the same ``respond``, with a ``Subrequest``.
They wait in the ``FairQueue`` of their event loop. All other requests wait here: reads and writes
apart, since a batch of mutations may take a hundred times as long as a pull that finds nothing.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.http import HttpResponse
from django.urls import set_script_prefix

from .. import errors
from ..conf import conf
from .routes import Application, Receive, Scope, Send, is_ours
from .subrequest import Subrequest

READS = ("GET", "HEAD", "OPTIONS")
RETRY_SECONDS = (2, 10)
"""When a refused client may try again: a random time between, so that not all come at once."""


class RequestRunner:
    """An ASGI application that serves our requests, and leaves all others to ``application``.

    Requests run through the middleware of ``handler``. ``pending`` counts the requests that wait or
    are being served. ``answered`` is called on the event loop with each request and its response,
    before the response is sent.
    """

    def __init__(
        self,
        application: Application,
        handler: ASGIHandler,
        reads: ThreadPoolExecutor,
        answered: Callable[[Scope, Any], None] = lambda scope, response: None,
    ) -> None:
        self.application, self.handler = application, handler
        self.reads = reads
        self.answered = answered
        self.writes = ThreadPoolExecutor(max(1, conf.LIVE_THREADS // 2), "django_sync.writes")
        self.pending = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not is_ours(scope):
            await self.application(scope, receive, send)
            return
        try:
            body = await self.handler.read_body(receive)
        except RequestAborted:
            return
        if self.pending >= conf.LIVE_QUEUE:
            body.close()
            await self.handler.send_response(_refusal(), send)
            return
        self.pending += 1
        try:
            await self._serve(scope, body, receive, send)
        finally:
            self.pending -= 1

    async def _serve(self, scope: Scope, body: Any, receive: Receive, send: Send) -> None:
        """Answer one request, unless its client disconnects while it waits for a thread."""
        pool = self.reads if scope["method"] in READS else self.writes
        job = pool.submit(copy_context().run, self.respond, scope, body)
        sent = asyncio.ensure_future(self._send_result(scope, job, send))
        gone = asyncio.ensure_future(disconnected(receive))
        try:
            await asyncio.wait({sent, gone}, return_when=asyncio.FIRST_COMPLETED)
            if sent.done():
                sent.result()
        finally:
            for task in (sent, gone):
                task.cancel()
            await asyncio.gather(sent, gone, return_exceptions=True)
            if job.cancel():
                body.close()

    async def _send_result(self, scope: Scope, job: Future[Any], send: Send) -> None:
        response = await asyncio.wrap_future(job)
        try:
            self.answered(scope, response)
            await self.handler.send_response(response, send)
        finally:
            await self.close(response)

    async def send(self, response: Any, send: Send) -> None:
        """Send the answer to a subrequest as the answer of the connection itself."""
        try:
            await self.handler.send_response(response, send)
        finally:
            await self.close(response)

    async def close(self, response: Any) -> None:
        """Close a response that ``respond`` left open."""
        if not response.closed:
            await asyncio.shield(asyncio.wrap_future(self.reads.submit(response.close)))

    def respond(
        self, scope: Scope, body: Any, subrequest: Subrequest | None = None, run: int = 1
    ) -> Any:
        """Django's answer to one request, in the thread that this runs in.

        The response and the body are closed here. Closing sends ``request_finished``, at which
        Django looks after the thread's database connection. Only a response that a middleware
        streams from the event loop stays open.

        ``request.sync.run`` is 1 for the first run of a client's request and 2 for the next.
        Middleware that counts requests may read it.
        """
        kind = type(self.handler)
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=kind, scope=scope)
        request: Any
        request, refused = self.handler.create_request(scope, body)
        try:
            if request is not None and subrequest is not None:
                subrequest.attach_to(request, run)
            response: Any = refused if request is None else self.handler.get_response(request)
            response._handler_class = kind
            if response.streaming and response.is_async:
                if subrequest is not None:  # its connection may never send this answer
                    signals.request_finished.send(sender=kind)
                return response
            if response.streaming:
                response.streaming_content = _iterated(list(response.streaming_content))
        except BaseException:
            signals.request_finished.send(sender=kind)
            body.close()
            raise
        response.close()
        body.close()  # a request closes it, but there may have been none
        return response


async def disconnected(receive: Receive) -> None:
    """Wait until the client disconnects."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _iterated(parts: list[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def _refusal() -> HttpResponse:
    """The answer to a request that may not wait; it takes no thread and no middleware."""
    error = errors.Unavailable("Too many requests are waiting. Try again in a moment.")
    return HttpResponse(
        json.dumps(error.problem()),
        status=error.status,
        content_type="application/problem+json",
        headers={
            "Retry-After": str(random.randint(*RETRY_SECONDS)),  # noqa: S311  # no secret
            "Cache-Control": "private, no-store",
        },
    )
