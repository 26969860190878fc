"""The tables of clients: installations, their sessions, and the directives for them."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from ..fields import JsonText
from ..protocol.sessions import NAME_LENGTH, PLATFORM_LENGTH, VERSION_LENGTH
from .database import BoundManager

__all__ = ["Client", "Order", "SyncSession"]


class Client(models.Model):
    """One installation; it belongs to the first user who used it."""

    id = models.UUIDField(primary_key=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sync_clients"
    )
    forgotten_seq = models.BigIntegerField(default=-1)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = BoundManager()


class SyncSession(models.Model):
    """What the server knows of a client and its user: what it can do, and how far it is.

    ``collections`` is null for all. ``seen_at`` is when the client was last seen, to within
    ``SEEN_SECONDS``. ``position`` is the place in the feed up to which it had everything then;
    null during its snapshot, whose ``progress`` is counted in records. ``problem`` is the code of
    its last refusal. ``ticket`` is the SHA-256 of one that has not been used; the ticket itself is
    not stored.
    """

    class Ending(models.TextChoices):
        """How a session ended."""

        OPEN = "", "open"
        REPLACED = "replaced", "replaced by a newer one"
        CLIENT = "client", "by its client"
        SERVER = "server", "by the server"
        EXPIRED = "expired", "not heard of for too long"

    id = models.UUIDField(primary_key=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sync_sessions"
    )
    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="sessions")
    name = models.CharField(max_length=NAME_LENGTH, default="")
    platform = models.CharField(max_length=PLATFORM_LENGTH, default="")
    version = models.CharField(max_length=VERSION_LENGTH, default="", db_default="")
    collections = JsonText(null=True)
    transports = JsonText(default=list)
    failed = JsonText(default=list)
    network = JsonText(default=dict)
    foreground = models.BooleanField(default=True)
    transport = models.CharField(max_length=20)
    opened_at = models.DateTimeField()
    seen_at = models.DateTimeField(db_index=True)
    ended_at = models.DateTimeField(null=True)
    ending = models.CharField(
        max_length=10, choices=Ending, default=Ending.OPEN, db_default="", blank=True
    )
    position = models.BigIntegerField(null=True)
    progress = JsonText(null=True)
    problem = models.CharField(max_length=50, default="", db_default="")
    problem_at = models.DateTimeField(null=True)
    ticket = models.CharField(max_length=64, null=True, unique=True)
    ticket_until = models.DateTimeField(null=True)

    objects = BoundManager()

    class Meta:
        verbose_name = "session"
        default_permissions = ("view",)
        permissions: ClassVar = [
            ("end_syncsession", "Can end sessions"),
            ("block_syncsession", "Can block and unblock users and clients"),
            ("refresh_syncsession", "Can order fresh snapshots"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["transport", "-seen_at"],
                condition=models.Q(ended_at__isnull=True),
                name="django_sync_session_open",
            ),
            models.Index(fields=["platform", "-seen_at"], name="django_sync_session_platform"),
        ]

    def __str__(self) -> str:
        return self.name or str(self.id)

    @property
    def goes_on(self) -> bool:
        """Whether it is open, or expired: then it opens again when its client comes back."""
        return self.ended_at is None or self.ending == self.Ending.EXPIRED


class Order(models.Model):
    """A directive of the server to a user or a client, which is in force until it is done.

    ``block``: of the user, or of one client of theirs; stays until it is taken back. ``end``: of a
    session; stays until its client opens another. ``snapshot``: of a client; stays until that pulls
    without a cursor.
    """

    class Kind(models.TextChoices):
        """What the directive is."""

        BLOCK = "block", "blocked"
        END = "end", "session ended"
        SNAPSHOT = "snapshot", "fresh snapshot"

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=10, choices=Kind)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sync_orders"
    )
    client = models.ForeignKey(Client, on_delete=models.CASCADE, null=True, related_name="orders")
    session = models.ForeignKey(
        SyncSession, on_delete=models.CASCADE, null=True, related_name="orders"
    )
    at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )

    objects = BoundManager()

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["kind", "user"],
                condition=models.Q(client__isnull=True),
                name="django_sync_order_user",
            ),
            models.UniqueConstraint(
                fields=["kind", "client"],
                condition=models.Q(session__isnull=True),
                name="django_sync_order_client",
            ),
            models.UniqueConstraint(fields=["session"], name="django_sync_order_session"),
        ]
