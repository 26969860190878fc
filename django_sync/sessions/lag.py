"""How far sessions are behind the feed, for a page of them at once.

In changes and in seconds since the first of them was committed, from the place up to which a
session was last known to have everything. Reads only, and as often for many as for one.
"""

from __future__ import annotations

import bisect
import datetime
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from ..drf.registry import registry
from ..feed import log as feed_log
from ..models import Change, SyncSession

__all__ = ["MOST", "Lag", "lags", "lags_within"]

MOST = 1000
"""Changes that ``lags_within`` counts to; this number stands for itself and more."""


@dataclass(frozen=True, slots=True)
class Lag:
    """Changes that a session lacks, and the seconds for which the first of them is there."""

    changes: int
    seconds: float

    def to_json(self) -> dict[str, Any]:
        return {"changes": self.changes, "seconds": round(self.seconds, 3)}


NONE = Lag(0, 0.0)


def lags(sessions: Iterable[SyncSession]) -> Mapping[uuid.UUID, Lag]:
    """By session, of all changes, whomever they concern; none for one whose place is not known."""
    places = _places(sessions)
    if not places:
        return {}
    head = feed_log.state()[0].head
    first = _written({place + 1 for place in places.values() if place < head})
    oldest = None
    if any(0 <= place < head and place + 1 not in first for place in places.values()):
        log = Change.objects.order_by("position")
        oldest = log.values_list("at", flat=True).first()
    found = {}
    for id, place in places.items():
        at = first.get(place + 1, oldest)  # pruned: the oldest that is kept is younger
        found[id] = NONE if place >= head or at is None else Lag(head - place, _since(at))
    return found


def lags_within(sessions: Iterable[SyncSession], scopes: Sequence[str]) -> Mapping[uuid.UUID, Lag]:
    """The same of changes in these scopes alone, counted to ``MOST``: what their user sees.

    How much others write is not the user's to know.
    """
    places = _places(sessions)
    if not places:
        return {}
    head = feed_log.state()[0].head
    labels = sorted({collection.label for collection in registry})
    entries = feed_log.read(sorted(scopes), labels, min(places.values()), head, MOST)
    positions = [entry.position for entry in entries]
    behind = {id: bisect.bisect_right(positions, place) for id, place in places.items()}
    first = _written({positions[at] for at in behind.values() if at < len(positions)})
    found = {}
    for id, at in behind.items():
        lacks = len(positions) - at
        found[id] = Lag(lacks, _since(first[positions[at]])) if lacks else NONE
    return found


def _places(sessions: Iterable[SyncSession]) -> dict[uuid.UUID, int]:
    return {s.id: s.position for s in sessions if s.position is not None}


def _written(positions: set[int]) -> dict[int, datetime.datetime]:
    if not positions:
        return {}
    found = Change.objects.filter(position__in=positions)
    return dict(found.values_list("position", "at"))


def _since(at: datetime.datetime) -> float:
    return max((timezone.now() - at).total_seconds(), 0.0)
