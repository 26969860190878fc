"""Answers a load balancer's health checks in the event loop, however busy the threads are.

A process that shuts down is not ready, so it gets no new connections. It is live until it has
ended, so nothing kills it before its connections are closed.
"""

from __future__ import annotations

import asyncio
import json

from .routes import HEALTH_LIVE, HEALTH_READY, Send


async def answer(name: str, method: str, send: Send, *, is_shutting_down: bool) -> None:
    """Answer a health check; ``name`` is that of its view."""
    is_well = True
    if name == HEALTH_READY:
        from ..maintenance import health

        is_well = not is_shutting_down and await asyncio.to_thread(health.ready)
    word = "unavailable" if not is_well else "live" if name == HEALTH_LIVE else "ready"
    body = json.dumps({"status": word}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    headers += [] if is_well else [(b"retry-after", b"1")]
    status = 200 if is_well else 503
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})
