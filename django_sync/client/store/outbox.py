"""The outbox: local writes, which of them are sent, and what results do to them.

A write and its entry are one transaction. Nothing here writes server state: a result only
changes the state of its entry (R1). ``seq`` always rises, over restarts too.
"""

from __future__ import annotations

import datetime
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ...protocol import Mutation as WireMutation
from ...protocol import ids
from ...protocol.words import Write
from ..types import Mutation
from . import compaction
from .compaction import Append, Cancel, Draft, Merge
from .database import Store
from .encoding import Json, dumps, loads
from .overlay import OPEN, Key, State, mutation_of, mutations_on, server_row

_LONGEST_LOOK = 200
"""With so many later entries, no compaction is tried."""

_OPEN_SQL = f"({', '.join(repr(str(state)) for state in OPEN)})"
_IN_ORDER = f"+state IN {_OPEN_SQL}"
"""For reading by ``seq``: the plus sign stops SQLite from using the index on ``state``."""


@dataclass
class Blocked:
    """Objects whose mutations wait because an earlier one could not be sent."""

    keys: set[Key] = field(default_factory=set)
    created: set[str] = field(default_factory=set)

    def add(self, mutation: Mutation) -> None:
        self.keys.add((mutation.collection, mutation.object_id))
        if mutation.op == "create":
            self.created.add(mutation.object_id)

    def __contains__(self, mutation: Mutation) -> bool:
        if (mutation.collection, mutation.object_id) in self.keys:
            return True
        if not self.created:
            return False
        text = dumps(mutation.fields)
        return any(id in text for id in self.created)


@dataclass(frozen=True)
class Outgoing:
    """A mutation marked as sent, with the bytes that stand for it from now on."""

    mutation: Mutation
    body: str


