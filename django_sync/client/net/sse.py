"""The line over server-sent events: one response that does not end. Nothing is sent on it."""

from __future__ import annotations

from typing import Any

import httpx2

from ...protocol.words import Transport
from . import frames
from .connection import LONGEST, Line


class Stream(Line):
    """``live/stream/``. Its heartbeats are comments: the response's read time-out sees them."""

    transport = Transport.SSE

    def _read(self) -> None:
        for event in httpx2.EventSource(self._response, max_event_size=LONGEST):
            self.arrivals.heard()
            body = frames.parse(event.data)
            self._arrived(_named(event.event, body))


def _named(event: str, body: dict[str, Any]) -> dict[str, Any]:
    """The frame, whose kind is the event's name; an error may be the bare problem."""
    if event == "error" and "problem" not in body:
        return {"type": "error", "problem": body}
    return body if event == "message" else {**body, "type": event}
