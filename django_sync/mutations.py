"""A batch of mutations, exactly once: claims, replays, reruns, results.

The first statement claims each mutation's id, which orders duplicates (and takes
SQLite's write lock). Each mutation then has a savepoint of its own. What the
database refuses for its own reasons is no result: the batch is run again, and at
last each mutation in a transaction of its own.
"""

from __future__ import annotations

import hashlib
import json
import logging
import random
import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import (
    DataError,
    IntegrityError,
    OperationalError,
    transaction,
)

from . import errors, feed
from .caller import Caller
from .conf import conf
from .ids import canonical_uuid
from .models import Client, MutationResult
from .protocol import Batch, Conflict, ConflictKind, Json, Mutation, Result, Status, Write
from .registry import registry
from .writing import Effect, Met, Spans, Writer, tombstone

log = logging.getLogger("django_sync.mutations")

PAUSE = 0.02
"""Seconds; the mean pause before a rerun is a multiple of it."""


@dataclass
class Failures:
    """What failed in this batch so far, so that what stands on it is not tried."""

    objects: set[uuid.UUID] = field(default_factory=set)
    creates: set[str] = field(default_factory=set)

    def note(self, mutation: Mutation, status: Status) -> None:
        if not status.took_effect:
            self.objects.add(mutation.object_id)
            if mutation.op is Write.CREATE:
                self.creates.add(str(mutation.object_id))

    def concern(self, mutation: Mutation) -> bool:
        return mutation.object_id in self.objects or (
            bool(self.creates) and not self.creates.isdisjoint(texts_in(mutation.fields))
        )


def texts_in(value: Any) -> Iterable[str]:
    """All strings within a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_in(inner)


def digest(mutation: Mutation) -> str:
    """The hash of what a mutation asks for; one id stands for one of them.

    ``base`` is an aid for merging, which a client forgets with a record that has left
    its view; a repeat without it is the same mutation still.
    """
    body = {k: v for k, v in mutation.to_json().items() if k not in ("seq", "at", "base")}
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def client_of(caller: Caller, client_id: uuid.UUID) -> Client:
    """The caller's client; it is theirs from its first use on. Raises ``ClientMismatch``."""
    client, _ = Client.objects.using(conf.DATABASE).get_or_create(
        id=client_id, defaults={"user": caller.user}
    )
    if str(client.user_id) != caller.key:
        raise errors.ClientMismatch
    return client


def read_mutations(batch: Batch) -> list[Mutation | Result]:
    """The batch's mutations; one that is malformed is its own rejection."""
    read: list[Mutation | Result] = []
    for body in batch:
        try:
            read.append(Mutation.from_json(body))
        except errors.Invalid as error:
            read.append(Result(_id_of(body), Status.REJECTED, problem=error.problem()))
    return read


def _id_of(body: Json) -> uuid.UUID | None:
    try:
        return canonical_uuid(body.get("id"))
    except ValueError:
        return None


