"""The replica: the server's records as the last applied page left them.

Pages are the only thing that writes here. A page is applied with its cursor in
one transaction, and only where the store still stands at the cursor that was
sent for it. That compare-and-set is what makes one feeder at a time: of two
threads or processes that pull at once, one page of each round is applied and the
other discarded, whose puller goes on from where the store then stands. No lease
is needed, and none can be left behind by a process that was killed.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from ..protocol import Change as WireChange
from ..protocol import Op, Page
from .conflicts import Conflicts
from .encoding import dumps
from .outbox import Outbox
from .overlay import Key, Watch
from .store import Store
from .views import Change

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
_BUSY = "SELECT collection, object_id, max(state != 'settled') FROM outbox GROUP BY 1, 2"


@dataclass(frozen=True)
class Place:
    """Where the store stood when a request was made."""

    client_id: str
    cursor: str | None
    epoch: str | None


@dataclass
class _Applying:
    """One page on its way into the store."""

    db: sqlite3.Connection
    page: Page
    watch: Watch
    busy: dict[Key, bool] = field(default_factory=dict)
    """Objects with entries in the outbox, and whether any of these is not settled."""
    forgot: bool = False


class Replica:
    """The server's state in one store."""

    def __init__(self, store: Store, outbox: Outbox, conflicts: Conflicts) -> None:
        self._store = store
        self._outbox = outbox
        self._conflicts = conflicts

    def place(self) -> Place:
        """Where the store stands."""
        with self._store.read():
            client_id = self._store.text("client_id") or ""
            return Place(client_id, self._store.text("cursor"), self._store.text("epoch"))

    def begin_pull(self) -> int:
        """Number a pull, so that results that came before it are told from later ones."""
        return self._store.count_up("pulls")

    def apply(
        self,
        page: Page,
        place: Place,
        collections: Sequence[str],
        pull: int,
        listened: Iterable[str] | None = (),
    ) -> list[Change] | None:
        """Apply a page; ``None`` where the store has moved on and the page is discarded."""
        with self._store.write() as db:
            if self.place() != place:
                return None
            if place.cursor is not None and place.epoch != page.epoch:
                log.warning("The epoch changed without a word: taking a fresh snapshot.")
                self._start_over()
                return None
            doing = _Applying(db, page, Watch(db, listened, "remote"))
            doing.busy = {(row[0], row[1]): bool(row[2]) for row in db.execute(_BUSY)}
            self._narrow(doing, collections)
            if page.epoch != place.epoch:
                db.execute("UPDATE collections SET replaces = sweeping")
            self._changes(doing, frozenset(collections))
            if not page.has_more:
                self._complete(doing, pull)
            self._store.set("cursor", page.cursor)
            self._store.set("epoch", page.epoch)
            self._store.set("snapshot", None if page.snapshot is None else dict(page.snapshot))
            changes = doing.watch.changes()
        if doing.forgot:
            self._store.scrub()
        return changes

    def start_over(self, place: Place) -> None:
        """The cursor is void: the next pull is a snapshot that replaces what is not in it.

        Nothing is done where the store no longer stands there.
        """
        with self._store.write():
            if self.place() == place:
                self._start_over()

    def _start_over(self) -> None:
        with self._store.write() as db:
            self._store.set("cursor", None)
            self._store.set("snapshot", None)
            db.execute("UPDATE collections SET generation = generation + 1, sweeping = 1")

    def forget(self) -> None:
        """Forget all server state; outbox and open conflicts stay."""
        with self._store.write() as db:
            self._start_over()
            db.execute("DELETE FROM records")
            self._store.set("epoch", None)
        self._store.scrub()

    def _narrow(self, doing: _Applying, collections: Sequence[str]) -> None:
        """Enter the collections asked for, forget those no longer asked for."""
        known = {row[0] for row in doing.db.execute("SELECT name FROM collections")}
        for name in known - set(collections):
            self._leave(doing, "collection = ?", (name,))
            doing.db.execute("DELETE FROM collections WHERE name = ?", (name,))
        for name in set(collections) - known:
            doing.db.execute("INSERT INTO collections (name) VALUES (?)", (name,))

    def _changes(self, doing: _Applying, collections: frozenset[str]) -> None:
        runs = groupby(doing.page.changes, key=lambda change: (change.op, change.collection))
        for (op, collection), run in runs:
            changes = list(run)
            if collection not in collections:
                log.info("Skipped %d changes of %r: not asked for.", len(changes), collection)
                continue
            match op:
                case Op.PUT:
                    self._put(doing, collection, changes)
                case Op.DELETE:
                    self._delete(doing, collection, changes)
                case Op.REMOVE:
                    for change in changes:
                        key = (collection, str(change.id))
                        self._leave(doing, "collection = ? AND id = ?", key)
                        self._let_go(doing.db, [key])
                case Op.DROP:
                    for change in changes:
                        self._leave(
                            doing, "collection = ? AND scope = ?", (collection, change.scope)
                        )
                case Op.BEGIN:
                    doing.db.execute(
                        "UPDATE collections SET generation = generation + 1, sweeping = 1"
                        " WHERE name = ?",
                        (collection,),
                    )

    def _put(self, doing: _Applying, collection: str, changes: list[WireChange]) -> None:
        """Write records. Within an epoch none falls to a lower revision (G2)."""
        db = doing.db
        generation, sweeping, replaces = db.execute(
            "SELECT generation, sweeping, replaces FROM collections WHERE name = ?", (collection,)
        ).fetchone()
        if doing.watch.wants(collection):
            doing.watch.look((collection, str(change.id)) for change in changes)
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
        if doing.busy:
            for change in changes:
                if (collection, str(change.id)) in doing.busy:
                    self._conflicts.refresh(db, doing.page.epoch, change.record.to_json())

    def _delete(self, doing: _Applying, collection: str, changes: list[WireChange]) -> None:
        """Forget deleted records, but keep one that local edits stand on until these end.

        Else what the user is typing would vanish before they are told of the
        conflict.
        """
        for change in changes:
            key = (collection, str(change.id))
            doing.watch.look([key])
            if doing.busy.get(key):
                gone = {"collection": collection, "id": key[1], "deleted": True}
                tombstone = gone | {"revision": change.revision}
                self._conflicts.refresh(doing.db, doing.page.epoch, tombstone)
                doing.db.execute(
                    "UPDATE records SET deleted = 1, revision = ? WHERE collection = ? AND id = ?"
                    " AND revision <= ?",
                    (change.revision, *key, change.revision),
                )
            else:
                doing.db.execute(
                    "DELETE FROM records WHERE collection = ? AND id = ? AND revision <= ?",
                    (*key, change.revision),
                )

    def _leave(self, doing: _Applying, where: str, values: Sequence[object]) -> None:
        """Forget records that left the view: state, bases, the server's side of conflicts (R3)."""
        found = doing.db.execute(f"SELECT collection, id FROM records WHERE {where}", values)
        keys = [(row[0], row[1]) for row in found]
        if not keys:
            return
        doing.watch.look(keys)
        doing.db.execute(f"DELETE FROM records WHERE {where}", values)
        self._let_go(doing.db, [key for key in keys if key in doing.busy])
        doing.forgot = True

    def _let_go(self, db: sqlite3.Connection, keys: Sequence[Key]) -> None:
        self._conflicts.give_up(db, keys)
        self._outbox.strip(db, keys)

    def _complete(self, doing: _Applying, pull: int) -> None:
        """The first ``has_more: false``: what was not seen goes, settled mutations step down."""
        db = doing.db
        sweeping = db.execute("SELECT name, generation FROM collections WHERE sweeping").fetchall()
        for name, generation in sweeping:
            self._leave(doing, "collection = ? AND generation < ?", (name, generation))
        db.execute("UPDATE collections SET sweeping = 0, replaces = 0")
        settled = db.execute(
            "SELECT seq, collection, object_id FROM outbox"
            " WHERE state = 'settled' AND settled_pull < ?",
            (pull,),
        ).fetchall()
        doing.watch.look((row[1], row[2]) for row in settled)
        db.executemany("DELETE FROM outbox WHERE seq = ?", ((row[0],) for row in settled))
        if overtaken := self._conflicts.unseen(db, pull):
            doing.watch.look(overtaken)
            self._let_go(db, overtaken)
            doing.forgot = True
        db.execute(
            "DELETE FROM records WHERE deleted AND NOT EXISTS (SELECT 1 FROM outbox o"
            " WHERE o.collection = records.collection AND o.object_id = records.id)"
        )
