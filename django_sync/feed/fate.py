"""What became of an object, as far as one user may know: present, deleted or hidden.

An object is present where the user sees it. It is deleted where it has no row any more, and the
user sees the scope in which it was deleted. Else it is hidden, as if it had never existed.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from ..drf.caller import Caller
from ..drf.collection import Collection
from . import log as feed_log

SeesScope = Callable[[str | None], bool]
"""Whether the user sees a scope of the collection."""


@dataclass(frozen=True, slots=True)
class Fate:
    """Present, deleted or hidden; ``deletion`` is the tombstone of a deleted object."""

    is_present: bool = False
    deletion: feed_log.Trace | None = None

    @property
    def is_hidden(self) -> bool:
        return not self.is_present and self.deletion is None


PRESENT = Fate(is_present=True)
HIDDEN = Fate()


def fate(collection: Collection, caller: Caller, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Fate]:
    """What became of these objects, as far as the caller may know."""
    present = {found.sync_id for found in collection.find_many(caller, ids, shape=False)}
    absent = [id for id in ids if id not in present]
    known = absent_fate(collection, absent, partial(collection.sees_scope, caller))
    return {id: PRESENT if id in present else known[id] for id in ids}


def deletion_of(collection: Collection, caller: Caller, id: uuid.UUID) -> feed_log.Trace | None:
    """The tombstone of an object that the caller does not see; ``None`` where it is hidden."""
    return absent_fate(collection, [id], partial(collection.sees_scope, caller))[id].deletion


def absent_fate(
    collection: Collection, ids: Sequence[uuid.UUID], sees_scope: SeesScope
) -> dict[uuid.UUID, Fate]:
    """What became of objects that a user does not see: each is deleted or hidden."""
    if not ids:
        return {}
    traces = feed_log.tombstones(collection.label, ids)
    candidates = [id for id, trace in traces.items() if sees_scope(trace.scope)]
    there = collection.existing(candidates) if candidates else ()
    known = {id: Fate(deletion=traces[id]) for id in candidates if id not in there}
    return {id: known.get(id, HIDDEN) for id in ids}
