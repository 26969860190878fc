"""Wake-ups on their way to the link: each is remembered first, then its table says what to do."""

from __future__ import annotations

import threading

from ..store.database import Store
from ..store.wakeup_store import WakeupStore
from ..waker import Waker
from .wakeups import Event


class WakeupHandler:
    """One client's wake-ups. Any thread may bring one; the link's own thread takes them."""

    def __init__(self, store: Store, waker: Waker) -> None:
        self.store = WakeupStore(store)
        self._waker = waker
        self._lock = threading.Lock()
        self._event: Event | None = None
        self._trusted: tuple[float, int] | None = None

    def came(self) -> Event:
        """A wake-up came. When this returns, it is on the disk and the link will see it."""
        event = Event.WOKEN if self.store.remember() else Event.AGAIN
        with self._lock:
            if self._event is not Event.WOKEN:
                self._event = event
        self._waker.wake()
        return event

    def look(self) -> None:
        """The link decides what to do next: a remembered wake-up counts as an event."""
        if self.store.is_pending():
            with self._lock:
                self._event = self._event or Event.WAITS

    def take(self) -> Event | None:
        """The event since the last call, or ``None``."""
        with self._lock:
            event, self._event = self._event, None
        return event

    def trust(self, now: float) -> None:
        """Changes come by themselves: the next bytes after ``now`` serve this wake-up."""
        if self._trusted is None:
            self._trusted = (now, self.store.asked())

    def note_bytes(self, at: float) -> None:
        """Bytes came over the connection, the last of them at this time."""
        if self._trusted is not None and at > self._trusted[0]:
            number, self._trusted = self._trusted[1], None
            self.store.served(number)

    def connection_lost(self) -> None:
        """The connection has ended: an exchange must serve what it did not."""
        self._trusted = None
