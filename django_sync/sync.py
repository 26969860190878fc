"""``register``: what an app's ``sync.py`` calls, as its ``admin.py`` calls ``admin.register``.

And what a project's own code calls: ``block``, ``unblock``, ``end`` and ``refresh`` for users and
their clients, ``invalidate`` after a change of what a user may see.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, overload

from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.utils.module_loading import autodiscover_modules
from django.utils.text import slugify

from .capture import set_scope_path
from .drf.collection import Collection
from .drf.registry import registry
from .drf.serializers import SyncRelatedField, SyncSerializerMixin
from .drf.viewsets import ScopesOf, SyncModelPermissions, SyncViewSetMixin, make_viewset
from .feed.notify import invalidate
from .models import SyncModel
from .sessions.directives import block, end, refresh, unblock

__all__ = [
    "SyncModelPermissions",
    "SyncRelatedField",
    "SyncSerializerMixin",
    "SyncViewSetMixin",
    "autodiscover",
    "block",
    "end",
    "invalidate",
    "refresh",
    "register",
    "unblock",
]

MISSING: Any = object()
PATHS = ("changes", "mutations", "sessions", "live", "health")
"""What the protocol itself has under the root, where collections are as well."""


@overload
def register(target: str, viewset: type[Any]) -> Collection: ...


@overload
def register(
    target: type[models.Model],
    *,
    fields: Sequence[str],
    scope: str | None,
    name: str | None = None,
    scopes: ScopesOf | None = None,
) -> Collection: ...


def register(
    target: str | type[models.Model],
    viewset: type[Any] | None = None,
    *,
    fields: Sequence[str] = MISSING,
    scope: str | None = MISSING,
    name: str | None = None,
    scopes: ScopesOf | None = None,
) -> Collection:
    """Publish a model as a collection.

    ``register("cards", CardViewSet)`` takes the project's own DRF viewset, which decides
    everything. ``register(Card, fields=["title"], scope="board")`` makes one: it names
    the fields that are published, and the scope (``None``, written out, for a collection that
    has none); Django's model permissions are asked, ``view`` before anything is read.
    ``scopes`` is a function from a user to the scopes that they see; it may be left out
    where the scope is the user, or an object of a registered collection. ``name`` is the
    collection's name, the model's plural by default.

    Raises ``ImproperlyConfigured`` for what cannot be a collection.
    """
    has_options = [name, scopes] != [None, None] or fields is not MISSING or scope is not MISSING
    if isinstance(target, str):
        if viewset is None or has_options:
            raise ImproperlyConfigured(
                f"Write register({target!r}, YourViewSet); the viewset decides all else."
            )
        collection = Collection(well_named(target), viewset, model_of(viewset))
    else:
        if viewset is not None:
            raise ImproperlyConfigured(f"Write register(“name”, {viewset.__name__}).")
        collection = _bare(target, fields, scope, name, scopes)
    registry.add(collection)
    return collection


def well_named(name: str) -> str:
    """The name, if a path and a list of names can hold it."""
    if not re.fullmatch(r"[-a-zA-Z0-9_]+", name) or name in PATHS:
        raise ImproperlyConfigured(
            f"“{name}” cannot be a collection's name: it is made of letters, digits, hyphens and "
            f"underscores, and is none of {', '.join(PATHS)}. Give another by name=…"
        )
    return name


def _bare(
    model: type[models.Model],
    fields: Sequence[str],
    scope: str | None,
    name: str | None,
    scopes: ScopesOf | None,
) -> Collection:
    written = f"register({synced(model).__name__}, fields=[…], scope=…)"
    if fields is MISSING or scope is MISSING:
        raise ImproperlyConfigured(
            f"Write {written}: name the published fields, and the scope that decides who sees them "
            "(scope=None: there are no scopes)."
        )
    if isinstance(fields, str) or not fields:
        raise ImproperlyConfigured(f"Write {written}: fields is a list of field names.")
    plural = well_named(name or slugify(str(model._meta.verbose_name_plural)))
    set_scope_path(model, scope)
    made = make_viewset(model, fields=fields, scope=scope, scopes=scopes)
    return Collection(plural, made, model)


def model_of(viewset: type[Any]) -> type[models.Model]:
    """The model that a viewset class shows: its ``queryset``'s, or its serializer's."""
    queryset = getattr(viewset, "queryset", None)
    serializer = getattr(viewset, "serializer_class", None)
    model = getattr(queryset, "model", None) or getattr(
        getattr(serializer, "Meta", None), "model", None
    )
    if model is None:
        raise ImproperlyConfigured(
            f"{viewset.__name__} names neither a queryset nor a serializer_class with a model."
        )
    return synced(model)


def synced(model: Any) -> type[models.Model]:
    """The model, if it has the mixin."""
    if not (isinstance(model, type) and issubclass(model, SyncModel)):
        raise ImproperlyConfigured(
            f"{model!r} is not synced: let it subclass django_sync.models.SyncModel, "
            "then run makemigrations and migrate."
        )
    return model


def autodiscover() -> None:
    """Import the ``sync.py`` of each installed app."""
    autodiscover_modules("sync")
