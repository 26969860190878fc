"""What is noted of a session as its requests come by: that it is there, its place, its refusals.

A note is a courtesy to whoever looks after the server. So it is rare (once in ``SEEN_SECONDS`` for
each thing that can be said), one ``UPDATE … WHERE`` that need not find anything, and where it
fails the log says so and the request goes on.
"""

from __future__ import annotations

import datetime
import logging
import threading
import uuid
from collections import OrderedDict
from typing import Any

from django.db import DatabaseError, models
from django.db.models import Q
from django.utils import timezone

from ..conf import conf
from ..drf.caller import Caller
from ..models import SyncSession
from ..models.database import atomic
from ..protocol import Json

__all__ = ["forget", "is_due", "note", "refused"]

log = logging.getLogger("django_sync.sessions")

MOST = 10_000
"""Notes that a process remembers to have made; of another session it may make one too many."""
GOES_ON = Q(ended_at__isnull=True) | Q(ending=SyncSession.Ending.EXPIRED)
"""Sessions that are open, or would be if their clients were heard of."""


class Seldom:
    """Says of each thing at most once in so many seconds that it is due."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._noted: OrderedDict[Any, float] = OrderedDict()

    def is_due(self, key: Any, seconds: float, *, take: bool) -> bool:
        """Whether it is due; ``take``: it will not be again for so long."""
        now = timezone.now().timestamp()
        with self._lock:
            before = self._noted.get(key)
            if before is not None and abs(now - before) < seconds:
                return False
            if take:
                self._noted[key] = now
                self._noted.move_to_end(key)
                while len(self._noted) > MOST:
                    self._noted.popitem(last=False)
            return True

    def forget(self) -> None:
        with self._lock:
            self._noted.clear()


_seldom = Seldom()


def forget() -> None:
    """Note anew whatever comes; for tests, whose rows go while the process stays."""
    _seldom.forget()


def is_due(caller: Caller, phase: str) -> bool:
    """Whether ``note`` would write; ``phase`` is its own."""
    who = caller.session_id or caller.client_id
    return who is not None and _seldom.is_due((who, phase), conf.SEEN_SECONDS, take=False)


def note(
    caller: Caller, phase: str, *, position: int | None = None, progress: Json | None = None
) -> None:
    """The caller's session is there.

    ``position`` is a place up to which it has everything, ``progress`` that of its snapshot; with
    neither nothing is said of that. ``phase`` names what of these is said, each is noted by itself.
    """
    who = caller.session_id or caller.client_id
    if who is None or not _seldom.is_due((who, phase), conf.SEEN_SECONDS, take=True):
        return
    now = timezone.now()
    stale = Q(seen_at__lt=now - datetime.timedelta(seconds=conf.SEEN_SECONDS))
    told: dict[str, Any] = {"seen_at": now, "ended_at": None, "ending": SyncSession.Ending.OPEN}
    if position is not None:
        told |= {"position": position, "progress": None}
        stale |= Q(position__isnull=True) | Q(position__lt=position)
    elif progress is not None:
        told |= {"position": None, "progress": progress}
        stale |= Q(position__isnull=False) | Q(progress__isnull=True)
    _write(_theirs(caller).filter(stale), told)


def refused(caller: Caller, code: str) -> None:
    """The caller was refused something."""
    who: uuid.UUID | None = caller.session_id or caller.client_id
    if who is not None and _seldom.is_due((who, "refused", code), conf.SEEN_SECONDS, take=True):
        _write(_theirs(caller), {"problem": code, "problem_at": timezone.now()})


def _theirs(caller: Caller) -> models.QuerySet[SyncSession]:
    """The session that the caller speaks for; one that had expired goes on.

    Where another has taken its place, that of the same client is meant.
    """
    one = Q(client=caller.client_id, ended_at__isnull=True)
    if caller.session_id is not None:
        named = GOES_ON & Q(id=caller.session_id)
        one = named if caller.client_id is None else one | named
    return SyncSession.objects.filter(one, user_id=caller.user.pk)


def _write(sessions: models.QuerySet[SyncSession], told: dict[str, Any]) -> None:
    try:
        with atomic():
            sessions.update(**told)
    except DatabaseError as problem:
        log.warning("a session could not be noted: %s", problem)
