"""Waiting that may be cut short, by a clock that no wall clock's jump moves."""

from __future__ import annotations

import threading
import time


class Alarm:
    """What the background thread sleeps on. ``django_sync.testing.alarm`` has one for tests."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._rung = False

    def now(self) -> float:
        """Seconds that only ever rise."""
        return time.monotonic()

    def ring(self) -> None:
        """Wake who waits, or who waits next."""
        with self._condition:
            self._rung = True
            self._condition.notify_all()

    def wait(self, seconds: float | None) -> None:
        """Return once it has rung, or when so many seconds have passed."""
        with self._condition:
            self._condition.wait_for(lambda: self._rung, seconds)
            self._rung = False
