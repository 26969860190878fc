"""The state of the feed, in numbers for monitoring. Nothing is written.

Counts are bounded, so that they cost the same in a large installation.
"""

from __future__ import annotations

import datetime
from dataclasses import asdict, dataclass
from typing import Any

from django.apps import apps
from django.db.models import Max, Min, QuerySet
from django.utils import timezone

from .. import capture
from ..conf import conf
from ..feed import holds
from ..feed import log as feed_log
from ..models import (
    Change,
    Client,
    Endpoint,
    Feed,
    MutationResult,
    Order,
    Outbox,
    PushCursor,
    ScopeSet,
    SyncSession,
    Tombstone,
)
from ..models.database import connection
from ..sessions.lag import Lag, lags
from ..sessions.state import State, of_state
from ..sessions.transport_choice import PREFERENCE

__all__ = ["MOST", "ModelStatus", "Push", "Sessions", "Size", "Status", "sizes", "status"]

MOST = 100_000
"""Counts stop here; this number means so many or more."""


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """A synced model: its generation, and its rows without an id."""

    model: str
    generation: int
    without_id: int


@dataclass(frozen=True, slots=True)
class Sessions:
    """Sessions by state and transport, and the lag of the live session that is furthest behind.

    ``open`` has for each transport how many are ``live`` and how many ``idle``. ``unplaced`` are
    live ones whose position is not known yet: they are reading their snapshot, or sent nothing
    since they were opened.
    """

    open: dict[str, dict[str, int]]
    ended: int
    blocked_users: int
    blocked_clients: int
    unplaced: int
    worst_lag: Lag | None
    worst: str | None
    """The session with that lag."""


@dataclass(frozen=True, slots=True)
class Push:
    """The endpoints, and what is still to be sent.

    ``overdue`` is how many seconds the oldest wake-up has been due, and ``unseen`` how many
    positions of the feed the dispatcher has not looked through; ``None`` if it never ran.
    """

    endpoints: int
    due: int
    overdue: float
    failing: int
    parked: int
    unseen: int | None


@dataclass(frozen=True, slots=True)
class Status:
    """The feed's state. ``lag`` is the age in seconds of the oldest change without a position.

    ``changes`` is the length of the log by its positions, ``oldest`` when its first entry
    was written, ``held`` the lowest position that somebody is reading from.
    """

    epoch: str | None
    head: int
    floor: int
    changes: int
    oldest: str | None
    unsequenced: int
    """Changes without a position; ``waiting`` in JSON."""
    lag: float
    held: int | None
    models: tuple[ModelStatus, ...]
    clients: int
    visibilities: int
    """``views`` in JSON."""
    results: int
    tombstones: int
    sessions: Sessions
    push: Push

    def to_json(self) -> dict[str, Any]:
        """The members that ``sync_status --json`` prints."""
        names = {"unsequenced": "waiting", "visibilities": "views"}
        return {names.get(name, name): value for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class Size:
    """A table of sync: its bytes with its indexes, and its rows by the planner's estimate."""

    table: str
    bytes: int
    rows: int


def sizes() -> list[Size]:
    """The tables of sync, the largest first; only PostgreSQL knows it without reading all rows."""
    db = connection()
    if db.vendor != "postgresql":
        return []
    tables = [
        model._meta.db_table
        for model in apps.get_app_config("django_sync").get_models()
        if not model._meta.proxy
    ]
    with db.cursor() as cursor:
        cursor.execute(
            "SELECT relname, pg_total_relation_size(oid), GREATEST(reltuples, 0)::bigint"
            " FROM pg_class WHERE oid = ANY(%s::regclass[]) ORDER BY 2 DESC, 1",
            [tables],
        )
        return [Size(*row) for row in cursor.fetchall()]


def status() -> Status:
    """Read the state from the database."""
    state = Feed.objects.filter(id=1).first()
    log = Change.objects.all()
    span = log.aggregate(low=Min("position"), high=Max("position"))
    first = log.order_by("position").values_list("at", flat=True).first()
    head = 0 if state is None else state.head
    if connection().vendor == "sqlite":
        head = span["high"] or 0
    outbox = Outbox.objects.all()
    oldest_at = outbox.order_by("id").values_list("at", flat=True).first()
    lag = timezone.now() - oldest_at if oldest_at else datetime.timedelta()
    return Status(
        epoch=str(state.epoch) if state else None,
        head=head,
        floor=state.floor if state else 0,
        changes=span["high"] - span["low"] + 1 if span["high"] else 0,
        oldest=first.isoformat() if first else None,
        unsequenced=_count(outbox),
        lag=round(max(lag.total_seconds(), 0), 3),
        held=holds.lowest(state.floor if state else 0),
        models=tuple(_models()),
        clients=_count(Client.objects.all()),
        visibilities=_count(ScopeSet.objects.all()),
        results=_count(MutationResult.objects.all()),
        tombstones=_count(Tombstone.objects.all()),
        sessions=_sessions(),
        push=_push(head),
    )


def _push(head: int) -> Push:
    now, cursor = timezone.now(), PushCursor.objects.filter(id=1).first()
    every = Endpoint.objects.all()
    due = every.filter(parked_at__isnull=True, due_at__lte=now)
    oldest = due.order_by("due_at").values_list("due_at", flat=True).first()
    return Push(
        endpoints=_count(every),
        due=_count(due),
        overdue=round((now - oldest).total_seconds(), 3) if oldest else 0.0,
        failing=_count(every.filter(parked_at__isnull=True, failures__gt=0)),
        parked=_count(every.filter(parked_at__isnull=False)),
        unseen=None if cursor is None else max(head - cursor.position, 0),
    )


def _sessions() -> Sessions:
    rows = SyncSession.objects.all()
    open_ = {
        str(transport): {
            str(state): _count(of_state(rows.filter(transport=transport), state))
            for state in (State.LIVE, State.IDLE)
        }
        for transport in PREFERENCE
    }
    live = of_state(rows, State.LIVE).order_by("-seen_at")[:MOST]
    behind = rows.filter(pk__in=live.values("pk"), position__isnull=False)
    worst = behind.order_by("position", "id").first()
    blocks = Order.objects.filter(kind=Order.Kind.BLOCK)
    return Sessions(
        open=open_,
        ended=_count(rows.filter(ended_at__isnull=False)),
        blocked_users=_count(blocks.filter(client__isnull=True)),
        blocked_clients=_count(blocks.filter(client__isnull=False)),
        unplaced=_count(of_state(rows, State.LIVE).filter(position__isnull=True)),
        worst_lag=lags([worst]).get(worst.id) if worst is not None else None,
        worst=None if worst is None else str(worst.id),
    )


def _models() -> list[ModelStatus]:
    generations, found = feed_log.generations(), []
    for model in capture.installed_models(conf.DATABASE):
        label = model._meta.label_lower
        strangers = 0
        if capture.spec_for(model).own_id:
            rows = model._base_manager.using(conf.DATABASE)
            strangers = _count(rows.filter(sync_id__isnull=True))
        found.append(ModelStatus(label, generations.get(label, 1), strangers))
    return found


def _count(rows: QuerySet[Any]) -> int:
    return rows.order_by()[:MOST].count()
