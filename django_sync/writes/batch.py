"""A batch of mutations, exactly once: locks, replays, reruns, results.

The first statement locks the client's row, which orders duplicates (on SQLite it takes the write
lock). Alike neighbours are then carried out together (``writes``), each other mutation in a
savepoint of its own. What the database refuses for its own reasons is no result: the batch is
run again, and at last each mutation in a transaction of its own.
"""

from __future__ import annotations

import logging
import random
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from django.db import (
    DataError,
    IntegrityError,
    OperationalError,
    transaction,
)

from .. import errors
from ..conf import conf
from ..drf.caller import Caller
from ..drf.registry import registry
from ..models import Client
from ..models.database import atomic
from ..protocol import Batch, Json, Mutation, Result, Status, Write
from ..protocol.ids import canonical_uuid
from .apply import Met, Writer
from .result_store import Ledger
from .runs import Runs, is_final, texts_in
from .without_savepoint import NeedsSavepoint, bare

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


def client_of(caller: Caller, client_id: uuid.UUID) -> Client:
    """The caller's client; it is theirs from its first use on. Raises ``ClientMismatch``."""
    client, _ = Client.objects.get_or_create(id=client_id, defaults={"user": caller.user})
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
            if self.client is not None:
                client_of(self.caller, self.client.pk)
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
                self.caller.cache.clear()
                last = error
                log.info("a batch is run again: %s", type(error.__cause__).__name__)
            except IntegrityError as error:
                self.caller.cache.clear()
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
        with atomic():
            ledger = Ledger(self.client, self.caller)
            ledger.open(mutations)
            results = [ledger.replay(m) or ledger.refuse(m, refusal) for m in mutations]
            ledger.close()
        for mutation, result in zip(mutations, results, strict=True):
            failures.note(mutation, result.status)
        return results

    def _together(self, mutations: Sequence[Mutation], failures: Failures) -> list[Result]:
        if len(mutations) == 1 and not self.atomic:
            try:
                return self._transaction(mutations, failures, undoable=bare)
            except NeedsSavepoint:
                self.caller.cache.clear()
        return self._transaction(mutations, failures, undoable=savepoint)

    def _transaction(
        self, mutations: Sequence[Mutation], failures: Failures, undoable: Undoable
    ) -> list[Result]:
        trial = Failures(set(failures.objects), set(failures.creates))
        with atomic():
            ledger = Ledger(self.client, self.caller)
            ledger.open(mutations)
            writer = Writer(self.caller, ledger.epoch, ledger.own_spans)
            runs = Runs(
                self.caller,
                ledger,
                writer,
                lambda mutation: self._one(mutation, ledger, writer, trial, undoable),
                trial.concern,
                trial.note,
            )
            if self.atomic:
                results = self._all_or_nothing(mutations, ledger, runs)
            else:
                results = list(runs.results(mutations))
            ledger.close()
        failures.objects, failures.creates = trial.objects, trial.creates
        return results

    def _all_or_nothing(
        self, mutations: Sequence[Mutation], ledger: Ledger, runs: Runs
    ) -> list[Result]:
        results: list[Result] = []
        with atomic():
            for result in runs.results(mutations):
                results.append(result)
                if not result.status.took_effect:
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
        self,
        mutation: Mutation,
        ledger: Ledger,
        writer: Writer,
        failures: Failures,
        undoable: Undoable,
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
            result = self._attempt(mutation, ledger, writer, undoable)
        failures.note(mutation, result.status)
        return result

    def _attempt(
        self,
        mutation: Mutation,
        ledger: Ledger,
        writer: Writer,
        undoable: Undoable,
        again: bool = True,
    ) -> Result:
        try:
            with undoable():
                collection = registry.get(mutation.collection)
                unused = again and mutation.object_id in ledger.unused
                effect = writer.carry_out(collection, mutation, strict=self.strict, unused=unused)
        except Met as met:
            return ledger.meet(mutation, met.conflict)
        except errors.SyncError as error:
            return ledger.refuse(mutation, error)
        except IntegrityError:
            if again and mutation.op is not Write.DELETE:
                return self._attempt(mutation, ledger, writer, undoable, again=False)
            return ledger.refuse(mutation, _constraint())
        except DataError:
            return ledger.refuse(mutation, _constraint("The database cannot hold this value."))
        except OperationalError as error:
            if not is_final(error):
                raise
            return ledger.refuse(mutation, _constraint("The database cannot hold this value."))
        except NeedsSavepoint:
            raise
        except Exception:
            log.exception("mutation %s failed in the project's code", mutation.id)
            ledger.forget([mutation.id])
            problem = errors.Unavailable("The server failed on this mutation.").problem()
            return Result(mutation.id, Status.ABORTED, problem=problem)
        finally:
            self.caller.cache.clear()  # what was seen within a write that is undone is not so
        return ledger.take_effect(mutation, effect)


Undoable = Callable[[], AbstractContextManager[Any]]
"""What a mutation is carried out within, so that a failure leaves nothing behind."""


def savepoint() -> AbstractContextManager[Any]:
    made: AbstractContextManager[Any] = atomic()
    return made


def _aborted(id: uuid.UUID | None) -> Result:
    return Result(id, Status.ABORTED, problem=errors.DependencyFailed().problem())


def _constraint(detail: str = "This breaks a constraint of the database.") -> errors.SyncError:
    told = {"code": "constraint", "detail": detail}
    return errors.ValidationFailed(errors={"non_field_errors": [told]})


__all__ = ["Batch", "Run", "client_of", "read_mutations"]
