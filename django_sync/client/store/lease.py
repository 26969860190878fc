"""Which of the processes on one store listens: a note in the store, with an end.

It only saves requests: a page is applied where the store stands at the cursor
that was sent, so two that do so at once do no harm. Hence a process that was
killed holds the others up for no longer than its note says, and one whose clock
is wrong does not hold them up at all.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable

from .database import Store

LONGEST = 900.0
"""Seconds; a note that claims more was written by another clock."""


class Lease:
    """One process's claim to feed a store."""

    def __init__(self, store: Store, now: Callable[[], datetime.datetime]) -> None:
        self._store = store
        self._now = now
        self._by = str(uuid.uuid4())

    def take(self, seconds: float, *, streams: bool = False) -> float:
        """Claim the store for so long; return for how long another has it, or 0.

        ``streams``: changes come by themselves, so that others need not pull.
        """
        now = self._now().timestamp()
        with self._store.write():
            left = self._left(now)
            if left:
                return left
            until = now + min(seconds, LONGEST)
            self._store.set("feeder", {"by": self._by, "until": until, "streams": streams})
        return 0.0

    def _left(self, now: float) -> float:
        match self._store.get("feeder"):
            case {"by": by, "until": float(until)} if by != self._by:
                left = until - now
                return left if 0 < left <= LONGEST else 0.0
        return 0.0

    def is_fed(self) -> bool:
        """Whether changes reach the store through another process by themselves."""
        match self._store.get("feeder"):
            case {"streams": True}:
                return self._left(self._now().timestamp()) > 0
        return False

    def give_up(self) -> None:
        """Let another have it at once."""
        match self._store.get("feeder"):
            case {"by": by} if by == self._by:
                self._store.set("feeder", None)
