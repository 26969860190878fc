"""A batch in runs: neighbouring mutations of one collection and operation, carried out as a set.

No object is in a run twice, and no mutation of a run refers to another object of the run. If a run
cannot be carried out as a set, its savepoint is rolled back, and ``batch`` carries out its
mutations one by one. That defines what is correct; a run comes to the same with fewer statements.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import OperationalError

from ..drf.caller import Caller
from ..drf.registry import registry
from ..models.database import atomic
from ..protocol import Mutation, Write
from .apply import Writer
from .errors import RunOneByOne
from .set_write import Outcome
from .set_writes import KINDS

log = logging.getLogger("django_sync.mutations")

LEAST = 2
"""The fewest mutations of a run."""
ODD_SHARE = 4
"""If more than one in this many mutations is odd, all run one by one."""
SPLITS = 3
"""How often a run is tried again without its odd mutations."""

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
    """Yield the run in parts: each mutation that is not common is a part of its own."""
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
    """Carries out the mutations of one transaction in sets, as far as that is possible."""

    caller: Caller
    writer: Writer
    lasting: set[Kind] = field(default_factory=set)

    def outcomes(
        self, mutations: Iterable[Mutation], common: Callable[[Mutation], bool]
    ) -> Iterator[tuple[Mutation, Outcome | None]]:
        """Yield each mutation with its outcome; ``None``: carry it out alone, before the next.

        A run begins when its first mutation is needed. ``common`` is that of ``split``.
        """
        for run in split(mutations, common):
            yield from self._run(run)

    def _run(
        self, run: list[Mutation], splits: int = SPLITS
    ) -> Iterator[tuple[Mutation, Outcome | None]]:
        """Carry out a run as a set, or without its odd mutations, or leave each one alone.

        Each attempt may find more odd ones, so the number of attempts is limited.
        """
        outcomes, odd = self._try(run)
        if outcomes is not None:
            yield from zip(run, outcomes, strict=True)
        elif odd and splits and len(odd) * ODD_SHARE <= len(run):
            for part in _whole(run, lambda mutation: mutation.object_id not in odd):
                yield from self._run(part, splits - 1)
        else:
            yield from ((mutation, None) for mutation in run)

    def _try(self, run: list[Mutation]) -> tuple[list[Outcome] | None, frozenset[uuid.UUID]]:
        """Return the outcomes; if there are none, the objects that prevented them, if known."""
        kind, nothing = (run[0].collection, run[0].op), frozenset[uuid.UUID]()
        if len(run) < LEAST or kind in self.lasting:
            return None, nothing
        try:
            return self._carry_out_as_set(run), nothing
        except RunOneByOne as reason:
            if reason.lasting:
                self.lasting.add(kind)
            return None, reason.odd
        except OperationalError as error:
            if not is_permanent(error):
                raise
        except Exception as error:  # noqa: BLE001  # the mutations are tried again, one by one
            log.debug("a run of %d is carried out one by one: %r", len(run), error)
        return None, nothing

    def _carry_out_as_set(self, run: list[Mutation]) -> list[Outcome]:
        collection = registry.get(run[0].collection)
        try:
            with atomic():
                return KINDS[run[0].op](self.caller, self.writer, collection, run).outcomes()
        finally:
            self.caller.cache.clear()


LIMITS = "54"
"""PostgreSQL's class of SQLSTATEs for exceeded limits, which a rerun exceeds again."""


def is_permanent(error: OperationalError) -> bool:
    """Whether the database will refuse the same again."""
    return str(getattr(error.__cause__, "sqlstate", "")).startswith(LIMITS)
