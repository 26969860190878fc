"""Open conflicts: what the user sees, what they may decide, and what the decision becomes.

A conflict's mutation stays on top of the record until the conflict is settled, so the user still
sees what they typed. Later edits of the object are held back (the server would only abort them)
and become part of the decision:

- ``keep_client`` sends the conflict's mutation and the later edits as one new mutation on the
  server's revision;
- ``merge`` does the same with the given values on top; other fields stay as the client has them;
- if the server deleted the object, both ask for the whole object back: they send the last record
  of the replica beneath;
- ``keep_server`` drops the conflict's mutation and later edits of the same fields; later edits
  of *other* fields become a new mutation.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .store.compaction import Draft
from .store.database import Store
from .store.encoding import Json, dumps, loads, normalized
from .store.outbox import Outbox
from .store.overlay import Key, State, mutation_of, mutations_on
from .types import Mutation, Record

_OP = "(SELECT op FROM outbox WHERE outbox.seq = conflicts.seq)"
_DELETED = f"iif({_OP} = 'delete', kind, 'update_delete')"
_LIVE = (
    f"iif(kind = 'update_delete', iif({_OP} = 'create', 'create_create', 'update_update'), kind)"
)
"""What a conflict's kind is once the server has deleted the object, or has it again."""


@dataclass(frozen=True)
class Resolution:
    """A decision about one conflict. Return it from ``on_conflict``, or pass it to ``settle()``."""

    kept: str
    values: Json | None = None


@dataclass(frozen=True)
class Conflict:
    """A mutation that conflicts with another change, and that the server could not resolve.

    ``fields`` names the fields in conflict, ``base`` holds the values that the mutation was
    made on (``None`` if they are not known), ``server`` the server's record
    (``None`` if it was deleted there), ``client`` what the user asked for.
    ``kind`` is one of the protocol's: ``update_update``, ``update_delete``,
    ``delete_update``, ``create_create``, ``unknown_base``.

    Return ``keep_server()``, ``keep_client()`` or ``merge({...})`` from the
    ``on_conflict`` callback, or pass it to ``settle()`` at any later time.
    """

    mutation: Mutation
    kind: str
    fields: tuple[str, ...]
    base: Mapping[str, Any] | None
    server: Record | None
    server_revision: int
    epoch: str | None
    _settle: Callable[[Conflict, Resolution], bool]

    @property
    def collection(self) -> str:
        return self.mutation.collection

    @property
    def id(self) -> str:
        """The object's id."""
        return self.mutation.object_id

    @property
    def client(self) -> Json:
        return self.mutation.fields

    def keep_server(self) -> Resolution:
        """The server's version stays; the local change is dropped."""
        return Resolution("server")

    def keep_client(self) -> Resolution:
        """The client asks for the local change again, on the server's revision."""
        return Resolution("client")

    def merge(self, values: Mapping[str, Any]) -> Resolution:
        """The client asks for these values and keeps its own in other fields."""
        return Resolution("merged", normalized(values))

    def settle(self, resolution: Resolution) -> bool:
        """Carry out a decision; ``False`` if the conflict is no longer open."""
        return self._settle(self, resolution)


