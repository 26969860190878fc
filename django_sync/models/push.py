"""The tables of push: who is to be woken, what for, and how far the feed was looked through.

Rows of ``Endpoint`` are the truth of what is still to be sent; messages of a broker only say
*hurry*. ``push/delivery.py`` describes what may happen to a row.
"""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from ..fields import SCOPE_LENGTH, JsonText
from ..protocol.sessions import KIND_LENGTH
from .database import BoundManager

__all__ = ["Endpoint", "PushCursor", "PushScope", "PushUser"]

HOST_LENGTH = 255
PROBLEM_LENGTH = 500


class PushCursor(models.Model):
    """How far the dispatcher has looked through the feed, in one row (``id`` is 1)."""

    id = models.PositiveSmallIntegerField(primary_key=True)
    epoch = models.UUIDField()
    position = models.BigIntegerField()
    mark = models.BigIntegerField()

    objects = BoundManager()


class PushUser(models.Model):
    """A user who has endpoints. ``looked_at``: when it was last asked what they see; null: now."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    looked_at = models.DateTimeField(null=True, db_index=True)

    objects = BoundManager()


class PushScope(models.Model):
    """A scope that such a user sees, and in which ``collections`` (names, comma-separated)."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(PushUser, on_delete=models.CASCADE, related_name="scopes")
    scope = models.CharField(max_length=SCOPE_LENGTH)
    collections = models.TextField()

    objects = BoundManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["scope", "user"], name="django_sync_push_scope")
        ]


class Endpoint(models.Model):
    """Where a session's wake-ups go, and the one that is due, if any.

    ``target`` is what the client gave, keys and secrets with it; ``host`` the part of it that may
    be shown. ``due_at`` is null where nothing is to be sent. ``pending`` names the collections
    that changed. ``asked`` counts how often news was noted, the last time at ``asked_at``; with
    ``taken``, the count that a claim saw, it shows whether more came while a wake-up was under
    way. ``claim`` is the worker's that has the row until ``claimed_until``. ``failures`` counts
    those since the last success.
    """

    id = models.BigAutoField(primary_key=True)
    session = models.OneToOneField(
        "django_sync.SyncSession", on_delete=models.CASCADE, related_name="endpoint"
    )
    user = models.ForeignKey(PushUser, on_delete=models.CASCADE, related_name="endpoints")
    kind = models.CharField(max_length=KIND_LENGTH)
    target = JsonText()
    host = models.CharField(max_length=HOST_LENGTH, default="")
    created_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    pending = models.TextField(default="")
    asked = models.BigIntegerField(default=0)
    asked_at = models.DateTimeField(null=True)
    claim = models.UUIDField(null=True)
    claimed_until = models.DateTimeField(null=True)
    taken = models.BigIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    parked_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=PROBLEM_LENGTH, default="")

    objects = BoundManager()

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["due_at"],
                condition=models.Q(due_at__isnull=False, parked_at__isnull=True),
                name="django_sync_push_due",
            ),
            models.Index(
                fields=["parked_at"],
                condition=models.Q(parked_at__isnull=False),
                name="django_sync_push_parked",
            ),
            models.Index(fields=["claim"], name="django_sync_push_claim"),
        ]
