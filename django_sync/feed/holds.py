"""Holds: positions that the floor does not pass, because clients read from there.

A client that fetches page after page has no row of its own. Its position has one, shared by all
clients that read from there. A pull that leaves more to fetch writes it, at most every few
minutes for each cursor.
"""

from __future__ import annotations

import datetime

from django.utils import timezone

from ..conf import conf
from ..models import Hold
from ..models.database import connection
from .cursor import Cursor

MINUTES = 10
"""A cursor's position is held again after so long."""

_HOLD = f"""
INSERT INTO {Hold._meta.db_table} AS h (position, at) VALUES (%s, %s)
ON CONFLICT (position) DO UPDATE SET at = excluded.at WHERE h.at < %s
"""


def hold_cursor(cursor: Cursor) -> int:
    """Hold the position of a client that has more to fetch; return the minute of the hold.

    The minute goes into the client's next cursor. ``cursor`` is the one that came with the request:
    the answer may be lost, and then the client asks again from there.
    """
    now = int(timezone.now().timestamp()) // 60
    if now - cursor.held < MINUTES:
        return cursor.held
    hold(cursor.position)
    return now


def hold(position: int) -> None:
    """Note that a client reads from ``position``; clients at the same time share one write."""
    db, now = connection(), timezone.now()
    stale = now - datetime.timedelta(minutes=MINUTES / 2)
    with db.cursor() as cursor:
        adapt = db.ops.adapt_datetimefield_value
        cursor.execute(_HOLD, [position, adapt(now), adapt(stale)])


def lowest(above: int = 0) -> int | None:
    """The lowest position that is held from ``above`` on, if there is one."""
    since = timezone.now() - datetime.timedelta(hours=conf.HOLD_HOURS)
    held = Hold.objects.filter(at__gte=since, position__gte=above)
    return held.order_by("position").values_list("position", flat=True).first()
