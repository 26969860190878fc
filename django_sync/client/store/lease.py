"""Which process on a store listens: a lease, noted in the store, that expires.

It only saves requests: a page is applied only if the store still has the cursor that was sent,
so two listeners do no harm. A process that was killed delays the others until its lease expires;
one with a wrong clock does not delay them at all.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable

from .database import Store

LONGEST = 900.0
"""Seconds; a longer lease comes from a wrong clock."""


class Lease:
    """One process's claim to feed a store."""

    def __init__(self, store: Store, now: Callable[[], datetime.datetime]) -> None:
        self._store = store
        self._now = now
        self._by = str(uuid.uuid4())

    def take(self, seconds: float, *, streams: bool = False) -> float:
        """Claim the store for so many seconds; return how long another process has it, or 0.

        ``streams``: changes come by themselves, so other processes need not pull.
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
        """Whether another process feeds the store with changes that come by themselves."""
        match self._store.get("feeder"):
            case {"streams": True}:
                return self._left(self._now().timestamp()) > 0
        return False

    def give_up(self) -> None:
        """Let another process have it at once."""
        match self._store.get("feeder"):
            case {"by": by} if by == self._by:
                self._store.set("feeder", None)
