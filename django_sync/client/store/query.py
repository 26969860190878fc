"""Queries on one collection as the user sees it: conditions, an order, a limit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, overload

from ..types import Mutation, Record
from .database import Store
from .index_walk import Walk
from .indexes import Index, fields_of
from .ordering import EVERYTHING, Part, Wanted, exactly, place_in
from .overlay import mutation_of, seen_record

_PAGE = 500
_COUNT = "SELECT count(*) FROM records"
_COUNT_TOUCHED = (
    f"{_COUNT} WHERE collection = :name AND NOT deleted"
    " AND id IN (SELECT object_id FROM outbox WHERE collection = :name)"
)
_TOUCHED = (
    "SELECT o.object_id, o.op, EXISTS (SELECT 1 FROM records r WHERE r.collection = o.collection"
    " AND r.id = o.object_id) FROM outbox o WHERE o.collection = ? ORDER BY o.seq"
)


class Query(Sequence[Record]):
    """Records of a collection, read from the store while you iterate.

    Iterating reads a few hundred records at a time, so the collection may be of any size. Each such
    page is one state of the store. The order is that of the ids, or of the field that ``order_by``
    names. If the client has an index on a field that you compare or order by, only the matching
    part of the index is read. ``len()`` counts. ``query[0]`` and slices read all records first.
    """

    def __init__(self, store: Store, collection: str, wanted: Wanted) -> None:
        self._store = store
        self._collection = collection
        self._wanted = wanted

    def __iter__(self) -> Iterator[Record]:
        return islice(self._found(), self._wanted.limit)

    def __len__(self) -> int:
        if self._wanted.values or self._wanted.ranges or self._wanted.limit is not None:
            return sum(1 for _ in self)
        with self._store.read() as db:
            name = (self._collection,)
            total = int(db.execute(f"{_COUNT} WHERE collection = ?", name).fetchone()[0])
            total -= int(
                db.execute(f"{_COUNT} WHERE collection = ? AND deleted", name).fetchone()[0]
            )
            total -= int(db.execute(_COUNT_TOUCHED, {"name": self._collection}).fetchone()[0])
            seen: dict[str, bool] = {}
            for id, op, stored in db.execute(_TOUCHED, name):
                is_seen = seen.get(id, bool(stored))
                seen[id] = op == "create" or (op != "delete" and is_seen)
            return total + sum(seen.values())

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> list[Record]: ...
    def __getitem__(self, index: int | slice) -> Record | list[Record]:
        return list(self)[index]

    def first(self) -> Record | None:
        """The first record, or ``None``."""
        return next(iter(self.filter(limit=1)), None)

    def filter(
        self, *, order_by: str | None = None, limit: int | None = None, **wanted: Any
    ) -> Query:
        """Narrow the query: all earlier conditions hold as well.

        ``due="2026-03-01"`` compares for equality. ``due__gte``, ``due__gt``, ``due__lte`` and
        ``due__lt`` are bounds; only values of the bound's own type are within them. A field that
        has the name of a parameter, such as ``limit``, is compared by ``limit__exact``.
        ``order_by="due"`` orders by a field and then by id: null or no value first, then false,
        true, numbers, strings by code point, lists and objects; ``"-due"`` is the reverse.
        ``limit`` is the most records that are found, after all conditions.

        Raises ``Invalid`` for a comparison, bound, order or limit that is not possible.
        """
        narrowed = self._wanted.narrowed(wanted, order_by, limit)
        return Query(self._store, self._collection, narrowed)

    def __repr__(self) -> str:
        return f"<Query {self._collection} {self._wanted!r}>"

    def _found(self) -> Iterator[Record]:
        """All that match, in order, without the limit."""
        wanted = self._wanted
        path = self._access_path()
        if path is None:
            found, in_order = self._by_id(), wanted.order is None
        else:
            field, parts = path
            in_order = field == wanted.order or (wanted.order is None and field in wanted.values)
            descending = wanted.backwards and field == wanted.order
            walk = Walk(self._store, Index(self._collection, field), parts, descending)
            found = self._walked(walk)
        return found if in_order else iter(self._sorted(found))

    def _access_path(self) -> tuple[str, Sequence[Part]] | None:
        """The index to use and the parts of it to read; ``None``: read the whole collection."""
        wanted = self._wanted
        with self._store.read() as db:
            indexed = fields_of(db, self._collection)
        for name in wanted.values:
            if name in indexed:
                return name, (exactly(wanted.values[name]),)
        for name in sorted(wanted.ranges, key=lambda name: name != wanted.order):
            if name in indexed:
                return name, wanted.ranges[name].parts()
        if wanted.order is not None and wanted.order in indexed:
            return wanted.order, EVERYTHING
        return None

    def _walked(self, walk: Walk) -> Iterator[Record]:
        # A small first page: for most queries with a limit it is enough.
        page_size, more = min(_PAGE, 2 * (self._wanted.limit or _PAGE)), True
        while more:
            records, more = walk.page(page_size)
            yield from (record for record in records if self._wanted.matches(record))
            page_size = _PAGE

    def _sorted(self, found: Iterator[Record]) -> list[Record]:
        order = self._wanted.order
        if order is None:
            return sorted(found, key=lambda record: record.id)
        return sorted(
            found,
            key=lambda record: (place_in(record, order), record.id),
            reverse=self._wanted.backwards,
        )

    def _by_id(self) -> Iterator[Record]:
        after = ""
        while True:
            records, after = self._page(after)
            yield from records
            if not after:
                return

    def _page(self, after: str) -> tuple[list[Record], str]:
        condition, values = self._condition()
        with self._store.read() as db:
            rows = db.execute(
                "SELECT * FROM records WHERE collection = ? AND id > ?"
                f"{condition} ORDER BY id LIMIT ?",
                (self._collection, after, *values, _PAGE),
            ).fetchall()
            last = rows[-1]["id"] if len(rows) == _PAGE else ""
            local = db.execute(
                "SELECT * FROM outbox WHERE collection = ? AND object_id > ?"
                " AND (? = '' OR object_id <= ?) ORDER BY seq",
                (self._collection, after, last, last),
            )
            mutations: dict[str, list[Mutation]] = {}
            for row in local:
                mutations.setdefault(row["object_id"], []).append(mutation_of(row))
            stored = {row["id"]: row for row in rows}
            records = []
            for id in sorted(stored.keys() | mutations.keys()):
                key = (self._collection, id)
                record = seen_record(key, stored.get(id), mutations.get(id, ()))
                if record is not None and self._wanted.matches(record):
                    records.append(record)
        return records, last

    def _condition(self) -> tuple[str, list[object]]:
        """An SQL condition that leaves out records early, and its parameters: for text values only.

        Records with local edits are not left out, nor is JSON with an escape: SQLite may read it
        differently from Python.
        """
        condition, values = "", list[object]()
        for name, value in self._wanted.values.items():
            if isinstance(value, str) and '"' not in name and "\\" not in name:
                condition += " AND json_extract(object, ?) = ?"
                values += [f'$."{name}"', value]
        if condition:
            local = "SELECT object_id FROM outbox WHERE collection = ?"
            condition = f" AND (id IN ({local}) OR instr(object, '\\u') OR (1{condition}))"
            values.insert(0, self._collection)
        return condition, values
