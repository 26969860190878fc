"""Notes about a session from its requests: that it is there, its position, its refusals.

Notes inform the operators of the server, and no request depends on them. So each kind of note is
written at most once in ``SEEN_SECONDS``, by one ``UPDATE … WHERE`` that may find no row. If it
fails, the log says so and the request continues.
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
"""Notes that a process remembers; beyond that it may write a note too often."""
GOES_ON = Q(ended_at__isnull=True) | Q(ending=SyncSession.Ending.EXPIRED)
"""Sessions that are open, or that a request of their client opens again."""


class NoteTimes:
    """When each kind of note was written last, to write it only once in so many seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._noted: OrderedDict[Any, float] = OrderedDict()

    def is_due(self, key: Any, seconds: float, *, take: bool) -> bool:
        """Whether a note is due; ``take``: it is written now."""
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


_times = NoteTimes()


def forget() -> None:
    """Write each note again; for tests, which delete the rows while the process runs."""
    _times.forget()


def is_due(caller: Caller, phase: str) -> bool:
    """Whether ``note`` would write, with the same ``phase``."""
    who = caller.session_id or caller.client_id
    return who is not None and _times.is_due((who, phase), conf.SEEN_SECONDS, take=False)


def note(
    caller: Caller, phase: str, *, position: int | None = None, progress: Json | None = None
) -> None:
    """Note that the caller's session is there.

    ``position``: the session has everything up to there. ``progress``: how far its snapshot is.
    ``phase`` names what is noted; each phase is timed by itself.
    """
    who = caller.session_id or caller.client_id
    if who is None or not _times.is_due((who, phase), conf.SEEN_SECONDS, take=True):
        return
    now = timezone.now()
    stale = Q(seen_at__lt=now - datetime.timedelta(seconds=conf.SEEN_SECONDS))
    columns: dict[str, Any] = {"seen_at": now, "ended_at": None, "ending": SyncSession.Ending.OPEN}
    if position is not None:
        columns |= {"position": position, "progress": None}
        stale |= Q(position__isnull=True) | Q(position__lt=position)
    elif progress is not None:
        columns |= {"position": None, "progress": progress}
        stale |= Q(position__isnull=False) | Q(progress__isnull=True)
    _write(_theirs(caller).filter(stale), columns)


def refused(caller: Caller, code: str) -> None:
    """Note that a request of the caller was refused, with the problem's code."""
    who: uuid.UUID | None = caller.session_id or caller.client_id
    if who is not None and _times.is_due((who, "refused", code), conf.SEEN_SECONDS, take=True):
        _write(_theirs(caller), {"problem": code, "problem_at": timezone.now()})


def _theirs(caller: Caller) -> models.QuerySet[SyncSession]:
    """The session of the caller; one that had expired is open again.

    If another session has replaced it, that one: the open session of the same client.
    """
    one = Q(client=caller.client_id, ended_at__isnull=True)
    if caller.session_id is not None:
        named = GOES_ON & Q(id=caller.session_id)
        one = named if caller.client_id is None else one | named
    return SyncSession.objects.filter(one, user_id=caller.user.pk)


def _write(sessions: models.QuerySet[SyncSession], columns: dict[str, Any]) -> None:
    try:
        with atomic():
            sessions.update(**columns)
    except DatabaseError as problem:
        log.warning("a session could not be noted: %s", problem)
