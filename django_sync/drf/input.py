"""What a client sends for an object: which fields there are, whether they are valid, the write."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from rest_framework import serializers

from .. import errors
from ..capture import scope_path
from ..protocol import Json
from . import field_patterns
from .exceptions import translated
from .serializers import NEW_ID
from .values import in_range, refuse_unrepresentable

FIELDS = "_django_sync_fields"
"""The attribute in which a viewset keeps the fields of its serializer."""


class Input:
    """The fields that a viewset takes, values for them, and its own writes."""

    model: type[models.Model]

    def validated(
        self, viewset: Any, fields: Json, *, instance: Any = None, id: uuid.UUID | None = None
    ) -> Any:
        """The viewset's serializer over ``fields``, valid.

        Raises ``ValidationFailed`` and ``FieldNotWritable``.
        """
        context = viewset.get_serializer_context()
        if id is not None:
            context[NEW_ID] = id
        with translated():
            serializer = viewset.get_serializer(
                instance, data=fields, partial=instance is not None, context=context
            )
        if field_patterns.has_fixed_fields(type(viewset), type(serializer)):
            field_patterns.give_fields(serializer)
        self.check_names(viewset, fields, serializer.fields)
        with translated(), in_range():
            serializer.is_valid(raise_exception=True)
        refuse_unrepresentable(serializer.validated_data)
        return serializer

    def fields(self, viewset: Any) -> Any:
        """The fields of the viewset's serializer by name; do not change them."""
        if not hasattr(viewset, FIELDS):
            serializer = viewset.get_serializer()
            is_fixed = field_patterns.has_fixed_fields(type(viewset), type(serializer))
            found = field_patterns.pattern_of(type(serializer)) if is_fixed else serializer.fields
            setattr(viewset, FIELDS, found)
        return getattr(viewset, FIELDS)

    def writable(self, viewset: Any, fields: Json) -> Json:
        """These fields without those that the server alone writes."""
        known = self.fields(viewset)
        return {n: v for n, v in fields.items() if n not in known or not known[n].read_only}

    def check_names(self, viewset: Any, fields: Json, known: Any = None) -> None:
        """Raise ``ValidationFailed`` for unknown fields, ``FieldNotWritable`` for read-only."""
        known = known or self.fields(viewset)
        if unknown := sorted(name for name in fields if name not in known):
            problem = [{"code": "unknown", "detail": "There is no such field."}]
            raise errors.ValidationFailed(errors=dict.fromkeys(unknown, problem))
        if fixed := [name for name in fields if known[name].read_only]:
            fixed.sort()
            problem = [{"code": "read_only", "detail": "The server alone writes this field."}]
            raise errors.FieldNotWritable(errors=dict.fromkeys(fixed, problem))
        refuse_unrepresentable(fields)

    def is_noop(self, instance: Any, serializer: Any) -> bool:
        """Whether valid data equal what the instance has; data with lists of objects never do."""
        for attribute, value in serializer.validated_data.items():
            if isinstance(value, (list, dict)) and not isinstance(
                serializer.fields.get(attribute), serializers.JSONField
            ):
                return False
            if not hasattr(instance, attribute) or getattr(instance, attribute) != value:
                return False
        return True

    def columns(self, viewset: Any, name: str) -> frozenset[str] | None:
        """The columns that a serializer field stands for; ``None`` where they are not known."""
        field = self.fields(viewset).get(name)
        if field is None or not isinstance(field.source, str) or "." in field.source:
            return None
        known: list[Any] = [*self.model._meta.concrete_fields, *self.model._meta.many_to_many]
        for candidate in known:
            if field.source in (candidate.name, getattr(candidate, "attname", None)):
                return frozenset({candidate.column or candidate.name, candidate.name})
        return None

    def is_set(self, viewset: Any, name: str) -> bool:
        """Whether the field is a list of references, whose order means nothing."""
        return isinstance(self.fields(viewset).get(name), serializers.ManyRelatedField)

    # Writes

    @property
    def scope_field(self) -> str:
        """The field that decides the scope, to which an error about it belongs."""
        path = scope_path(self.model)
        return "non_field_errors" if path in (None, "self") else str(path).split("__")[0]

    def create(self, viewset: Any, serializer: Any) -> None:
        with translated():
            viewset.perform_create(serializer)

    def update(self, viewset: Any, serializer: Any) -> None:
        with translated():
            viewset.perform_update(serializer)

    def destroy(self, viewset: Any, instance: Any) -> None:
        with translated():
            viewset.perform_destroy(instance)
