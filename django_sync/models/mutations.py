"""The tables of mutations: their stored results, and the decisions of conflicts."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from ..fields import SCOPE_LENGTH, JsonText
from .database import BoundManager
from .feed import LABEL_LENGTH
from .sessions import Client

__all__ = ["Decision", "MutationResult", "OpenConflict"]


class MutationResult(models.Model):
    """What became of a mutation; answered again when it is sent again.

    ``client`` is null for a REST call without ``Idempotency-Key``. The record is not
    kept: a replay renders it anew, for what the user may see then. The revisions
    above ``revision_before`` up to ``revision`` are the mutation's own.
    """

    id = models.BigAutoField(primary_key=True)
    client = models.ForeignKey(Client, on_delete=models.CASCADE, null=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    mutation_id = models.UUIDField()
    seq = models.BigIntegerField(default=0)
    digest = models.CharField(max_length=64)
    status = models.CharField(max_length=10, default="")
    op = models.CharField(max_length=10, default="")
    model = models.CharField(max_length=LABEL_LENGTH, default="")
    object_id = models.UUIDField(null=True)
    revision_before = models.BigIntegerField(null=True)
    revision = models.BigIntegerField(null=True)
    trace = JsonText(default=dict)
    at = models.DateTimeField(auto_now_add=True)

    objects = BoundManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["client", "mutation_id"], name="django_sync_result_mutation"
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["object_id", "client"], name="django_sync_result_object")
        ]


class Decision(models.Model):
    """Two writes of one object, and the decision between them: by a resolver, by people, or open.

    ``fields`` holds for each overlapping field the value of the ``server``, that of the
    ``client``, its ``base`` where that is known, and, once decided, whose value was ``kept`` and
    ``by`` whom. So a value that was lost can be restored from here. ``"*"`` means the object
    itself, where one side deleted it. ``asked`` is all that the mutation asked for. ``revision``
    is the object's when it was decided; of an open decision, the server's that the client saw.
    """

    class By(models.TextChoices):
        """Who decided."""

        NOBODY = "", "open"
        RESOLVER = "resolver", "a resolver"
        CLIENT = "client", "the client's user"
        STAFF = "staff", "staff"

    id = models.BigAutoField(primary_key=True)
    by = models.CharField(max_length=10, choices=By, default=By.NOBODY, blank=True)
    kind = models.CharField(max_length=20)
    op = models.CharField(max_length=10)
    collection = models.CharField(max_length=LABEL_LENGTH)
    model = models.CharField(max_length=LABEL_LENGTH)
    object_id = models.UUIDField()
    scope = models.CharField(max_length=SCOPE_LENGTH, null=True)
    base_revision = models.BigIntegerField(null=True)
    revision = models.BigIntegerField(null=True)
    fields = JsonText(default=dict)
    asked = JsonText(default=dict)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    client = models.ForeignKey(Client, on_delete=models.SET_NULL, null=True)
    mutation_id = models.UUIDField()
    at = models.DateTimeField(auto_now_add=True)
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )

    objects = BoundManager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["object_id"], name="django_sync_decision_object"),
            models.Index(fields=["at"], name="django_sync_decision_at"),
            models.Index(
                fields=["client", "object_id"],
                condition=models.Q(settled_at__isnull=True),
                name="django_sync_decision_open",
            ),
            models.Index(
                fields=["id"],
                condition=models.Q(settled_at__isnull=True),
                name="django_sync_decision_wait",
            ),
        ]

    @property
    def is_open(self) -> bool:
        """Whether nobody has decided yet."""
        return self.settled_at is None


class OpenConflict(Decision):
    """A decision that nobody has made yet, with permissions of its own for the admin."""

    class Meta:
        proxy = True
        verbose_name = "open conflict"
