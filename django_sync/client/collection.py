"""One collection as the user of the client works with it: reads and local writes."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, overload

from .. import errors, ids
from ..protocol.words import Write
from .encoding import Json, object_id, plain, same
from .outbox import Outbox
from .overlay import Watch, mutation_of, seen_record, visible
from .store import Store
from .views import Change, Mutation, Record

_PAGE = 500
_COUNT = "SELECT count(*) FROM records"
_COUNT_TOUCHED = (
    f"{_COUNT} WHERE collection = :name AND NOT deleted"
    " AND id IN (SELECT object_id FROM outbox WHERE collection = :name)"
)


class Query(Sequence[Record]):
    """Records of a collection, read from the store as they are walked through.

    Iterating reads a few hundred at a time in the order of their ids, so it may be
    done over any number; each page of them is one state of the store. ``len()``
    counts, an index or a slice makes a list first.
    """

    def __init__(self, store: Store, collection: str, wanted: Json) -> None:
        self._store = store
        self._collection = collection
        self._wanted = wanted

    def __iter__(self) -> Iterator[Record]:
        after = ""
        while True:
            records, after = self._page(after)
            yield from records
            if not after:
                return

    def __len__(self) -> int:
        if self._wanted:
            return sum(1 for _ in self)
        with self._store.read() as db:
            name = (self._collection,)
            total = int(db.execute(f"{_COUNT} WHERE collection = ?", name).fetchone()[0])
            total -= int(
                db.execute(f"{_COUNT} WHERE collection = ? AND deleted", name).fetchone()[0]
            )
            total -= int(db.execute(_COUNT_TOUCHED, {"name": self._collection}).fetchone()[0])
            local = db.execute("SELECT DISTINCT object_id FROM outbox WHERE collection = ?", name)
            ids = [row[0] for row in local]
            return total + sum(visible(db, (self._collection, id)) is not None for id in ids)

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> list[Record]: ...
    def __getitem__(self, index: int | slice) -> Record | list[Record]:
        return list(self)[index]

    def first(self) -> Record | None:
        """The first record, or ``None``."""
        return next(iter(self), None)

    def filter(self, **wanted: Any) -> Query:
        """Only those that have these values, too."""
        return Query(self._store, self._collection, {**self._wanted, **plain(wanted)})

    def __repr__(self) -> str:
        return f"<Query {self._collection} {self._wanted!r}>"

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
                if record is not None and self._matches(record):
                    records.append(record)
        return records, last

    def _condition(self) -> tuple[str, list[object]]:
        """What SQLite may sort out beforehand: text values, where no local edit is on top."""
        condition, values = "", list[object]()
        for name, value in self._wanted.items():
            if isinstance(value, str) and '"' not in name and "\\" not in name:
                condition += " AND json_extract(object, ?) = ?"
                values += [f'$."{name}"', value]
        if condition:
            local = "SELECT object_id FROM outbox WHERE collection = ?"
            condition = f" AND (id IN ({local}) OR (1{condition}))"
            values.insert(0, self._collection)
        return condition, values

    def _matches(self, record: Record) -> bool:
        return all(
            name in record and same(record[name], value) for name, value in self._wanted.items()
        )


class Collection:
    """A collection's records, read and written locally, at once, offline too."""

    def __init__(
        self,
        name: str,
        store: Store,
        outbox: Outbox,
        listened: Callable[[], set[str] | None],
        wrote: Callable[[Sequence[Change]], None],
        told: Callable[[], None],
    ) -> None:
        self.name = name
        self._store = store
        self._outbox = outbox
        self._listened = listened
        self._wrote = wrote
        self._told = told

    def create(self, fields: Mapping[str, Any], *, id: str | uuid.UUID | None = None) -> Record:
        """Create an object and return its record, whose id is already the one it keeps.

        ``id`` may be chosen; ``AlreadyExists`` is raised where it is taken.
        """
        new = str(ids.new_id()) if id is None else object_id(id)
        record = self._write(new, Write.CREATE, plain(fields))
        assert record is not None
        return record

    def update(self, id: str | uuid.UUID, fields: Mapping[str, Any]) -> Record:
        """Change some fields and return the record. Fields that have the value are left out.

        Raises ``NotFound`` where there is no such record.
        """
        record = self._write(object_id(id), Write.UPDATE, plain(fields))
        assert record is not None
        return record

    def delete(self, id: str | uuid.UUID) -> None:
        """Delete an object. Raises ``NotFound`` where there is no such record."""
        self._write(object_id(id), Write.DELETE, {})

    def get(self, id: str | uuid.UUID) -> Record | None:
        """The record with this id, or ``None``."""
        with self._store.read() as db:
            return visible(db, (self.name, object_id(id)))

    def all(self) -> Query:
        """All records, in the order of their ids."""
        return Query(self._store, self.name, {})

    def filter(self, **wanted: Any) -> Query:
        """The records whose fields have these values."""
        return self.all().filter(**wanted)

    def __len__(self) -> int:
        return len(self.all())

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[Record]:
        return iter(self.all())

    def __contains__(self, id: object) -> bool:
        return isinstance(id, (str, uuid.UUID)) and self.get(id) is not None

    def __repr__(self) -> str:
        return f"<Collection {self.name}>"

    def _write(self, id: str, op: Write, fields: Json) -> Record | None:
        key = (self.name, id)
        with self._store.lock:
            with self._store.write() as db:
                before = visible(db, key)
                if op is Write.CREATE and before is not None:
                    raise errors.AlreadyExists(f"There is a record {id} in {self.name}.")
                if op is not Write.CREATE and before is None:
                    raise errors.NotFound(f"There is no record {id} in {self.name}.")
                if op is Write.UPDATE and before is not None:
                    fields = {
                        name: value
                        for name, value in fields.items()
                        if name not in before or not same(before[name], value)
                    }
                    if not fields:
                        return before
                watch = Watch(db, self._listened(), "local")
                watch.look([key])
                self._outbox.write(key, op, fields)
                after = visible(db, key)
                changes = watch.changes()
            self._wrote(changes)
        self._told()
        return after
