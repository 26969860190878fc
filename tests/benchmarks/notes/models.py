"""Each model twice: synced, and the same columns and own indexes without sync."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models

from django_sync.models import SyncModel


class Content(models.Model):
    """What a record holds: some 288 bytes of JSON, the same as the peers' records."""

    title = models.CharField(max_length=200)
    body = models.TextField()
    done = models.BooleanField(default=False)
    n = models.IntegerField(default=0)
    at = models.DateTimeField()

    class Meta:
        abstract = True


class Folder(SyncModel):
    sync_scope_path = "self"

    name = models.CharField(max_length=50)

    objects: ClassVar[models.Manager[Folder]]


class PlainFolder(models.Model):
    name = models.CharField(max_length=50)

    objects: ClassVar[models.Manager[PlainFolder]]


class Item(SyncModel, Content):
    """As an application has it: a serial key, and a scope over a foreign key."""

    sync_scope_path = "folder"

    folder = models.ForeignKey(Folder, models.CASCADE)

    objects: ClassVar[models.Manager[Item]]


class PlainItem(Content):
    folder = models.ForeignKey(PlainFolder, models.CASCADE)

    objects: ClassVar[models.Manager[PlainItem]]


class Note(SyncModel, Content):
    """As the peers have it: the key is the id, and a column tells whose it is."""

    sync_scope_path = "room"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    room = models.CharField(max_length=20)

    objects: ClassVar[models.Manager[Note]]


class PlainNote(Content):
    """With the index that ``?since=`` needs."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    room = models.CharField(max_length=20)
    modified = models.DateTimeField(auto_now=True)

    objects: ClassVar[models.Manager[PlainNote]]

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["room", "modified", "id"], name="notes_since"),
            models.Index(fields=["room", "id"], name="notes_by_id"),
        ]
