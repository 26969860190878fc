"""Clocks that stand still until a test moves them, so that no test waits for time to pass.

clock, waker = Clock(), ManualWaker()
client = SyncClient(…, now=clock.now, waker=waker)
client.start()
assert waker.asleep() == pytest.approx(30, abs=3)   # the link waits, and for so long
waker.advance(33)
"""

from __future__ import annotations

import datetime
import threading
import time

from ..client.waker import Waker

DEADLINE = 60.0
"""Real seconds after which a wait fails."""


class Clock:
    """A wall clock that may jump, as those of phones do."""

    def __init__(self) -> None:
        self.time = datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.UTC)

    def now(self) -> datetime.datetime:
        return self.time

    def jump(self, **by: float) -> None:
        """Set it forward, or with negative numbers back: ``jump(days=-365)``."""
        self.time += datetime.timedelta(**by)


class ManualWaker(Waker):
    """Sleeps until the test moves the time on, or ``wake()`` is called."""

    def __init__(self) -> None:
        super().__init__()
        self._time = 0.0
        self._until: float | None = None
        self._sleeps = False
        self.asked: list[float | None] = []
        """The seconds of each sleep that was asked for."""

    def now(self) -> float:
        return self._time

    def wait(self, seconds: float | None) -> None:
        with self._condition:
            self._until = None if seconds is None else self._time + seconds
            if not self._awake():
                self.asked.append(seconds)
                self._sleeps = True
                self._condition.notify_all()
                self._condition.wait_for(self._awake)
                self._sleeps = False
            self._woken = False

    def _awake(self) -> bool:
        return self._woken or (self._until is not None and self._time >= self._until)

    @property
    def sleeps(self) -> bool:
        """Whether a thread sleeps here now."""
        with self._condition:
            return self._sleeps and not self._awake()

    def asleep(self) -> float | None:
        """Wait until a thread sleeps here; return for how much longer, ``None`` for ever."""
        with self._condition:
            slept = self._condition.wait_for(lambda: self._sleeps and not self._awake(), DEADLINE)
            assert slept, "no thread fell asleep"
            return None if self._until is None else self._until - self._time

    def advance(self, seconds: float) -> None:
        """Let so many seconds pass."""
        with self._condition:
            self._time += seconds
            self._condition.notify_all()


def until(condition: object, what: str) -> None:
    """Wait until a callable returns something true."""
    assert callable(condition)
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, f"it never happened: {what}"
        threading.Event().wait(0.001)
