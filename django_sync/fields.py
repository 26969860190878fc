"""The three columns that sync adds to a model, and how Python keeps out of their way.

Database triggers own these columns. An update never writes a value of Python's into them, also
from a stale instance. After a save they are read again at the next access. This file knows nothing
of triggers or of the feed.
"""

from __future__ import annotations

import enum
import json
from functools import cache
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models.query_utils import DeferredAttribute
from django.db.models.signals import class_prepared, post_save

from .protocol.ids import new_id

if TYPE_CHECKING:
    AnyField = models.Field[Any, Any]
    UUIDField = models.UUIDField[Any, Any]
    BigIntegerField = models.BigIntegerField[Any, Any]
    CharField = models.CharField[Any, Any]
    TextField = models.TextField[Any, Any]
else:
    AnyField, UUIDField = models.Field, models.UUIDField
    BigIntegerField, CharField = models.BigIntegerField, models.CharField
    TextField = models.TextField

SCOPE_LENGTH = 255

LEFT = ("sync_scope", "sync_revision")
OWN = frozenset({"sync_id", *LEFT})
"""The attributes of a ``SyncModel`` that triggers set."""


class Stale(enum.Enum):
    """Stands in an instance for a value that the database knows better."""

    STALE = enum.auto()


class StaleAttribute(DeferredAttribute):
    """Reads a column again where a save has made the instance's copy doubtful.

    It is a data descriptor, so that the marker can lie in the instance's
    ``__dict__``: were the value removed instead, Django would take the field for
    deferred, and the next ``save()`` would silently become
    ``save(update_fields=…)``.
    """

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        if instance is not None and instance.__dict__.get(self.field.attname) is Stale.STALE:
            stale = [name for name, value in instance.__dict__.items() if value is Stale.STALE]
            instance.refresh_from_db(fields=stale)
        return super().__get__(instance, cls)

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


def mark_stale(sender: type[models.Model], instance: models.Model, **kwargs: Any) -> None:
    """Forget, after a save, what the triggers may have set otherwise."""
    values = instance.__dict__
    for name, is_id in own_columns(sender):
        if not is_id or values.get(name) is None:
            values[name] = Stale.STALE
    remember(instance)


@cache
def own_columns(model: type[models.Model]) -> tuple[tuple[str, bool], ...]:
    """The attributes of a model that triggers set, and whether each is the id."""
    return tuple(
        (field.attname, isinstance(field, SyncIdField))
        for field in model._meta.concrete_fields
        if isinstance(field, TriggerOwned)
    )


def left_to_triggers(instance: Any) -> tuple[str, ...]:
    """The columns that an insert may leave out: triggers set them, or the default is correct."""
    part_from_original(instance)
    revision = instance.__dict__.get("sync_revision")
    return LEFT if revision == 1 or revision is Stale.STALE else LEFT[:1]


def remember(instance: Any) -> None:
    """Note which object an instance stands for in the database."""
    instance._state.sync_object = instance.__dict__.get("sync_id")


def forget(instance: Any) -> None:
    """Note that the instance's object is gone: saved again, it is no copy of another."""
    instance._state.sync_object = None


def part_from_original(instance: Any) -> None:
    """Make a stored object whose key was taken off another object.

    That is Django's way to copy: ``obj.pk = None; obj.save()``.
    """
    stored = getattr(instance._state, "sync_object", None)
    if instance.pk is None and stored is not None and stored == instance.__dict__.get("sync_id"):
        instance._state.sync_object = None
        for field in instance._meta.concrete_fields:
            if isinstance(field, TriggerOwned):
                setattr(instance, field.attname, field.get_default())


class TriggerOwned(AnyField):
    """A column that is kept by triggers: an update writes it onto itself."""

    descriptor_class = StaleAttribute

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        if not add:
            return models.F(self.attname)
        part_from_original(model_instance)
        if model_instance.__dict__.get(self.attname) is Stale.STALE:
            # Saved, deleted, and saved again: there is no row to read it from.
            setattr(model_instance, self.attname, self.get_default())
        return super().pre_save(model_instance, add)


