"""Open conflicts: what the user is told, what they may decide, what that becomes.

A conflict's mutation stays on top of the record until it is settled, so what the
user typed stays in sight. Later edits of the object are held back meanwhile (the
server would only abort them) and go into the decision:

- ``keep_client`` sends the conflict's mutation and the later edits as one new
  mutation on the server's revision;
- ``merge`` does the same with the given values on top: what it does not name
  stays as the client has it;
- where the server deleted the object, both ask for it back, whole: what the replica
  last knew of it is sent beneath;
- ``keep_server`` drops the conflict's mutation; later edits of *other* fields go
  on as a new mutation, those of the same fields are dropped with it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .store.compaction import Draft
from .store.database import Store
from .store.encoding import Json, dumps, loads, plain
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
    """A decision about one conflict. It does nothing until it is returned or settled with."""

    kept: str
    values: Json | None = None


@dataclass(frozen=True)
class Conflict:
    """A mutation that met another's change and could not be settled by the server.

    ``fields`` names what clashed, ``base`` holds the values that the mutation was
    made on (``None`` where they are not known), ``server`` the server's record
    (``None`` where it was deleted there), ``client`` what the user asked for.
    ``kind`` is one of the protocol's: ``update_update``, ``update_delete``,
    ``delete_update``, ``create_create``, ``unknown_base``.

    Return ``keep_server()``, ``keep_client()`` or ``merge({...})`` from the
    ``on_conflict`` callback, or hand it to ``settle()`` at any later time.
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
        """The local change is asked for again, on the server's revision."""
        return Resolution("client")

    def merge(self, values: Mapping[str, Any]) -> Resolution:
        """These values are asked for, on the server's revision; others as the client has them."""
        return Resolution("merged", plain(values))

    def settle(self, resolution: Resolution) -> bool:
        """Carry out a decision; ``False`` where the conflict is no longer open."""
        return self._settle(self, resolution)


class Conflicts:
    """The open conflicts of one store."""

    def __init__(self, store: Store, outbox: Outbox) -> None:
        self._store = store
        self._outbox = outbox

    def enter(self, db: sqlite3.Connection, mutation: Mutation, told: Mapping[str, Any]) -> None:
        """Keep what a result told of a conflict."""
        base = told.get("base")
        base = base if isinstance(base, dict) else mutation.base
        fields = told.get("fields")
        db.execute(
            "INSERT OR REPLACE INTO conflicts VALUES (?, ?, ?, ?, ?, ?)",
            (
                mutation.seq,
                str(told.get("kind")),
                dumps([str(name) for name in fields] if isinstance(fields, list) else []),
                None if base is None else dumps(base),
                dumps(told.get("server") or {"deleted": True}),
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
        """Replace the conflict's mutation, and the later edits, by what was decided.

        The new mutation stands on the revision that ``conflict`` shows, not on one
        that a pull brought since: its user has not seen that (G5).
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

        Those have no result that the server keeps (``new``, ``aborted``), so their
        content may go out under another id.
        """
        waiting = (State.NEW, State.ABORTED)
        later = [m for m in mutations_on(db, key) if m.seq > seq and m.state in waiting]
        gone = [(seq,), *((m.seq,) for m in later)]
        db.executemany("DELETE FROM outbox WHERE seq = ?", gone)
        return later

    def refresh(self, db: sqlite3.Connection, epoch: str, record: Json) -> None:
        """Show the server's newer record, or the tombstone, in an open conflict on it."""
        kind = _DELETED if record.get("deleted") else _LIVE
        db.execute(
            f"UPDATE conflicts SET server = ?, epoch = ?, kind = {kind} WHERE seq IN (SELECT seq"
            " FROM outbox WHERE state = 'conflict' AND collection = ? AND object_id = ?)",
            (dumps(record), epoch, record["collection"], record["id"]),
        )

    def give_up(self, db: sqlite3.Connection, keys: Sequence[Key]) -> None:
        """The objects left the user's view: send what was typed, forget the rest (R3)."""
        for key in keys:
            found = db.execute(
                "SELECT * FROM outbox"
                " WHERE state = 'conflict' AND collection = ? AND object_id = ?",
                key,
            ).fetchall()
            for row in found:
                mutation = mutation_of(row)
                later = self._take_back(db, key, mutation.seq)
                op, fields = _together(mutation, later)
                revision = None if op == "create" else mutation.base_revision or 0
                self._outbox.append(key, Draft(op, fields, revision, mutation.epoch))

    def unseen(self, db: sqlite3.Connection, pull: int) -> list[Key]:
        """Conflicts on records that a complete pull begun after them did not show.

        The result that told of them was overtaken by a ``drop`` (R1).
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
    told = loads(row["server"])
    content = told.get("object")
    server = None
    if isinstance(content, dict):
        server = Record(
            row["collection"],
            row["object_id"],
            int(told.get("revision") or 0),
            told.get("scope"),
            content,
        )
    return Conflict(
        mutation=mutation_of(row),
        kind=row["kind"],
        fields=tuple(loads(row["clashed"])),
        base=None if row["known"] is None else loads(row["known"]),
        server=server,
        server_revision=int(told.get("revision") or 0),
        epoch=row["learnt"],
        _settle=settle,
    )


def _together(mutation: Mutation, later: Sequence[Mutation]) -> tuple[str, Json]:
    """What the client asks for in all: the mutation with the later edits in it."""
    op, fields = mutation.op, dict(mutation.fields)
    for edit in later:
        if edit.op == "delete":
            op, fields = "delete", {}
        else:
            op = "update" if op == "delete" else op
            fields.update(edit.fields)
    return op, fields


def decided(conflict: Conflict, later: Sequence[Mutation], resolution: Resolution) -> Draft | None:
    """The mutation that a decision becomes, or ``None`` for none. Pure."""
    op, fields = _together(conflict.mutation, later)
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
