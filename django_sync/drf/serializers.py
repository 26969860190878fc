"""What makes a DRF serializer fit for sync: objects are named by their ids alone.

``SyncSerializerMixin`` goes before ``ModelSerializer``. It can be used in the
project's own API as well; outside of sync it differs only in naming.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from rest_framework import serializers

from ..fields import id_field
from ..models import SyncModel
from ..protocol.ids import canonical_uuid
from .caller import Caller
from .registry import registry

HIDDEN = ("sync_id", "sync_revision", "sync_scope")
NEW_ID = "sync_object_id"
"""Context key: the id that a client gave to the object which is being created."""
PREPARED = "sync_ref_"
"""Prefix of the annotations that carry the ids of referred objects."""


def is_synced(model: Any) -> bool:
    """Whether references to this model are written as ids."""
    return isinstance(model, type) and issubclass(model, SyncModel)


def relation_of(model: Any, name: str) -> Any:
    """The relation that an attribute of a model leads along, forwards or back, if it is one."""
    for back in model._meta.related_objects:
        if back.get_accessor_name() == name:
            return back
    try:
        found = model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    by_another_name = found.auto_created and not found.concrete
    return found if found.is_relation and not by_another_name else None


class SyncRelatedField(serializers.RelatedField[Any, Any, Any]):
    """A reference to a synced object: its id, resolved among what the user sees.

    A reference to a hidden object is refused in the same way as one to nothing.
    """

    default_error_messages = {  # noqa: RUF012 - the shape that DRF asks for
        "does_not_exist": "There is no such object.",
        "incorrect_type": "A reference is an object's id.",
    }

    def use_pk_only_optimization(self) -> bool:
        """Let ``get_attribute`` hand over a primary key where the key is the id itself."""
        return False

    def get_attribute(self, instance: Any) -> Any:
        """Take the id from the annotation that a sync query carries, else follow the key."""
        prepared = f"{PREPARED}{self.source}"
        if prepared in instance.__dict__:
            return instance.__dict__[prepared]
        return super().get_attribute(instance)

    def to_representation(self, value: Any) -> str | None:
        if value is None or isinstance(value, uuid.UUID):
            return None if value is None else str(value)
        return str(getattr(value, "sync_id", value.pk))

    def to_internal_value(self, data: Any) -> Any:
        try:
            wanted = canonical_uuid(data)
        except ValueError:
            self.fail("incorrect_type")
        found = self._find(self.get_queryset(), wanted)
        if found is None:
            self.fail("does_not_exist")
        return found

    def _find(self, queryset: Any, wanted: uuid.UUID) -> Any:
        request = self.context.get("request")
        shown = registry.of_model(queryset.model)
        if request is None or not shown:
            return queryset.filter(**{id_field(queryset.model).name: wanted}).first()
        caller = Caller.of(request)
        key = _key(queryset.model, wanted)
        if key not in caller.cache:
            seen = (collection.find(caller, wanted) for collection in shown)
            caller.cache[key] = next((found for found in seen if found is not None), None)
        return caller.cache[key]


def _key(model: Any, id: uuid.UUID) -> tuple[str, Any, uuid.UUID]:
    return ("reference", model, id)


def vouch(caller: Caller, model: Any, row: Any) -> None:
    """Let this caller refer to an object without asking viewsets; the admin has its own rules."""
    caller.cache[_key(model, row.sync_id)] = row


class SyncSerializerMixin:
    """Turns references to synced models into ids, and leaves primary keys out.

    Put it before ``ModelSerializer``. ``fields = "__all__"`` works too: the
    primary key and the columns of sync are no part of an object.
    """

    def build_relational_field(self, field_name: str, relation_info: Any) -> Any:
        field_class, kwargs = super().build_relational_field(  # type: ignore[misc]  # ModelSerializer's
            field_name, relation_info
        )
        if is_synced(relation_info.related_model):
            kwargs.pop("view_name", None)
            return SyncRelatedField, kwargs
        return field_class, kwargs

    def get_fields(self) -> dict[str, Any]:
        fields: dict[str, Any] = super().get_fields()  # type: ignore[misc]  # ModelSerializer's
        options: Any = self.Meta.model._meta  # type: ignore[attr-defined]  # ModelSerializer's Meta
        parents = (parent._meta.pk.name for parent in options.get_parent_list())
        keys = {"pk", options.pk.name, *parents}
        return {
            name: field
            for name, field in fields.items()
            if name not in HIDDEN and (field.source or name) not in keys
        }

    def save(self, **kwargs: Any) -> Any:
        """Save; an object that a client created gets the id that the client gave it."""
        serializer: Any = self
        if serializer.instance is None and NEW_ID in serializer.context:
            kwargs[id_field(serializer.Meta.model).name] = serializer.context[NEW_ID]
        return super().save(**kwargs)  # type: ignore[misc]  # Serializer's


def with_references(queryset: Any, serializer: Any) -> Any:
    """Let a query carry the ids that the serializer's references need: no query a row."""
    fields: list[Any] = list(serializer.fields.values())
    known = {getattr(p, "prefetch_to", p) for p in queryset._prefetch_related_lookups}
    for field in fields:
        source = str(field.source)
        reference = getattr(field, "child_relation", field)
        relation = relation_of(queryset.model, source)
        if relation is None or not isinstance(reference, SyncRelatedField):
            continue
        target: Any = relation.related_model
        name = str(id_field(target).name)
        if reference is not field and source in known:
            continue  # the project's own, which may be other rows, or have more in them
        if reference is not field:
            # Without the key that leads back, Django would ask for it row by row.
            rows = target._base_manager.order_by(name)
            alone = sum(str(other.source) == source for other in fields) == 1
            rows = rows.only(name) if relation.many_to_many and alone else rows
            queryset = queryset.prefetch_related(models.Prefetch(source, queryset=rows))
        elif source not in queryset.query.annotations:
            path = f"{relation.name}__{name}"
            queryset = queryset.annotate(**{PREPARED + source: models.F(path)})
    return queryset
