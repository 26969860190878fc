"""The revisions of one object, as the history page and a stale form show them.

The log knows which fields changed, not their values. Values are known only of what was written
through the admin, and of what a decision was made about; values of other writes are not kept.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Model

from ..feed import log as feed_log
from ..feed.history import OPS, Actors
from ..merge import Step
from ..models import Decision, MutationResult
from ..protocol import Json
from .display import label_of, named, text

PAGE = 50
"""Revisions on a page."""
MANY = 1000
"""More revisions than this behind, a form no longer shows what each of them was."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A field before and after a revision; ``lost`` is the value that lost a conflict."""

    field: str
    before: str
    after: str
    lost: str | None = None


@dataclass(frozen=True, slots=True)
class Revision:
    """A revision on the history page."""

    revision: int
    op: str
    at: datetime.datetime
    fields: Sequence[str]
    actor: str | None
    values: Sequence[Difference]
    decision: int | None

    @property
    def has_lost_value(self) -> bool:
        """Whether one of its fields has a value that lost."""
        return any(one.lost is not None for one in self.values)


def revisions_below(
    model: type[Model], id: uuid.UUID, below: int | None, *, decisions: bool
) -> tuple[list[Revision], int | None]:
    """The newest revisions under ``below``, and where the next page begins if there is one."""
    label = label_of(model)
    steps = feed_log.steps(label, id, None, below, PAGE + 1)
    shown = steps[:PAGE]
    revisions = [step.revision for step in shown]
    actors = Actors(label, id, revisions)
    written = _written(label, id, revisions)
    decided = _decided(label, id, revisions)
    found = [
        Revision(
            step.revision,
            str(OPS[step.op]),
            step.at,
            named(model, step.columns),
            actors.of(step.revision),
            [*written.get(step.revision, ()), *_differences(decided.get(step.revision))],
            decided[step.revision].pk if decisions and step.revision in decided else None,
        )
        for step in shown
    ]
    return found, revisions[-1] if len(steps) > PAGE else None


def _written(label: str, id: uuid.UUID, revisions: Sequence[int]) -> dict[int, list[Difference]]:
    """What the admin recorded of its own writes, by the last revision of each."""
    made = MutationResult.objects.filter(
        model=label, object_id=id, client=None, revision__in=revisions
    )
    return {
        int(revision): [
            Difference(field, sides["before"], sides["after"])
            for field, sides in trace.get("values", {}).items()
        ]
        for revision, trace in made.values_list("revision", "trace")
        if revision is not None
    }


def _decided(label: str, id: uuid.UUID, revisions: Sequence[int]) -> dict[int, Decision]:
    """What resolvers decided, by the revision that resulted."""
    made = Decision.objects.filter(
        model=label, object_id=id, by=Decision.By.RESOLVER, revision__in=revisions
    )
    return {int(decision.revision or 0): decision for decision in made}


def _differences(decision: Decision | None) -> list[Difference]:
    if decision is None:
        return []
    return [
        Difference(name, text(sides.get("server")), *_outcome(sides))
        for name, sides in decision.fields.items()
    ]


def _outcome(sides: Json) -> tuple[str, str]:
    """The value that a field got when it was settled, and the value that lost."""
    server, client = text(sides.get("server")), text(sides.get("client"))
    match sides.get("kept"):
        case "client":
            return client, server
        case "merged":
            return text(sides.get("value")), client
        case _:
            return server, client


@dataclass(frozen=True, slots=True)
class Since:
    """What others changed of an object after a revision: columns and users, if all is known."""

    columns: frozenset[str]
    actors: Sequence[str]
    complete: bool

    def touched(self, field: Any) -> bool:
        """Whether a model's field may have changed."""
        names = {field.name, getattr(field, "column", field.name)}
        return not self.complete or not self.columns.isdisjoint(names)

    def summary(self, model: type[Model]) -> str:
        """Which fields, and by whom, as text."""
        fields = ", ".join(named(model, sorted(self.columns))) or "something"
        return f"{fields} (by {', '.join(self.actors)})" if self.actors else fields


def since(model: type[Model], id: uuid.UUID, above: int, upto: int) -> Since:
    """What changed of an object between two revisions."""
    label = label_of(model)
    if upto - above > MANY:
        return Since(frozenset(), (), complete=False)
    steps: list[Step] = sorted(
        feed_log.history(label, id, above, upto), key=lambda step: step.revision
    )
    revisions = [step.revision for step in steps]
    actors = Actors(label, id, revisions)
    who = [name for revision in revisions if (name := actors.of(revision)) is not None]
    columns = frozenset(column for step in steps for column in step.columns)
    return Since(columns, tuple(dict.fromkeys(who)), revisions == list(range(above + 1, upto + 1)))