class Conflicts:
    """The open conflicts of one store."""

    def __init__(self, store: Store, outbox: Outbox) -> None:
        self._store = store
        self._outbox = outbox

    def enter(
        self, db: sqlite3.Connection, mutation: Mutation, conflict: Mapping[str, Any]
    ) -> None:
        """Keep the conflict of a result."""
        base = conflict.get("base")
        base = base if isinstance(base, dict) else mutation.base
        fields = conflict.get("fields")
        db.execute(
            "INSERT OR REPLACE INTO conflicts VALUES (?, ?, ?, ?, ?, ?)",
            (
                mutation.seq,
                str(conflict.get("kind")),
                dumps([str(name) for name in fields] if isinstance(fields, list) else []),
                None if base is None else dumps(base),
                dumps(conflict.get("server") or {"deleted": True}),
                self._store.text("epoch"),
            ),
        )

    def open(
        self, settle: Callable[[Conflict, Resolution], bool], seqs: Sequence[int] | None = None
    ) -> list[Conflict]:
        """The conflicts that wait for a decision, oldest first."""
        with self._store.read() as db:
            found = db.execute(
                "SELECT outbox.*, kind, server, conflicts.fields AS clashed,"
                " conflicts.base AS known, conflicts.epoch AS learnt"
                " FROM conflicts JOIN outbox USING (seq) ORDER BY seq"
            ).fetchall()
        return [_conflict(row, settle) for row in found if seqs is None or row["seq"] in seqs]

    def count(self) -> int:
        with self._store.read() as db:
            return int(db.execute("SELECT count(*) FROM conflicts").fetchone()[0])

    def settle(self, conflict: Conflict, resolution: Resolution) -> bool:
        """Replace the conflict's mutation and the later edits by the decision.

        The base of the new mutation is the revision that ``conflict`` shows, not one that a
        pull brought since, which the user has not seen (G5).
        """
        mutation = conflict.mutation
        key = (mutation.collection, mutation.object_id)
        with self._store.write() as db:
            if not db.execute(
                "SELECT 1 FROM conflicts JOIN outbox USING (seq) WHERE seq = ? AND id = ?",
                (mutation.seq, mutation.id),
            ).fetchone():
                return False
            later = self._take_back(db, key, mutation.seq)
            draft = decided(conflict, later, resolution)
            if draft is not None:
                self._outbox.append(key, draft)
        return True

    def _take_back(self, db: sqlite3.Connection, key: Key, seq: int) -> list[Mutation]:
        """Remove the mutation and the later ones of its object; return the later ones.

        The server keeps no result of those (``new``, ``aborted``), so their content may be
        sent under another id.
        """
        unsettled = (State.NEW, State.ABORTED)
        later = [m for m in mutations_on(db, key) if m.seq > seq and m.state in unsettled]
        gone = [(seq,), *((m.seq,) for m in later)]
        db.executemany("DELETE FROM outbox WHERE seq = ?", gone)
        return later

    def refresh(self, db: sqlite3.Connection, epoch: str, record: Json) -> None:
        """Put the server's newer record, or the tombstone, into an open conflict on it."""
        kind = _DELETED if record.get("deleted") else _LIVE
        db.execute(
            f"UPDATE conflicts SET server = ?, epoch = ?, kind = {kind} WHERE seq IN (SELECT seq"
            " FROM outbox WHERE state = 'conflict' AND collection = ? AND object_id = ?)",
            (dumps(record), epoch, record["collection"], record["id"]),
        )

    def give_up(self, db: sqlite3.Connection, keys: Sequence[Key]) -> None:
        """The user no longer sees the objects: send what they typed, forget the rest (R3)."""
        for key in keys:
            found = db.execute(
                "SELECT * FROM outbox"
                " WHERE state = 'conflict' AND collection = ? AND object_id = ?",
                key,
            ).fetchall()
            for row in found:
                mutation = mutation_of(row)
                later = self._take_back(db, key, mutation.seq)
                op, fields = _combined(mutation, later)
                revision = None if op == "create" else mutation.base_revision or 0
                self._outbox.append(key, Draft(op, fields, revision, mutation.epoch))

    def unseen(self, db: sqlite3.Connection, pull: int) -> list[Key]:
        """Conflicts on records that a complete pull begun after them did not show.

        A ``drop`` has overtaken the result with the conflict (R1).
        """
        found = db.execute(
            "SELECT o.collection, o.object_id FROM conflicts JOIN outbox o USING (seq)"
            " LEFT JOIN records r ON r.collection = o.collection AND r.id = o.object_id"
            " WHERE r.id IS NULL AND o.settled_pull < ?"
            " AND json_extract(conflicts.server, '$.deleted') IS NULL",
            (pull,),
        )
        return [(row[0], row[1]) for row in found]


def _conflict(row: sqlite3.Row, settle: Callable[[Conflict, Resolution], bool]) -> Conflict:
    found = loads(row["server"])
    content = found.get("object")
    server = None
    if isinstance(content, dict):
        server = Record(
            row["collection"],
            row["object_id"],
            int(found.get("revision") or 0),
            found.get("scope"),
            content,
        )
    return Conflict(
        mutation=mutation_of(row),
        kind=row["kind"],
        fields=tuple(loads(row["clashed"])),
        base=None if row["known"] is None else loads(row["known"]),
        server=server,
        server_revision=int(found.get("revision") or 0),
        epoch=row["learnt"],
        _settle=settle,
    )


def _combined(mutation: Mutation, later: Sequence[Mutation]) -> tuple[str, Json]:
    """All that the client asks for: the mutation and the later edits as one."""
    op, fields = mutation.op, dict(mutation.fields)
    for edit in later:
        if edit.op == "delete":
            op, fields = "delete", {}
        else:
            op = "update" if op == "delete" else op
            fields.update(edit.fields)
    return op, fields


def decided(conflict: Conflict, later: Sequence[Mutation], resolution: Resolution) -> Draft | None:
    """The mutation that a decision becomes, or ``None``. Pure."""
    op, fields = _combined(conflict.mutation, later)
    server = conflict.server
    if resolution.kept == "server":
        asked = conflict.mutation.fields
        fields = {name: value for name, value in fields.items() if name not in asked}
        if op == "delete" or server is None or not fields:
            return None
    elif resolution.values is not None:
        op, fields = "update", {**fields, **resolution.values}
    if op == "delete":
        return Draft("delete", {}, conflict.server_revision, conflict.epoch)
    if server is None:
        return Draft("update", fields, conflict.server_revision, conflict.epoch, whole=True)
    base = {n: server[n] for n in fields if n in server}
    return Draft("update", fields, conflict.server_revision, conflict.epoch, base or None)
