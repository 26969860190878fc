"""Models as a project has them that registers without viewsets of its own.

Nothing here is registered: each test does that itself, with the scope that stands here, for
which the triggers were made.
"""

import uuid

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models

from django_sync.models import SyncModel


class Memo(SyncModel):
    """Everybody has their own."""

    sync_scope_path = "owner"

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memos")
    title = models.CharField(max_length=50)
    password = models.CharField(max_length=50, default="secret")


class Remark(SyncModel):
    """Two hops from the user who sees it."""

    sync_scope_path = "memo__owner"

    memo = models.ForeignKey(Memo, models.CASCADE)
    text = models.CharField(max_length=50)


class Notice(SyncModel):
    """One for all."""

    text = models.CharField(max_length=50)


class Poster(Notice):
    """A notice in a table of its own besides."""

    size = models.IntegerField(default=0)


class Shelf(SyncModel):
    """Its primary key is its id."""

    sync_scope_path = "self"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    name = models.CharField(max_length=50)


class Book(SyncModel):
    """Refers to each kind of thing."""

    sync_scope_path = "shelf"

    shelf = models.ForeignKey(Shelf, models.CASCADE)
    notice = models.ForeignKey(Notice, models.CASCADE, null=True)
    title = models.CharField(max_length=50)
    notices = models.ManyToManyField(Notice, related_name="+")


class Pin(SyncModel):
    """Points at anything."""

    content_type = models.ForeignKey(ContentType, models.CASCADE)
    object_id = models.PositiveIntegerField()
    target = GenericForeignKey()
