"""Indexes on fields of a collection's records: made, dropped and read in the client's store.

They are SQLite's own indexes, on a field's value in the JSON of ``records.object`` and of
``outbox.fields``. SQLite updates them with every write, also with writes of another program or of
an older release. The store itself says which indexes exist.

An index orders rows by rank (``ordering.Rank``), value and id. SQLite may read some values
differently from Python, such as a text with a NUL or a number beyond 64 bits. These rows have the
rank ``UNDECIDED``: Python reads all of them and decides.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from ... import errors
from .database import Store
from .ordering import Part, Rank

log = logging.getLogger("django_sync.client")

UNDECIDED = 9
"""The rank of rows whose place SQLite cannot decide."""

_LONG_BUILD = 20_000
"""Records from which on the building of an index is logged."""

_MISSING = {
    "records": str(Rank.NULL.value),
    # An update without the field does not change it.
    "outbox": f"CASE op WHEN 'create' THEN {Rank.NULL.value} END",
}
"""The rank of a row whose JSON lacks the field."""
_JSON = {"records": "object", "outbox": "fields"}
_ID = {"records": "id", "outbox": "object_id"}
TABLES = tuple(_JSON)


def checked(
    indexes: Mapping[str, Sequence[str]] | None, collections: Iterable[str]
) -> dict[str, list[str]] | None:
    """The fields to index, by collection, each once; ``None`` stays ``None``.

    Raises ``UnknownCollection`` for a collection that the client does not have, ``TypeError`` where
    the fields are no list, and ``Invalid`` for a field name that cannot be indexed.
    """
    if indexes is None:
        return None
    found: dict[str, list[str]] = {}
    for collection, fields in indexes.items():
        if collection not in collections:
            raise errors.UnknownCollection(
                f"An index on {collection}: it is not among the client's collections."
            )
        if isinstance(fields, str):
            raise TypeError(f"indexes[{collection!r}] is a list of fields")
        found[collection] = list(dict.fromkeys(_field(collection, name) for name in fields))
    return found


def _field(collection: str, name: object) -> str:
    """A field's name, checked: SQLite must be able to find it in JSON."""
    whole = isinstance(name, str) and name and not set('"\\') & set(name) and name.isprintable()
    if not whole:
        raise errors.Invalid(
            f"An index on {collection}.{name!r}: a field's name is text, without quotation marks, "
            "backslashes and control characters."
        )
    return str(name)


def _text(value: str) -> str:
    """A text literal in SQL."""
    return "'" + value.replace("'", "''") + "'"


@dataclass(frozen=True)
class Index:
    """An index on one field; also its SQL expressions, where the store has no such index."""

    collection: str
    field: str

    def name(self, table: str) -> str:
        """The index's name in SQL, quoted."""
        label = json.dumps([self.collection, self.field], ensure_ascii=False)
        return '"' + f"{table} by {label}".replace('"', '""') + '"'

    def rank(self, table: str) -> str:
        """The SQL of a row's rank."""
        column, path = _JSON[table], _text(f'$."{self.field}"')
        number = f"CASE typeof(json_extract({column}, {path})) WHEN 'integer' THEN 3 ELSE 9 END"
        return (
            f"CASE WHEN NOT json_valid({column}) OR instr({column}, '\\u') THEN {UNDECIDED}"
            f" ELSE CASE json_type({column}, {path}) WHEN 'null' THEN 0 WHEN 'false' THEN 1"
            f" WHEN 'true' THEN 2 WHEN 'integer' THEN {number} WHEN 'real' THEN 3"
            f" WHEN 'text' THEN 4 WHEN 'array' THEN 5 WHEN 'object' THEN 5"
            f" ELSE {_MISSING[table]} END END"
        )

    def value(self, table: str) -> str:
        """The SQL of a row's value; NULL for ranks that have one value only."""
        column, path = _JSON[table], _text(f'$."{self.field}"')
        return (
            f"CASE WHEN json_valid({column}) AND json_type({column}, {path})"
            f" IN ('integer', 'real', 'text') THEN json_extract({column}, {path}) END"
        )

    def where(self) -> str:
        """The SQL condition of the partial index; it must not have parameters."""
        return f"collection = {_text(self.collection)}"

    def create(self, table: str) -> str:
        """The statement that creates it."""
        return (
            f"CREATE INDEX {self.name(table)} ON {table}"
            f" ({self.rank(table)}, {self.value(table)}, {_ID[table]}) WHERE {self.where()}"
        )

    def rows(
        self,
        db: sqlite3.Connection,
        table: str,
        part: Part,
        after: Sequence[object],
        descending: bool,
    ) -> Generator[sqlite3.Row]:
        """The rows of a part, in order, read one by one.

        ``after`` is where an earlier walk ended: ``()`` for the beginning, ``(id,)`` if the part
        has no values, else ``(value, id)``. A few rows before that place may come again. Each row
        has ``at`` (its value) and ``key`` (its object's id). Rows of ``records`` also have the
        record's columns and ``touched``: whether the outbox has entries for the object.
        """
        sql, values = self._statement(table, part, after, descending, indexed(db, self, table))
        with closing(db.execute(sql, values)) as found:
            yield from found

    def _statement(
        self, table: str, part: Part, after: Sequence[object], descending: bool, is_there: bool
    ) -> tuple[str, list[object]]:
        value, id = self.value(table), _ID[table]
        conditions, values = [self.where(), f"{self.rank(table)} = {part.rank}"], list[object]()
        if not part.has_values:
            conditions.append(f"{value} IS NULL")
        for bound, way in ((part.low, ">"), (part.high, "<")):
            if bound is not None:
                limit, inclusive = _bound(*bound)
                conditions.append(f"{value} {way}{'=' if inclusive else ''} ?")
                values.append(limit)
        if after:
            condition, more = _behind(value if part.has_values else "", id, after, descending)
            conditions.append(condition)
            values += more
        order = f"{value}{' DESC' if descending else ''}, " if part.has_values else ""
        source = f"{table} INDEXED BY {self.name(table)}" if is_there else table
        columns = f"{value} AS at, {id} AS key"
        if table == "records":
            columns += (
                ", revision, scope, object, deleted, EXISTS (SELECT 1 FROM outbox o"
                " WHERE o.collection = records.collection AND o.object_id = records.id) AS touched"
            )
        sql = (
            f"SELECT {columns} FROM {source} WHERE {' AND '.join(conditions)}"
            f" ORDER BY {order}{id}{' DESC' if descending else ''}"
        )
        return sql, values

    def undecided(self, db: sqlite3.Connection) -> set[str]:
        """The ids of objects whose place SQLite cannot decide."""
        found: set[str] = set()
        for table in TABLES:
            source = table
            if indexed(db, self, table):
                source += f" INDEXED BY {self.name(table)}"
            found |= {
                row[0]
                for row in db.execute(
                    f"SELECT {_ID[table]} FROM {source}"
                    f" WHERE {self.where()} AND {self.rank(table)} = {UNDECIDED}"
                )
            }
        return found


