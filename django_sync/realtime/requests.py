"""All other requests of the protocol, in a few threads that stay.

Django's ASGI handler gives each request a thread, and each thread opens a database
connection: two hundred clients that poll at once are two hundred connections. Here a request
stands in line until one of a few threads is free, and runs whole in it, as WSGI would
run it: no more connections than threads, and one hop where Django makes several.

Readers and writers stand in two lines, since a batch of mutations may take a hundred times as
long as a pull that finds nothing. This file knows nothing of waiting.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.http import HttpResponse
from django.urls import Resolver404, resolve, set_script_prefix

from .. import errors
from ..conf import conf

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

APP = "django_sync"
READS = ("GET", "HEAD", "OPTIONS")
AGAIN = (2, 10)
"""Seconds after which one who was refused may come again: not all of them at once."""


class RequestRunner:
    """An ASGI application: ours in threads, by the middleware of ``handler``; all else handed on.

    ``asked`` counts the requests that are in line or being served. ``answered`` is called on the
    event loop with each request and its response, before that is sent.
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
        self.writes = ThreadPoolExecutor(max(1, conf.LIVE_THREADS // 2), "django_sync.plain")
        self.asked = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not ours(scope):
            await self.application(scope, receive, send)
            return
        try:
            body = await self.handler.read_body(receive)
        except RequestAborted:
            return
        if self.asked >= conf.LIVE_QUEUE:
            body.close()
            await self.handler.send_response(_refusal(), send)
            return
        self.asked += 1
        try:
            await self._serve(scope, body, receive, send)
        finally:
            self.asked -= 1

    async def _serve(self, scope: Scope, body: Any, receive: Receive, send: Send) -> None:
        """Answer one request, unless the client goes before its turn comes."""
        pool = self.reads if scope["method"] in READS else self.writes
        job = pool.submit(copy_context().run, self._respond, scope, body)
        told = asyncio.ensure_future(self._tell(scope, job, send, pool))
        gone = asyncio.ensure_future(disconnected(receive))
        try:
            await asyncio.wait({told, gone}, return_when=asyncio.FIRST_COMPLETED)
            if told.done():
                told.result()
        finally:
            for task in (told, gone):
                task.cancel()
            await asyncio.gather(told, gone, return_exceptions=True)
            if job.cancel():
                body.close()

    async def _tell(
        self, scope: Scope, job: Future[Any], send: Send, pool: ThreadPoolExecutor
    ) -> None:
        response = await asyncio.wrap_future(job)
        try:
            self.answered(scope, response)
            await self.handler.send_response(response, send)
        finally:
            if not response.closed:
                await asyncio.shield(asyncio.wrap_future(pool.submit(response.close)))

    def _respond(self, scope: Scope, body: Any) -> Any:
        """Django's answer, in the thread that this runs in; it is closed here, and so the body.

        Closing it says that the request is finished, whereupon Django looks after the thread's
        connection. Only what a middleware streams from the event loop stays open.
        """
        kind = type(self.handler)
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=kind, scope=scope)
        request: Any
        request, refused = self.handler.create_request(scope, body)
        try:
            response: Any = refused if request is None else self.handler.get_response(request)
            response._handler_class = kind
            if response.streaming and response.is_async:
                return response
            if response.streaming:
                response.streaming_content = _given(list(response.streaming_content))
        except BaseException:
            signals.request_finished.send(sender=kind)
            body.close()
            raise
        response.close()
        body.close()  # where there was no request that would have
        return response


def ours(scope: Scope) -> bool:
    """Whether a request is of the protocol; one that is taken for one wrongly is answered too."""
    if scope["type"] != "http":
        return False
    try:
        return APP in resolve(scope["path"].removeprefix(scope.get("root_path", ""))).app_names
    except Resolver404:
        return False


async def disconnected(receive: Receive) -> None:
    """Until the client hangs up."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _given(parts: list[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def _refusal() -> HttpResponse:
    """No middleware runs for it, and no thread."""
    error = errors.Unavailable("Too many requests are in line; come again in a moment.")
    return HttpResponse(
        json.dumps(error.problem()),
        status=error.status,
        content_type="application/problem+json",
        headers={
            "Retry-After": str(random.randint(*AGAIN)),  # noqa: S311  # spreads, no secret
            "Cache-Control": "private, no-store",
        },
    )
