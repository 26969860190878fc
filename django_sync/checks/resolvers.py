"""Checks of the resolvers of conflicts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core import checks

from ..drf.collection import Collection
from ..merge import Resolver


def check_resolvers(collection: Collection, serializer: Any) -> Iterator[checks.CheckMessage]:
    """A viewset's resolvers are resolvers, and each names a field."""
    viewset = collection.viewset_class
    named = getattr(viewset, "resolvers", {})
    every = {**named, "delete_resolver": getattr(viewset, "delete_resolver", None)}
    for name, resolver in every.items():
        if resolver is not None and not isinstance(resolver, Resolver):
            yield checks.Error(
                f"{viewset.__name__} has {resolver!r} for “{name}”, which is not a resolver.",
                hint="Name an instance, for instance LastWrite(), from django_sync.merge.",
                obj=viewset,
                id="django_sync.E010",
            )
    known = set(getattr(serializer, "_declared_fields", ())) | {
        field.name for field in collection.model._meta.get_fields()
    }
    for name in sorted(set(named) - known - {"*"}):
        yield checks.Warning(
            f"{viewset.__name__}.resolvers names “{name}”, which is not a field.",
            hint="Name a field of the serializer, or “*” for all others.",
            obj=viewset,
            id="django_sync.W010",
        )
