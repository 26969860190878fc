"""The Celery tasks of push. A message carries no data: what to do is in the database.

So a message that is lost, repeated or late does no harm, and old ones are dropped. ``schedule`` has
the entry for Celery's beat. Without Celery, the command ``sync_push`` does the same.
"""

from __future__ import annotations

import time

from celery import shared_task

from .delivery import batches_due
from .delivery import deliver as deliver_batch
from .dispatcher import note_news
from .schedule import EXPIRES

__all__ = ["deliver", "tick"]

AT_ONCE = 8
"""Deliveries that one tick starts at most; each continues while something is due."""
SECONDS = 20
"""The longest time of one delivery, so that workers can be stopped."""


@shared_task(name="django_sync.push.tick", ignore_result=True)  # type: ignore[untyped-decorator]  # Celery has no types
def tick() -> None:
    """Note what is new, and start the deliveries of what is due."""
    note_news()
    for _ in range(batches_due(AT_ONCE)):
        deliver.apply_async(expires=EXPIRES)


@shared_task(name="django_sync.push.deliver", ignore_result=True)  # type: ignore[untyped-decorator]  # Celery has no types
def deliver() -> None:
    """Send what is due, batch by batch."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until and deliver_batch():
        pass
