"""Remembers wake-ups in the store until an exchange that began after them is complete.

Three numbers in one value of ``meta``: how many wake-ups were noted, up to which one a request
has gone out, and up to which one everything has come in. A wake-up that comes before a request
has gone out for the last one counts as that one. So a storm of wake-ups costs one transaction
for each request, and neither a restart nor another process on the store forgets one.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from .database import Store


@dataclass(frozen=True)
class _Count:
    woken: int = 0
    asked: int = 0
    served: int = 0


class WakeupStore:
    """The wake-ups of one store that have not been served by an exchange yet."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def remember(self) -> bool:
        """Note a wake-up on the disk. Return whether none was remembered before."""
        with self._store.write():
            count = self._count()
            if count.woken == count.asked:
                self._store.set("wakes", asdict(replace(count, woken=count.woken + 1)))
            return count.woken == count.served

    def is_pending(self) -> bool:
        """Whether a wake-up is remembered."""
        count = self._count()
        return count.woken > count.served

    def asked(self) -> int:
        """A request goes out now; return the number for ``served`` when its answer is here."""
        count = self._count()
        if count.asked < count.woken:
            with self._store.write():
                count = self._count()
                self._store.set("wakes", asdict(replace(count, asked=count.woken)))
        return count.woken

    def served(self, number: int) -> None:
        """All that was new when the request went out is here."""
        if self._count().served >= number:
            return
        with self._store.write():
            count = self._count()
            if count.served < number <= count.woken:  # Else the store was wiped meanwhile.
                self._store.set("wakes", asdict(replace(count, served=number)))

    def _count(self) -> _Count:
        match self._store.get("wakes"):
            case {"woken": int(woken), "asked": int(asked), "served": int(served)}:
                return _Count(woken, asked, served)
        return _Count()
