"""The stored results of mutations: read first, answered again, inserted at the end.

A lock on the client's row orders batches of one client, so that a mutation which is sent twice
finds the first one's result. ``mutations`` decides what happens, this file remembers it.
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
from ..models import Client, Decision, MutationResult
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
from . import columns, transaction_start
from .apply import Effect, Spans, tombstone
from .resolve import WHOLE


def digest(mutation: Mutation) -> str:
    """The hash of what a mutation asks for; one id stands for one of them.

    ``base`` is an aid for merging, which a client forgets with a record that has left
    its view; a repeat without it is the same mutation still.
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
"""The trace of a result with nothing to tell; never changed."""


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


def _probed(mutations: Sequence[Mutation]) -> transaction_start.Probe | None:
    """What is asked besides about the id of a create that is alone in its transaction."""
    if len(mutations) != 1 or mutations[0].op is not Write.CREATE:
        return None
    only = mutations[0]
    if only.collection not in registry:
        return None
    return transaction_start.Probe(registry.get(only.collection), [only.object_id])


class Ledger:
    """The results of one transaction's mutations: those found, and those to be inserted."""

    def __init__(self, client: Client | None, caller: Caller) -> None:
        self.client = client
        self.caller = caller
        self.epoch = ""
        self._user = caller.user.pk
        self.unused: frozenset[uuid.UUID] = frozenset()
        self.rows: dict[uuid.UUID, MutationResult | NewResult] = {}
        self.written: dict[uuid.UUID, NewResult] = {}
        self.decisions: dict[uuid.UUID, Decision] = {}

    def open(self, mutations: Sequence[Mutation]) -> None:
        """Lock the client's row, then read which of the mutations have a result.

        The lock comes first: who waited for it reads what the other batch has stored, and what
        a prune has forgotten. Raises ``ClientMismatch``.
        """
        forgotten = transaction_start.open_transaction(self.caller, self.client)
        if self.client is not None:
            self.client.forgotten_seq = forgotten
        found = self._stored(mutations)
        for mutation in mutations:
            if mutation.id not in self.rows:  # the same id again is the first one's repeat
                self.rows[mutation.id] = found.get(mutation.id) or self._new(mutation)

    def _stored(self, mutations: Sequence[Mutation]) -> dict[uuid.UUID, MutationResult]:
        """The epoch, the stored results, and, of a create alone, whether its id is unused."""
        probe = _probed(mutations)
        stored = transaction_start.stored_results(self.client, [m.id for m in mutations], probe)
        self.epoch = stored.epoch
        if probe is not None and not stored.in_use:
            self.unused = frozenset(probe.ids)
        return {row.mutation_id: row for row in stored.results}

    def is_new(self, mutation: Mutation) -> bool:
        """Whether it has no result yet, neither a stored one nor one of this transaction."""
        row = self.rows[mutation.id]
        return isinstance(row, NewResult) and mutation.id not in self.written

    def forgot(self, mutation: Mutation) -> bool:
        """Whether this may be one whose result was pruned.

        What is forgotten is read under the lock, for which a prune that is at it waits.
        REST's calls have no ``seq``.
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
        """The result that was given before; ``None`` where this is the first time."""
        if self.is_new(mutation):
            return None
        row = self.rows[mutation.id]
        if row.digest != digest(mutation):
            problem = errors.MutationIdReused().problem()
            return Result(mutation.id, Status.REJECTED, problem=problem)
        return self._told_again(mutation, row)

    def _told_again(self, mutation: Mutation, row: MutationResult | NewResult) -> Result:
        """Status, revision and decision as stored; the record as the user may see it now."""
        record = self._current(mutation, row)
        result = Result(
            mutation.id,
            Status(row.status),
            revision=row.revision if record is not None else None,
            record=record if Status(row.status).took_effect else None,
            problem=row.trace.get("problem"),
            resolved=tuple(map(Resolution.from_json, row.trace.get("resolved", ()))),
            replayed=True,
        )
        met = row.trace.get("conflict")
        if met is None:
            return result
        if record is None:
            problem = errors.NotFound().problem()
            return replace(result, status=Status.REJECTED, problem=problem)
        conflict = Conflict(
            ConflictKind(met["kind"]),
            tuple(met["fields"]),
            mutation.base_revision,
            mutation.base,
            record,
            dict(mutation.fields),
        )
        return replace(result, conflict=conflict)

    def _current(self, mutation: Mutation, row: MutationResult | NewResult) -> Json | None:
        """The record or tombstone that the user may see now."""
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

    # What became of a mutation

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
        """The revisions of an object that this client made, in this transaction or before."""
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

    def take_effect(self, mutation: Mutation, effect: Effect) -> Result:
        settlement = effect.settlement
        told = () if settlement is None else settlement.told
        self._write(
            mutation,
            effect.status,
            revision_before=effect.before,
            revision=effect.revision,
            trace={"resolved": [one.to_json() for one in told]} if told else NOTHING,
        )
        if settlement is not None:
            self._decide(
                mutation,
                str(settlement.kind),
                dict(settlement.trace),
                by=Decision.By.RESOLVER,
                scope=effect.scope,
                revision=effect.revision,
                settled_at=timezone.now(),
            )
        record, revision = effect.record, effect.revision
        if isinstance(record, ReadyRecord):
            if revision is not None and not told:
                return ReadyResult(mutation.id, effect.status, revision, record)
            record = record.to_json()
        return Result(mutation.id, effect.status, revision, record, resolved=tuple(told))

    def meet(self, mutation: Mutation, conflict: Conflict) -> Result:
        trace = {"conflict": {"kind": str(conflict.kind), "fields": list(conflict.fields)}}
        revision = conflict.server.get("revision")
        self._write(mutation, Status.CONFLICT, revision=revision, trace=trace)
        if self.client is not None:
            fields = both_sides(mutation, conflict)
            scope = conflict.server.get("scope")
            self._decide(mutation, str(conflict.kind), fields, scope=scope, revision=revision)
        return Result(mutation.id, Status.CONFLICT, revision, conflict=conflict)

    def _decide(self, mutation: Mutation, kind: str, fields: Json, **values: Any) -> None:
        self.decisions[mutation.id] = Decision(
            kind=kind,
            op=str(mutation.op),
            collection=mutation.collection,
            model=registry.get(mutation.collection).label,
            object_id=mutation.object_id,
            base_revision=mutation.base_revision,
            fields=fields,
            asked=mutation.fields,
            user=self.caller.user,
            client=self.client,
            mutation_id=mutation.id,
            **values,
        )

    def refuse(self, mutation: Mutation, error: errors.SyncError) -> Result:
        problem = error.problem()
        kept = {name: value for name, value in problem.items() if name != "record"}
        self._write(mutation, Status.REJECTED, trace={"problem": kept})
        return Result(mutation.id, Status.REJECTED, problem=problem)

    def forget(self, ids: Iterable[uuid.UUID | None]) -> None:
        """Take results back: these mutations have none that lasts, and may be sent again."""
        for id in ids:
            if id is not None and id in self.written:
                del self.written[id]
                self.decisions.pop(id, None)

    def close(self) -> None:
        """Insert all results, in one statement."""
        if self.written:
            self._insert(list(self.written.values()))
        self._settle()
        if self.decisions:
            Decision.objects.bulk_create(list(self.decisions.values()))

    def _insert(self, rows: Sequence[NewResult]) -> None:
        """Where a row is there already, the unique constraint raises ``IntegrityError``."""
        now = timezone.now()
        for row in rows:
            row.at = now
        options: Any = MutationResult._meta
        fields = [f for f in options.local_concrete_fields if not f.primary_key]
        values = [[getattr(row, f.attname) for row in rows] for f in fields]
        columns.insert(connection(), MutationResult, fields, values)

    def _settle(self) -> None:
        """A client that writes to an object again has settled what it had open there."""
        again = {
            id
            for row in self.written.values()
            if (id := row.object_id) is not None and row.op != Write.CREATE
        }
        if self.client is None or not again:
            return
        if transaction_start.has_open_decision(self.client, list(again)):
            still_open = Decision.objects.filter(
                client=self.client, object_id__in=again, settled_at=None
            )
            still_open.update(
                by=Decision.By.CLIENT, settled_at=timezone.now(), settled_by=self.caller.user
            )


def both_sides(mutation: Mutation, conflict: Conflict) -> Json:
    """What a ``Decision`` keeps of a conflict that nobody has settled yet."""
    server, base = conflict.server.get("object"), conflict.base or {}
    if server is None or mutation.op is Write.DELETE:
        asked = None if mutation.op is Write.DELETE else mutation.fields
        return {WHOLE: {"server": server, "client": asked, "base": conflict.base}}
    return {
        name: {"server": server.get(name), "client": mutation.fields.get(name)}
        | ({"base": base[name]} if name in base else {})
        for name in conflict.fields
    }
