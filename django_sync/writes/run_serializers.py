"""One serializer for each mutation of a run, whose fields are built once.

DRF builds all fields of a serializer anew for each instance, which costs more than to validate a
small object. There are three ways, from the fastest to the one that is always correct:

* *shared*: only the fields validate. All mutations use the same fields.
* *copied*: the serializer has validation of its own, and its code might change fields. Each
  mutation gets fields that are made from the same arguments.
* *built*: the project's code decides the fields. Each mutation gets its viewset's serializer.
"""

from __future__ import annotations

import copy
import uuid
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.fields import SkipField, empty, get_error_detail
from rest_framework.validators import ProhibitSurrogateCharactersValidator

from ..drf import field_patterns
from ..drf.collection import Collection
from ..drf.exceptions import translated
from ..drf.serializers import NEW_ID
from ..drf.values import in_range, refuse_unrepresentable
from ..protocol import Json
from . import inspection
from .delayed_saves import DelayedSaves, delay
from .validation import quick_check


class RunSerializers:
    """Makes the serializers of one run; ``viewset`` is that of its first mutation."""

    def __init__(self, collection: Collection, viewset: Any, saves: DelayedSaves) -> None:
        self.collection, self.saves = collection, saves
        with translated():
            self.kind: type[Any] = viewset.get_serializer_class()
        self.is_shared = self.is_copied = self.delays_create = self.delays_update = False
        if not field_patterns.has_fixed_fields(type(viewset), self.kind):
            return
        with translated():
            self.pattern: Any = viewset.get_serializer(data={})
            self.fields: Any = self.pattern.fields
        self.is_shared = inspection.validates_plainly(self.pattern)
        self.is_copied = not self.is_shared
        self._find_what_is_delayed()
        if self.is_shared:
            self.writable = {str(f.field_name): f for f in self.pattern._writable_fields}
            for field in self.writable.values():  # ``refuse_unrepresentable`` has looked at these
                field.validators = [
                    v
                    for v in field.validators
                    if type(v) is not ProhibitSurrogateCharactersValidator
                ]
            self.checks = [(n, f, quick_check(f)) for n, f in self.writable.items()]

    def _find_what_is_delayed(self) -> None:
        model, kind = self.collection.model, self.kind
        nested = any(_is_nested(f) for f in self.fields.values() if not f.read_only)
        if not nested and kind.Meta.model is model and inspection.saves_plainly(model):
            self.delays_create = inspection.creates_plainly(kind, model)
            self.delays_update = inspection.updates_plainly(kind)

    def valid(
        self, viewset: Any, fields: Json, *, instance: Any = None, id: uuid.UUID | None = None
    ) -> Any:
        """The serializer over ``fields``, valid; names are checked by who calls.

        Raises ``ValidationFailed``.
        """
        if self.is_shared:
            serializer = self._shared(viewset, fields, instance, id)
        elif self.is_copied:
            serializer = self._copied(viewset, fields, instance, id)
        else:
            serializer = self.collection.validated(viewset, fields, instance=instance, id=id)
        if self.delays_create if instance is None else self.delays_update:
            delay(serializer, self.saves)
        return serializer

    def _shared(self, viewset: Any, fields: Json, instance: Any, id: uuid.UUID | None) -> Any:
        """A serializer of the same class over the shared fields.

        ``pattern`` is their parent and root, so it stands for each mutation in its turn. Code
        that asks the new serializer for its fields gets some that are its own.
        """
        pattern = self.pattern
        context = viewset.get_serializer_context()
        if id is not None:
            context[NEW_ID] = id
        pattern._context, pattern.instance = context, instance
        pattern.initial_data, pattern.partial = fields, instance is not None
        one = copy.copy(pattern)
        one.__dict__.pop("fields", None)
        one._kwargs = {**pattern._kwargs, "data": fields, "context": context}
        with translated(), in_range():
            one._validated_data, one._errors = self._validate(fields), {}
        made = one._validated_data
        other = {n: v for n, v in made.items() if v is not fields.get(n)}
        if other:
            refuse_unrepresentable(other)
        return one

    def _validate(self, fields: Json) -> dict[str, Any]:
        """What ``Serializer.run_validation`` does where nothing of it is the project's own."""
        found: dict[str, Any] = {}
        wrong: dict[str, Any] = {}
        for name, field, check in self.checks:
            value = fields.get(name, empty)
            try:
                if check is not None:
                    quick = check(value)
                    if quick is not empty:
                        found[name] = quick
                        continue
                found[name] = field.run_validation(value)
            except ValidationError as error:
                wrong[name] = error.detail
            except DjangoValidationError as error:
                wrong[name] = get_error_detail(error)
            except SkipField:
                pass
        if wrong:
            raise ValidationError(wrong)
        return found

    def _copied(self, viewset: Any, fields: Json, instance: Any, id: uuid.UUID | None) -> Any:
        context = viewset.get_serializer_context()
        if id is not None:
            context[NEW_ID] = id
        with translated():
            serializer = self.kind(
                instance, data=fields, partial=instance is not None, context=context
            )
            field_patterns.give_fields(serializer)
            with in_range():
                serializer.is_valid(raise_exception=True)
        refuse_unrepresentable(serializer.validated_data)
        return serializer


def _is_nested(field: Any) -> bool:
    return isinstance(field, serializers.BaseSerializer) or "." in str(field.source)
