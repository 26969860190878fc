"""Holds: positions that the floor does not pass, because somebody is reading from there.

A client that fetches page after page has no row of its own; its place has one, which
it shares with all who read from there. The pull that still has more to give writes it,
at most every few minutes for each cursor.
"""

from __future__ import annotations

import datetime

from django.utils import timezone

from ..conf import conf
from ..models import Hold
from ..models.database import connection

MINUTES = 10
"""A cursor's place is written down again after so long."""

_HOLD = f"""
INSERT INTO {Hold._meta.db_table} AS h (position, at) VALUES (%s, %s)
ON CONFLICT (position) DO UPDATE SET at = excluded.at WHERE h.at < %s
"""


def hold(position: int) -> None:
    """Write down that somebody reads from ``position``; one write serves who comes together."""
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
