"""The fields of a serializer class, built once; each request gets copies of them.

DRF builds the fields of a ``ModelSerializer`` anew for each instance, from the model and from
``Meta``. Where no code of the project changes that, the result is the same each time.
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
"""A serializer class that defines one of these may choose its own fields or validators."""
VIEW = frozenset({"get_serializer", "get_serializer_class", "get_serializer_context"})
MOST = 500
"""Serializer classes that are kept at most; a project may make new classes at run time."""

_patterns: dict[type[Any], tuple[Any, list[Any]]] = {}


def has_own(cls: type[Any], names: Iterable[str]) -> bool:
    """Whether the project's code defines one of these names in a class or in its bases."""
    names = frozenset(names)
    return any(not names.isdisjoint(vars(base)) for base in cls.__mro__ if not _is_framework(base))


def _is_framework(base: type[Any]) -> bool:
    frameworks = ("rest_framework.", "django.", "django_sync.")
    return base is object or base.__module__.startswith(frameworks)


def has_fixed_fields(view: type[Any], kind: type[Any]) -> bool:
    """Whether each serializer that the viewset makes of this class has the same fields."""
    return (
        issubclass(kind, serializers.ModelSerializer)
        and not has_own(view, VIEW)
        and not has_own(kind, BUILD)
    )


def pattern_of(kind: type[Any]) -> Any:
    """The fields of a serializer class by name; copy them, do not change them."""
    return _pattern(kind)[0]


def _pattern(kind: type[Any]) -> tuple[Any, list[Any]]:
    if kind not in _patterns:
        if len(_patterns) >= MOST:
            _patterns.clear()
        made = kind()
        _patterns[kind] = made.fields, list(made.validators)
    return _patterns[kind]


def give_fields(serializer: Any) -> None:
    """Give a new serializer the fields and validators that it would build itself."""
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
