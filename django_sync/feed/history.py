"""The history of one object: its revisions, as one user may see them.

The feed's entries are the history. A user gets those in scopes that they see now. Each names the
changed fields that they may read, and the user who asked for the change, where it came by a
mutation or a REST call. This file writes nothing.
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
from .fate import fate

OPS: Mapping[str, Write] = {"c": Write.CREATE, "u": Write.UPDATE, "d": Write.DELETE}
"""The letters that triggers write, as the protocol's words."""

Names = Mapping[str, Sequence[str]]
"""Names of serializer fields, by the name of the model's field that they show."""


@dataclass(frozen=True, slots=True)
class Revision:
    """One change of an object, as one user may see it."""

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
    if fate(collection, caller, [id])[id].is_hidden:
        raise errors.NotFound
    scopes = sorted(collection.scopes(caller))
    steps = feed_log.steps(collection.label, id, scopes, below, limit + 1)
    steps, more = steps[:limit], len(steps) > limit
    actors = Actors(collection.label, id, [step.revision for step in steps])
    names = shown_by(collection, caller)
    found = [
        Revision(
            step.revision,
            OPS[step.op],
            fields_of(names, step.columns),
            step.at,
            actors.of(step.revision),
        )
        for step in steps
    ]
    return found, found[-1].revision if more else None


def shown_by(collection: Collection, caller: Caller) -> Names:
    """Which of the fields that this user reads show which field of the model.

    The start of a field's source decides. What a method field shows is not known.
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
    """The fields in which a change of these columns shows."""
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
        """The user's name; ``None`` where nobody asked for it, or the user is deleted."""
        return next((n for above, upto, n in self.spans if above < revision <= upto), None)
