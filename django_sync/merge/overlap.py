"""Whether others have changed what a mutation changes. Pure; guarantee G5 depends on it.

The input is the object's revisions since the mutation's base. Each has the columns that it
changed, and it is known which revisions the same client made. If one is missing, history is not
known. Then a field passes only if the client sent its value (``base``) and it is still current.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..protocol import ConflictKind


@dataclass(frozen=True, slots=True)
class Step:
    """One revision of an object: what was done (``c``, ``u``, ``d``), to which columns, when."""

    revision: int
    op: str
    columns: tuple[str, ...]
    at: datetime.datetime


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same; ``true`` is not 1 here, but 1.0 is."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


@dataclass(frozen=True, slots=True)
class Trail:
    """What is known about an object between a base and its current revision.

    ``steps`` are its revisions above the base; ``own`` the spans (above, up to) of
    revisions that the asking client made. ``base_at`` is when the base was written, if it is
    known. ``epoch_matches`` is false if the base belongs to another history.
    """

    base: int
    current: int
    steps: tuple[Step, ...]
    own: tuple[tuple[int, int], ...] = ()
    epoch_matches: bool = True
    base_at: datetime.datetime | None = None

    @property
    def is_known(self) -> bool:
        """Whether each revision from base to current is known."""
        if not self.epoch_matches or self.base > self.current:
            return False
        seen = {step.revision for step in self.steps}
        return len(seen & set(range(self.base + 1, self.current + 1))) == self.current - self.base

    def foreign(self) -> list[Step]:
        """The steps that others made."""
        return [
            step
            for step in self.steps
            if not any(above < step.revision <= upto for above, upto in self.own)
        ]

    def last_foreign(self, columns: Collection[str] | None) -> datetime.datetime | None:
        """When others last wrote one of these columns, or any column for ``None``.

        ``None`` if history is not known, or no longer contains the time.
        """
        if not self.is_known:
            return None
        touching = [step for step in self.foreign() if touches(step, columns)]
        return max(touching, key=lambda step: step.revision).at if touching else None


def touches(step: Step, columns: Collection[str] | None) -> bool:
    """Whether a step changed one of these columns; only an update does not change all."""
    return columns is None or step.op != "u" or not set(columns).isdisjoint(step.columns)


@dataclass(frozen=True, slots=True)
class Overlap:
    """The fields that both sides changed, and the reason to assume it."""

    kind: ConflictKind
    fields: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.fields)


def find_overlap(
    trail: Trail,
    fields: Iterable[str],
    columns_of: Callable[[str], Collection[str] | None],
    base: Mapping[str, Any] | None,
    current: Mapping[str, Any],
) -> Overlap:
    """The overlap of a mutation of ``fields`` with what others did along the trail.

    ``columns_of`` gives the columns behind a field; ``None`` if they are not known, so that the
    field depends on all. ``base`` holds the values that the client started from, ``current`` the
    present ones.
    """
    if not trail.is_known:
        known = base or {}
        unsure = (f for f in fields if f not in known or not same(known[f], current.get(f)))
        return Overlap(ConflictKind.UNKNOWN_BASE, tuple(unsure))
    foreign = trail.foreign()

    def overlaps(field: str) -> bool:
        columns = columns_of(field)
        return any(touches(step, columns) for step in foreign)

    return Overlap(ConflictKind.UPDATE_UPDATE, tuple(f for f in fields if overlaps(f)))
