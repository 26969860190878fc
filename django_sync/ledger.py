"""The stored results of mutations: claimed first, answered again, written at the end.

A claim is a row with the mutation's id, inserted before anything else; whoever sends the
same id waits for it. ``mutations`` decides what happens, this file remembers it.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from django.db import connections
from django.utils import timezone

from . import errors, feed
from .caller import Caller
from .conf import conf
from .models import Client, Decision, MutationResult
from .protocol import Conflict, ConflictKind, Json, Mutation, Resolution, Result, Status, Write
from .registry import registry
from .settling import WHOLE
from .writing import Effect, Spans, tombstone

KEPT = ("status", "model", "revision_before", "revision", "trace")
"""What a claim is told at the end of its transaction."""


def digest(mutation: Mutation) -> str:
    """The hash of what a mutation asks for; one id stands for one of them.

    ``base`` is an aid for merging, which a client forgets with a record that has left
    its view; a repeat without it is the same mutation still.
    """
    body = {k: v for k, v in mutation.to_json().items() if k not in ("seq", "at", "base")}
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


class Ledger:
    """The stored results of one transaction's mutations, written in one go at its end."""

    def __init__(self, client: Client | None, caller: Caller) -> None:
        self.client = client
        self.caller = caller
        self.token = uuid.uuid4()
        self.rows: dict[uuid.UUID, MutationResult] = {}
        self.written: dict[uuid.UUID, MutationResult] = {}
        self.forgotten: set[uuid.UUID] = set()
        self.decisions: dict[uuid.UUID, Decision] = {}

    def claim(self, mutations: Sequence[Mutation]) -> None:
        """Insert a row for each id, waiting for whoever is at work on the same one."""
        fresh = {m.id: self._row(m) for m in sorted(mutations, key=lambda m: m.id)}
        objects = MutationResult.objects.using(conf.DATABASE)
        if self.client is None:
            for row in fresh.values():
                row.save(using=conf.DATABASE)
            self.rows = fresh
            return
        while len(self.rows) < len(fresh):  # a stored one may be pruned before it is read
            objects.bulk_create(list(fresh.values()), ignore_conflicts=True)
            stored = objects.filter(client=self.client, mutation_id__in=list(fresh))
            self.rows = {row.mutation_id: row for row in stored}
        self.client.refresh_from_db(fields=["forgotten_seq"])

    def forgot(self, mutation: Mutation) -> bool:
        """Whether this may be one whose result was pruned.

        What is forgotten is read after the claim, which waits for a prune that is at it.
        REST's calls have no ``seq``.
        """
        return self.client is not None and mutation.seq <= self.client.forgotten_seq

    def _row(self, mutation: Mutation) -> MutationResult:
        return MutationResult(
            client=self.client,
            user=self.caller.user,
            mutation_id=mutation.id,
            seq=mutation.seq,
            digest=digest(mutation),
            claim=self.token,
            op=str(mutation.op),
            object_id=mutation.object_id,
        )

    def replay(self, mutation: Mutation) -> Result | None:
        """The result that was given before; ``None`` where this is the first time."""
        row = self.rows[mutation.id]
        if row.claim == self.token and mutation.id not in self.written:
            return None
        if row.digest != digest(mutation):
            problem = errors.MutationIdReused().problem()
            return Result(mutation.id, Status.REJECTED, problem=problem)
        return self._told_again(mutation, row)

    def _told_again(self, mutation: Mutation, row: MutationResult) -> Result:
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

    def _current(self, mutation: Mutation, row: MutationResult) -> Json | None:
        """The record or tombstone that the user may see now."""
        if row.object_id is None or not row.model:
            return None
        collection = registry.get(mutation.collection)
        seen = collection.seen(self.caller, [row.object_id])
        if seen:
            return seen[0].to_json()
        trace = feed.tombstones(collection.label, [row.object_id]).get(row.object_id)
        if trace is None or not collection.sees_scope(self.caller, trace.scope):
            return None
        return tombstone(collection, row.object_id, trace.revision)

    # What became of a mutation

    def _write(self, mutation: Mutation, status: Status, **values: Any) -> None:
        row = self.rows[mutation.id]
        row.status = str(status)
        if mutation.collection in registry:
            row.model = registry.get(mutation.collection).label
        for name, value in values.items():
            setattr(row, name, value)
        self.written[mutation.id] = row
        self.forgotten.discard(mutation.id)

    def own_spans(self, label: str, object_id: uuid.UUID, base: int) -> Spans:
        """The revisions of an object that this client made, in this transaction or before."""
        if self.client is None:
            return ()
        stored = MutationResult.objects.using(conf.DATABASE).filter(
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
            trace={"resolved": [one.to_json() for one in told]} if told else {},
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
        return Result(
            mutation.id, effect.status, effect.revision, effect.record, resolved=tuple(told)
        )

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
        """Take claims back: these have no result that lasts."""
        for id in ids:
            row = self.rows.get(id) if id is not None else None
            if row is not None and row.claim == self.token and id is not None:
                self.written.pop(id, None)
                self.decisions.pop(id, None)
                self.forgotten.add(id)

    def close(self) -> None:
        """Write all results, in one statement each for those kept and those taken back."""
        objects = MutationResult.objects.using(conf.DATABASE)
        if self.forgotten:
            gone = [self.rows[id].pk for id in self.forgotten]
            objects.filter(pk__in=gone).delete()
        if self.written:
            self._store(list(self.written.values()))
        self._settle()
        if self.decisions:
            Decision.objects.using(conf.DATABASE).bulk_create(list(self.decisions.values()))

    def _store(self, rows: Sequence[MutationResult]) -> None:
        """By hand: ``bulk_update`` spends as long on its CASE for each row as a create does."""
        db = connections[conf.DATABASE]
        options: Any = MutationResult._meta
        kept: list[Any] = [options.get_field(name) for name in KEPT]
        columns = ", ".join(f"{db.ops.quote_name(field.column)} = %s" for field in kept)
        values = [
            [*(f.get_db_prep_save(getattr(row, f.attname), db) for f in kept), row.pk]
            for row in rows
        ]
        with db.cursor() as cursor:
            cursor.executemany(f"UPDATE {options.db_table} SET {columns} WHERE id = %s", values)

    def _settle(self) -> None:
        """A client that writes to an object again has settled what it had open there."""
        again = {
            id
            for row in self.written.values()
            if (id := row.object_id) is not None and row.op != Write.CREATE
        }
        if self.client is not None and again:
            still_open = Decision.objects.using(conf.DATABASE).filter(
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
