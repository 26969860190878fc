"""Wake-ups on their way to the link: remembered first, then done as ``wakeups``' table says."""

from __future__ import annotations

import threading

from ..waker import Waker
from .wakes import Wakes
from .wakeups import Event


class Waking:
    """One client's wake-ups. Any thread brings them, the link's own takes them."""

    def __init__(self, wakes: Wakes, waker: Waker) -> None:
        self._wakes = wakes
        self._waker = waker
        self._lock = threading.Lock()
        self._event: Event | None = None
        self._unheard: tuple[float, int] | None = None

    def came(self) -> Event:
        """A wake-up came. It is on the disk when this returns, and the link is told."""
        event = Event.WOKEN if self._wakes.remember() else Event.AGAIN
        with self._lock:
            if self._event is not Event.WOKEN:
                self._event = event
        self._waker.wake()
        return event

    def look(self) -> None:
        """The link looks what to do next."""
        if self._wakes.wait():
            with self._lock:
                self._event = self._event or Event.WAITS

    def take(self) -> Event | None:
        """What has come since the last time, if anything."""
        with self._lock:
            event, self._event = self._event, None
        return event

    def trust(self, now: float) -> None:
        """News comes by itself: whatever is heard that way after ``now`` settles this one."""
        if self._unheard is None:
            self._unheard = (now, self._wakes.asked())

    def heard(self, at: float) -> None:
        """Something was heard over the line, last at this time."""
        if self._unheard is not None and at > self._unheard[0]:
            number, self._unheard = self._unheard[1], None
            self._wakes.served(number)

    def lost(self) -> None:
        """The line has ended; what it did not settle is for an exchange."""
        self._unheard = None
