"""Callbacks: registered as decorators, called after the commit, in order, under no lock.

What happened is posted in the order of the commits; whoever comes by then drains
the queue, one thread at a time. A callback that writes or syncs only adds to the
queue. One that raises is logged and stops no other.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from .conflicts import Conflict, Resolution
from .types import Change, Rejection, Status

log = logging.getLogger("django_sync.client")

ChangeHandler = Callable[[Change], object]
ConflictHandler = Callable[[Conflict], Resolution | None]
RejectionHandler = Callable[[Rejection], object]
StatusHandler = Callable[[Status], object]


class Events:
    """The handlers of one client and what waits to be told to them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[Callable[[], object]] = deque()
        self._draining = False
        self.change: list[tuple[str | None, ChangeHandler]] = []
        self.conflict: list[ConflictHandler] = []
        self.rejection: list[RejectionHandler] = []
        self.status: list[StatusHandler] = []

    def listened(self) -> set[str] | None:
        """The collections that anyone listens to; ``None`` for all."""
        names = {name for name, _ in self.change}
        return None if None in names else {name for name in names if name is not None}

    def post(self, tell: Callable[[], object]) -> None:
        """Add to the queue. The caller holds the lock that orders its commits."""
        with self._lock:
            self._waiting.append(tell)

    def post_changes(self, changes: Iterable[Change]) -> None:
        for change in changes:
            self.post(partial(self._tell_change, change))

    def drain(self) -> None:
        """Tell all that waits, unless another is at it already."""
        while True:
            with self._lock:
                if self._draining or not self._waiting:
                    return
                self._draining = True
                tell = self._waiting.popleft()
            try:
                tell()
            except Exception:
                log.exception("Telling an event failed.")
            finally:
                with self._lock:
                    self._draining = False

    def _tell_change(self, change: Change) -> None:
        for name, handler in list(self.change):
            if name is None or name == change.collection:
                guarded(handler, change)

    def tell_status(self, status: Status) -> None:
        for handler in list(self.status):
            guarded(handler, status)

    def tell_rejection(self, rejection: Rejection) -> bool:
        """Tell of a rejection; ``False`` where nobody listens."""
        handlers = list(self.rejection)
        for handler in handlers:
            guarded(handler, rejection)
        return bool(handlers)

    def ask(self, conflict: Conflict) -> Resolution | None:
        """Ask the handlers in turn; the first that decides is heard."""
        for handler in list(self.conflict):
            answer = guarded(handler, conflict)
            if isinstance(answer, Resolution):
                return answer
            if answer is not None:
                log.error("on_conflict returned %r: that is no resolution.", answer)
        return None


def guarded(handler: Callable[[Any], object], argument: object) -> object:
    """Call a user's callback; log what it raises and go on."""
    try:
        return handler(argument)
    except Exception:
        log.exception("The callback %r failed.", handler)
        return None
