"""The words of the pages: values as text, columns by their labels, an object's revisions.

The log knows which fields changed, not their values. Those are known of what was written
through the admin, and of what a decision was made about; of other writes nobody kept them.
"""

from __future__ import annotations

import datetime
import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Model

from ..feed import log as feed_log
from ..feed.history import OPS, Actors
from ..merge import Step
from ..models import Decision, MutationResult
from ..protocol import Json

EMPTY = "—"
PAGE = 50
"""Revisions on a page."""
MANY = 1000
"""Revisions behind which a form is no longer told what each of them was."""
MOST = 2000
"""Characters of a value that are kept for the history page."""


def text(value: Any) -> str:
    """A value of a record, to be read."""
    if value is None or value == "":
        return EMPTY
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    return json.dumps(value, ensure_ascii=False, indent=1 if isinstance(value, dict) else None)


def label_of(model: type[Model]) -> str:
    """The label that the model's entries in the feed carry."""
    return (model._meta.concrete_model or model)._meta.label_lower


def named(model: type[Model], columns: Iterable[str]) -> list[str]:
    """The labels of the fields behind an entry's columns, as the forms have them."""
    known: dict[str, str] = {}
    fields: list[Any] = [*model._meta.concrete_fields, *model._meta.many_to_many]
    for field in fields:
        for name in (field.name, getattr(field, "attname", field.name), field.column):
            known[str(name)] = str(field.verbose_name)
    return list(dict.fromkeys(known.get(column, column) for column in columns))


@dataclass(frozen=True, slots=True)
class Difference:
    """A field before and after a revision; ``lost`` is the other side's value, if two met."""

    field: str
    before: str
    after: str
    lost: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A revision on the history page."""

    revision: int
    op: str
    at: datetime.datetime
    fields: Sequence[str]
    actor: str | None
    values: Sequence[Difference]
    decision: int | None

    @property
    def met(self) -> bool:
        """Whether one of its fields has a value that lost."""
        return any(one.lost is not None for one in self.values)


def lines(
    model: type[Model], id: uuid.UUID, below: int | None, *, decisions: bool
) -> tuple[list[Line], int | None]:
    """The newest revisions under ``below``, and where the next page begins if there is one."""
    label = label_of(model)
    steps = feed_log.steps(label, id, None, below, PAGE + 1)
    told = steps[:PAGE]
    revisions = [step.revision for step in told]
    actors = Actors(label, id, revisions)
    written = _written(label, id, revisions)
    met = _met(label, id, revisions)
    found = [
        Line(
            step.revision,
            str(OPS[step.op]),
            step.at,
            named(model, step.columns),
            actors.of(step.revision),
            [*written.get(step.revision, ()), *_differences(met.get(step.revision))],
            met[step.revision].pk if decisions and step.revision in met else None,
        )
        for step in told
    ]
    return found, revisions[-1] if len(steps) > PAGE else None


def _written(label: str, id: uuid.UUID, revisions: Sequence[int]) -> dict[int, list[Difference]]:
    """What the admin noted of its own writes, by the last revision of each."""
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


def _met(label: str, id: uuid.UUID, revisions: Sequence[int]) -> dict[int, Decision]:
    """What resolvers decided, by the revision that came of it."""
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
    """What a field had when it was settled, and which value that was not."""
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
    """What others changed of an object after a revision: fields and people, if all is known."""

    columns: frozenset[str]
    actors: Sequence[str]
    complete: bool

    def touched(self, field: Any) -> bool:
        """Whether a model's field may have changed."""
        names = {field.name, getattr(field, "column", field.name)}
        return not self.complete or not self.columns.isdisjoint(names)

    def told(self, model: type[Model]) -> str:
        """Which fields, and by whom, in a few words."""
        fields = ", ".join(named(model, sorted(self.columns))) or "something"
        return f"{fields} (by {', '.join(self.actors)})" if self.actors else fields


def since(model: type[Model], id: uuid.UUID, above: int, upto: int) -> Since:
    """What became of an object between two revisions."""
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
