"""The shape of a serializer: a hash of what its records look like.

Where the shape changes, after a deploy or for a user whose role has changed, the collection is
another one for replicas, and is sent anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from rest_framework import serializers

LOOKS = ("source", "slug_field", "format", "decimal_places", "coerce_to_string")
"""Options of a field that change how its value looks."""
DECIDE = ("__init__", "__new__", "get_fields", "get_field_names", "fields")
"""With one of these a serializer may have other fields for each request."""


def shape_of(serializer: Any) -> str:
    """The hash of what a serializer shows, by which names, and how."""
    return digest(*looks_of(serializer))


def looks_of(field: Any, path: str = "") -> Iterator[str]:
    """What a record's look depends on in a field, and in the fields nested in it."""
    options = [f"{name}={getattr(field, name)}" for name in LOOKS if hasattr(field, name)]
    yield " ".join([path, type(field).__name__, *map(str, options)])
    for name in ("child", "child_relation"):
        if hasattr(field, name):
            yield from looks_of(getattr(field, name), f"{path}.{name}")
    if isinstance(field, serializers.Serializer):
        for name, nested in field.fields.items():
            if not nested.write_only:
                yield from looks_of(nested, f"{path}.{name}")


def decides_on_fields(kind: type[Any]) -> bool:
    """Whether a serializer class may choose its own fields."""
    return any(name in vars(base) for base in kind.__mro__ if not _is_ours(base) for name in DECIDE)


def decides_on_serializer(viewset_class: type[Any]) -> bool:
    """Whether a viewset makes its serializer in its own way."""
    return any(
        "get_serializer" in vars(base) for base in viewset_class.__mro__ if not _is_ours(base)
    )


def _is_ours(base: type[Any]) -> bool:
    return base is object or base.__module__.startswith(("rest_framework.", "django_sync."))


def digest(*parts: str) -> str:
    """A short hash of texts, for comparing."""
    joined = "\0".join(parts)
    return hashlib.sha256(joined.encode()).hexdigest()[:16]
