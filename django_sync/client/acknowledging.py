"""When a socket's client acknowledges what it has taken. Pure; the JavaScript client has it too.

The server sends a window of frames ahead, and then waits for an acknowledgement. One for each
frame would be right, and would cost the server more than the frame did. So a client acknowledges
when half of the window is used, or when the first frame has waited for a third of a heartbeat, or
at once where it needs the server's answer: a cursor follows an acknowledgement, and frames that
wait for their cursor are not shown before it. ``tests/vectors/acknowledging.json`` holds both
clients to this.
"""

from __future__ import annotations

import math

WINDOW = 16
"""Frames that a server sends ahead, where its ``welcome`` does not say."""


class Acknowledging:
    """Counts the frames of one socket. Times are seconds of one clock; ``heartbeat`` too."""

    def __init__(self, heartbeat: float, window: int = WINDOW) -> None:
        self.heartbeat = heartbeat
        self.window = window
        self._taken = 0
        self._acknowledged = 0
        self._since = 0.0
        """When the first frame came that is not acknowledged."""

    def take(self, frames: int, now: float) -> None:
        """So many frames have been taken on this socket."""
        if frames > self._taken == self._acknowledged:
            self._since = now
        self._taken = frames

    def due_at(self, *, at_once: bool = False) -> float:
        """When the next acknowledgement is due; infinity where nothing is to be acknowledged."""
        waiting = self._taken - self._acknowledged
        if not waiting:
            return math.inf
        if at_once or waiting >= max(self.window // 2, 1):
            return -math.inf
        return self._since + self.heartbeat / 3

    def next(self, now: float, *, at_once: bool = False) -> int | None:
        """The number of frames to acknowledge now, which counts as done; ``None``: not yet."""
        if now < self.due_at(at_once=at_once):
            return None
        self._acknowledged = self._taken
        return self._taken
