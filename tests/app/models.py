"""One model of each kind that capture has to deal with."""

import uuid

from django.db import models
from django.db.models.functions import Upper

from django_sync.models import SyncModel


class Author(models.Model):
    """Not synced; documents are made from its name too."""

    name = models.CharField(max_length=50)
    logins = models.IntegerField(default=0)


class Project(SyncModel):
    sync_scope_path = "self"

    name = models.CharField(max_length=100)


class Tag(models.Model):
    name = models.CharField(max_length=50)


class Doc(SyncModel):
    sync_scope_path = "project"
    sync_ignore = ("updated_at",)
    sync_touches = ("author__name",)

    project = models.ForeignKey(Project, models.CASCADE, null=True, related_name="docs")
    author = models.ForeignKey(Author, models.SET_NULL, null=True)
    title = models.CharField(max_length=100, db_column="the title")
    body = models.TextField(default="")
    meta = models.JSONField(default=dict)
    votes = models.IntegerField(default=0)
    loud = models.GeneratedField(
        expression=Upper("title"), output_field=models.CharField(max_length=100), db_persist=True
    )
    updated_at = models.DateTimeField(auto_now=True)
    tags = models.ManyToManyField(Tag, related_name="docs")
    readers = models.ManyToManyField(Author, through="Reading", related_name="read")


class Reading(models.Model):
    doc = models.ForeignKey(Doc, models.CASCADE)
    author = models.ForeignKey(Author, models.CASCADE)
    times = models.IntegerField(default=1)


class Note(SyncModel):
    """Two hops from its scope."""

    sync_scope_path = "doc__project"

    doc = models.ForeignKey(Doc, models.CASCADE, null=True, related_name="notes")
    text = models.CharField(max_length=100)


class Event(SyncModel):
    """Its primary key is its id; its scope is a column of its own."""

    sync_scope_path = "room"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    room = models.CharField(max_length=20, default="hall")
    name = models.CharField(max_length=50, unique=True)
    seats = models.IntegerField(default=0)


class Guest(SyncModel):
    """Its scope is a UUID that stands in its own row."""

    sync_scope_path = "event"

    event = models.ForeignKey(Event, models.CASCADE)
    name = models.CharField(max_length=50)


class Place(SyncModel):
    """Unscoped, and extended by another table."""

    name = models.CharField(max_length=50)


class Cafe(Place):
    seats = models.IntegerField(default=0)
    menus = models.ManyToManyField(Tag)


class NamedPlace(Place):
    class Meta:
        proxy = True


class Team(models.Model):
    """Not synced: a scope that comes of it is its primary key."""

    name = models.CharField(max_length=50)


class Person(models.Model):
    """A plain table that a synced one extends."""

    team = models.ForeignKey(Team, models.CASCADE)
    name = models.CharField(max_length=50)


class Player(SyncModel, Person):
    sync_scope_path = "team"

    number = models.IntegerField(default=0)
