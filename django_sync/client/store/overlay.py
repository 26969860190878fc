"""What the user sees: the server's record with the outbox on top.

It only reads the store; ``outbox`` and ``replica`` write.
"""

from __future__ import annotations

import enum
import sqlite3
from collections.abc import Iterable, Sequence

from ..types import Change, Mutation, Record
from .encoding import Json, loads

Key = tuple[str, str]
"""A collection's name and an object's id."""


class State(enum.StrEnum):
    """The state of a mutation; the user sees the mutation in each of them."""

    NEW = "new"
    SENT = "sent"
    ABORTED = "aborted"
    CONFLICT = "conflict"
    SETTLED = "settled"


OPEN = (State.NEW, State.SENT, State.ABORTED)
"""The states of a mutation without a final result."""


def mutation_of(row: sqlite3.Row) -> Mutation:
    """Read a row of the outbox."""
    return Mutation(
        id=row["id"],
        seq=row["seq"],
        op=row["op"],
        collection=row["collection"],
        object_id=row["object_id"],
        fields=loads(row["fields"]),
        base_revision=row["base_revision"],
        epoch=row["epoch"],
        base=None if row["base"] is None else loads(row["base"]),
        at=row["at"],
        state=row["state"],
    )


def mutations_on(db: sqlite3.Connection, key: Key) -> list[Mutation]:
    """The outbox entries of one object, oldest first."""
    found = db.execute(
        "SELECT * FROM outbox WHERE collection = ? AND object_id = ? ORDER BY seq", key
    )
    return [mutation_of(row) for row in found]


def server_row(db: sqlite3.Connection, key: Key) -> sqlite3.Row | None:
    """The server's record as the store has it."""
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM records WHERE collection = ? AND id = ?", key
    ).fetchone()
    return row


def laid_over(server: Json | None, mutations: Iterable[Mutation]) -> Json | None:
    """Apply mutations to the server's object, in order; ``None`` if the user sees nothing.

    An update without an object shows nothing: the record has left the user's view.
    """
    seen = server
    for mutation in mutations:
        match mutation.op:
            case "create":
                seen = {**(seen or {}), **mutation.fields}
            case "update" if seen is not None:
                seen = {**seen, **mutation.fields}
            case "delete":
                seen = None
    return seen


def seen_record(key: Key, row: sqlite3.Row | None, mutations: Sequence[Mutation]) -> Record | None:
    """The record that the user sees, from the store's row and mutations of one object."""
    collection, id = key
    if not mutations:
        if row is None or row["deleted"]:
            return None
        return Record(collection, id, row["revision"], row["scope"], row["object"])
    seen = laid_over(None if row is None else loads(row["object"]), mutations)
    if seen is None:
        return None
    if row is None:
        return Record(collection, id, 0, None, seen)
    return Record(collection, id, row["revision"], row["scope"], seen)


def visible(db: sqlite3.Connection, key: Key) -> Record | None:
    """The record that the user sees under this id."""
    return seen_record(key, server_row(db, key), mutations_on(db, key))


class Watch:
    """Compares what the user saw of some objects with what is seen after a write.

    Objects of collections without a callback are not compared, so a first pull without
    callbacks costs nothing extra.
    """

    def __init__(self, db: sqlite3.Connection, listened: Iterable[str] | None, origin: str) -> None:
        self._db = db
        self._listened = None if listened is None else frozenset(listened)
        self._origin = origin
        self._before: dict[Key, Record | None] = {}

    def wants(self, collection: str) -> bool:
        """Whether anyone listens to the collection."""
        return self._listened is None or collection in self._listened

    def look(self, keys: Iterable[Key]) -> None:
        """Remember how the user sees these objects now, before they are written."""
        for key in keys:
            if self.wants(key[0]) and key not in self._before:
                self._before[key] = visible(self._db, key)

    def changes(self) -> list[Change]:
        """The changes since then, in the order of the looks."""
        found = []
        for key, before in self._before.items():
            after = visible(self._db, key)
            if before is None and after is None:
                continue
            if before is not None and after is not None and before.looks_like(after):
                continue
            kind = "created" if before is None else "deleted" if after is None else "updated"
            found.append(Change(kind, *key, after, before, self._origin))
        return found
