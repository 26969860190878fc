"""The path from a row to its scope: its own column, foreign keys, and the last column.

A path is derived from the models here, and refused if triggers could not maintain it.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured
from django.db import models

from ..fields import SCOPE_LENGTH, SyncIdField, uuid_primary_key
from ..models import SyncModel
from .base import Hop, Path

Model = type[models.Model]
AnyField = Any

_paths: dict[Model, str | None] = {}


def set_scope_path(model: Model, path: str | None) -> None:
    """Set a model's scope path from outside; it has priority over ``sync_scope_path``."""
    _paths[root_of(model)] = path


def forget_scope_path(model: Model) -> None:
    """Undo ``set_scope_path``."""
    _paths.pop(root_of(model), None)


def scope_path(model: Model) -> str | None:
    """The scope path of a model."""
    root = root_of(model)
    return _paths[root] if root in _paths else getattr(root, "sync_scope_path", None)


def root_of(model: Model) -> Model:
    """The concrete model whose table holds the sync columns; entries carry its label."""
    owner: Model = model._meta.get_field("sync_revision").model
    return owner._meta.concrete_model or owner


def is_synced(model: Model) -> bool:
    """Whether a model's objects have sync columns, their own or a parent's."""
    return issubclass(model, SyncModel) and not model._meta.abstract


def bottom(field: AnyField) -> AnyField:
    """The field whose values a foreign key holds, through any number of keys."""
    while field.remote_field is not None:
        field = field.target_field
    return field


class Walk:
    """Follows foreign keys from a model, and records what is read where."""

    def __init__(self, model: Model, path: str) -> None:
        self.root, self.model, self.path = model, model, path
        self.source = ""
        self.hops: list[Hop] = []
        self._at: tuple[str, str] | None = None

    def fail(self, why: str) -> ImproperlyConfigured:
        return ImproperlyConfigured(f"The scope path “{self.path}” of {self.root.__name__}: {why}.")

    def field(self, name: str) -> AnyField:
        """The concrete field of this name, after going up to the parent that has it."""
        try:
            field: AnyField = self.model._meta.get_field(name)
        except FieldDoesNotExist:
            raise self.fail(f"{self.model.__name__} has no field “{name}”") from None
        if not getattr(field, "concrete", False) or field.many_to_many:
            raise self.fail(f"“{name}” is no column of {self.model.__name__}")
        if getattr(field, "generated", False):
            raise self.fail(f"“{name}” is a generated column, which triggers see too late")
        self.climb(field.model._meta.concrete_model)
        return field

    def climb(self, owner: Model) -> None:
        while self.model._meta.concrete_model is not owner:
            link: AnyField = self.model._meta.get_ancestor_link(owner)
            self.follow(link)

    def read(self, column: str, fixed: bool = False) -> None:
        if self._at is None:
            self.source = column
        else:
            self.hops.append(Hop(*self._at, column, fixed))

    def follow(self, field: AnyField) -> None:
        target = field.target_field
        related = field.related_model._meta.concrete_model
        if not field.db_constraint:
            raise self.fail(f"“{field.name}” has no constraint in the database")
        if target.model._meta.concrete_model is not related:
            raise self.fail(f"“{field.name}” points to a column of another table")
        if related is self.root or related._meta.db_table in {hop.table for hop in self.hops}:
            raise self.fail(f"“{field.name}” leads back to {related.__name__}; a path is no circle")
        self.read(field.column)
        self._at, self.model = (related._meta.db_table, target.column), related

    def finish(self, field: AnyField) -> Path:
        """End at a column, or at the id of the object that a foreign key points to."""
        kind = bottom(field)
        if field.remote_field is None:
            self.read(field.column)
        else:
            kind = self.end_at(field)
        if kind.get_internal_type() == "TextField" or (kind.max_length or 0) > SCOPE_LENGTH:
            raise self.fail(f"“{field.name}” may be longer than {SCOPE_LENGTH} characters")
        return Path(self.source, tuple(self.hops), isinstance(kind, models.UUIDField))

    def end_at(self, field: AnyField) -> AnyField:
        related = field.related_model._meta.concrete_model
        end = root_of(related) if is_synced(related) else related
        name = "pk" if uuid_primary_key(end) or not is_synced(related) else "sync_id"
        last: AnyField = end._meta.pk if name == "pk" else end._meta.get_field(name)
        if name == "pk" and field.target_field.primary_key:
            self.read(field.column)
        else:
            self.follow(field)
            self.climb(end)
            self.read(last.column, fixed=isinstance(last, SyncIdField))
        return bottom(last)


def path_of(model: Model) -> Path | None:
    """The path to a root model's scope; raises ``ImproperlyConfigured`` if it is refused."""
    path = scope_path(model)
    if path is None:
        return None
    if path == "self":
        own: AnyField = uuid_primary_key(model) or model._meta.get_field("sync_id")
        return Path(own.column, is_uuid=True)
    walk = Walk(model, path)
    *keys, last = path.split("__")
    for name in keys:
        field = walk.field(name)
        if field.remote_field is None:
            raise walk.fail(f"“{name}” is no foreign key")
        walk.follow(field)
    return walk.finish(walk.field(last))
