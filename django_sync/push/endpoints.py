"""Endpoints of push: who asked to be woken, where, and in which scopes.

Kept when a session is opened or changed. Which scopes a user sees is kept beside, scope by scope,
so that the dispatcher finds whom a change concerns by an index. This file sends nothing; what a
sender is stands in ``push/sender.py``.
"""

from __future__ import annotations

import functools
import json
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone
from django.utils.module_loading import import_string

from .. import errors
from ..conf import conf
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

Held = Mapping[str, str]
"""Scope to the names of the collections in which a user sees it, comma-separated."""


def sender_of(kind: str) -> Sender | None:
    """Who sends wake-ups of this kind; ``None`` where the settings name nobody."""
    path = conf.PUSH_SENDERS.get(kind)
    return None if path is None else _made(kind, path)


@functools.cache
def _made(kind: str, path: str) -> Sender:
    """One a process: it may keep connections open."""
    try:
        made: Sender = import_string(path)(kind)
    except ImportError as error:
        raise ImproperlyConfigured(f"DJANGO_SYNC[“PUSH_SENDERS”][“{kind}”]: {error}") from error
    return made


def check(push: Push) -> str:
    """See that somebody sends this kind and can make something of the target; its host.

    Raises ``Invalid``.
    """
    sender = sender_of(push.kind)
    if sender is None:
        kinds = ", ".join(sorted(conf.PUSH_SENDERS)) or "none"
        raise errors.Invalid(
            f"This server sends no wake-ups of the kind “{errors.printable(push.kind)}”; "
            f"of these: {kinds}."
        )
    if len(json.dumps(push.target)) > TARGET_LENGTH:
        raise errors.Invalid(f"“push” has more than {TARGET_LENGTH} characters.")
    return sender.check(push.target)


def keep(session: SyncSession, push: Push, visibility: Visibility) -> None:
    """Keep how a session is woken, in place of what was there; ``view`` is what its user sees.

    Raises ``Invalid``, before anything is written.
    """
    host, now = check(push), timezone.now()
    with atomic():
        begin()
        PushUser.objects.get_or_create(user_id=session.user_id)
        note(session.user_id, held(visibility))
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
    """Wake this session no more."""
    Endpoint.objects.filter(session_id=session_id).delete()


def forget_ended(client_id: uuid.UUID) -> None:
    """Wake no more those sessions of a client that have ended."""
    ended = Endpoint.objects.filter(session__client_id=client_id)
    ended.filter(session__ended_at__isnull=False).delete()


def begin() -> None:
    """Have the dispatcher's cursor stand somewhere, if it does not yet: at the head of now."""
    if PushCursor.objects.filter(id=1).exists():
        return
    sequencer.advance()
    state, _ = feed_log.state()
    row = PushCursor(id=1, epoch=state.epoch, position=state.head, mark=state.mark)
    PushCursor.objects.bulk_create([row], ignore_conflicts=True)


# What a user sees


def held(visibility: Visibility) -> Held:
    """A view by its scopes."""
    found: dict[str, list[str]] = {}
    for name, scope in sorted(visibility.pairs()):
        found.setdefault(scope, []).append(name)
    return {scope: ",".join(names) for scope, names in found.items()}


def note(user_id: Any, seen: Held) -> bool:
    """Keep what a user sees by now; whether it is something else than before.

    Two processes that do this for one user wait for each other at the user's row.
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


CHUNK = 1000
"""Values in one statement."""


def look_again(key: Any) -> None:
    """Have it asked at the next turn what a user sees; a bell of ``announce``."""
    if key is not None and conf.PUSH_SENDERS:
        PushUser.objects.filter(pk=key).update(looked_at=None)
