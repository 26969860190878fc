"""A batch in runs: neighbouring mutations of one collection and operation, carried out together.

No object is in a run twice, and no mutation of a run refers to another object of the run. If a run
cannot be carried out together, its savepoint is rolled back, and its mutations run one by one. The
single-mutation path defines what is correct; a run gives the same result with fewer statements.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import OperationalError

from .. import errors
from ..drf.caller import Caller
from ..drf.registry import registry
from ..models.database import atomic
from ..protocol import Mutation, Result, Write
from .apply import Writer
from .errors import RunSingly
from .result_store import Ledger
from .set_write import Outcome
from .set_writes import KINDS

log = logging.getLogger("django_sync.mutations")

LEAST = 2
"""The fewest mutations of a run."""
ODD_SHARE = 4
"""If more than one in this many mutations is odd, all run one by one."""
SPLITS = 3
"""How often a run is tried again without its odd mutations."""

Single = Callable[[Mutation], Result]
"""Carries out one mutation in a savepoint of its own."""
Kind = tuple[str, Write]


def split(
    mutations: Iterable[Mutation], common: Callable[[Mutation], bool]
) -> Iterator[list[Mutation]]:
    """The runs of a batch, in its order; a mutation that is not common is a run of its own.

    ``common`` is called after the runs before the mutation have been carried out.
    """
    run: list[Mutation] = []
    ids: set[str] = set()
    for mutation in mutations:
        if run and not (_continues(run[0], mutation, ids)):
            yield from _whole(run, common)
            run, ids = [], set()
        run.append(mutation)
        ids |= {str(mutation.id), str(mutation.object_id)}
    if run:
        yield from _whole(run, common)


def _continues(first: Mutation, mutation: Mutation, ids: set[str]) -> bool:
    return (
        first.op is mutation.op
        and first.collection == mutation.collection
        and ids.isdisjoint((str(mutation.id), str(mutation.object_id)))
        and ids.isdisjoint(texts_in(mutation.fields))
    )


def _whole(run: list[Mutation], common: Callable[[Mutation], bool]) -> Iterator[list[Mutation]]:
    """The run without those that are not common, which stand alone in their places."""
    part: list[Mutation] = []
    for mutation in run:
        if common(mutation):
            part.append(mutation)
            continue
        if part:
            yield part
        yield [mutation]
        part = []
    if part:
        yield part


def texts_in(value: Any) -> list[str]:
    """All strings within a JSON value."""
    found: list[str] = []
    todo = [value]
    while todo:
        one = todo.pop()
        if isinstance(one, str):
            found.append(one)
        elif isinstance(one, dict):
            todo.extend(one.values())
        elif isinstance(one, list):
            todo.extend(one)
    return found


@dataclass(slots=True)
class Runs:
    """Carries out the mutations of one transaction, together where it can.

    ``concern`` says of a mutation that it stands on one that failed.
    """

    caller: Caller
    ledger: Ledger
    writer: Writer
    single: Single
    concern: Callable[[Mutation], bool]
    note: Callable[[Mutation, Any], None]
    lasting: set[Kind] = field(default_factory=set)

    def results(self, mutations: Sequence[Mutation]) -> Iterator[Result]:
        """The results in the order of the mutations; each run is begun when it is asked for."""
        for run in split(mutations, self._is_common):
            yield from self._run(run)

    def _is_common(self, mutation: Mutation) -> bool:
        """Whether it is new, known, and stands on nothing that failed."""
        return (
            mutation.collection in registry
            and self.ledger.is_new(mutation)
            and not self.ledger.forgot(mutation)
            and not self.concern(mutation)
        )

    def _run(self, run: list[Mutation], splits: int = SPLITS) -> list[Result]:
        kind = (run[0].collection, run[0].op)
        if len(run) < LEAST or kind in self.lasting:
            return [self.single(mutation) for mutation in run]
        try:
            outcomes = self._together(run)
        except RunSingly as reason:
            if reason.lasting:
                self.lasting.add(kind)
            return self._around(run, reason.odd, splits)
        except OperationalError as error:
            if is_final(error):
                return [self.single(mutation) for mutation in run]
            raise
        except Exception as error:  # noqa: BLE001  # the single-mutation path reports it
            log.debug("a run of %d is carried out one by one: %r", len(run), error)
            return [self.single(mutation) for mutation in run]
        return [self._store(m, told) for m, told in zip(run, outcomes, strict=True)]

    def _together(self, run: list[Mutation]) -> list[Outcome]:
        collection = registry.get(run[0].collection)
        try:
            with atomic():
                return KINDS[run[0].op](self.caller, self.writer, collection, run).outcomes()
        finally:
            self.caller.cache.clear()

    def _around(self, run: list[Mutation], odd: frozenset[uuid.UUID], splits: int) -> list[Result]:
        """The odd ones one by one, in their places; what lies between them together.

        Each try may find others odd, so there are only so many.
        """
        if not (odd and splits) or len(odd) * ODD_SHARE > len(run):
            return [self.single(mutation) for mutation in run]
        results: list[Result] = []
        for part in _whole(run, lambda mutation: mutation.object_id not in odd):
            results += self._run(part, splits - 1)
        return results

    def _store(self, mutation: Mutation, told: Outcome) -> Result:
        if isinstance(told, errors.SyncError):
            result = self.ledger.refuse(mutation, told)
        else:
            result = self.ledger.take_effect(mutation, told)
        self.note(mutation, result.status)
        return result


LIMITS = "54"
"""PostgreSQL's class of SQLSTATEs for what is too long or too many: it will not pass."""


def is_final(error: OperationalError) -> bool:
    """Whether the database will refuse the same again."""
    return str(getattr(error.__cause__, "sqlstate", "")).startswith(LIMITS)
