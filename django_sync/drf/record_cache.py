"""Records that were rendered a moment ago, for all pulls of this process that show the same.

When a board is busy, hundreds of replicas ask for the same few records, each in a pull of its own.
Within an epoch a revision has one content (protocol, section 1). So a record that was rendered for
one caller need not be rendered again for another who sees it alike. The database is asked each
time who sees it; only what it looks like is remembered.

It is kept by epoch, collection, tag (visibility tag and shape), user (``""`` where the viewset says
``shared_rendering``), language, serializer and time zone, and only for what comes straight from
rows (``rendering.Plan``). Nothing is remembered of a transaction that may still be rolled back.

Two generations, of which the older is dropped every ``SECONDS`` or when the younger is full, bound
it in age and in size.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterable, Sequence

from ..protocol import Record

SECONDS = 15.0
"""A record is remembered for so long at least, and twice that at most."""
MOST = 4_000
"""Records in one generation; about 8 MiB of ordinary ones in both."""

ViewerClass = tuple[str, ...]
"""What callers have in common who see a collection's records alike, such as tag and user.

Each cache says what its classes consist of. Here it is what the module's text lists.
"""
Key = tuple[ViewerClass, uuid.UUID]


class Rendered:
    """The remembered records. Any thread may read and add."""

    def __init__(
        self,
        seconds: float = SECONDS,
        most: int = MOST,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds, self._most, self._now = seconds, most, now
        self._lock = threading.Lock()
        self._young: dict[Key, Record] = {}
        self._old: dict[Key, Record] = {}
        self._rotated_at = now()

    def known(self, kind: ViewerClass, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Record]:
        """Those of these objects' records that are remembered, of whatever revision."""
        with self._lock:
            self._rotate()
            found = {}
            for id in ids:
                key = (kind, id)
                record = self._young.get(key) or self._old.get(key)
                if record is not None:
                    found[id] = record
            return found

    def add(self, kind: ViewerClass, records: Iterable[Record]) -> None:
        """Remember these; of one object the later revision stays."""
        with self._lock:
            for record in records:
                key = (kind, record.id)
                before = self._young.get(key)
                if before is None or before.revision < record.revision:
                    self._young[key] = record
            self._rotate()

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._young, self._old = {}, {}

    def _rotate(self) -> None:
        now = self._now()
        if len(self._young) < self._most and now - self._rotated_at < self._seconds:
            return
        self._old, self._young = self._young, {}
        if now - self._rotated_at >= 2 * self._seconds:
            self._old = {}  # not read for so long
        self._rotated_at = now


rendered = Rendered()
