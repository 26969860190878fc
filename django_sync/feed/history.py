"""What became of one object: its revisions, told to one user.

The feed's entries are its history. A user is told of those in scopes that they see
now, by the names of the fields that they may read, and who asked for the change
where a mutation or a REST call did. This file writes nothing.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.db import models

from .. import errors
from ..drf.caller import Caller
from ..drf.collection import READ, Collection
from ..models import MutationResult
from ..protocol import Json, Status, Write
from . import log as feed_log

OPS: Mapping[str, Write] = {"c": Write.CREATE, "u": Write.UPDATE, "d": Write.DELETE}
"""What a trigger writes down, in the protocol's words."""

Names = Mapping[str, Sequence[str]]
"""From a model's field to the serializer's fields that show it."""


@dataclass(frozen=True, slots=True)
class Revision:
    """One change of an object, as one user may know of it."""

    revision: int
    op: Write
    fields: tuple[str, ...]
    at: datetime.datetime
    actor: str | None

    def to_json(self) -> Json:
        return {
            "revision": self.revision,
            "op": str(self.op),
            "fields": list(self.fields),
            "at": self.at.isoformat().replace("+00:00", "Z"),
            "actor": self.actor,
        }


def history(
    caller: Caller, collection: Collection, id: uuid.UUID, below: int | None, limit: int
) -> tuple[list[Revision], int | None]:
    """The newest revisions under ``below``, and where the next page begins if there is one.

    Raises ``NotFound`` where the user sees neither the object nor its tombstone.
    """
    if not _known(caller, collection, id):
        raise errors.NotFound
    scopes = sorted(collection.scopes(caller))
    steps = feed_log.steps(collection.label, id, scopes, below, limit + 1)
    told, more = steps[:limit], len(steps) > limit
    actors = Actors(collection.label, id, [step.revision for step in told])
    names = shown_by(collection, caller)
    found = [
        Revision(
            step.revision,
            OPS[step.op],
            fields_of(names, step.columns),
            step.at,
            actors.of(step.revision),
        )
        for step in told
    ]
    return found, found[-1].revision if more else None


def _known(caller: Caller, collection: Collection, id: uuid.UUID) -> bool:
    """Whether the user sees the object, or that it was deleted."""
    if collection.find(caller, id) is not None:
        return True
    trace = feed_log.tombstones(collection.label, [id]).get(id)
    seen = trace is not None and collection.sees_scope(caller, trace.scope)
    return seen and id not in collection.existing([id])


def shown_by(collection: Collection, caller: Caller) -> Names:
    """Which of the fields that this user reads show which field of the model.

    By the start of their source. A method field shows nothing that could be told.
    """
    options = collection.model._meta
    known: dict[str, str] = {}
    for field in (*options.concrete_fields, *options.many_to_many):
        known[field.name] = known[getattr(field, "attname", field.name)] = field.name
    found: dict[str, list[str]] = {}
    serializer = collection.viewset(caller, READ).get_serializer()
    for name, shown in serializer.fields.items():
        head = str(shown.source).partition(".")[0]
        if not shown.write_only and head in known:
            found.setdefault(known[head], []).append(name)
    return found


def fields_of(names: Names, columns: Sequence[str]) -> tuple[str, ...]:
    """The fields that a change of these columns shows in; others leave no trace."""
    return tuple(sorted({name for column in columns for name in names.get(column, ())}))


class Actors:
    """Who asked for the revisions of one object."""

    def __init__(self, model: str, id: uuid.UUID, revisions: Sequence[int]) -> None:
        self.spans: list[tuple[int, int, str | None]] = []
        if not revisions:
            return
        users: Any = get_user_model()
        made = MutationResult.objects.filter(
            model=model,
            object_id=id,
            status__in=[str(status) for status in Status if status.took_effect],
            revision__gte=min(revisions),
            revision_before__lt=max(revisions),
            revision__gt=models.F("revision_before"),
        )
        named = made.values_list("revision_before", "revision", f"user__{users.USERNAME_FIELD}")
        self.spans = [
            (int(above or 0), int(upto or 0), None if name is None else str(name))
            for above, upto, name in named
        ]

    def of(self, revision: int) -> str | None:
        """The user's name; ``None`` where nobody asked, or the user is no more."""
        return next((n for above, upto, n in self.spans if above < revision <= upto), None)
