"""The dispatcher: a reader of the feed that notes, in rows, who is to be woken.

Its cursor moves in the transaction that notes what lies before it, so nothing is lost and
nothing noted twice, whenever it is ended. Of several at a time one works, by the lock on the
cursor's row. It sends nothing.
"""

from __future__ import annotations

import datetime
import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from .. import errors
from ..conf import conf
from ..drf.registry import registry
from ..feed import log as feed_log
from ..feed import proof, sequencer
from ..feed.cursor import Cursor
from ..models import Change, Endpoint, PushCursor
from ..models.database import atomic, connection
from . import endpoints

__all__ = ["dispatch", "note"]

log = logging.getLogger("django_sync.push")

CHUNK = 1000
"""Rows or values in one statement."""
Changed = dict[str, set[str]]
"""Scope to the collections that changed in it."""


@dataclass(frozen=True, slots=True)
class Step:
    """One transaction of the dispatcher: whether there is more, and the endpoints it noted."""

    more: bool
    noted: int


def dispatch() -> int:
    """Look through what is new in the feed; how many endpoints it concerns.

    May run in any number of processes, and be ended at any moment.
    """
    noted, left = 0, True
    while left:
        left = sequencer.advance()
        endpoints.begin()
        noted += _note_positioned()
    return noted


def _note_positioned() -> int:
    """Look through what has a position; how many endpoints it concerns."""
    noted, more = 0, True
    while more:
        step = _step()
        noted, more = noted + step.noted, step.more
    return noted


def _step() -> Step:
    """A page of the feed in one transaction: read, noted, and the cursor behind it."""
    with atomic():
        cursor = _locked()
        if cursor is None:
            return Step(False, 0)  # another one is at it
        try:
            state = proof.check_history(_place(cursor))
        except errors.CursorExpired:
            return Step(False, _everybody(cursor))
        if state.head == cursor.position:
            return Step(False, 0)
        upto, mark = _end(cursor.position, state)
        changed = _changed(cursor.position, upto)
        noted = _note_changed(changed) if changed else 0
        _move(cursor, state.epoch, upto, mark)
        return Step(upto < state.head, noted)


def _locked() -> PushCursor | None:
    """The cursor, for this transaction alone; ``None`` where another one has it."""
    rows = PushCursor.objects.filter(id=1)
    if connection().features.has_select_for_update_skip_locked:
        return rows.select_for_update(skip_locked=True).first()
    rows.update(position=F("position"))  # takes SQLite's lock before anything is read
    return rows.first()


def _place(cursor: PushCursor) -> Cursor:
    return Cursor(str(cursor.epoch), cursor.position, cursor.mark, "", "")


def _move(cursor: PushCursor, epoch: str, position: int, mark: int) -> None:
    rows = PushCursor.objects.filter(id=cursor.id)
    rows.update(epoch=epoch, position=position, mark=mark)


def _end(after: int, state: feed_log.State) -> tuple[int, int]:
    """Where a page of the feed ends, and the mark there: at the head, or at an entry before."""
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


def _everybody(cursor: PushCursor) -> int:
    """What happened since cannot be told any more: all are woken, a thousand a second."""
    state, _ = feed_log.state()
    log.warning("the dispatcher's place in the feed is gone; all endpoints are woken")
    _move(cursor, state.epoch, state.head, state.mark)
    ids = _served().order_by("id").values_list("id", flat=True)
    noted = 0
    for number, some in enumerate(_chunks(list(ids))):
        noted += note(dict.fromkeys(some, None), timezone.now(), later=number)
    return noted


def _served() -> QuerySet[Endpoint]:
    """The endpoints that are sent to at all."""
    every = Endpoint.objects.all()
    return every.filter(parked_at__isnull=True, session__ended_at__isnull=True)


def _note_changed(changed: Changed) -> int:
    """Note what changed with those whose users see it."""
    wanted: dict[int, set[str]] = {}
    for id, names in _concerned(changed):
        wanted.setdefault(id, set()).update(names)
    now = timezone.now()
    return sum(
        note({id: frozenset(wanted[id]) for id in some}, now) for some in _chunks(sorted(wanted))
    )


def _concerned(changed: Changed) -> Iterator[tuple[int, set[str]]]:
    """Endpoints, and which collections changed for each, by the index of scopes."""
    columns = ("id", "user__scopes__scope", "user__scopes__collections", "session__collections")
    for some in _chunks(sorted(changed)):
        rows: QuerySet[Any, Any] = _served().filter(user__scopes__scope__in=some)
        for id, scope, held, asked in rows.values_list(*columns).iterator(CHUNK):
            names = changed[scope].intersection(held.split(","))
            if asked is not None:
                names &= set(asked)
            if names:
                yield id, names


def note(
    wanted: dict[int, frozenset[str] | None], now: datetime.datetime, *, later: float = 0
) -> int:
    """Note with endpoints, by id, that collections changed (``None``: all that they follow).

    What is due already and not begun covers the news, and is not written to: it is sent when the
    window ends, after this. Returns how many it concerns. Rows are locked by rising id.
    """
    window = datetime.timedelta(seconds=conf.PUSH_WINDOW)
    with atomic():
        rows = Endpoint.objects.filter(id__in=list(wanted))
        columns = ("id", "pending", "due_at", "asked_at", "claim")
        groups: dict[str, list[int]] = defaultdict(list)
        for id, pending, due, asked, claim in (
            rows.order_by("id").select_for_update().values_list(*columns)
        ):
            names = wanted[id]
            said = frozenset(filter(None, pending.split(",")))
            told = said | (frozenset(registry.names()) if names is None else names)
            waits = due is not None and asked is not None and now < due <= asked + window
            if not (waits and claim is None and told == said):
                groups[",".join(sorted(told))].append(id)
        for names_told, ids in groups.items():
            rows.filter(id__in=ids).update(
                pending=names_told,
                asked=F("asked") + 1,
                asked_at=now,
                due_at=Coalesce("due_at", Value(now + window + datetime.timedelta(seconds=later))),
            )
    return len(wanted)


def _chunks(listed: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (listed[at : at + CHUNK] for at in range(0, len(listed), CHUNK))


def waiting(now: datetime.datetime) -> QuerySet[Endpoint]:
    """The endpoints that may be claimed."""
    due = Endpoint.objects.filter(parked_at__isnull=True, due_at__lte=now)
    return due.filter(Q(claimed_until__isnull=True) | Q(claimed_until__lt=now))
