"""One round of push, for whoever runs it: Celery's beat, or ``sync_push``."""

from __future__ import annotations

from django.utils import timezone

from ..conf import conf
from .delivery import deliver
from .dispatcher import dispatch, waiting
from .visibility_refresh import look

__all__ = ["batches_due", "note_news", "send_all"]


def note_news() -> int:
    """Look at users and feed; how many endpoints there was news for."""
    return look() + dispatch()


def batches_due(most: int) -> int:
    """How many batches of workers' size are due now, counted up to ``most``."""
    rows = waiting(timezone.now()).order_by()[: most * conf.PUSH_BATCH].count()
    return -(-rows // conf.PUSH_BATCH)


def send_all() -> int:
    """Send until nothing is due; how many rows were seen to."""
    total = 0
    while found := deliver():
        total += found
    return total
