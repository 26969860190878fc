"""Walks through a collection in the order of an index, local edits on top.

What a user sees is the server's record with the outbox's changes on top. So the visible value of a
field is in one of two indexes: that of the records, or that of the outbox. Both are walked
together, in order. A row counts only if its value is the visible one: a value that an edit has
replaced is skipped, and the object is found at the place of the edit. So neither index is read as a
whole.
"""

from __future__ import annotations

import heapq
import sqlite3
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby

from ..types import Record
from .database import Store
from .indexes import TABLES, Index
from .ordering import Part, Place, place_in
from .overlay import visible

Spot = tuple[Place, str]
"""A place in the order, and the id of the object at this place."""


@dataclass
class Unsure:
    """Objects whose place only Python can decide, with these places."""

    spots: list[Spot]

    def rows(self, part: Part, after: Spot | None, back: bool) -> Iterator[tuple[Spot, None]]:
        """Those of a part's rank, after a spot."""
        for spot in sorted(self.spots, reverse=back):
            if spot[0][0] == part.rank and _is_behind(spot, after, back):
                yield spot, None


def _is_behind(spot: Spot, after: Spot | None, back: bool) -> bool:
    return after is None or (spot < after if back else spot > after)


class Walk:
    """Reads parts of an index in order, page by page; each page is one state of the store."""

    def __init__(self, store: Store, index: Index, parts: Sequence[Part], back: bool) -> None:
        self._store = store
        self._index = index
        self._parts = list(parts)[::-1] if back else list(parts)
        self._back = back
        self._after: Spot | None = None
        self._unsure: Unsure | None = None

    def page(self, looks: int) -> tuple[list[Record], bool]:
        """The next records, from at most ``looks`` candidates; and whether there may be more."""
        found: list[Record] = []
        with self._store.read() as db:
            if self._unsure is None:
                self._unsure = self._unsure_of(db)
            with closing(self._candidates(db, self._unsure)) as candidates:
                for spot, row in candidates:
                    record = self._seen(db, spot, row)
                    if record is not None:
                        found.append(record)
                    self._after, looks = spot, looks - 1
                    if not looks:
                        return found, True
        return found, False

    def _unsure_of(self, db: sqlite3.Connection) -> Unsure:
        spots = []
        for id in self._index.unsure(db):
            record = visible(db, (self._index.collection, id))
            if record is not None:
                spots.append((place_in(record, self._index.field), id))
        return Unsure(spots)

    def _candidates(
        self, db: sqlite3.Connection, unsure: Unsure
    ) -> Generator[tuple[Spot, sqlite3.Row | None]]:
        """The spots after the last one that was read, each once and in order, with their rows."""
        while self._parts:
            part, after = self._parts[0], self._after
            if after is not None and after[0][0] != part.rank:
                after = None
            streams = [self._stream(db, table, part, after) for table in TABLES]
            merged = heapq.merge(
                *streams,
                unsure.rows(part, after, self._back),
                key=lambda candidate: candidate[0],
                reverse=self._back,
            )
            for spot, same in groupby(merged, key=lambda candidate: candidate[0]):
                rows = [row for _, row in same if row is not None]
                yield spot, rows[0] if rows else None
            self._parts.pop(0)

    def _stream(
        self, db: sqlite3.Connection, table: str, part: Part, after: Spot | None
    ) -> Iterator[tuple[Spot, sqlite3.Row | None]]:
        behind: tuple[object, ...] = ()
        if after is not None:
            behind = (after[0][1], after[1]) if part.has_values else (after[1],)
        with closing(self._index.rows(db, table, part, behind, self._back)) as rows:
            for row in rows:
                spot = (part.rank, row["at"] if part.has_values else 0), row["key"]
                if _is_behind(spot, after, self._back):
                    yield spot, row if table == "records" else None

    def _seen(self, db: sqlite3.Connection, spot: Spot, row: sqlite3.Row | None) -> Record | None:
        """The record that the user sees at a spot; ``None`` if there is none."""
        place, id = spot
        key = (self._index.collection, id)
        if row is not None and not row["touched"]:
            if row["deleted"]:
                return None
            return Record(*key, row["revision"], row["scope"], row["object"])
        record = visible(db, key)
        if record is None or place_in(record, self._index.field) != place:
            return None
        return record
