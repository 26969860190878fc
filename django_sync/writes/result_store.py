"""The stored results of mutations: read first, answered again, inserted at the end.

The first statement of a transaction locks the client's row: a request with the same mutations
waits there. On SQLite it takes the write lock of the database. The second reads the stored results
and the feed's epoch, so it sees what was committed meanwhile. The first could not: after a wait
PostgreSQL reads only the locked row again, and the rest of its answer is from before the wait.

``batch`` decides what happens, this file stores it.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils import timezone

from .. import errors
from ..drf.caller import Caller
from ..drf.registry import registry
from ..feed import log as feed_log
from ..feed.dialects import dialect
from ..feed.tables import FEED
from ..models import Client, MutationResult
from ..models.database import connection
from ..protocol import (
    Conflict,
    ConflictKind,
    Json,
    Mutation,
    ReadyRecord,
    ReadyResult,
    Resolution,
    Result,
    Status,
    Write,
)
from . import columns
from .apply import Effect, Spans, tombstone
from .decisions import Decisions

RESULT = MutationResult._meta.db_table
_CLIENT = f"SELECT c.user_id, c.forgotten_seq FROM {Client._meta.db_table} c WHERE c.id = %s"


def digest(mutation: Mutation) -> str:
    """Return the hash of what a mutation asks for; one id stands for one hash.

    ``base`` only helps to merge, and a client forgets it with a record that it may no longer see.
    So a repeat without ``base`` is the same mutation.
    """
    body: Json = {
        "id": str(mutation.id),
        "op": str(mutation.op),
        "collection": mutation.collection,
        "object_id": str(mutation.object_id),
        "base_revision": mutation.base_revision,
        "fields": mutation.fields,
    }
    if mutation.epoch is not None:
        body["epoch"] = mutation.epoch
    return hashlib.sha256(_sorted.encode(body).encode()).hexdigest()


_sorted = json.JSONEncoder(sort_keys=True)


NOTHING: Json = {}
"""The trace of a result without details; never changed."""


@dataclass(slots=True)
class NewResult:
    """A result that is not stored yet; its attributes are the columns of ``MutationResult``."""

    client_id: uuid.UUID | None
    user_id: Any
    mutation_id: uuid.UUID
    seq: int
    digest: str
    op: str
    object_id: uuid.UUID | None
    status: str = ""
    model: str = ""
    revision_before: int | None = None
    revision: int | None = None
    trace: Json = field(default_factory=lambda: NOTHING)
    at: datetime.datetime | None = None


def _only_create(mutations: Sequence[Mutation]) -> Mutation | None:
    """The create that is alone in its transaction: whether its id is in use is read at once."""
    only = mutations[0] if len(mutations) == 1 else None
    return only if only and only.op is Write.CREATE and only.collection in registry else None


def _lock_client(db: Any, client: Client, caller: Caller) -> int:
    """Lock the client's row, creating it if needed; return its ``forgotten_seq``.

    Raises ``ClientMismatch`` if the client is another user's.
    """
    found = _read_client(db, client.pk)
    if found is None:
        Client.objects.bulk_create([Client(id=client.pk, user=caller.user)], ignore_conflicts=True)
        found = _read_client(db, client.pk)
    if found is None or str(found[0]) != caller.key:
        raise errors.ClientMismatch
    return int(found[1])


def _read_client(db: Any, id: uuid.UUID) -> Any:
    lock = " FOR NO KEY UPDATE OF c" if db.vendor == "postgresql" else ""
    with db.cursor() as cursor:
        cursor.execute(_CLIENT + lock, [dialect().id(id)])
        return cursor.fetchone()


def _take_write_lock(db: Any) -> None:
    """On SQLite, write before anything is read, unless the transaction began as a writer.

    SQLite refuses the write lock at once to a transaction that read before another one wrote.
    """
    if db.vendor != "sqlite":
        return
    if db.commit_on_exit and getattr(db, "transaction_mode", None) in ("IMMEDIATE", "EXCLUSIVE"):
        return
    with db.cursor() as cursor:
        cursor.execute(f"UPDATE {FEED} SET head = head WHERE id = 0")


class ResultStore:
    """The results of one transaction's mutations: those found, and those to be inserted."""

    def __init__(self, client: Client | None, caller: Caller) -> None:
        self.client = client
        self.caller = caller
        self.epoch = ""
        self._user = caller.user.pk
        self.unused: frozenset[uuid.UUID] = frozenset()
        self.rows: dict[uuid.UUID, MutationResult | NewResult] = {}
        self.written: dict[uuid.UUID, NewResult] = {}
        self.decisions = Decisions(caller, client)

    def open(self, mutations: Sequence[Mutation]) -> None:
        """Lock the client's row, then read which of the mutations have a result.

        The lock comes first: after a wait for it, this batch reads what the other batch has stored
        and what a prune has deleted. Without a client (a REST call without a key) nothing is
        locked but, on SQLite, the database. Raises ``ClientMismatch``.
        """
        db = connection()
        _take_write_lock(db)
        if self.client is not None:
            self.client.forgotten_seq = _lock_client(db, self.client, self.caller)
        found = self._stored(mutations)
        for mutation in mutations:
            if mutation.id not in self.rows:  # the same id again is the first one's repeat
                self.rows[mutation.id] = found.get(mutation.id) or self._new(mutation)

    def _stored(self, mutations: Sequence[Mutation]) -> dict[uuid.UUID, MutationResult]:
        """Read the epoch, the stored results, and, for a create alone, whether its id is unused."""
        create = _only_create(mutations)
        is_in_use, parameters = "false", list[Any]()
        if create is not None:
            collection = registry.get(create.collection)
            is_in_use, parameters = collection.in_use([create.object_id])
        among, ids = dialect().among([mutation.id for mutation in mutations])
        owner = None if self.client is None else dialect().id(self.client.pk)
        with connection().cursor() as cursor:
            cursor.execute(
                f"SELECT p.in_use, p.epoch, r.id FROM (SELECT {is_in_use} AS in_use,"
                f" (SELECT epoch FROM {FEED} WHERE id = 1) AS epoch) p"
                f" LEFT JOIN {RESULT} r ON r.client_id = %s AND r.mutation_id {among}",
                [*parameters, owner, ids],
            )
            rows = cursor.fetchall()
        in_use, epoch, _ = rows[0]
        self.epoch = feed_log.state()[0].epoch if epoch is None else str(uuid.UUID(str(epoch)))
        if create is not None and not in_use:
            self.unused = frozenset({create.object_id})
        keys = [key for _, _, key in rows if key is not None]
        stored = MutationResult.objects.filter(pk__in=keys) if keys else ()
        return {row.mutation_id: row for row in stored}

    def is_new(self, mutation: Mutation) -> bool:
        """Whether it has no result yet, neither a stored one nor one of this transaction."""
        row = self.rows[mutation.id]
        return isinstance(row, NewResult) and mutation.id not in self.written

    def may_be_forgotten(self, mutation: Mutation) -> bool:
        """Whether the result of this mutation may have been pruned.

        The bound is read under the lock, for which a prune waits. REST's calls have no ``seq``.
        """
        return self.client is not None and mutation.seq <= self.client.forgotten_seq

    def _new(self, mutation: Mutation) -> NewResult:
        return NewResult(
            client_id=None if self.client is None else self.client.pk,
            user_id=self._user,
            mutation_id=mutation.id,
            seq=mutation.seq,
            digest=digest(mutation),
            op=str(mutation.op),
            object_id=mutation.object_id,
        )

    def replay(self, mutation: Mutation) -> Result | None:
        """Return the result that was given before; ``None`` if this is the first time."""
        if self.is_new(mutation):
            return None
        row = self.rows[mutation.id]
        if row.digest != digest(mutation):
            problem = errors.MutationIdReused().problem()
            return Result(mutation.id, Status.REJECTED, problem=problem)
        return self._replayed(mutation, row)

    def _replayed(self, mutation: Mutation, row: MutationResult | NewResult) -> Result:
        """Return status, revision and decision as stored, and the record as it may be seen now."""
        record = self._current_record(mutation, row)
        result = Result(
            mutation.id,
            Status(row.status),
            revision=row.revision if record is not None else None,
            record=record if Status(row.status).took_effect else None,
            problem=row.trace.get("problem"),
            resolved=tuple(map(Resolution.from_json, row.trace.get("resolved", ()))),
            replayed=True,
        )
        stored = row.trace.get("conflict")
        if stored is None:
            return result
        if record is None:
            problem = errors.NotFound().problem()
            return replace(result, status=Status.REJECTED, problem=problem)
        conflict = Conflict(
            ConflictKind(stored["kind"]),
            tuple(stored["fields"]),
            mutation.base_revision,
            mutation.base,
            record,
            dict(mutation.fields),
        )
        return replace(result, conflict=conflict)

    def _current_record(self, mutation: Mutation, row: MutationResult | NewResult) -> Json | None:
        """Return the record or tombstone that the user may see now."""
        if row.object_id is None or not row.model:
            return None
        collection = registry.get(mutation.collection)
        seen = collection.seen(self.caller, [row.object_id])
        if seen:
            return seen[0].to_json()
        trace = feed_log.tombstones(collection.label, [row.object_id]).get(row.object_id)
        if trace is None or not collection.sees_scope(self.caller, trace.scope):
            return None
        return tombstone(collection, row.object_id, trace.revision)

    # The result of a mutation

    def _write(self, mutation: Mutation, status: Status, **values: Any) -> None:
        row = self.rows[mutation.id]
        assert isinstance(row, NewResult)  # a stored result is never written again
        row.status = str(status)
        if mutation.collection in registry:
            row.model = registry.get(mutation.collection).label
        for name, value in values.items():
            setattr(row, name, value)
        self.written[mutation.id] = row

    def own_spans(self, label: str, object_id: uuid.UUID, base: int) -> Spans:
        """Return the revisions of an object that this client made, now or before."""
        if self.client is None:
            return ()
        stored = MutationResult.objects.filter(
            client=self.client, model=label, object_id=object_id, revision__gt=base
        )
        spans = list(stored.values_list("revision_before", "revision"))
        spans += [
            (row.revision_before, row.revision)
            for row in self.written.values()
            if row.model == label and row.object_id == object_id
        ]
        return tuple(
            (above, upto) for above, upto in spans if above is not None and upto is not None
        )

    def store_effect(self, mutation: Mutation, effect: Effect) -> Result:
        """Store that the mutation took effect; return the result."""
        resolved = effect.resolved
        resolutions = () if resolved is None else resolved.resolutions
        self._write(
            mutation,
            effect.status,
            revision_before=effect.before,
            revision=effect.revision,
            trace={"resolved": [r.to_json() for r in resolutions]} if resolutions else NOTHING,
        )
        if resolved is not None:
            self.decisions.add_resolved(mutation, resolved, effect.scope, effect.revision)
        record, revision = effect.record, effect.revision
        if isinstance(record, ReadyRecord):
            if revision is not None and not resolutions:
                return ReadyResult(mutation.id, effect.status, revision, record)
            record = record.to_json()
        return Result(mutation.id, effect.status, revision, record, resolved=resolutions)

    def store_conflict(self, mutation: Mutation, conflict: Conflict) -> Result:
        """Store that the mutation ended in a conflict; return the result."""
        trace = {"conflict": {"kind": str(conflict.kind), "fields": list(conflict.fields)}}
        revision = conflict.server.get("revision")
        self._write(mutation, Status.CONFLICT, revision=revision, trace=trace)
        self.decisions.add_open(mutation, conflict)
        return Result(mutation.id, Status.CONFLICT, revision, conflict=conflict)

    def store_refusal(self, mutation: Mutation, error: errors.SyncError) -> Result:
        """Store that the mutation was refused; return the result."""
        problem = error.problem()
        kept = {name: value for name, value in problem.items() if name != "record"}
        self._write(mutation, Status.REJECTED, trace={"problem": kept})
        return Result(mutation.id, Status.REJECTED, problem=problem)

    def discard(self, ids: Iterable[uuid.UUID | None]) -> None:
        """Drop results that are not stored yet; these mutations may be sent again."""
        for id in ids:
            if id is not None and id in self.written:
                del self.written[id]
                self.decisions.discard(id)

    def close(self) -> None:
        """Insert all results, in one statement."""
        if self.written:
            self._insert(list(self.written.values()))
        self.decisions.close(
            id
            for row in self.written.values()
            if (id := row.object_id) is not None and row.op != Write.CREATE
        )

    def _insert(self, rows: Sequence[NewResult]) -> None:
        """Insert the rows; if one is there already, ``IntegrityError`` is raised."""
        now = timezone.now()
        for row in rows:
            row.at = now
        options: Any = MutationResult._meta
        fields = [f for f in options.local_concrete_fields if not f.primary_key]
        values = [[getattr(row, f.attname) for row in rows] for f in fields]
        columns.insert(connection(), MutationResult, fields, values)
