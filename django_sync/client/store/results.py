"""Applies the server's results to the outbox: only the state of entries changes (R1)."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ...protocol.words import Status
from ..conflicts import Conflicts
from ..types import Change, Counts, Mutation, Rejection
from .database import Store
from .encoding import dumps, loads
from .outbox import Outbox, Outgoing
from .overlay import State, Watch

log = logging.getLogger("django_sync.client")


@dataclass
class Settled:
    """The effects of a batch of results, to be reported after the commit."""

    final: int = 0
    changes: list[Change] = field(default_factory=list)
    conflicts: list[int] = field(default_factory=list)
    rejections: list[int] = field(default_factory=list)


class Results:
    """Changes outbox entries as their results say."""

    def __init__(self, store: Store, outbox: Outbox, conflicts: Conflicts) -> None:
        self._store = store
        self._outbox = outbox
        self._conflicts = conflicts

    def enter(
        self,
        batch: Sequence[Outgoing],
        results: Sequence[Any],
        counts: Counts,
        listened: Iterable[str] | None,
    ) -> Settled:
        """Enter the results of a batch in one transaction.

        A result of a mutation that was not in the batch, or of a status that this
        version does not know, is logged and skipped: the mutation is sent again.
        """
        asked = {outgoing.mutation.id: outgoing.mutation for outgoing in batch}
        settled = Settled()
        with self._store.write() as db:
            watch = Watch(db, listened, "remote")
            for result in results:
                mutation = asked.pop(str(_get(result, "id")), None)
                if mutation is None:
                    log.warning("The server sent a result that nobody asked for: %r", result)
                else:
                    watch.look([(mutation.collection, mutation.object_id)])
                    self._enter(db, mutation, result, counts, settled)
            if self._store.number("stream"):
                self._outbox.step_down(db)
            settled.changes = watch.changes()
        if asked:
            log.warning("%d mutations had no result and are sent again.", len(asked))
        return settled

    def _enter(
        self,
        db: sqlite3.Connection,
        mutation: Mutation,
        result: Mapping[str, Any],
        counts: Counts,
        settled: Settled,
    ) -> None:
        status = str(result.get("status"))
        match status:
            case Status.APPLIED | Status.MERGED:
                state = State.SETTLED
            case Status.CONFLICT:
                state = State.CONFLICT
            case Status.ABORTED | Status.REJECTED:
                state = State.ABORTED
            case _:
                log.warning("Status %r is unknown; the mutation stays.", status)
                return
        revision = result.get("revision")  # Absent where the user no longer sees the object.
        after = revision if isinstance(revision, int) else 0
        if self._outbox.finish(db, mutation.id, state, after) is None:
            return  # Another process had the result first.
        counts.sent += 1
        match status:
            case Status.APPLIED:
                counts.applied += 1
            case Status.MERGED:
                counts.merged += 1
            case Status.CONFLICT:
                counts.conflicts += 1
                self._conflicts.enter(db, mutation, _dict(result, "conflict"))
                settled.conflicts.append(mutation.seq)
            case Status.REJECTED:
                counts.rejected += 1
                self._reject(db, mutation, _dict(result, "problem"))
                settled.rejections.append(mutation.seq)
            case Status.ABORTED:
                counts.aborted += 1
                return
        settled.final += 1

    def _reject(
        self, db: sqlite3.Connection, mutation: Mutation, problem: Mapping[str, Any]
    ) -> None:
        """Take the mutation off the record, but keep it until a callback was called."""
        db.execute("DELETE FROM outbox WHERE seq = ?", (mutation.seq,))
        kept = {**asdict(mutation), "base": None}
        db.execute(
            "INSERT INTO rejections VALUES (?, ?, ?)",
            (mutation.seq, dumps(kept), dumps(dict(problem))),
        )

    def rejections(self) -> dict[int, Rejection]:
        """Refused mutations that no callback was called with yet, by ``seq``."""
        with self._store.read() as db:
            found = db.execute("SELECT * FROM rejections ORDER BY seq").fetchall()
        return {
            row["seq"]: Rejection(Mutation(**loads(row["mutation"])), loads(row["problem"]))
            for row in found
        }

    def forget_rejection(self, seq: int) -> None:
        """Forget a rejection after a callback was called with it."""
        with self._store.write() as db:
            db.execute("DELETE FROM rejections WHERE seq = ?", (seq,))


def _get(result: object, name: str) -> object:
    return result.get(name) if isinstance(result, dict) else None


def _dict(result: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = result.get(name)
    return value if isinstance(value, dict) else {}
