"""A batch of mutations, exactly once: locks, replays, reruns, results.

The first statement locks the client's row, which orders duplicates (on SQLite it takes the write
lock). Alike neighbours are then carried out in runs (``runs``), each other mutation in a savepoint
of its own (``single``). If the database refuses for reasons of its own, that is no result: the
batch is run again, and in the end each mutation in a transaction of its own.
"""

from __future__ import annotations

import logging
import random
import time
import uuid
from collections.abc import Sequence

from django.db import IntegrityError, OperationalError, transaction

from .. import errors
from ..conf import conf
from ..drf.caller import Caller
from ..models import Client
from ..models.database import atomic
from ..protocol import Batch, Json, Mutation, Result, Status
from ..protocol.ids import canonical_uuid
from .apply import Writer
from .result_store import ResultStore
from .runs import Runs
from .single import Failures, Isolation, SingleWrites, aborted, constraint_error, savepoint
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
            writer = Writer(self.caller, store.epoch, store.own_spans)
            single = SingleWrites(self.caller, store, writer, trial, isolation, self.strict)
            runs = Runs(self.caller, store, writer, single.result, trial.concern, trial.note)
            if self.atomic:
                results = self._all_or_nothing(mutations, store, runs)
            else:
                results = list(runs.results(mutations))
            store.close()
        failures.objects, failures.creates = trial.objects, trial.creates
        return results

    def _all_or_nothing(
        self, mutations: Sequence[Mutation], store: ResultStore, runs: Runs
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
        store.discard([r.id for r in results[:-1] if not r.replayed])
        rest = [m.id for m in mutations[len(results) :]]
        store.discard(rest)
        undone = [r if r.replayed else aborted(r.id) for r in results[:-1]]
        return [*undone, failed, *(aborted(id) for id in rest)]
