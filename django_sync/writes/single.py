"""Carries out the mutations of one transaction one by one, each so that its failure is undone."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from django.db import DataError, IntegrityError, OperationalError

from .. import errors
from ..drf.caller import Caller
from ..drf.registry import registry
from ..models.database import atomic
from ..protocol import Mutation, Result, Status, Write
from .apply import ConflictFound, Writer
from .result_store import ResultStore
from .runs import is_permanent, texts_in
from .without_savepoint import NeedsSavepoint

log = logging.getLogger("django_sync.mutations")

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


@dataclass(frozen=True, slots=True)
class SingleWrites:
    """Gives the result of one mutation of a transaction; ``strict`` as in ``BatchRun``."""

    caller: Caller
    store: ResultStore
    writer: Writer
    failures: Failures
    isolation: Isolation
    strict: bool

    def result(self, mutation: Mutation) -> Result:
        """Return the mutation's result: replayed, aborted, or carried out now."""
        result = self._without_writing(mutation) or self._attempt(mutation)
        self.failures.note(mutation, result.status)
        return result

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