def _behind(
    value: str, id: str, after: Sequence[object], descending: bool
) -> tuple[str, Sequence[object]]:
    """The SQL condition for rows after the place where a walk ended, and its parameters."""
    way = "<" if descending else ">"
    if not value:
        return f"{id} {way} ?", after
    last, last_id = after
    bound, _ = _bound(last, inclusive=False)
    if bound is not last:  # SQLite cannot hold the exact value; this is the nearest one.
        return f"{value} {way}= ?", (bound,)
    if isinstance(last, str):  # A lone surrogate cannot be a parameter.
        text = last.encode("utf-8", "surrogatepass")
        return f"({value}, {id}) {way} (CAST(? AS TEXT), ?)", (text, last_id)
    return f"({value}, {id}) {way} (?, ?)", after


def _bound(value: object, inclusive: bool) -> tuple[object, bool]:
    """A bound that SQLite accepts; beyond 64 bits one that lets through too many, never too few."""
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        try:
            return float(value), True
        except OverflowError:
            return float("inf") if value > 0 else float("-inf"), True
    return value, inclusive


def indexed(db: sqlite3.Connection, index: Index, table: str) -> bool:
    """Whether the store has the index on this table."""
    name = index.name(table)[1:-1].replace('""', '"')
    found = db.execute("SELECT 1 FROM sqlite_master WHERE type = 'index' AND name = ?", (name,))
    return found.fetchone() is not None


def existing(db: sqlite3.Connection) -> set[tuple[str, Index]]:
    """The field indexes that the store has, each with its table."""
    found = set()
    for row in db.execute("SELECT name, tbl_name FROM sqlite_master WHERE type = 'index'"):
        _, separator, label = row["name"].partition(" by ")
        if separator:
            collection, field = json.loads(label)
            found.add((row["tbl_name"], Index(collection, field)))
    return found


def fields_of(db: sqlite3.Connection, collection: str) -> set[str]:
    """The fields of a collection that the store has an index on."""
    return {
        index.field
        for table, index in existing(db)
        if table == "records" and index.collection == collection
    }


def prepare(store: Store, wanted: Mapping[str, Sequence[str]]) -> None:
    """Create the indexes that are wanted and drop all others, in one transaction."""
    needed = {
        (table, Index(collection, field))
        for collection, fields in wanted.items()
        for field in fields
        for table in TABLES
    }
    with store.read() as db:
        if existing(db) == needed:
            return
    with store.write() as db:
        there = existing(db)
        for table, index in there - needed:
            db.execute(f"DROP INDEX {index.name(table)}")
        for table, index in sorted(needed - there, key=repr):
            _build(db, table, index)


def _build(db: sqlite3.Connection, table: str, index: Index) -> None:
    began = time.monotonic()
    count = f"SELECT count(*) FROM {table} WHERE {index.where()}"
    rows = int(db.execute(count).fetchone()[0])
    if rows >= _LONG_BUILD:
        log.info("Indexing %s.%s over %d rows …", index.collection, index.field, rows)
    db.execute(index.create(table))
    if rows >= _LONG_BUILD:
        taken = time.monotonic() - began
        log.info("Indexed %s.%s in %.1f s.", index.collection, index.field, taken)
