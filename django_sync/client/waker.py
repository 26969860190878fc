"""A sleep that another thread can end, on a clock that no jump of the wall clock moves."""

from __future__ import annotations

import threading
import time


class Waker:
    """What the background thread sleeps on. ``django_sync.testing.clocks`` has one for tests."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._woken = False

    def now(self) -> float:
        """Seconds that only ever rise."""
        return time.monotonic()

    def wake(self) -> None:
        """End the current sleep, or the next one if nothing sleeps."""
        with self._condition:
            self._woken = True
            self._condition.notify_all()

    def wait(self, seconds: float | None) -> None:
        """Sleep until ``wake()`` is called, or for so many seconds; ``None``: without end."""
        with self._condition:
            self._condition.wait_for(lambda: self._woken, seconds)
            self._woken = False
