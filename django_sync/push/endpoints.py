"""Endpoints of push: which sessions asked for wake-ups, where to, and in which scopes.

An endpoint is saved when a session is opened or changed. The scopes that its user sees are saved
too, one row for each, so the dispatcher finds by an index which users a change concerns. This file
sends nothing; ``sender`` has the interface of senders.
"""

from __future__ import annotations

import datetime
import functools
import json
import uuid
from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ImproperlyConfigured
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.module_loading import import_string

from .. import errors
from ..conf import conf
from ..drf.registry import registry
from ..feed import log as feed_log
from ..feed import sequencer
from ..feed.visibility import Visibility
from ..models import Endpoint, PushCursor, PushScope, PushUser, SyncSession
from ..models.database import atomic
from ..protocol import Push

if TYPE_CHECKING:
    from .sender import Sender

TARGET_LENGTH = 8000
"""Characters of a target as JSON, at most."""

CHUNK = 1000
"""Rows or values in one statement."""

ScopeNames = Mapping[str, str]
"""Scope to the names of the collections in which a user sees it, comma-separated."""


def sender_of(kind: str) -> Sender | None:
    """The sender for a kind of wake-up; ``None`` where the settings name none."""
    path = conf.PUSH_SENDERS.get(kind)
    return None if path is None else _made(kind, path)


@functools.cache
def _made(kind: str, path: str) -> Sender:
    """One sender for each process: it may keep connections open."""
    try:
        made: Sender = import_string(path)(kind)
    except ImportError as error:
        raise ImproperlyConfigured(f"DJANGO_SYNC[“PUSH_SENDERS”][“{kind}”]: {error}") from error
    return made


def check(push: Push) -> str:
    """Check the kind and the target of an endpoint; return the target's host.

    Raises ``Invalid``.
    """
    sender = sender_of(push.kind)
    if sender is None:
        kinds = ", ".join(sorted(conf.PUSH_SENDERS)) or "none"
        raise errors.Invalid(
            f"This server sends no wake-ups of the kind “{errors.printable(push.kind)}”. "
            f"It sends: {kinds}."
        )
    if len(json.dumps(push.target)) > TARGET_LENGTH:
        raise errors.Invalid(f"“push” has more than {TARGET_LENGTH} characters.")
    return sender.check(push.target)


def keep(session: SyncSession, push: Push, visibility: Visibility) -> None:
    """Save how a session is woken, instead of what was there.

    ``visibility`` is what its user sees.

    Raises ``Invalid``, before anything is written.
    """
    host, now = check(push), timezone.now()
    with atomic():
        start_cursor()
        PushUser.objects.get_or_create(user_id=session.user_id)
        save_scopes(session.user_id, scopes_of(visibility))
        Endpoint.objects.update_or_create(
            session=session,
            defaults={
                "user_id": session.user_id,
                "kind": push.kind,
                "target": push.target,
                "host": host,
                "failures": 0,
                "problem": "",
                "parked_at": None,
            },
            create_defaults={
                "user_id": session.user_id,
                "kind": push.kind,
                "target": push.target,
                "host": host,
                "created_at": now,
            },
        )
        theirs = Endpoint.objects.filter(user_id=session.user_id)
        newest = theirs.order_by("-id").values_list("id", flat=True)
        last = newest[conf.PUSH_ENDPOINTS_PER_USER - 1 : conf.PUSH_ENDPOINTS_PER_USER]
        for kept in last:
            theirs.filter(id__lt=kept).delete()


def forget(session_id: uuid.UUID) -> None:
    """Stop waking this session."""
    Endpoint.objects.filter(session_id=session_id).delete()


def forget_ended(client_id: uuid.UUID) -> None:
    """Stop waking the sessions of a client that have ended."""
    ended = Endpoint.objects.filter(session__client_id=client_id)
    ended.filter(session__ended_at__isnull=False).delete()


def start_cursor() -> None:
    """Create the dispatcher's cursor if there is none: at the feed's current head."""
    if PushCursor.objects.filter(id=1).exists():
        return
    sequencer.advance()
    state, _ = feed_log.state()
    row = PushCursor(id=1, epoch=state.epoch, position=state.head, mark=state.mark)
    PushCursor.objects.bulk_create([row], ignore_conflicts=True)


# What a user sees


def scopes_of(visibility: Visibility) -> ScopeNames:
    """What a user sees, by scope."""
    found: dict[str, list[str]] = {}
    for name, scope in sorted(visibility.pairs()):
        found.setdefault(scope, []).append(name)
    return {scope: ",".join(names) for scope, names in found.items()}


def save_scopes(user_id: Any, seen: ScopeNames) -> bool:
    """Save what a user sees now; return whether it is something else than before.

    Two processes that do this for the same user wait for each other at the user's row.
    """
    scopes = PushScope.objects.filter(user_id=user_id)
    with atomic():
        users = PushUser.objects.filter(pk=user_id)
        users.update(looked_at=timezone.now())
        before = dict(scopes.values_list("scope", "collections"))
        stale = [scope for scope, names in before.items() if seen.get(scope) != names]
        fresh = [
            PushScope(user_id=user_id, scope=scope, collections=names)
            for scope, names in seen.items()
            if before.get(scope) != names
        ]
        for at in range(0, len(stale), CHUNK):
            scopes.filter(scope__in=stale[at : at + CHUNK]).delete()
        PushScope.objects.bulk_create(fresh, batch_size=CHUNK)
    return bool(stale or fresh)


def refresh_soon(key: Any) -> None:
    """Have ``visibility_refresh`` look at a user next; for ``notify.listen``."""
    if key is not None and conf.PUSH_SENDERS:
        PushUser.objects.filter(pk=key).update(looked_at=None)


# What is due


def mark_due(
    wanted: Mapping[int, frozenset[str] | None], now: datetime.datetime, *, later: float = 0
) -> int:
    """Note with endpoints, by id, that collections changed (``None``: all that they follow).

    An endpoint that is due, not claimed and knows of all the collections already is not written
    to: its wake-up is sent at the end of the window, after this change. Returns the number of
    endpoints. Rows are locked by rising id.
    """
    window = datetime.timedelta(seconds=conf.PUSH_WINDOW)
    with atomic():
        rows = Endpoint.objects.filter(id__in=list(wanted))
        columns = ("id", "pending", "due_at", "asked_at", "claim")
        groups: dict[str, list[int]] = defaultdict(list)
        for id, pending, due_at, asked_at, claim in (
            rows.order_by("id").select_for_update().values_list(*columns)
        ):
            names = wanted[id]
            before = frozenset(filter(None, pending.split(",")))
            after = before | (frozenset(registry.names()) if names is None else names)
            waits = (
                due_at is not None and asked_at is not None and now < due_at <= asked_at + window
            )
            if not (waits and claim is None and after == before):
                groups[",".join(sorted(after))].append(id)
        for joined, ids in groups.items():
            rows.filter(id__in=ids).update(
                pending=joined,
                asked=F("asked") + 1,
                asked_at=now,
                due_at=Coalesce("due_at", Value(now + window + datetime.timedelta(seconds=later))),
            )
    return len(wanted)


def due(now: datetime.datetime) -> QuerySet[Endpoint]:
    """The endpoints that may be claimed."""
    rows = Endpoint.objects.filter(parked_at__isnull=True, due_at__lte=now)
    return rows.filter(Q(claimed_until__isnull=True) | Q(claimed_until__lt=now))
