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


# What real models are like, besides: wide, in a tree, linked to many, far from their scope


class Wide(models.Model):
    """Sixty columns, of six kinds."""

    folder_name = models.CharField(max_length=50, default="bench")

    class Meta:
        abstract = True


def widen(model: type[models.Model]) -> None:
    """Give an abstract model its fifty-nine other columns."""
    kinds = (
        lambda: models.CharField(max_length=50, default="text"),
        lambda: models.IntegerField(default=0),
        lambda: models.BooleanField(default=False),
        lambda: models.TextField(default="more text"),
        lambda: models.FloatField(default=0.5),
        lambda: models.DateField(null=True),
    )
    for i in range(57):
        model.add_to_class(f"c{i}", kinds[i % len(kinds)]())


widen(Wide)


class WideRow(SyncModel, Wide):
    sync_scope_path = "folder"

    folder = models.ForeignKey(Folder, models.CASCADE)

    objects: ClassVar[models.Manager[WideRow]]


class PlainWideRow(Wide):
    folder = models.ForeignKey(PlainFolder, models.CASCADE)

    objects: ClassVar[models.Manager[PlainWideRow]]


class Node(SyncModel):
    """A tree, whose nodes show the name of the node above."""

    sync_scope_path = "folder"
    sync_touches = ("parent__name",)

    folder = models.ForeignKey(Folder, models.CASCADE)
    parent = models.ForeignKey("self", models.CASCADE, null=True)
    name = models.CharField(max_length=50)

    objects: ClassVar[models.Manager[Node]]


class PlainNode(models.Model):
    folder = models.ForeignKey(PlainFolder, models.CASCADE)
    parent = models.ForeignKey("self", models.CASCADE, null=True)
    name = models.CharField(max_length=50)

    objects: ClassVar[models.Manager[PlainNode]]


class Label(models.Model):
    name = models.CharField(max_length=50)

    objects: ClassVar[models.Manager[Label]]


class Labelled(SyncModel):
    sync_scope_path = "folder"

    folder = models.ForeignKey(Folder, models.CASCADE)
    labels = models.ManyToManyField(Label)

    objects: ClassVar[models.Manager[Labelled]]


class PlainLabelled(models.Model):
    folder = models.ForeignKey(PlainFolder, models.CASCADE)
    labels = models.ManyToManyField(Label)

    objects: ClassVar[models.Manager[PlainLabelled]]


class Shelf(SyncModel):
    """One hop from its scope; ``Box`` is two away, ``Thing`` three."""

    sync_scope_path = "folder"

    folder = models.ForeignKey(Folder, models.CASCADE)

    objects: ClassVar[models.Manager[Shelf]]


class Box(SyncModel):
    sync_scope_path = "shelf__folder"

    shelf = models.ForeignKey(Shelf, models.CASCADE)

    objects: ClassVar[models.Manager[Box]]


class Thing(SyncModel):
    sync_scope_path = "box__shelf__folder"

    box = models.ForeignKey(Box, models.CASCADE)
    name = models.CharField(max_length=50)

    objects: ClassVar[models.Manager[Thing]]


class PlainShelf(models.Model):
    folder = models.ForeignKey(PlainFolder, models.CASCADE)

    objects: ClassVar[models.Manager[PlainShelf]]


class PlainBox(models.Model):
    shelf = models.ForeignKey(PlainShelf, models.CASCADE)

    objects: ClassVar[models.Manager[PlainBox]]


class PlainThing(models.Model):
    box = models.ForeignKey(PlainBox, models.CASCADE)
    name = models.CharField(max_length=50)

    objects: ClassVar[models.Manager[PlainThing]]
