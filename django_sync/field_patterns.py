"""The fields of a serializer class, built once, from which each request gets copies.

DRF builds the fields of a ``ModelSerializer`` anew for each instance, from the model and from
``Meta``. Where the project's code has no say in that, the same arguments come out each time.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from rest_framework import serializers
from rest_framework.utils.serializer_helpers import BindingDict

_MODEL_SERIALIZER = vars(serializers.ModelSerializer)
BUILD = frozenset(
    {
        "__new__",
        "__init__",
        "__deepcopy__",
        "fields",
        "validators",
        "get_validators",
        "_writable_fields",
        "_readable_fields",
        "_read_only_defaults",
        *(name for name in _MODEL_SERIALIZER if name.startswith(("build_", "get_", "include_"))),
    }
)
"""By these a serializer class decides which fields and validators it has."""
VIEW = frozenset({"get_serializer", "get_serializer_class", "get_serializer_context"})
MOST = 500
"""Serializer classes that are remembered; a project that makes classes as it goes has more."""

_patterns: dict[type[Any], tuple[Any, list[Any]]] = {}


def has_own(cls: type[Any], names: Iterable[str]) -> bool:
    """Whether the project's code defines any of these in a class or in its bases."""
    names = frozenset(names)
    return any(not names.isdisjoint(vars(base)) for base in cls.__mro__ if not _is_framework(base))


def _is_framework(base: type[Any]) -> bool:
    frameworks = ("rest_framework.", "django.", "django_sync.")
    return base is object or base.__module__.startswith(frameworks)


def are_foretold(view: type[Any], kind: type[Any]) -> bool:
    """Whether each serializer that the viewset makes of this class has the same fields."""
    return (
        issubclass(kind, serializers.ModelSerializer)
        and not has_own(view, VIEW)
        and not has_own(kind, BUILD)
    )


def pattern_of(kind: type[Any]) -> Any:
    """The fields of a serializer class by name, only to be looked at and copied."""
    return _pattern(kind)[0]


def _pattern(kind: type[Any]) -> tuple[Any, list[Any]]:
    if kind not in _patterns:
        if len(_patterns) >= MOST:
            _patterns.clear()
        made = kind()
        _patterns[kind] = made.fields, list(made.validators)
    return _patterns[kind]


def give_fields(serializer: Any) -> None:
    """Give a new serializer fields and validators, as it would make them itself."""
    declared = serializer._declared_fields
    made = BindingDict(serializer)
    pattern, validators = _pattern(type(serializer))
    for name, field in pattern.items():
        if name in declared or isinstance(field, serializers.ManyRelatedField):
            made[name] = copy.deepcopy(field)
        else:
            made[name] = type(field)(*field._args, **field._kwargs)
    serializer.__dict__["fields"] = made
    serializer._validators = list(validators)
