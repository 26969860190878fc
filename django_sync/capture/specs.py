"""From a Django model to the ``Spec`` of its triggers. No SQL, no connection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured
from django.db import models

from ..fields import SCOPE_LENGTH, RevisionField, ScopeField, SyncIdField, uuid_primary_key
from ..models import SyncModel
from .base import Child, Column, Hop, Path, Spec, Through, Touch

Model = type[models.Model]
AnyField = Any

PLAIN = frozenset(
    "AutoField BigAutoField SmallAutoField IntegerField BigIntegerField SmallIntegerField "
    "PositiveIntegerField PositiveBigIntegerField PositiveSmallIntegerField BooleanField "
    "UUIDField DateField DateTimeField TimeField DurationField FloatField DecimalField "
    "BinaryField GenericIPAddressField".split()
)

_paths: dict[Model, str | None] = {}


def set_scope_path(model: Model, path: str | None) -> None:
    """Give a model's scope path from outside; it goes before ``sync_scope_path``."""
    _paths[root_of(model)] = path


def forget_scope_path(model: Model) -> None:
    """Take back ``set_scope_path``."""
    _paths.pop(root_of(model), None)


def scope_path(model: Model) -> str | None:
    """The path in force for a model."""
    root = root_of(model)
    return _paths[root] if root in _paths else getattr(root, "sync_scope_path", None)


def root_of(model: Model) -> Model:
    """The concrete model whose table holds the sync columns; entries bear its label."""
    owner: Model = model._meta.get_field("sync_revision").model
    return owner._meta.concrete_model or owner


def is_synced(model: Model) -> bool:
    return issubclass(model, SyncModel) and not model._meta.abstract


def synced_models() -> list[Model]:
    """Each model with sync columns of its own, those that others' scopes go over first."""
    found = [m for m in apps.get_models() if is_synced(m) and root_of(m) is m]
    return sorted(found, key=lambda m: _depth(m))


def _depth(model: Model) -> int:
    try:
        path = _path(model)
    except ImproperlyConfigured:
        return 0
    if path is None or not path.hops:
        return 0
    return len(path.hops)


def spec_for(model: Model) -> Spec:
    """Describe a synced model for the triggers.

    Raises ``ImproperlyConfigured`` for what triggers cannot keep; ``spec_problems``
    tells all of it at once.
    """
    root = root_of(model)
    pk = root._meta.pk
    own = uuid_primary_key(root) is None
    return Spec(
        label=root._meta.label_lower,
        table=root._meta.db_table,
        pk=pk.column,
        id=root._meta.get_field("sync_id").column if own else pk.column,  # type: ignore[union-attr]
        own_id=own,
        revision=_column_of(root, "sync_revision"),
        scope=_column_of(root, "sync_scope"),
        columns=_watched(root, skip={} if own else {pk.column: 1}),
        path=_path(root),
        throughs=tuple(_throughs(root)),
        children=tuple(_children(root)),
        touches=(*_parents(root), *_touches(root)),
    )


def spec_problems(model: Model) -> list[str]:
    """What a system check has to say of a model, in sentences; none if all is well."""
    root = root_of(model)
    if getattr(root._meta, "pk_fields", None) and len(root._meta.pk_fields) > 1:
        return ["A composite primary key cannot be synced."]
    found = []
    for part in (_path, lambda m: list(_touches(m)), lambda m: list(_throughs(m))):
        try:
            part(root)
        except ImproperlyConfigured as problem:
            found.append(str(problem))
    names = {field.name for field in root._meta.get_fields()}
    for name in root.sync_ignore:  # type: ignore[attr-defined]
        if name not in names:
            found.append(f"sync_ignore names “{name}”, which is no field of {root.__name__}.")
    return found


def _column_of(model: Model, name: str) -> str:
    column: str = model._meta.get_field(name).column  # type: ignore[union-attr]
    return column


def _watched(model: Model, skip: Any = ()) -> tuple[Column, ...]:
    """The columns of a table that are content: concrete, local, not generated, not ignored."""
    ignored = set(getattr(model, "sync_ignore", ()))
    return tuple(
        _column(field)
        for field in model._meta.local_concrete_fields
        if field.column not in skip
        and field.name not in ignored
        and not getattr(field, "generated", False)
        and not isinstance(field, (SyncIdField, RevisionField, ScopeField))
    )