class Outbox:
    """The mutations of one store."""

    def __init__(self, store: Store, now: Callable[[], datetime.datetime]) -> None:
        self._store = store
        self._now = now

    def write(self, key: Key, op: str, fields: Json) -> None:
        """Enter a local write; it merges into an earlier one if compaction allows that."""
        with self._store.write() as db:
            own = mutations_on(db, key)
            draft = self._draft(db, key, op, fields, own)
            last = own[-1] if own else None
            if last is None or last.state != State.NEW:
                self.append(key, draft)
                return
            near = self._neighbours(db, last, op)
            if near is None:
                self.append(key, draft)
                return
            match compaction.compact(draft, last, *near):
                case Append():
                    self.append(key, draft)
                case Merge(seq, merged):
                    self._replace(db, seq, merged)
                case Cancel(seq):
                    db.execute("DELETE FROM outbox WHERE seq = ?", (seq,))

    def append(self, key: Key, draft: Draft) -> None:
        """Put a mutation at the end, without compaction."""
        with self._store.write() as db:
            db.execute(
                "INSERT INTO outbox (seq, id, collection, object_id, op, base_revision, epoch,"
                " fields, base, at, state, whole) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    self._store.count_up("seq"),
                    str(ids.new_id()),
                    *key,
                    draft.op,
                    draft.base_revision,
                    draft.epoch,
                    dumps(draft.fields),
                    None if draft.base is None else dumps(draft.base),
                    self._now().astimezone(datetime.UTC).isoformat().replace("+00:00", "Z"),
                    State.NEW,
                    draft.whole,
                ),
            )

    def _replace(self, db: sqlite3.Connection, seq: int, draft: Draft) -> None:
        db.execute(
            "UPDATE outbox SET op = ?, fields = ?, base_revision = ?, epoch = ?, base = ?"
            " WHERE seq = ?",
            (
                draft.op,
                dumps(draft.fields),
                draft.base_revision,
                draft.epoch,
                None if draft.base is None else dumps(draft.base),
                seq,
            ),
        )

    def _neighbours(
        self, db: sqlite3.Connection, last: Mutation, op: str
    ) -> tuple[Sequence[Mutation], bool] | None:
        """The later entries, and whether another mentions the object; ``None`` for too many."""
        newer = db.execute(
            "SELECT * FROM outbox WHERE seq > ? LIMIT ?", (last.seq, _LONGEST_LOOK)
        ).fetchall()
        if len(newer) == _LONGEST_LOOK:
            return None
        mentioned = (
            op == Write.DELETE
            and db.execute(
                "SELECT 1 FROM outbox WHERE seq != ? AND instr(fields, ?)",
                (last.seq, last.object_id),
            ).fetchone()
        )
        return [mutation_of(row) for row in newer], bool(mentioned)

    def _draft(
        self, db: sqlite3.Connection, key: Key, op: str, fields: Json, own: Sequence[Mutation]
    ) -> Draft:
        """The draft with the server's state that the user knew when making it.

        If an earlier mutation covers a field, the user sees that mutation's value, so the base
        of the field is the earlier mutation's base. The user has not seen a newer server value
        beneath it (G5). Results do not raise the base either: only pulls do.
        """
        if op == Write.CREATE:
            return Draft(op, fields)
        row = server_row(db, key)
        hidden = row is None or bool(row["deleted"])
        over = [m for m in own if hidden or op == Write.DELETE or m.fields.keys() & fields.keys()]
        if over:
            revision, epoch = over[0].base_revision or 0, over[0].epoch
        else:
            assert row is not None
            revision, epoch = int(row["revision"]), self._store.text("epoch")
        if op == Write.DELETE:
            return Draft(op, {}, revision, epoch or self._store.text("epoch"))
        base: Json = {}
        if row is not None and not hidden and row["revision"] == revision:
            base = {name: v for name, v in loads(row["object"]).items() if name in fields}
        for mutation in reversed(over):
            base.update({n: v for n, v in (mutation.base or {}).items() if n in fields})
        return Draft(op, fields, revision, epoch or self._store.text("epoch"), base or None)

    def open(self) -> list[Mutation]:
        """Mutations without a final result, in order."""
        with self._store.read() as db:
            found = db.execute(f"SELECT * FROM outbox WHERE {_IN_ORDER} ORDER BY seq")
            return [mutation_of(row) for row in found]

    def has_new(self) -> bool:
        """Whether a mutation that was never sent may be sent now."""
        with self._store.read() as db:
            return self._waits(db, "state = 'new'")

    def _waits(self, db: sqlite3.Connection, condition: str) -> bool:
        held = (
            "NOT EXISTS (SELECT 1 FROM outbox o WHERE o.state = 'conflict'"
            " AND o.collection = outbox.collection AND o.object_id = outbox.object_id)"
        )
        row = db.execute(f"SELECT 1 FROM outbox WHERE {condition} AND {held} LIMIT 1").fetchone()
        return row is not None

    def take(self, span: range, limit: int, max_bytes: int, blocked: Blocked) -> list[Outgoing]:
        """Mark the next batch as sent and fix its bytes, before any of it goes out.

        What was sent and never answered goes first and again; later edits of an
        object with an open conflict are held back until it is settled. Only what
        has its ``seq`` in ``span`` is taken.
        """
        batch: list[Outgoing] = []
        size = 0
        with self._store.write() as db:
            held = {
                (row["collection"], row["object_id"])
                for row in db.execute("SELECT * FROM outbox WHERE state = 'conflict'")
            }
            for row in db.execute(
                f"SELECT * FROM outbox WHERE seq >= ? AND seq < ? AND {_IN_ORDER} ORDER BY seq",
                (span.start, span.stop),
            ):
                mutation = mutation_of(row)
                if mutation in blocked:
                    blocked.add(mutation)
                    continue
                if row["state"] != State.SENT and (row["collection"], row["object_id"]) in held:
                    continue
                body = row["body"] or wire_body(self._dated(_sent_whole(db, row, mutation)))
                size += len(body.encode()) + 1
                if batch and (len(batch) == limit or size > max_bytes):
                    break
                batch.append(Outgoing(mutation, body))
            db.executemany(
                "UPDATE outbox SET state = 'sent', body = ? WHERE seq = ?",
                [(outgoing.body, outgoing.mutation.seq) for outgoing in batch],
            )
        return batch

    def _dated(self, mutation: Mutation) -> Mutation:
        """Name the epoch of a mutation on an object of our own that no pull has brought yet."""
        if mutation.op == Write.CREATE or mutation.epoch is not None:
            return mutation
        epoch = self._store.text("epoch") or self._store.text("server_epoch")
        return replace(mutation, epoch=epoch)

    def finish(
        self, db: sqlite3.Connection, mutation_id: str, state: State, revision: int = 0
    ) -> Mutation | None:
        """Move a sent entry on to what its result says; ``None`` where it is no longer open."""
        row = db.execute(
            f"SELECT * FROM outbox WHERE id = ? AND state IN {_OPEN_SQL}", (mutation_id,)
        ).fetchone()
        if row is None:
            return None
        if state in (State.SETTLED, State.CONFLICT):
            db.execute(
                "UPDATE outbox SET state = ?, body = NULL, settled_pull = ?, settled_revision = ?"
                " WHERE id = ?",
                (state, self._store.number("pulls"), revision, mutation_id),
            )
        else:
            db.execute("UPDATE outbox SET state = ? WHERE id = ?", (state, mutation_id))
        return mutation_of(row)

    def step_down(self, db: sqlite3.Connection) -> None:
        """Take settled mutations off the records that have come as far as their results.

        Under pulls they stay until the end of the first complete one begun after the
        result (R1). A socket is one pull that does not end, and its frames prove the
        same one by one: the revision that the result named, or a later one of that
        object, has their effect in it, and revisions never fall (G2).
        """
        db.execute(
            "DELETE FROM outbox WHERE state = 'settled' AND EXISTS (SELECT 1 FROM records r"
            " WHERE r.collection = outbox.collection AND r.id = outbox.object_id"
            " AND r.revision >= outbox.settled_revision)"
        )

    def settled(self) -> set[int]:
        """The entries that have a result and still lie over their records."""
        with self._store.read() as db:
            return {row[0] for row in db.execute("SELECT seq FROM outbox WHERE state = 'settled'")}

    def strip(self, db: sqlite3.Connection, keys: Iterable[Key]) -> None:
        """Leave of these objects' entries only what the user typed (R3).

        A body that was sent loses its ``base`` too: what left the view goes from
        the disk, and the mutation can only be refused now.
        """
        for key in keys:
            for mutation in mutations_on(db, key):
                body = None
                if mutation.state in (State.SENT, State.ABORTED):
                    sent = db.execute(
                        "SELECT body FROM outbox WHERE seq = ?", (mutation.seq,)
                    ).fetchone()[0]
                    kept: dict[str, Any] = {**loads(sent), "fields": mutation.fields}
                    kept.pop("base", None)
                    body = dumps(kept)
                db.execute(
                    "UPDATE outbox SET base = NULL, body = ? WHERE seq = ?", (body, mutation.seq)
                )


def _sent_whole(db: sqlite3.Connection, row: sqlite3.Row, mutation: Mutation) -> Mutation:
    """With the last known record beneath, where the mutation brings its object back."""
    known = server_row(db, (mutation.collection, mutation.object_id)) if row["whole"] else None
    if known is None or mutation.op != Write.UPDATE:
        return mutation
    return replace(mutation, fields={**loads(known["object"]), **mutation.fields})


def wire_body(mutation: Mutation) -> str:
    """The mutation as it stands in a request."""
    wire = WireMutation(
        id=ids.canonical_uuid(mutation.id),
        seq=mutation.seq,
        op=Write(mutation.op),
        collection=mutation.collection,
        object_id=ids.canonical_uuid(mutation.object_id),
        base_revision=mutation.base_revision,
        epoch=mutation.epoch,
        fields=mutation.fields,
        base=mutation.base,
        at=mutation.at,
    )
    return dumps(wire.to_json())
