"""The baseline of the bench ``sockets``: an ASGI function that sends one text to all sockets.

It has no database, no users and no acknowledgements. What any socket sends goes to all of them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

SOCKETS: set[Callable[[Any], Awaitable[None]]] = set()


async def application(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[Any]],
    send: Callable[[Any], Awaitable[None]],
) -> None:
    """Serve one socket; any HTTP request is answered with an empty 200."""
    if scope["type"] != "websocket":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        return
    await receive()
    await send({"type": "websocket.accept"})
    SOCKETS.add(send)
    try:
        while (event := await receive())["type"] != "websocket.disconnect":
            out = {"type": "websocket.send", "text": event["text"]}
            for each in tuple(SOCKETS):
                await each(out)
    finally:
        SOCKETS.discard(send)
