"""What users with endpoints see by now: asked again after a while, or when told to.

The dispatcher finds users by the scopes that were kept. Those change in tables that nobody
watches (a membership, a group), so they are looked at anew; who sees something else than before
is woken, for a pull would bring or take records.
"""

from __future__ import annotations

import datetime
import logging
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import F, Q
from django.utils import timezone

from .. import engine
from ..conf import conf
from ..drf.caller import Caller
from ..models import Endpoint, PushScope, PushUser
from . import endpoints
from .dispatcher import note

__all__ = ["look"]

log = logging.getLogger("django_sync.push")

AT_ONCE = 50
"""Users that one turn looks at, at most."""
AGAIN = datetime.timedelta(minutes=1)
"""After which one is looked at again whose look did not come to an end."""


def look() -> int:
    """Look at the users whose turn it is; how many of them see something else than before."""
    now = timezone.now()
    late = now - datetime.timedelta(seconds=conf.PUSH_LOOK_SECONDS)
    users = PushUser.objects.all()
    wait = Q(looked_at__isnull=True) | Q(looked_at__lt=late)
    first = F("looked_at").asc(nulls_first=True)
    turns = list(users.filter(wait).order_by(first).values_list("pk", "looked_at")[:AT_ONCE])
    changed = 0
    for pk, looked_at in turns:
        mine = users.filter(pk=pk, looked_at=looked_at)
        if looked_at is None:
            mine = users.filter(pk=pk, looked_at__isnull=True)
        if mine.update(looked_at=late + AGAIN):  # else another process looks
            changed += _look_at(pk)
    return changed


def _look_at(pk: Any) -> bool:
    """Look at one user; ``True`` where they were woken for it."""
    theirs = Endpoint.objects.filter(user_id=pk, parked_at__isnull=True)
    ids = list(theirs.order_by("id").values_list("id", flat=True))
    user = get_user_model()._default_manager.filter(pk=pk, is_active=True).first()
    if not ids or user is None:
        PushScope.objects.filter(user_id=pk).delete()
        PushUser.objects.filter(pk=pk).update(looked_at=timezone.now())
        return False
    try:
        seen = endpoints.held(engine.visibility_of(Caller.for_user(user)))
    except Exception:  # the project's own code; the others are not to wait for it
        log.exception("what a user sees could not be found out", extra={"user": str(pk)})
        return False
    if not endpoints.note(pk, seen):
        return False
    note(dict.fromkeys(ids, None), timezone.now())
    return True
