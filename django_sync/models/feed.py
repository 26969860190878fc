"""The tables of the feed: its state, its entries, and what readers of it need.

Triggers write ``Outbox`` and ``Tombstone`` (on SQLite ``Change`` in place of ``Outbox``).
Their columns are a contract with ``capture``.
"""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models

from ..fields import SCOPE_LENGTH
from .database import BoundManager

__all__ = [
    "LABEL_LENGTH",
    "Change",
    "Feed",
    "Generation",
    "Hold",
    "Outbox",
    "ScopeSet",
    "Tombstone",
]

LABEL_LENGTH = 200


class Feed(models.Model):
    """The feed's state, in one row that the sequencer locks first (``id`` is 1)."""

    id = models.PositiveSmallIntegerField(primary_key=True)
    epoch = models.UUIDField(default=uuid.uuid4)
    head = models.BigIntegerField(default=0)
    floor = models.BigIntegerField(default=0)

    objects = BoundManager()

    class Meta:
        verbose_name = "feed"
        verbose_name_plural = "feed"


class Generation(models.Model):
    """How often a model's feed had a gap; another number sends its collections anew."""

    model = models.CharField(max_length=LABEL_LENGTH, primary_key=True)
    value = models.BigIntegerField(default=1)

    objects = BoundManager()


class Entry(models.Model):
    """What a trigger writes down of one change.

    ``op`` is ``c`` (created), ``u`` (updated), ``d`` (deleted) or ``m`` (moved away:
    the entry of the scope that was left; the one of the new scope is ``u``).
    ``columns`` names what changed, comma-separated, m2m fields by their name;
    it is empty but for ``u``.
    """

    model = models.CharField(max_length=LABEL_LENGTH)
    object_id = models.UUIDField()
    revision = models.BigIntegerField()
    op = models.CharField(max_length=1)
    columns = models.TextField()
    scope = models.CharField(max_length=SCOPE_LENGTH, null=True)
    at = models.DateTimeField()

    class Meta:
        abstract = True


class Outbox(Entry):
    """Changes that have no position yet; the sequencer moves what is committed to the log.

    ``kind`` is ``c`` for a change and ``t`` for a touch that the sequencer has to
    carry out, for databases whose triggers cannot.
    """

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=1, db_default="c", default="c")

    objects = BoundManager()

    class Meta:
        verbose_name_plural = "outbox"


class Change(Entry):
    """The log, which is the feed: changes in the order in which they became visible.

    ``mark`` is random. It distinguishes this entry from another that a restored history puts in
    the same place.
    """

    position = models.BigAutoField(primary_key=True)
    mark = models.BigIntegerField()

    objects = BoundManager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["scope", "position"], name="django_sync_change_scope"),
            models.Index(fields=["object_id", "revision"], name="django_sync_change_object"),
        ]


class Tombstone(models.Model):
    """The last revision and scope of each deleted object, so that no revision is used twice."""

    pk = models.CompositePrimaryKey("object_id", "model")
    model = models.CharField(max_length=LABEL_LENGTH)
    object_id = models.UUIDField()
    revision = models.BigIntegerField()
    scope = models.CharField(max_length=SCOPE_LENGTH, null=True)

    objects = BoundManager()


class ScopeSet(models.Model):
    """A set of scopes that cursors name by its hash, so that they stay short."""

    digest = models.CharField(max_length=64, primary_key=True)
    body = models.TextField()
    used_on = models.DateField()

    objects = BoundManager()


class Hold(models.Model):
    """A position from which clients read just now; the floor does not pass it.

    Clients that read from one position share the row. ``at`` is when one was last seen.
    """

    position = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()

    objects = BoundManager()
