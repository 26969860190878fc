"""From a Django model to the ``Spec`` of its triggers. No SQL, no connection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured

from ..fields import RevisionField, ScopeField, SyncIdField, uuid_primary_key
from .base import Child, Column, Hop, Spec, Through, Touch
from .paths import AnyField, Model, bottom, is_synced, path_of, root_of

EXACT_TYPES = frozenset(
    f"{name}Field"
    for name in (
        *("Auto", "BigAuto", "SmallAuto", "Integer", "BigInteger", "SmallInteger", "Float"),
        *("PositiveInteger", "PositiveBigInteger", "PositiveSmallInteger", "Decimal"),
        *("Boolean", "UUID", "Date", "DateTime", "Time", "Duration", "Binary"),
        "GenericIPAddress",
    )
)
"""Types whose equality distinguishes all values that a reader can distinguish."""


def synced_models() -> list[Model]:
    """Each model with its own sync columns, after the models whose ids are its scopes."""
    found = [m for m in apps.get_models() if is_synced(m) and root_of(m) is m]
    homes = {m._meta.db_table: m for m in found}
    placed: dict[Model, None] = {}

    def place(model: Model, seen: tuple[Model, ...] = ()) -> None:
        for hop in _hops(model):
            if (other := homes.get(hop.table)) is not None and other not in seen:
                place(other, (*seen, model))
        placed.setdefault(model)

    for model in found:
        place(model)
    return list(placed)


def _hops(model: Model) -> tuple[Hop, ...]:
    try:
        path = path_of(model)
    except ImproperlyConfigured:
        return ()
    return path.hops if path else ()


def spec_for(model: Model) -> Spec:
    """Describe a synced model for the triggers.

    Raises ``ImproperlyConfigured`` for what triggers cannot maintain; ``spec_problems``
    lists all of it at once.
    """
    root = root_of(model)
    pk = _column_of(root, "pk")
    own = uuid_primary_key(root) is None
    return Spec(
        label=root._meta.label_lower,
        table=root._meta.db_table,
        pk=pk,
        id=_column_of(root, "sync_id") if own else pk,
        own_id=own,
        revision=_column_of(root, "sync_revision"),
        scope=_column_of(root, "sync_scope"),
        columns=_watched(root, skip=() if own else (pk,)),
        path=path_of(root),
        ignored=_unwatched(root),
        throughs=tuple(_throughs(root)),
        children=tuple(_children(root)),
        touches=(*_parents(root), *_touches(root)),
    )


def spec_problems(model: Model) -> list[str]:
    """The problems of a model for a system check, as sentences; an empty list if there are none."""
    root = root_of(model)
    if getattr(root._meta, "pk_fields", None) and len(root._meta.pk_fields) > 1:
        return ["A composite primary key cannot be synced."]
    found = []
    for part in (path_of, lambda m: list(_touches(m)), lambda m: list(_throughs(m))):
        try:
            part(root)
        except ImproperlyConfigured as problem:
            found.append(str(problem))
    names = {field.name for field in root._meta.get_fields()}
    ignored: tuple[str, ...] = getattr(root, "sync_ignore", ())
    return found + [
        f"sync_ignore names “{name}”, which is no field of {root.__name__}."
        for name in ignored
        if name not in names
    ]


def _column_of(model: Model, name: str) -> str:
    field: AnyField = model._meta.pk if name == "pk" else model._meta.get_field(name)
    column: str = field.column
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


def _unwatched(model: Model) -> frozenset[str]:
    """The columns of a table that are not content."""
    watched = {column.column for column in _watched(model)}
    return frozenset(str(f.column) for f in model._meta.local_concrete_fields) - watched


def _column(field: AnyField) -> Column:
    kind = bottom(field)
    own_type = not type(kind).db_type.__module__.startswith("django.")
    as_text = own_type or kind.get_internal_type() not in EXACT_TYPES
    return Column(field.name, field.column, as_text)


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
        link: AnyField = root._meta.get_ancestor_link(model)
        column = link.column
    elif target.primary_key and bottom(target) is bottom(root._meta.pk):
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
    """Tables that the synced one extends: a change there is a change of the object."""
    for model in root._meta.all_parents:
        link: AnyField = root._meta.get_ancestor_link(model)
        pk = _column_of(model, "pk")
        yield Touch(None, model._meta.db_table, pk, link.column, _watched(model, skip={pk}))


def _touches(root: Model) -> Iterator[Touch]:
    for path in getattr(root, "sync_touches", ()):
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
