"""Models that are shaped as applications' are: wide, nested, linked, far from their scope."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from django_sync.models import SyncModel

KINDS: dict[str, Any] = {
    "text": lambda: models.CharField(max_length=40, default=""),
    "number": lambda: models.IntegerField(default=0),
    "amount": lambda: models.DecimalField(max_digits=9, decimal_places=2, default=0),
    "flag": lambda: models.BooleanField(default=False),
    "day": lambda: models.DateField(null=True),
    "at": lambda: models.DateTimeField(null=True),
}
COLUMNS = [f"{kind}_{n}" for n in range(10) for kind in KINDS]
"""Sixty, ten of each kind."""


class Wide(SyncModel):
    """Sixty columns besides the key and whose it is."""

    sync_scope_path = "room"

    room = models.CharField(max_length=20)

    objects: ClassVar[models.Manager[Wide]]


for column in COLUMNS:
    KINDS[column.partition("_")[0]]().contribute_to_class(Wide, column)


class Branch(SyncModel):
    """A tree: each but the first has a parent."""

    sync_scope_path = "room"

    room = models.CharField(max_length=20)
    name = models.CharField(max_length=60)
    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="children")

    objects: ClassVar[models.Manager[Branch]]


class Topic(SyncModel):
    sync_scope_path = "room"

    room = models.CharField(max_length=20)
    name = models.CharField(max_length=60)

    objects: ClassVar[models.Manager[Topic]]


class Article(SyncModel):
    """Linked to many topics."""

    sync_scope_path = "room"

    room = models.CharField(max_length=20)
    title = models.CharField(max_length=60)
    body = models.TextField()
    topics = models.ManyToManyField(Topic)

    objects: ClassVar[models.Manager[Article]]


class Region(SyncModel):
    sync_scope_path = "self"

    name = models.CharField(max_length=60)

    objects: ClassVar[models.Manager[Region]]


class Site(SyncModel):
    sync_scope_path = "region"

    region = models.ForeignKey(Region, models.CASCADE)
    name = models.CharField(max_length=60)

    objects: ClassVar[models.Manager[Site]]


class Device(SyncModel):
    sync_scope_path = "site__region"

    site = models.ForeignKey(Site, models.CASCADE)
    name = models.CharField(max_length=60)

    objects: ClassVar[models.Manager[Device]]


class Reading(SyncModel):
    """Three hops from its scope."""

    sync_scope_path = "device__site__region"

    device = models.ForeignKey(Device, models.CASCADE)
    value = models.FloatField()
    at = models.DateTimeField()

    objects: ClassVar[models.Manager[Reading]]
