"""What those who take part in a torture remember of it, each for itself.

All times are of the machine's one monotonic clock, which all processes share.
"""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Key = tuple[str, uuid.UUID]
"""A collection, or the label of a model, and an id."""


class Written(NamedTuple):
    """One revision that a transaction made, as its writer saw it before the commit."""

    label: str
    id: uuid.UUID
    revision: int
    scope: str | None


class Commit(NamedTuple):
    """A committed transaction. ``longest`` is its longest statement, pauses left out."""

    began: float
    ended: float
    longest: float
    written: tuple[Written, ...]


@dataclass
class Work:
    """What a writer did."""

    commits: list[Commit] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


class Pull(NamedTuple):
    """A pull to its last page."""

    began: float
    ended: float


class Arrival(NamedTuple):
    """A page of ``pull`` told of this revision."""

    pull: int
    at: float
    revision: int


@dataclass
class Reading:
    """What a reader saw, and what it holds at the end."""

    user: str
    pulls: list[Pull] = field(default_factory=list)
    arrivals: dict[uuid.UUID, list[Arrival]] = field(default_factory=dict)
    held: dict[Key, tuple[int, str, Any]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)


class Long(NamedTuple):
    """The long transaction: ``open`` from its writes on, ``closing`` when it goes on."""

    open: float
    closing: float
    commit: Commit
