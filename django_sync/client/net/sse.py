"""The connection over server-sent events: one response without an end. Nothing is sent on it."""

from __future__ import annotations

from typing import Any

import httpx2

from ...protocol.words import Transport
from . import frames
from .connection import MAX_FRAME_BYTES, Connection


class EventStream(Connection):
    """``live/stream/``. Its heartbeats are comments: the response's read time-out sees them."""

    transport = Transport.SSE

    def _read(self) -> None:
        for event in httpx2.EventSource(self._response, max_event_size=MAX_FRAME_BYTES):
            self.queue.note_bytes()
            body = frames.parse(event.data)
            self._put(_with_type(event.event, body))


def _with_type(event: str, body: dict[str, Any]) -> dict[str, Any]:
    """The frame, whose type is the event's name; the data of an error may be the problem alone."""
    if event == "error" and "problem" not in body:
        return {"type": "error", "problem": body}
    return body if event == "message" else {**body, "type": event}
