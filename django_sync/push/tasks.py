"""Celery's face of push. Messages only say *hurry*: what is to be done stands in the database.

So a message that is lost, doubled or late does no harm, and old ones are dropped. ``schedule`` has
the entry for Celery's beat.
"""

from __future__ import annotations

import time

from celery import shared_task

from .delivery import deliver as deliver_batch
from .rounds import batches_due, note_news
from .schedule import EXPIRES

__all__ = ["deliver", "tick"]

AT_ONCE = 8
"""Deliveries that one tick asks for, at most; each goes on while something is due."""
SECONDS = 20
"""For how long one delivery goes on, so that workers can be told to stop."""


@shared_task(name="django_sync.push.tick", ignore_result=True)  # type: ignore[untyped-decorator]  # Celery has no types
def tick() -> None:
    """Note what is new, and have what is due sent."""
    note_news()
    for _ in range(batches_due(AT_ONCE)):
        deliver.apply_async(expires=EXPIRES)


@shared_task(name="django_sync.push.deliver", ignore_result=True)  # type: ignore[untyped-decorator]  # Celery has no types
def deliver() -> None:
    """Send what is due, batch by batch."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until and deliver_batch():
        pass
