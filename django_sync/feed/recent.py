"""The newest entries of the feed and the texts of their records, kept in memory by one reader.

The cursors of clients that poll are a few seconds behind the feed's head, each at another position.
The entries after these positions are read from the log once, and kept for the next client.

An entry never changes while the feed's history stays the same. Each read checks that it is: by the
epoch, and by the mark of the last entry that is kept.
"""

from __future__ import annotations

import uuid
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Sequence

from ..drf.record_cache import ViewerClass
from ..drf.rendering import put_text
from ..protocol import Record
from . import log as feed_log

MOST = 4_000
"""Entries that are kept; about 1 MiB. A cursor further back needs the log."""
MOST_TEXTS = 4_000
"""Texts that are kept; about 4 MiB of ordinary records."""


class Recent:
    """The newest entries, up to the head as it was last read. For one thread."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._restart("", 0, 0)
        self.texts = Texts()

    def catch_up(self) -> feed_log.State:
        """Read what was added, and return the feed's state. Call it within a snapshot."""
        position, mark = self._last()
        state, there = feed_log.state(position)
        if state.epoch != self._epoch or there != mark or position > state.head:
            self._restart(state.epoch, state.head, state.mark)
            return state
        added = feed_log.between(position, state.head, self._most + 1)
        if len(added) > self._most:
            self._restart(state.epoch, state.head, state.mark)
        else:
            self._append(added)
        return state

    def after(self, position: int, mark: int) -> Sequence[feed_log.Entry] | None:
        """The entries after a place in the feed; ``None`` where the place is not known here."""
        if (position, mark) == self._base:
            return self._entries
        at = bisect_left(self._positions, position)
        if at == len(self._positions) or self._positions[at] != position:
            return None
        return self._entries[at + 1 :] if self._entries[at].mark == mark else None

    def _restart(self, epoch: str, position: int, mark: int) -> None:
        self._epoch = epoch
        self._base = (position, mark)
        self._entries: list[feed_log.Entry] = []
        self._positions: list[int] = []

    def _last(self) -> tuple[int, int]:
        if not self._entries:
            return self._base
        return self._entries[-1].position, self._entries[-1].mark

    def _append(self, added: Sequence[feed_log.Entry]) -> None:
        self._entries += added
        surplus = len(self._entries) - self._most
        if surplus > 0:
            last = self._entries[surplus - 1]
            self._base = (last.position, last.mark)
            del self._entries[:surplus]
        self._positions = [entry.position for entry in self._entries]


class Texts:
    """The text of a ``put`` for each record that was sent lately. For one thread.

    They are kept by ``Collection.class_of``: epoch, collection, tag, user (``""``: any), language.

    Pulls from memory turn records into text only here. A text is used again only for the same
    ``Record`` object, so it is as fresh as that object.
    """

    def __init__(self, most: int = MOST_TEXTS) -> None:
        self._most = most
        self._known: OrderedDict[tuple[ViewerClass, uuid.UUID], tuple[Record, str]] = OrderedDict()

    def put(self, kind: ViewerClass, record: Record) -> str:
        """The JSON of the record's ``put``."""
        key = (kind, record.id)
        known = self._known.get(key)
        if known is not None and known[0] is record:
            return known[1]
        text = put_text(record)
        self._known[key] = (record, text)
        self._known.move_to_end(key)
        if len(self._known) > self._most:
            self._known.popitem(last=False)
        return text
