"""The schedule for Celery's beat. It is a file of its own, since settings import it."""

from __future__ import annotations

from typing import Any

__all__ = ["EXPIRES", "SCHEDULE"]

EXPIRES = 10
"""Seconds after which a message that no worker has taken is dropped."""

SCHEDULE: dict[str, Any] = {
    "task": "django_sync.push.tick",
    "schedule": 1.0,
    "options": {"expires": EXPIRES},
}
"""The entry for ``CELERY_BEAT_SCHEDULE``: each second. More than one beat does no harm."""
