"""A batch of mutations, exactly once: locks, replays, reruns, results.

The first statement locks the client's row, which orders duplicates (on SQLite it takes the write
lock). Neighbouring mutations of one kind are then carried out in runs (``runs``), each other
mutation in a savepoint of its own. After a deadlock or a time-out there is no result: the batch is
run again, and in the end each mutation in a transaction of its own.
"""

from __future__ import annotations

import logging
import random
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from django.db import DataError, IntegrityError, OperationalError, transaction

from .. import errors
from ..conf import conf
from ..drf.caller import Caller
from ..drf.registry import registry
from ..models import Client
from ..models.database import atomic
from ..protocol import Batch, Json, Mutation, Result, Status, Write
from ..protocol.ids import canonical_uuid
from .apply import ConflictFound, Writer
from .result_store import ResultStore
from .runs import Runs, is_permanent, texts_in
from .without_savepoint import NeedsSavepoint, without_savepoint

__all__ = ["Batch", "BatchRun", "client_of", "read_mutations"]

log = logging.getLogger("django_sync.mutations")

PAUSE = 0.02
"""Seconds; the mean pause before a rerun is a multiple of it."""


def client_of(caller: Caller, client_id: uuid.UUID) -> Client:
    """Return the caller's client, created at its first use. Raises ``ClientMismatch``."""
    client, _ = Client.objects.get_or_create(id=client_id, defaults={"user": caller.user})
    if str(client.user_id) != caller.key:
        raise errors.ClientMismatch
    return client


def read_mutations(batch: Batch) -> list[Mutation | Result]:
    """Return the batch's mutations; in place of a malformed one stands its rejection."""
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


Isolation = Callable[[], AbstractContextManager[Any]]
"""The context in which a mutation is carried out, so that a failure leaves nothing behind."""


def savepoint() -> AbstractContextManager[Any]:
    """Return the usual ``Isolation``."""
    return atomic()


@dataclass
class Failures:
    """What failed in this batch so far, so that mutations that depend on it are not tried."""

    objects: set[uuid.UUID] = field(default_factory=set)
    creates: set[str] = field(default_factory=set)

    def note(self, mutation: Mutation, status: Status) -> None:
        if not status.took_effect:
            self.objects.add(mutation.object_id)
            if mutation.op is Write.CREATE:
                self.creates.add(str(mutation.object_id))

    def concern(self, mutation: Mutation) -> bool:
        """Whether the mutation depends on something that failed."""
        return mutation.object_id in self.objects or (
            bool(self.creates) and not self.creates.isdisjoint(texts_in(mutation.fields))
        )


class BatchRun:
    """One batch of one client. ``strict`` is REST's rule: any newer revision is a conflict."""

    def __init__(
        self, caller: Caller, client: Client | None, *, atomic: bool = False, strict: bool = False
    ) -> None:
        self.caller = caller
        self.client = client
        self.atomic = atomic
        self.strict = strict

    def results(self, read: Sequence[Mutation | Result]) -> list[Result]:
        """Return the results, in the order of the mutations. Raises ``Unavailable``."""
        if self.atomic and any(isinstance(entry, Result) for entry in read):
            if self.client is not None:
                client_of(self.caller, self.client.pk)
            return [e if isinstance(e, Result) else aborted(e.id) for e in read]
        sound = [entry for entry in read if isinstance(entry, Mutation)]
        carried_out = iter(self._carry_out(sound, Failures()))
        return [e if isinstance(e, Result) else next(carried_out) for e in read]

    def _carry_out(self, mutations: Sequence[Mutation], failures: Failures) -> list[Result]:
        """Run the batch, again if the database asks for it, and in the end one by one."""
        if not mutations:
            return []
        last: Exception | None = None
        for attempt in range(conf.RETRIES + 1):
            if attempt:
                time.sleep(random.uniform(0, 2 * PAUSE * attempt))  # noqa: S311 - jitter, no secret
            try:
                return self._in_one_transaction(mutations, failures)
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
        """Run one mutation in a transaction of its own; if it fails, the others go on."""
        try:
            return self._carry_out([mutation], failures)[0]
        except errors.Unavailable as error:
            failures.note(mutation, Status.ABORTED)
            return Result(mutation.id, Status.ABORTED, problem=error.problem())

    def _refuse_all(self, mutations: Sequence[Mutation], failures: Failures) -> list[Result]:
        """The commit breaks a constraint, so the mutations are refused for good.

        Another process may have received the same batch and stored its results since; those count.
        """
        if self.atomic:
            return [aborted(mutation.id) for mutation in mutations]
        refusal = constraint_error()
        with atomic():
            store = ResultStore(self.client, self.caller)
            store.open(mutations)
            results = [store.replay(m) or store.store_refusal(m, refusal) for m in mutations]
            store.close()
        for mutation, result in zip(mutations, results, strict=True):
            failures.note(mutation, result.status)
        return results

    def _in_one_transaction(
        self, mutations: Sequence[Mutation], failures: Failures
    ) -> list[Result]:
        if len(mutations) == 1 and not self.atomic:
            try:
                return self._transaction(mutations, failures, without_savepoint)
            except NeedsSavepoint:
                self.caller.cache.clear()
        return self._transaction(mutations, failures, savepoint)

    def _transaction(
        self, mutations: Sequence[Mutation], failures: Failures, isolation: Isolation
    ) -> list[Result]:
        trial = Failures(set(failures.objects), set(failures.creates))
        with atomic():
            store = ResultStore(self.client, self.caller)
            store.open(mutations)
            carried_out = Transaction(self.caller, store, trial, isolation, self.strict)
            if self.atomic:
                results = carried_out.all_or_nothing(mutations)
            else:
                results = list(carried_out.results(mutations))
            store.close()
        failures.objects, failures.creates = trial.objects, trial.creates
        return results


