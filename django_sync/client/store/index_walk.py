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

Position = tuple[Place, str]
"""A place in the order, and the id of the object at this place."""


@dataclass
class PythonSorted:
    """Objects whose place only Python can decide, with these places."""

    positions: list[Position]

    def rows(
        self, part: Part, after: Position | None, descending: bool
    ) -> Iterator[tuple[Position, None]]:
        """Those of a part's rank, after a position."""
        for position in sorted(self.positions, reverse=descending):
            if position[0][0] == part.rank and _is_behind(position, after, descending):
                yield position, None


def _is_behind(position: Position, after: Position | None, descending: bool) -> bool:
    return after is None or (position < after if descending else position > after)


class Walk:
    """Reads parts of an index in order, page by page; each page is one state of the store."""

    def __init__(self, store: Store, index: Index, parts: Sequence[Part], descending: bool) -> None:
        self._store = store
        self._index = index
        self._parts = list(parts)[::-1] if descending else list(parts)
        self._descending = descending
        self._after: Position | None = None
        self._python_sorted: PythonSorted | None = None

    def page(self, limit: int) -> tuple[list[Record], bool]:
        """The next records, from at most ``limit`` candidates; and whether there may be more."""
        found: list[Record] = []
        with self._store.read() as db:
            if self._python_sorted is None:
                self._python_sorted = self._sort_in_python(db)
            with closing(self._candidates(db, self._python_sorted)) as candidates:
                for position, row in candidates:
                    record = self._seen(db, position, row)
                    if record is not None:
                        found.append(record)
                    self._after, limit = position, limit - 1
                    if not limit:
                        return found, True
        return found, False

    def _sort_in_python(self, db: sqlite3.Connection) -> PythonSorted:
        positions = []
        for id in self._index.undecided(db):
            record = visible(db, (self._index.collection, id))
            if record is not None:
                positions.append((place_in(record, self._index.field), id))
        return PythonSorted(positions)

    def _candidates(
        self, db: sqlite3.Connection, python_sorted: PythonSorted
    ) -> Generator[tuple[Position, sqlite3.Row | None]]:
        """The positions after the last one that was read, in order, each once, with its row."""
        while self._parts:
            part, after = self._parts[0], self._after
            if after is not None and after[0][0] != part.rank:
                after = None
            streams = [self._stream(db, table, part, after) for table in TABLES]
            merged = heapq.merge(
                *streams,
                python_sorted.rows(part, after, self._descending),
                key=lambda candidate: candidate[0],
                reverse=self._descending,
            )
            for position, same in groupby(merged, key=lambda candidate: candidate[0]):
                rows = [row for _, row in same if row is not None]
                yield position, rows[0] if rows else None
            self._parts.pop(0)

    def _stream(
        self, db: sqlite3.Connection, table: str, part: Part, after: Position | None
    ) -> Iterator[tuple[Position, sqlite3.Row | None]]:
        behind: tuple[object, ...] = ()
        if after is not None:
            behind = (after[0][1], after[1]) if part.has_values else (after[1],)
        with closing(self._index.rows(db, table, part, behind, self._descending)) as rows:
            for row in rows:
                position = (part.rank, row["at"] if part.has_values else 0), row["key"]
                if _is_behind(position, after, self._descending):
                    yield position, row if table == "records" else None

    def _seen(
        self, db: sqlite3.Connection, position: Position, row: sqlite3.Row | None
    ) -> Record | None:
        """The record that the user sees at a position; ``None`` if there is none."""
        place, id = position
        key = (self._index.collection, id)
        if row is not None and not row["touched"]:
            if row["deleted"]:
                return None
            return Record(*key, row["revision"], row["scope"], row["object"])
        record = visible(db, key)
        if record is None or place_in(record, self._index.field) != place:
            return None
        return record
