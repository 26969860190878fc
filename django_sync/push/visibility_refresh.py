"""Refreshes what users with endpoints see: from time to time, or after ``invalidate(user)``.

The dispatcher finds users by their saved scopes. These change in tables that are not synced (a
membership, a group), so they are computed again. A user who sees something else than before is
woken, for a pull would bring or remove records.
"""

from __future__ import annotations

import datetime
import logging
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import F, Q
from django.utils import timezone

from ..conf import conf
from ..drf.caller import Caller
from ..feed.visibility import current_visibility
from ..models import Endpoint, PushScope, PushUser
from . import endpoints

__all__ = ["refresh"]

log = logging.getLogger("django_sync.push")

AT_ONCE = 50
"""Users that one call refreshes at most."""
AGAIN = datetime.timedelta(minutes=1)
"""After which a user whose refresh did not end is refreshed again."""


def refresh() -> int:
    """Refresh the users that are due; return how many of them see something else than before."""
    now = timezone.now()
    late = now - datetime.timedelta(seconds=conf.PUSH_LOOK_SECONDS)
    users = PushUser.objects.all()
    is_due = Q(looked_at__isnull=True) | Q(looked_at__lt=late)
    first = F("looked_at").asc(nulls_first=True)
    due = list(users.filter(is_due).order_by(first).values_list("pk", "looked_at")[:AT_ONCE])
    changed = 0
    for pk, looked_at in due:
        mine = users.filter(pk=pk, looked_at=looked_at)
        if looked_at is None:
            mine = users.filter(pk=pk, looked_at__isnull=True)
        if mine.update(looked_at=late + AGAIN):  # else another process does
            changed += _refresh_user(pk)
    return changed


def _refresh_user(pk: Any) -> bool:
    """Refresh one user; return whether their endpoints are woken for it."""
    theirs = Endpoint.objects.filter(user_id=pk, parked_at__isnull=True)
    ids = list(theirs.order_by("id").values_list("id", flat=True))
    user = get_user_model()._default_manager.filter(pk=pk, is_active=True).first()
    if not ids or user is None:
        PushScope.objects.filter(user_id=pk).delete()
        PushUser.objects.filter(pk=pk).update(looked_at=timezone.now())
        return False
    try:
        seen = endpoints.scopes_of(current_visibility(Caller.for_user(user), None))
    except Exception:  # the project's own code; it must not stop the others
        log.exception("the scopes of a user could not be read", extra={"user": str(pk)})
        return False
    if not endpoints.save_scopes(pk, seen):
        return False
    endpoints.mark_due(dict.fromkeys(ids, None), timezone.now())
    return True
