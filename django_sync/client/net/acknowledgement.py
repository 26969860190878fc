"""When a client acknowledges the frames of a socket. Pure; the JavaScript client has it too.

The server sends a window of frames, and then waits for an acknowledgement. To acknowledge each
frame would cost the server more than to send it. So a client acknowledges

- when half of the window is used,
- or when the first frame has waited for a third of a heartbeat,
- or at once, when it waits for a cursor: the server sends the cursor after an acknowledgement, and
  some frames are not shown before their cursor has come.

Both clients are tested with ``tests/vectors/acknowledging.json``.
"""

from __future__ import annotations

import math

WINDOW = 16
"""Frames of the window, where the server's ``welcome`` does not say how many."""


class Acknowledgement:
    """Counts the frames of one socket. Times and ``heartbeat`` are in seconds of one clock."""

    def __init__(self, heartbeat: float, window: int = WINDOW) -> None:
        self.heartbeat = heartbeat
        self.window = window
        self._taken = 0
        self._acknowledged = 0
        self._since = 0.0
        """When the first unacknowledged frame came."""

    def take(self, frames: int, now: float) -> None:
        """Set how many frames the client has taken on this socket so far."""
        if frames > self._taken == self._acknowledged:
            self._since = now
        self._taken = frames

    def due_at(self, *, at_once: bool = False) -> float:
        """When the next acknowledgement is due; infinity if there is nothing to acknowledge."""
        unacknowledged = self._taken - self._acknowledged
        if not unacknowledged:
            return math.inf
        if at_once or unacknowledged >= max(self.window // 2, 1):
            return -math.inf
        return self._since + self.heartbeat / 3

    def next(self, now: float, *, at_once: bool = False) -> int | None:
        """The number to acknowledge now, which then counts as acknowledged; ``None``: not yet."""
        if now < self.due_at(at_once=at_once):
            return None
        self._acknowledged = self._taken
        return self._taken
