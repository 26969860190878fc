"""The related rows that a serializer shows, fetched for a whole page at once.

Where DRF makes the records, each nested serializer and each relation asks the database once a
row. The serializer's declared fields say which relations those are. What its own code asks for
besides (a method field, a property) nobody can know: ``sync_doctor --slow`` finds it.

Only relations are fetched for which a row that is fetched ahead is shown as one that is fetched
late. What the viewset's query fetches already stays as the project wrote it.
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
"""Relations that are followed one behind the other; a serializer may lead in a circle."""

READERS = (
    Field.get_attribute,
    relations.RelatedField.get_attribute,
    relations.ManyRelatedField.get_attribute,
)
"""DRF's own ways to read a field's value: they take the relation as it is."""


def with_related(queryset: Any, serializer: Any) -> Any:
    """The query, which fetches the related rows that the serializer's declared fields show."""
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
    """The lookup of one field, with those on the way to it and those within it."""
    target, path = model, before
    *way, last = str(field.source).split(".")
    for name in way:
        relation = _fetched_ahead(target, name)
        if relation is None or relation.one_to_many or relation.many_to_many:
            return
        target, path = relation.related_model, f"{path}{name}__"
        yield path.removesuffix("__")
    relation = _fetched_ahead(target, last)
    reference = isinstance(getattr(field, "child_relation", field), SyncRelatedField)
    if relation is None or not _shows_rows(field) or (reference and not path):
        return  # the record's own references are for ``with_references``
    yield f"{path}{last}"
    inner = getattr(field, "child", field)
    if isinstance(inner, serializers.Serializer):
        yield from _paths(relation.related_model, inner, f"{path}{last}__")


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


def _fetched_ahead(model: Any, name: str) -> Any:
    """The relation of this name, where it makes no difference when its rows are fetched.

    A key without a constraint may lead to nothing, which shows as an error in one way and as
    null in the other; so may a manager that hides rows.
    """
    found = relation_of(model, name)
    if found is None or found.related_model is None:
        return None
    if isinstance(found, models.ForeignKey):
        target: Any = found.related_model
        sure = found.db_constraint and type(target._base_manager) is models.Manager  # type: ignore[attr-defined]  # the stubs lack it
        return found if found.name == name and sure else None
    return found if isinstance(found, models.ManyToManyField | ForeignObjectRel) else None