class SyncIdField(TriggerOwned, UUIDField):
    """The object's id. Absent from a model whose primary key is a UUID: that one serves.

    It may be null and has no default, so that a table with rows takes it
    without a question; adoption fills it, and triggers fill what raw SQL leaves out.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.update(null=True, unique=True, editable=False)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        for implied in ("null", "unique", "editable"):
            kwargs.pop(implied, None)
        return name, path, args, kwargs

    def contribute_to_class(
        self, cls: type[models.Model], name: str, private_only: bool = False
    ) -> None:
        if not cls._meta.abstract and (pk := uuid_primary_key(cls)) is not None:
            setattr(cls, name, property(lambda self: getattr(self, pk.attname)))
            return
        super().contribute_to_class(cls, name, private_only)

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = super().pre_save(model_instance, add)
        if add and value is None:
            value = new_id()
            setattr(model_instance, self.attname, value)
        return value


class RevisionField(TriggerOwned, BigIntegerField):
    """The object's revision: 1 at first, raised by triggers with every change."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.update(default=1, db_default=1, editable=False)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        for implied in ("default", "db_default", "editable"):
            kwargs.pop(implied, None)
        return name, path, args, kwargs


class ScopeField(TriggerOwned, CharField):
    """The object's scope, computed by triggers; null until it is known.

    Compared and ordered byte by byte on every database: a collation that ignores case
    would take one tenant's rows for another's, and a snapshot pages through scopes in
    an order that Python has to share.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.update(max_length=SCOPE_LENGTH, null=True, editable=False)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        for implied in ("max_length", "null", "editable"):
            kwargs.pop(implied, None)
        return name, path, args, kwargs

    def db_parameters(self, connection: Any) -> Any:
        parameters = super().db_parameters(connection)
        binary = {"mysql": "utf8mb4_bin", "postgresql": "C"}
        if connection.vendor in binary:
            parameters["collation"] = binary[connection.vendor]
        return parameters


class JsonText(TextField):
    r"""A JSON value in a column of text, for what came from outside and is only kept.

    A JSON column judges what it is given: PostgreSQL's refuses ``\u0000``, SQLite's an
    infinity, and a result that cannot be stored would fail its whole batch.
    """

    _pyi_private_set_type: Any
    _pyi_private_get_type: Any

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Any:
        return None if value is None else json.loads(value)

    def get_prep_value(self, value: Any) -> Any:
        return None if value is None else json.dumps(value)


def watch_saves(sender: type[models.Model], **kwargs: Any) -> None:
    """Call ``mark_stale`` after saves of classes that have such columns and are no ``SyncModel``.

    Those are historical models in migrations. A ``SyncModel`` calls it itself, since a signal with
    a receiver costs each save several microseconds.
    """
    if hasattr(sender, "sync_scope_path"):
        return
    if any(isinstance(field, RevisionField) for field in sender._meta.concrete_fields):
        post_save.connect(mark_stale, sender=sender, dispatch_uid="django_sync.mark_stale")


class_prepared.connect(watch_saves, dispatch_uid="django_sync.watch_saves")


def uuid_primary_key(model: type[models.Model]) -> AnyField | None:
    """The model's own primary key where it is a UUID, also while the class is being made."""
    fields = [model._meta.pk] if model._meta.pk else []
    for base in model.__mro__[1:]:
        options = getattr(base, "_meta", None)
        if options is not None and options.abstract:
            fields += [field for field in options.local_fields if field.primary_key]
    if fields and isinstance(fields[0], models.UUIDField):
        return fields[0]
    return None


def id_field(model: type[models.Model]) -> AnyField:
    """The field that holds the id of a synced model: ``sync_id``, or its UUID primary key."""
    return uuid_primary_key(model) or model._meta.get_field("sync_id")  # type: ignore[return-value]  # a concrete field by this name
