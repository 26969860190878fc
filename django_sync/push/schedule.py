"""When Celery's beat is to have push run; a file of its own, for settings import it."""

from __future__ import annotations

from typing import Any

__all__ = ["EXPIRES", "SCHEDULE"]

EXPIRES = 10
"""Seconds after which a message that nobody has taken is worth nothing."""

SCHEDULE: dict[str, Any] = {
    "task": "django_sync.push.tick",
    "schedule": 1.0,
    "options": {"expires": EXPIRES},
}
"""The entry of ``CELERY_BEAT_SCHEDULE``: each second. More than one beat does no harm."""
