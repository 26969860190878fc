"""How far sessions are behind the feed, for a page of them at once.

The lag is the number of changes after the position up to which a session is known to have
everything, and the seconds since the first of them was committed. The number of reads does not
depend on the number of sessions.
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
"""The number of changes at which ``lags_within`` stops counting: it means so many or more."""


@dataclass(frozen=True, slots=True)
class Lag:
    """The changes that a session lacks, and the age of the first of them in seconds."""

    changes: int
    seconds: float

    def to_json(self) -> dict[str, Any]:
        return {"changes": self.changes, "seconds": round(self.seconds, 3)}


NONE = Lag(0, 0.0)


def lags(sessions: Iterable[SyncSession]) -> Mapping[uuid.UUID, Lag]:
    """The lag of each session in all changes of the feed; none if its position is not known."""
    positions = _positions(sessions)
    if not positions:
        return {}
    head = feed_log.state()[0].head
    first = _written({position + 1 for position in positions.values() if position < head})
    oldest = None
    if any(0 <= one < head and one + 1 not in first for one in positions.values()):
        log = Change.objects.order_by("position")
        oldest = log.values_list("at", flat=True).first()
    found = {}
    for id, position in positions.items():
        at = first.get(position + 1, oldest)  # if it was pruned, the oldest that is kept
        behind = head - position
        found[id] = NONE if behind <= 0 or at is None else Lag(behind, _since(at))
    return found


def lags_within(sessions: Iterable[SyncSession], scopes: Sequence[str]) -> Mapping[uuid.UUID, Lag]:
    """The lag in changes of these scopes only, counted up to ``MOST``: what the user sees.

    A user must not learn how much others write elsewhere.
    """
    positions = _positions(sessions)
    if not positions:
        return {}
    head = feed_log.state()[0].head
    labels = sorted({collection.label for collection in registry})
    entries = feed_log.read(sorted(scopes), labels, min(positions.values()), head, MOST)
    seen = [entry.position for entry in entries]
    start = {id: bisect.bisect_right(seen, position) for id, position in positions.items()}
    first = _written({seen[at] for at in start.values() if at < len(seen)})
    found = {}
    for id, at in start.items():
        lacks = len(seen) - at
        found[id] = Lag(lacks, _since(first[seen[at]])) if lacks else NONE
    return found


def _positions(sessions: Iterable[SyncSession]) -> dict[uuid.UUID, int]:
    return {s.id: s.position for s in sessions if s.position is not None}


def _written(positions: set[int]) -> dict[int, datetime.datetime]:
    if not positions:
        return {}
    found = Change.objects.filter(position__in=positions)
    return dict(found.values_list("position", "at"))


def _since(at: datetime.datetime) -> float:
    return max((timezone.now() - at).total_seconds(), 0.0)
