"""The state of sessions: live, idle, ended or blocked; and their JSON.

A session that is silent for longer than its transport allows is idle. Nothing is written for that:
the state is computed from the row.
"""

from __future__ import annotations

import datetime
import enum
from collections.abc import Mapping
from typing import Any

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from .. import errors
from ..conf import SETTINGS, conf
from ..models import Order, SyncSession
from ..protocol import Json
from .lag import Lag
from .transport_choice import PREFERENCE

__all__ = [
    "State",
    "allowed_silence",
    "expired",
    "is_idle",
    "of_state",
    "session_json",
    "state_of",
    "with_blocks",
]


class State(enum.StrEnum):
    """The state of a session."""

    LIVE = "live"
    """Seen within the time that its transport allows."""
    IDLE = "idle"
    """Silent for longer than that."""
    ENDED = "ended"
    """It has ended, or another session has replaced it."""
    BLOCKED = "blocked"
    """Its user or its client is blocked."""


def seconds_of(setting: str) -> Mapping[str, int]:
    """A setting by transport; the default where the project names no number."""
    named: Mapping[str, int] = getattr(conf, setting)
    return {str(t): named.get(t, SETTINGS[setting].default[t]) for t in PREFERENCE}


def allowed_silence(session: SyncSession) -> datetime.timedelta | None:
    """How long its transport may be silent; ``None`` for a transport that is never live."""
    seconds = seconds_of("IDLE_SECONDS").get(session.transport)
    return None if seconds is None else datetime.timedelta(seconds=seconds)


def is_idle(session: SyncSession, now: datetime.datetime) -> bool:
    """Whether it has been silent for longer than its transport allows."""
    silence = allowed_silence(session)
    return silence is None or now - session.seen_at > silence


def silent(unit: datetime.timedelta, setting: str, now: datetime.datetime) -> Q:
    """Rows of sessions that have been silent for longer than a setting allows."""
    condition = Q()
    for transport, number in seconds_of(setting).items():
        condition |= Q(transport=transport, seen_at__lt=now - number * unit)
    return condition


def expired(now: datetime.datetime) -> Q:
    """Rows of sessions that have been silent for so long that they expire."""
    return Q(ended_at__isnull=True) & silent(datetime.timedelta(hours=1), "EXPIRE_HOURS", now)


def with_blocks(sessions: models.QuerySet[SyncSession]) -> models.QuerySet[SyncSession]:
    """The same sessions, each with ``is_blocked``."""
    return sessions.annotate(is_blocked=Exists(_blocks()))


def _blocks() -> models.QuerySet[Order]:
    whole = Q(client__isnull=True) | Q(client=OuterRef("client"))
    return Order.objects.filter(whole, kind=Order.Kind.BLOCK, user=OuterRef("user"))


def of_state(sessions: models.QuerySet[SyncSession], state: State) -> models.QuerySet[SyncSession]:
    """The sessions in a state. A session that has ended and is blocked counts as blocked."""
    now, second = timezone.now(), datetime.timedelta(seconds=1)
    if state is State.BLOCKED:
        users = Order.objects.filter(kind=Order.Kind.BLOCK, client__isnull=True).values("user")
        clients = Order.objects.filter(kind=Order.Kind.BLOCK, client__isnull=False)
        return sessions.filter(Q(user__in=users) | Q(client__in=clients.values("client")))
    rest = sessions.filter(~Exists(_blocks()))
    if state is State.ENDED:
        return rest.filter(ended_at__isnull=False)
    are_silent = silent(second, "IDLE_SECONDS", now)
    least, most = (f(seconds_of("IDLE_SECONDS").values()) * second for f in (min, max))
    if state is State.IDLE:  # the bound is for the index
        return rest.filter(are_silent, ended_at__isnull=True, seen_at__lt=now - least)
    return rest.filter(~are_silent, ended_at__isnull=True, seen_at__gte=now - most)


def state_of(session: Any, now: datetime.datetime) -> State:
    """The state of a session that was read ``with_blocks``."""
    if session.is_blocked:
        return State.BLOCKED
    if session.ended_at is not None:
        return State.ENDED
    return State.IDLE if is_idle(session, now) else State.LIVE


def session_json(session: SyncSession, lag: Lag | None, now: datetime.datetime) -> Json:
    """An open session, as the JSON that its own user gets."""
    found: Json = {
        "id": str(session.id),
        "client_id": str(session.client_id),
        "transport": session.transport,
        "state": str(State.IDLE if is_idle(session, now) else State.LIVE),
        "opened_at": iso_time(session.opened_at),
        "seen_at": iso_time(session.seen_at),
        "lag": None if lag is None else lag.to_json(),
        "snapshot": session.progress,
        "problem": None,
    }
    if session.problem and session.problem_at is not None:
        found["problem"] = {
            "code": session.problem,
            "title": title_of(session.problem),
            "at": iso_time(session.problem_at),
        }
    return found | {name: getattr(session, name) for name in REPORTED}


REPORTED = (
    *("name", "platform", "version", "collections", "transports", "failed", "network"),
    "foreground",
)
"""Members that the client itself has reported."""


def title_of(code: str) -> str:
    """The title of an error code."""
    known = errors.BY_CODE.get(code)
    return code if known is None else known.title()


def iso_time(at: datetime.datetime) -> str:
    return at.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")
