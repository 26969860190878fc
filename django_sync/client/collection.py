"""One collection: reads and local writes."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from .. import errors
from ..protocol import ids
from ..protocol.words import Write
from .store.database import Store
from .store.encoding import Json, normalized, object_id, same
from .store.ordering import Wanted
from .store.outbox import Outbox
from .store.overlay import Watch, visible
from .store.query import Query
from .types import Change, Record


class Collection:
    """A collection's records, read and written locally, at once, offline too."""

    def __init__(
        self,
        name: str,
        store: Store,
        outbox: Outbox,
        listened: Callable[[], set[str] | None],
        wrote: Callable[[Sequence[Change]], None],
        deliver: Callable[[], None],
    ) -> None:
        self.name = name
        self._store = store
        self._outbox = outbox
        self._listened = listened
        self._wrote = wrote
        self._deliver = deliver

    def create(self, fields: Mapping[str, Any], *, id: str | uuid.UUID | None = None) -> Record:
        """Create an object and return its record, which has its final id already.

        You may choose ``id``; raises ``AlreadyExists`` if a record has it.
        """
        new = str(ids.new_id()) if id is None else object_id(id)
        record = self._write(new, Write.CREATE, normalized(fields))
        assert record is not None
        return record

    def update(self, id: str | uuid.UUID, fields: Mapping[str, Any]) -> Record:
        """Change some fields and return the record. Fields that do not change are left out.

        Raises ``NotFound`` if there is no such record.
        """
        record = self._write(object_id(id), Write.UPDATE, normalized(fields))
        assert record is not None
        return record

    def delete(self, id: str | uuid.UUID) -> None:
        """Delete an object. Raises ``NotFound`` if there is no such record."""
        self._write(object_id(id), Write.DELETE, {})

    def get(self, id: str | uuid.UUID) -> Record | None:
        """The record with this id, or ``None``."""
        with self._store.read() as db:
            return visible(db, (self.name, object_id(id)))

    def all(self) -> Query:
        """All records, in the order of their ids."""
        return Query(self._store, self.name, Wanted())

    def filter(
        self, *, order_by: str | None = None, limit: int | None = None, **wanted: Any
    ) -> Query:
        """The records whose fields have these values, or are within these bounds.

        ``cards.filter(board=board.id, due__lt="2026-03-01", order_by="-due", limit=20)``:
        ``Query.filter`` explains each of these.

        Raises ``Invalid`` for a comparison, bound, order or limit that is not possible.
        """
        return self.all().filter(order_by=order_by, limit=limit, **wanted)

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
        self._deliver()
        return after
