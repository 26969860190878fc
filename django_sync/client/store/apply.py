"""Applies one page, or one frame, to the store, within the caller's transaction.

It knows what a change does to records, conflicts and the outbox. It knows nothing of cursors and
of who may write: ``replica`` has decided that before.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from ...protocol import Change as WireChange
from ...protocol import Op, Page
from ..conflicts import Conflicts
from .encoding import dumps
from .outbox import Outbox
from .overlay import Key, Watch

log = logging.getLogger("django_sync.client")

_PUT = """
INSERT INTO records (collection, id, revision, scope, object, generation)
VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (collection, id) DO UPDATE SET
    revision = excluded.revision, scope = excluded.scope, object = excluded.object,
    generation = excluded.generation, deleted = 0
WHERE excluded.revision >= records.revision OR (? AND records.generation < excluded.generation)
"""
_SEEN = "UPDATE records SET generation = ? WHERE collection = ? AND id = ? AND generation < ?"
_BUSY = "SELECT collection, object_id, max(state != 'settled') FROM outbox{} GROUP BY 1, 2"
_BUSY_ONE = _BUSY.format(" WHERE collection = ? AND object_id = ?")
_FEW = 100
"""Changes of a page up to which its objects are looked up one by one in the outbox."""


class Busy:
    """Objects with entries in the outbox, and whether any of these is not settled.

    For a page of few changes, each object is looked up by itself when it is needed. So a frame
    costs the same however long the outbox is.
    """

    def __init__(self, db: sqlite3.Connection, changes: int) -> None:
        self._db = db
        self._known: dict[Key, bool | None] = {}
        self._is_by_object = changes <= _FEW
        if not self._is_by_object:
            self._known = {(row[0], row[1]): bool(row[2]) for row in db.execute(_BUSY.format(""))}

    def __contains__(self, key: Key) -> bool:
        return self.get(key) is not None

    def get(self, key: Key) -> bool | None:
        """Whether an entry of the object is not settled; ``None`` if the object has no entries."""
        if self._is_by_object and key not in self._known:
            row = self._db.execute(_BUSY_ONE, key).fetchone()
            self._known[key] = None if row is None else bool(row[2])
        return self._known.get(key)


@dataclass
class Applying:
    """Applies a page and notes the changes in ``watch``.

    ``live``: a socket or stream brings it, which may go on for days. Then settled mutations
    step down one by one, not at the end of the next pull.
    """

    db: sqlite3.Connection
    outbox: Outbox
    conflicts: Conflicts
    watch: Watch
    page: Page
    live: bool = False
    busy: Busy = field(init=False)
    forgot: bool = False

    def __post_init__(self) -> None:
        self.busy = Busy(self.db, len(self.page.changes))

    def run(self, collections: Sequence[str], pull: int, *, replaces: bool) -> None:
        """Apply all of it. ``replaces``: revisions of an earlier epoch mean nothing now."""
        self.narrow(collections)
        if replaces:
            self.db.execute("UPDATE collections SET replaces = sweeping")
        self.changes(frozenset(collections))
        if not self.page.has_more:
            self.complete(pull)
        if self.live:
            self.outbox.step_down(self.db)

    def narrow(self, collections: Sequence[str]) -> None:
        """Enter the collections asked for, forget those no longer asked for."""
        known = {row[0] for row in self.db.execute("SELECT name FROM collections")}
        for name in known - set(collections):
            self._leave("collection = ?", (name,))
            self.db.execute("DELETE FROM collections WHERE name = ?", (name,))
        for name in set(collections) - known:
            self.db.execute("INSERT INTO collections (name) VALUES (?)", (name,))

    def changes(self, collections: frozenset[str]) -> None:
        runs = groupby(self.page.changes, key=lambda change: (change.op, change.collection))
        for (op, collection), run in runs:
            changes = list(run)
            if collection not in collections:
                log.info("Skipped %d changes of %r: not asked for.", len(changes), collection)
                continue
            match op:
                case Op.PUT:
                    self._put(collection, changes)
                case Op.DELETE:
                    self._delete(collection, changes)
                case Op.REMOVE:
                    for change in changes:
                        key = (collection, str(change.id))
                        self._leave("collection = ? AND id = ?", key)
                        self._let_go([key])
                case Op.DROP:
                    for change in changes:
                        self._leave("collection = ? AND scope = ?", (collection, change.scope))
                case Op.BEGIN:
                    self.db.execute(
                        "UPDATE collections SET generation = generation + 1, sweeping = 1"
                        " WHERE name = ?",
                        (collection,),
                    )

    def _put(self, collection: str, changes: list[WireChange]) -> None:
        """Write records. Within an epoch none falls to a lower revision (G2)."""
        db = self.db
        generation, sweeping, replaces = db.execute(
            "SELECT generation, sweeping, replaces FROM collections WHERE name = ?", (collection,)
        ).fetchone()
        if self.watch.wants(collection):
            self.watch.look((collection, str(change.id)) for change in changes)
        db.executemany(
            _PUT,
            (
                (collection, str(c.id), c.revision, c.scope, dumps(c.object), generation, replaces)
                for c in changes
            ),
        )
        if sweeping:
            db.executemany(
                _SEEN, ((generation, collection, str(c.id), generation) for c in changes)
            )
        for change in changes:
            if (collection, str(change.id)) in self.busy:
                self.conflicts.refresh(db, self.page.epoch, change.record.to_json())

    def _delete(self, collection: str, changes: list[WireChange]) -> None:
        """Forget deleted records, but keep one that has local edits until these end.

        Otherwise the user's input would vanish before they see the conflict.
        """
        for change in changes:
            key = (collection, str(change.id))
            self.watch.look([key])
            if self.busy.get(key):
                gone = {"collection": collection, "id": key[1], "deleted": True}
                tombstone = gone | {"revision": change.revision}
                self.conflicts.refresh(self.db, self.page.epoch, tombstone)
                self.db.execute(
                    "UPDATE records SET deleted = 1, revision = ? WHERE collection = ? AND id = ?"
                    " AND revision <= ?",
                    (change.revision, *key, change.revision),
                )
            else:
                self.db.execute(
                    "DELETE FROM records WHERE collection = ? AND id = ? AND revision <= ?",
                    (*key, change.revision),
                )
            if self.live:
                self._settle([key], change.revision)

    def _leave(self, where: str, values: Sequence[object]) -> None:
        """Forget records that left the view: state, bases, the server's side of conflicts (R3)."""
        found = self.db.execute(f"SELECT collection, id FROM records WHERE {where}", values)
        keys = [(row[0], row[1]) for row in found]
        if not keys:
            return
        self.watch.look(keys)
        self.db.execute(f"DELETE FROM records WHERE {where}", values)
        self._let_go([key for key in keys if key in self.busy])
        if self.live:
            self._settle((key for key in keys if key in self.busy), None)
        self.forgot = True

    def _let_go(self, keys: Sequence[Key]) -> None:
        self.conflicts.give_up(self.db, keys)
        self.outbox.strip(self.db, keys)

    def _settle(self, keys: Iterable[Key], revision: int | None) -> None:
        """Settled mutations of objects that have gone step down: no newer record will come.

        If an object comes back, it comes as a change of its own.
        """
        self.db.executemany(
            "DELETE FROM outbox WHERE state = 'settled' AND collection = ? AND object_id = ?"
            " AND (? IS NULL OR settled_revision <= ?)",
            ((*key, revision, revision) for key in keys),
        )

    def complete(self, pull: int) -> None:
        """After the last page: forget records that no page held; settled mutations step down."""
        db = self.db
        sweeping = db.execute("SELECT name, generation FROM collections WHERE sweeping").fetchall()
        for name, generation in sweeping:
            self._leave("collection = ? AND generation < ?", (name, generation))
        db.execute("UPDATE collections SET sweeping = 0, replaces = 0")
        settled = db.execute(
            "SELECT seq, collection, object_id FROM outbox"
            " WHERE state = 'settled' AND settled_pull < ?",
            (pull,),
        ).fetchall()
        self.watch.look((row[1], row[2]) for row in settled)
        db.executemany("DELETE FROM outbox WHERE seq = ?", ((row[0],) for row in settled))
        if overtaken := self.conflicts.unseen(db, pull):
            self.watch.look(overtaken)
            self._let_go(overtaken)
            self.forgot = True
        db.execute(
            "DELETE FROM records WHERE deleted AND NOT EXISTS (SELECT 1 FROM outbox o"
            " WHERE o.collection = records.collection AND o.object_id = records.id)"
        )