def _column(field: AnyField) -> Column:
    kind = _bottom(field)
    own_type = not type(kind).db_type.__module__.startswith("django.")
    as_text = own_type or kind.get_internal_type() not in PLAIN
    return Column(field.name, field.column, as_text)


def _bottom(field: AnyField) -> AnyField:
    """The field whose values a foreign key holds, however many keys are between."""
    while field.remote_field is not None:
        field = field.target_field
    return field


# The scope path


class _Walk:
    """Goes over foreign keys from a model, and notes what is read where."""

    def __init__(self, model: Model, path: str) -> None:
        self.root, self.model, self.path = model, model, path
        self.source = ""
        self.hops: list[Hop] = []
        self._at: tuple[str, str] | None = None

    def fail(self, why: str) -> ImproperlyConfigured:
        return ImproperlyConfigured(f"The scope path “{self.path}” of {self.root.__name__}: {why}.")

    def field(self, name: str) -> AnyField:
        """The concrete field of this name, having gone up to the parent that holds it."""
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
        """End at a column, or at the id of what a foreign key points to."""
        kind = _bottom(field)
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
        return _bottom(last)


def _path(model: Model) -> Path | None:
    path = scope_path(model)
    if path is None:
        return None
    if path == "self":
        own = uuid_primary_key(model) or model._meta.get_field("sync_id")
        return Path(own.column, is_uuid=True)  # type: ignore[union-attr]
    walk = _Walk(model, path)
    *keys, last = path.split("__")
    for name in keys:
        field = walk.field(name)
        if field.remote_field is None:
            raise walk.fail(f"“{name}” is no foreign key")
        walk.follow(field)
    return walk.finish(walk.field(last))


# What else a record is made from


def _throughs(root: Model) -> Iterator[Through]:
    for model in (root, *root._meta.all_parents, *_descendants(root)):
        ignored = set(getattr(model, "sync_ignore", ()))
        for field in model._meta.local_many_to_many:
            if field.name not in ignored:
                yield _through(root, model, field)


def _through(root: Model, model: Model, field: AnyField) -> Through:
    through = field.remote_field.through._meta
    key = through.get_field(field.m2m_field_name())
    target = key.target_field
    if model is root:
        column = target.column
    elif target.primary_key and model in root._meta.all_parents:
        column = root._meta.get_ancestor_link(model).column  # type: ignore[union-attr]
    elif target.primary_key and _bottom(target) is _bottom(root._meta.pk):
        column = root._meta.pk.column
    else:
        raise ImproperlyConfigured(f"“{field.name}” does not lead to the key of {root.__name__}.")
    columns = tuple(_column(f) for f in through.local_concrete_fields)
    return Through(field.name, through.db_table, through.pk.column, key.column, column, columns)


def _descendants(root: Model) -> list[Model]:
    every = apps.get_models()
    return [m for m in every if issubclass(m, root) and m is not root and not m._meta.proxy]


def _children(root: Model) -> Iterator[Child]:
    for model in _descendants(root):
        link = model._meta.get_ancestor_link(root)
        own = link is not None and link.model is model
        key: AnyField = link if own else model._meta.pk
        yield Child(model._meta.db_table, key.column, _watched(model, skip={key.column}))


def _parents(root: Model) -> Iterator[Touch]:
    """Tables that the synced one extends: a change there is a change of its object."""
    for model in root._meta.all_parents:
        link: AnyField = root._meta.get_ancestor_link(model)
        pk = model._meta.pk.column
        yield Touch(None, model._meta.db_table, pk, link.column, _watched(model, skip={pk}))


def _touches(root: Model) -> Iterator[Touch]:
    for path in root.sync_touches:  # type: ignore[attr-defined]
        name, _, column = path.partition("__")
        try:
            key: AnyField = root._meta.get_field(name)
            related = key.related_model._meta.concrete_model
            watched = [related._meta.get_field(column)] if column else []
        except (FieldDoesNotExist, AttributeError):
            raise ImproperlyConfigured(
                f"sync_touches of {root.__name__} names “{path}”; it takes a foreign key, "
                f"or one of its columns as “key__column”."
            ) from None
        columns = tuple(map(_column, watched)) or _watched(related, {key.target_field.column})
        yield Touch(name, related._meta.db_table, key.target_field.column, key.column, columns)
