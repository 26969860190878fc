"""A load balancer's questions, answered by the event loop itself: whatever the threads are at.

While the process ends it is not ready, so that nobody is sent here any more; it lives until it has
ended, so that nobody kills it before its connections are gone.
"""

from __future__ import annotations

import asyncio
import json

from django.urls import Resolver404, resolve

from .requests import Scope, Send

LIVE = "django_sync:health-live"
READY = "django_sync:health-ready"
_TAILS = ("/health/live", "/health/ready")


def asked(scope: Scope) -> str | None:
    """Which of the questions a request is, if it is one."""
    if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
        return None
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    if not path.removesuffix("/").endswith(_TAILS):
        return None
    try:
        name = resolve(path).view_name
    except Resolver404:
        return None
    return name if name in (LIVE, READY) else None


async def answer(name: str, method: str, send: Send, *, ending: bool) -> None:
    """Say how it is."""
    well = True
    if name == READY:
        from ..maintenance import health

        well = not ending and await asyncio.to_thread(health.ready)
    word = "unavailable" if not well else "live" if name == LIVE else "ready"
    body = json.dumps({"status": word}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    headers += [] if well else [(b"retry-after", b"1")]
    await send({"type": "http.response.start", "status": 200 if well else 503, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})
