"""Prefetches the related rows that a serializer shows, for a whole page at once.

Where DRF makes the records, each nested serializer and each relation runs a statement for each row.
The serializer's declared fields say which relations those are. What a method field or a property
reads cannot be known beforehand: ``sync_doctor --slow`` finds it.

A relation is prefetched only if its rows look the same whether they are prefetched or read one by
one. What the viewset's own query prefetches stays as the project wrote it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import models
from django.db.models.fields.reverse_related import ForeignObjectRel
from rest_framework import relations, serializers
from rest_framework.fields import Field

from .serializers import SyncRelatedField, relation_of

DEEPEST = 8
"""How deep relations are followed: nested serializers may form a circle."""

READERS = (
    Field.get_attribute,
    relations.RelatedField.get_attribute,
    relations.ManyRelatedField.get_attribute,
)
"""DRF's own methods that read a field's value: they read the relation and nothing else."""


def with_related(queryset: Any, serializer: Any) -> Any:
    """The query, with prefetches of the related rows that the serializer's fields show."""
    wanted = dict.fromkeys(_paths(queryset.model, serializer, ""))
    known = {getattr(p, "prefetch_to", p) for p in queryset._prefetch_related_lookups}
    missing = [path for path in wanted if path not in known]
    return queryset.prefetch_related(*missing) if missing else queryset


def _paths(model: Any, serializer: Any, before: str) -> Iterator[str]:
    """The lookups that lead to what a serializer over a model shows."""
    if before.count("__") >= DEEPEST:
        return
    for field in serializer.fields.values():
        if field.write_only or getattr(type(field), "get_attribute", None) not in READERS:
            continue
        if field.source == "*":
            if isinstance(field, serializers.Serializer):
                yield from _paths(model, field, before)
            continue
        yield from _of_field(model, field, before)


def _of_field(model: Any, field: Any, before: str) -> Iterator[str]:
    """The lookup of one field, those of the relations before it, and those nested in it."""
    target, path = model, before
    *way, last = str(field.source).split(".")
    for name in way:
        relation = _prefetchable(target, name)
        if relation is None or relation.one_to_many or relation.many_to_many:
            return
        target, path = relation.related_model, f"{path}{name}__"
        yield path.removesuffix("__")
    relation = _prefetchable(target, last)
    reference = isinstance(getattr(field, "child_relation", field), SyncRelatedField)
    if relation is None or not _shows_rows(field) or (reference and not path):
        return  # ``with_references`` reads the record's own references
    yield f"{path}{last}"
    nested = getattr(field, "child", field)
    if isinstance(nested, serializers.Serializer):
        yield from _paths(relation.related_model, nested, f"{path}{last}__")


def _shows_rows(field: Any) -> bool:
    """Whether a field over a relation looks at the related rows, and takes all of them."""
    if isinstance(field, serializers.ListSerializer):
        own = type(field).to_representation is not serializers.ListSerializer.to_representation
        return isinstance(field.child, serializers.Serializer) and not own
    if isinstance(field, relations.ManyRelatedField):
        return True
    if isinstance(field, relations.RelatedField):
        return not field.use_pk_only_optimization()
    return isinstance(field, serializers.Serializer)


def _prefetchable(model: Any, name: str) -> Any:
    """The relation of this name, if a prefetch shows the same as reading it row by row.

    A foreign key without a constraint may name a missing row. One way shows that as an error, the
    other as null. The same holds for a manager that hides rows. Such relations give ``None``.
    """
    found = relation_of(model, name)
    if found is None or found.related_model is None:
        return None
    if isinstance(found, models.ForeignKey):
        target: Any = found.related_model
        sure = found.db_constraint and type(target._base_manager) is models.Manager  # type: ignore[attr-defined]  # the stubs lack it
        return found if found.name == name and sure else None
    return found if isinstance(found, models.ManyToManyField | ForeignObjectRel) else None
