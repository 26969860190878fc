"""The dispatcher: a reader of the feed that marks the endpoints to wake as due.

Its cursor moves in the same transaction that marks them, so no change is lost or handled twice,
even if the process is killed. Several dispatchers may run: the lock on the cursor's row lets one
work at a time. It sends nothing; ``delivery`` does.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, QuerySet
from django.utils import timezone

from .. import errors
from ..conf import conf
from ..drf.registry import registry
from ..feed import log as feed_log
from ..feed import sequencer
from ..models import Change, Endpoint, PushCursor
from ..models.database import atomic, connection
from . import endpoints, visibility_refresh
from .endpoints import CHUNK

__all__ = ["dispatch", "note_news"]

log = logging.getLogger("django_sync.push")

Changed = dict[str, set[str]]
"""Scope to the collections that changed in it."""


@dataclass(frozen=True, slots=True)
class Step:
    """One transaction of the dispatcher: whether there is more, and the endpoints it marked."""

    more: bool
    noted: int


def note_news() -> int:
    """Look for news among users and in the feed; return how many endpoints there is news for."""
    return visibility_refresh.refresh() + dispatch()


def dispatch() -> int:
    """Read what is new in the feed; return how many endpoints it concerns.

    May run in any number of processes, and be stopped at any moment.
    """
    noted, left = 0, True
    while left:
        left = sequencer.advance()
        endpoints.start_cursor()
        noted += _note_positioned()
    return noted


def _note_positioned() -> int:
    """Read the changes that have a position; return how many endpoints they concern."""
    noted, more = 0, True
    while more:
        step = _step()
        noted, more = noted + step.noted, step.more
    return noted


def _step() -> Step:
    """One page of the feed in one transaction: read it, mark endpoints, move the cursor."""
    with atomic():
        cursor = _locked()
        if cursor is None:
            return Step(False, 0)  # another dispatcher works
        try:
            state = feed_log.check_history((str(cursor.epoch), cursor.position, cursor.mark))
        except errors.CursorExpired:
            return Step(False, _wake_all(cursor))
        if state.head == cursor.position:
            return Step(False, 0)
        upto, mark = _end(cursor.position, state)
        changed = _changed(cursor.position, upto)
        noted = _note_changed(changed) if changed else 0
        _move(cursor, state.epoch, upto, mark)
        return Step(upto < state.head, noted)


def _locked() -> PushCursor | None:
    """The cursor, locked for this transaction; ``None`` where another dispatcher has it."""
    rows = PushCursor.objects.filter(id=1)
    if connection().features.has_select_for_update_skip_locked:
        return rows.select_for_update(skip_locked=True).first()
    rows.update(position=F("position"))  # takes SQLite's lock before anything is read
    return rows.first()


def _move(cursor: PushCursor, epoch: str, position: int, mark: int) -> None:
    rows = PushCursor.objects.filter(id=cursor.id)
    rows.update(epoch=epoch, position=position, mark=mark)


def _end(after: int, state: feed_log.State) -> tuple[int, int]:
    """The position and the mark at which a page of the feed ends: the head's, or an entry's."""
    if state.head <= after + conf.SEQUENCE_BATCH:
        return state.head, state.mark
    rows = Change.objects.filter(position__gte=after + conf.SEQUENCE_BATCH)
    position, mark = rows.order_by("position").values_list("position", "mark")[0]
    return position, mark


def _changed(after: int, upto: int) -> Changed:
    """Which collections changed in which scopes between two positions."""
    entries = Change.objects.filter(position__gt=after, position__lte=upto, scope__isnull=False)
    found: Changed = defaultdict(set)
    for model, scope in entries.order_by().values_list("model", "scope").distinct():
        names = {collection.name for collection in registry.of_label(model)}
        if names and scope is not None:
            found[scope] |= names
    return found


def _wake_all(cursor: PushCursor) -> int:
    """The changes since are no longer in the feed: wake all endpoints, a thousand a second."""
    state, _ = feed_log.state()
    log.warning("the dispatcher's place in the feed is gone; all endpoints are woken")
    _move(cursor, state.epoch, state.head, state.mark)
    ids = _served().order_by("id").values_list("id", flat=True)
    noted = 0
    for number, some in enumerate(_chunks(list(ids))):
        noted += endpoints.mark_due(dict.fromkeys(some, None), timezone.now(), later=number)
    return noted


def _served() -> QuerySet[Endpoint]:
    """The endpoints that may get wake-ups."""
    every = Endpoint.objects.all()
    return every.filter(parked_at__isnull=True, session__ended_at__isnull=True)


def _note_changed(changed: Changed) -> int:
    """Mark the endpoints whose users see what changed."""
    wanted: dict[int, set[str]] = {}
    for id, names in _concerned(changed):
        wanted.setdefault(id, set()).update(names)
    now = timezone.now()
    return sum(
        endpoints.mark_due({id: frozenset(wanted[id]) for id in some}, now)
        for some in _chunks(sorted(wanted))
    )


def _concerned(changed: Changed) -> Iterator[tuple[int, set[str]]]:
    """Endpoints, and the collections that changed for each, by the index of scopes."""
    columns = ("id", "user__scopes__scope", "user__scopes__collections", "session__collections")
    for some in _chunks(sorted(changed)):
        rows: QuerySet[Any, Any] = _served().filter(user__scopes__scope__in=some)
        for id, scope, seen, wanted in rows.values_list(*columns).iterator(CHUNK):
            names = changed[scope].intersection(seen.split(","))
            if wanted is not None:
                names &= set(wanted)
            if names:
                yield id, names


def _chunks(listed: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (listed[at : at + CHUNK] for at in range(0, len(listed), CHUNK))