class Transaction:
    """Carries out the mutations of one transaction; ``strict`` as in ``BatchRun``."""

    def __init__(
        self,
        caller: Caller,
        store: ResultStore,
        failures: Failures,
        isolation: Isolation,
        strict: bool,
    ) -> None:
        self.caller = caller
        self.store = store
        self.failures = failures
        self.isolation = isolation
        self.strict = strict
        self.writer = Writer(caller, store.epoch, store.own_spans)

    def results(self, mutations: Sequence[Mutation]) -> Iterator[Result]:
        """Yield the results in the order of the mutations; each is carried out when it is needed.

        Neighbours of one kind are carried out as a set, if that is possible.
        """
        runs = Runs(self.caller, self.writer)
        for mutation, outcome in runs.outcomes(mutations, self._may_share):
            if outcome is None:
                result = self.carry_out(mutation)
            elif isinstance(outcome, errors.SyncError):
                result = self.store.store_refusal(mutation, outcome)
            else:
                result = self.store.store_effect(mutation, outcome)
            self.failures.note(mutation, result.status)
            yield result

    def all_or_nothing(self, mutations: Sequence[Mutation]) -> list[Result]:
        """Return the results; if one mutation fails, undo and abort all others."""
        results: list[Result] = []
        with atomic():
            for result in self.results(mutations):
                results.append(result)
                if not result.status.took_effect:
                    transaction.set_rollback(True, using=conf.DATABASE)
                    break
            else:
                return results
        self.caller.cache.clear()
        failed = results[-1]
        self.store.discard([r.id for r in results[:-1] if not r.replayed])
        rest = [m.id for m in mutations[len(results) :]]
        self.store.discard(rest)
        undone = [r if r.replayed else aborted(r.id) for r in results[:-1]]
        return [*undone, failed, *(aborted(id) for id in rest)]

    def _may_share(self, mutation: Mutation) -> bool:
        """Whether it is new, of a known collection, and depends on nothing that failed."""
        return (
            mutation.collection in registry
            and self.store.is_new(mutation)
            and not self.store.may_be_forgotten(mutation)
            and not self.failures.concern(mutation)
        )

    def carry_out(self, mutation: Mutation) -> Result:
        """Return the result of one mutation: replayed, aborted, or carried out now."""
        return self._without_writing(mutation) or self._attempt(mutation)

    def _without_writing(self, mutation: Mutation) -> Result | None:
        replayed = self.store.replay(mutation)
        if replayed is not None:
            return replayed
        if self.failures.concern(mutation):
            self.store.discard([mutation.id])
            return aborted(mutation.id)
        if self.store.may_be_forgotten(mutation) and not self.strict:
            self.store.discard([mutation.id])
            problem = errors.MutationExpired().problem()
            return Result(mutation.id, Status.REJECTED, problem=problem)
        return None

    def _attempt(self, mutation: Mutation, again: bool = True) -> Result:
        store = self.store
        try:
            with self.isolation():
                collection = registry.get(mutation.collection)
                unused = again and mutation.object_id in store.unused
                effect = self.writer.carry_out(
                    collection, mutation, strict=self.strict, unused=unused
                )
        except ConflictFound as found:
            return store.store_conflict(mutation, found.conflict)
        except errors.SyncError as error:
            return store.store_refusal(mutation, error)
        except IntegrityError:
            if again and mutation.op is not Write.DELETE:
                return self._attempt(mutation, again=False)
            return store.store_refusal(mutation, constraint_error())
        except DataError:
            return store.store_refusal(mutation, constraint_error(CANNOT_HOLD))
        except OperationalError as error:
            if not is_permanent(error):
                raise
            return store.store_refusal(mutation, constraint_error(CANNOT_HOLD))
        except NeedsSavepoint:
            raise
        except Exception:
            log.exception("mutation %s failed in the project's code", mutation.id)
            store.discard([mutation.id])
            problem = errors.Unavailable("The server failed on this mutation.").problem()
            return Result(mutation.id, Status.ABORTED, problem=problem)
        finally:
            self.caller.cache.clear()  # the write may be undone; what was read within it is wrong
        return store.store_effect(mutation, effect)


def aborted(id: uuid.UUID | None) -> Result:
    """Return the result of a mutation that was not tried, or that was undone with its batch."""
    return Result(id, Status.ABORTED, problem=errors.DependencyFailed().problem())


CANNOT_HOLD = "The database cannot hold this value."


def constraint_error(
    detail: str = "This breaks a constraint of the database.",
) -> errors.SyncError:
    """Return the refusal of what the database does not accept."""
    problem = {"code": "constraint", "detail": detail}
    return errors.ValidationFailed(errors={"non_field_errors": [problem]})
