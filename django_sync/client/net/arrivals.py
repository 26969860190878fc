"""What one thread reads from a connection and another heeds: in order, and bounded."""

from __future__ import annotations

import threading
from typing import Any

from ... import errors
from ..waker import Waker

MOST = 16
"""Frames that wait to be heeded; the server sends about as many without an answer."""


class Arrivals:
    """Frames as they come, then the connection's end. Each wakes ``waker``."""

    def __init__(self, waker: Waker, most: int = MOST) -> None:
        self._waker = waker
        self._most = most
        self._moved = threading.Condition()
        self._frames: list[dict[str, Any]] = []
        self._end: errors.SyncError | None = None
        self.heard_at = waker.now()
        """When anything came last, by the waker's clock."""

    def heard(self) -> None:
        """Something came, if only half a frame."""
        self.heard_at = self._waker.now()

    def put(self, frame: dict[str, Any]) -> bool:
        """Add a frame; wait where there are too many. ``False``: nobody wants it any more."""
        with self._moved:
            self._moved.wait_for(lambda: self._end is not None or len(self._frames) < self._most)
            if self._end is not None:
                return False
            self._frames.append(frame)
        self._waker.wake()
        return True

    def end(self, error: errors.SyncError) -> None:
        """Nothing more comes. The first reason counts."""
        with self._moved:
            self._end = self._end or error
            self._moved.notify_all()
        self._waker.wake()

    def next(self) -> dict[str, Any] | None:
        """The next frame, or ``None``; raises the reason of the end once all are taken."""
        with self._moved:
            if self._frames:
                self._moved.notify_all()
                return self._frames.pop(0)
            if self._end is not None:
                raise self._end
            return None
