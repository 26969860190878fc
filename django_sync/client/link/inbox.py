"""Events from other threads for the background thread, and how they wake it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..net.cancel import Cutter, Interrupted
from ..waker import Waker
from .states import Event


class Inbox:
    """Events in order, each once, for the thread that sleeps on ``waker`` or in a request."""

    def __init__(self, waker: Waker, cutter: Cutter, has_new: Callable[[], bool]) -> None:
        self._waker = waker
        self._cutter = cutter
        self._has_new = has_new
        self._lock = threading.Lock()
        self._events: list[Event] = []
        self._holding: threading.Thread | None = None

    def post(self, event: Event) -> None:
        """Add an event; it cuts a held request, and no other."""
        with self._lock:
            if event not in self._events:
                self._events.append(event)
            if self._holding is not None:
                self._cutter.cut()
        self._waker.wake()

    def take(self) -> list[Event]:
        """Empty it; a write that has been sent meanwhile is left out."""
        with self._lock:
            events, self._events = self._events, []
        if Event.WROTE in events and not self._has_new():
            events.remove(Event.WROTE)
        return events

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Wrap a request that any event cuts; ``Interrupted`` if one is there already."""
        own = threading.current_thread()
        self._cutter.mend()
        with self._lock:
            if self._events:
                raise Interrupted
            self._holding = own
        try:
            yield
        finally:
            with self._lock:
                if self._holding is own:
                    self._holding = None