class Run:
    """One batch of one client. ``strict`` is REST's rule: any newer revision is a conflict."""

    def __init__(
        self, caller: Caller, client: Client | None, *, atomic: bool = False, strict: bool = False
    ) -> None:
        self.caller = caller
        self.client = client
        self.atomic = atomic
        self.strict = strict

    def results(self, read: Sequence[Mutation | Result]) -> list[Result]:
        """The results, in the order of the mutations. Raises ``Unavailable``."""
        if self.atomic and any(isinstance(entry, Result) for entry in read):
            return [e if isinstance(e, Result) else _aborted(e.id) for e in read]
        sound = [entry for entry in read if isinstance(entry, Mutation)]
        answered = iter(self._settle(sound, Failures()))
        return [e if isinstance(e, Result) else next(answered) for e in read]

    def _settle(self, mutations: Sequence[Mutation], failures: Failures) -> list[Result]:
        """Run them together, again where the database asks for it, and one by one at last."""
        if not mutations:
            return []
        last: Exception | None = None
        for attempt in range(conf.RETRIES + 1):
            if attempt:
                time.sleep(random.uniform(0, 2 * PAUSE * attempt))  # noqa: S311 - jitter, no secret
            try:
                return self._together(mutations, failures)
            except OperationalError as error:
                last = error
                log.info("a batch is run again: %s", type(error.__cause__).__name__)
            except IntegrityError as error:
                last = error
                break
        if len(mutations) > 1 and not self.atomic:
            return [self._alone(mutation, failures) for mutation in mutations]
        if isinstance(last, IntegrityError):
            return self._refuse_all(mutations, failures)
        raise errors.Unavailable(retry_after=1) from last

    def _alone(self, mutation: Mutation, failures: Failures) -> Result:
        """One mutation in transactions of its own; it may fail without holding up the others."""
        try:
            return self._settle([mutation], failures)[0]
        except errors.Unavailable as error:
            failures.note(mutation, Status.ABORTED)
            return Result(mutation.id, Status.ABORTED, problem=error.problem())

    def _refuse_all(self, mutations: Sequence[Mutation], failures: Failures) -> list[Result]:
        """The commit itself breaks a constraint: a lasting fault of what was asked for.

        Unless another process was sent the same, after that commit, and has settled it.
        """
        if self.atomic:
            return [_aborted(mutation.id) for mutation in mutations]
        refusal = _constraint()
        with transaction.atomic(using=conf.DATABASE):
            ledger = Ledger(self.client, self.caller)
            ledger.claim(mutations)
            results = [ledger.replay(m) or ledger.refuse(m, refusal) for m in mutations]
            ledger.close()
        for mutation, result in zip(mutations, results, strict=True):
            failures.note(mutation, result.status)
        return results

    def _together(self, mutations: Sequence[Mutation], failures: Failures) -> list[Result]:
        trial = Failures(set(failures.objects), set(failures.creates))
        with transaction.atomic(using=conf.DATABASE):
            ledger = Ledger(self.client, self.caller)
            ledger.claim(mutations)
            state, _ = feed.state()
            writer = Writer(self.caller, state.epoch, ledger.own_spans)
            if self.atomic:
                results = self._all_or_nothing(mutations, ledger, writer, trial)
            else:
                results = [self._one(m, ledger, writer, trial) for m in mutations]
            ledger.close()
        failures.objects, failures.creates = trial.objects, trial.creates
        return results

    def _all_or_nothing(
        self, mutations: Sequence[Mutation], ledger: Ledger, writer: Writer, failures: Failures
    ) -> list[Result]:
        results: list[Result] = []
        with transaction.atomic(using=conf.DATABASE):
            for mutation in mutations:
                results.append(self._one(mutation, ledger, writer, failures))
                if not results[-1].status.took_effect:
                    transaction.set_rollback(True, using=conf.DATABASE)
                    break
            else:
                return results
        self.caller.cache.clear()
        failed = results[-1]
        ledger.forget([r.id for r in results[:-1] if not r.replayed])
        rest = [m.id for m in mutations[len(results) :]]
        ledger.forget(rest)
        undone = [r if r.replayed else _aborted(r.id) for r in results[:-1]]
        return [*undone, failed, *(_aborted(id) for id in rest)]

    def _one(
        self, mutation: Mutation, ledger: Ledger, writer: Writer, failures: Failures
    ) -> Result:
        """The result of one mutation: replayed, aborted, or worked out now."""
        replayed = ledger.replay(mutation)
        if replayed is not None:
            result = replayed
        elif failures.concern(mutation):
            ledger.forget([mutation.id])
            result = _aborted(mutation.id)
        elif ledger.forgot(mutation) and not self.strict:
            ledger.forget([mutation.id])
            problem = errors.MutationExpired().problem()
            result = Result(mutation.id, Status.REJECTED, problem=problem)
        else:
            result = self._attempt(mutation, ledger, writer)
        failures.note(mutation, result.status)
        return result

    def _attempt(
        self, mutation: Mutation, ledger: Ledger, writer: Writer, again: bool = True
    ) -> Result:
        try:
            with transaction.atomic(using=conf.DATABASE):
                collection = registry.get(mutation.collection)
                effect = writer.carry_out(collection, mutation, strict=self.strict)
        except Met as met:
            return ledger.meet(mutation, met.conflict)
        except errors.SyncError as error:
            return ledger.refuse(mutation, error)
        except IntegrityError:
            if again and mutation.op is Write.CREATE:
                return self._attempt(mutation, ledger, writer, again=False)
            return ledger.refuse(mutation, _constraint())
        except DataError:
            return ledger.refuse(mutation, _constraint("The database cannot hold this value."))
        except OperationalError:
            raise
        except Exception:
            log.exception("mutation %s failed in the project's code", mutation.id)
            ledger.forget([mutation.id])
            problem = errors.Unavailable("The server failed on this mutation.").problem()
            return Result(mutation.id, Status.ABORTED, problem=problem)
        finally:
            self.caller.cache.clear()  # what was seen within a write that is undone is not so
        return ledger.take_effect(mutation, effect)


def _aborted(id: uuid.UUID | None) -> Result:
    return Result(id, Status.ABORTED, problem=errors.DependencyFailed().problem())


def _constraint(detail: str = "This breaks a constraint of the database.") -> errors.SyncError:
    told = {"code": "constraint", "detail": detail}
    return errors.ValidationFailed(errors={"non_field_errors": [told]})


class Ledger:
    """The stored results of one transaction's mutations, written in one go at its end."""

    def __init__(self, client: Client | None, caller: Caller) -> None:
        self.client = client
        self.caller = caller
        self.token = uuid.uuid4()
        self.rows: dict[uuid.UUID, MutationResult] = {}
        self.written: dict[uuid.UUID, MutationResult] = {}
        self.forgotten: set[uuid.UUID] = set()

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
        instance = collection.find(self.caller, row.object_id)
        if instance is not None:
            return collection.render(self.caller, [instance])[0].to_json()
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
        self._write(
            mutation, effect.status, revision_before=effect.before, revision=effect.revision
        )
        return Result(mutation.id, effect.status, effect.revision, effect.record)

    def meet(self, mutation: Mutation, conflict: Conflict) -> Result:
        trace = {"conflict": {"kind": str(conflict.kind), "fields": list(conflict.fields)}}
        revision = conflict.server.get("revision")
        self._write(mutation, Status.CONFLICT, revision=revision, trace=trace)
        return Result(mutation.id, Status.CONFLICT, revision, conflict=conflict)

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
                self.forgotten.add(id)

    def close(self) -> None:
        """Write all results, in one statement each for those kept and those taken back."""
        objects = MutationResult.objects.using(conf.DATABASE)
        if self.forgotten:
            gone = [self.rows[id].pk for id in self.forgotten]
            objects.filter(pk__in=gone).delete()
        if self.written:
            columns = ["status", "model", "revision_before", "revision", "trace"]
            objects.bulk_update(list(self.written.values()), columns)


__all__ = ["Batch", "Run", "client_of", "read_mutations"]
