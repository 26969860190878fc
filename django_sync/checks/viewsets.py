"""Checks of viewsets: who sees what of a collection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig
from django.contrib.contenttypes.fields import GenericForeignKey
from django.core import checks

from ..capture import scope_path
from ..drf.collection import Collection
from ..drf.registry import registry
from ..drf.viewsets import SyncViewSetMixin
from .resolvers import check_resolvers
from .serializers import check_serializer

Messages = Iterator[checks.CheckMessage]


def check_collections(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """What would leak or be wrong in the registered collections."""
    return [message for collection in registry for message in check_collection(collection)]


def check_collection(collection: Collection) -> Messages:
    """What would leak or be wrong in one collection."""
    viewset = collection.viewset_class
    if not (hasattr(viewset, "get_queryset") and hasattr(viewset, "get_serializer")):
        yield checks.Error(
            f"{viewset.__name__} is not a GenericViewSet.",
            hint="Let it subclass rest_framework.viewsets.ModelViewSet.",
            obj=viewset,
            id="django_sync.E004",
        )
        return
    yield from _scopes(collection)
    yield from _permissions(collection)
    yield from _request_wide(viewset)
    serializer = getattr(viewset, "serializer_class", None)
    if serializer is not None:
        yield from check_serializer(collection, serializer)
    yield from _generic_keys(collection)
    yield from check_resolvers(collection, serializer)


def _scopes(collection: Collection) -> Messages:
    viewset = collection.viewset_class
    has_scopes = getattr(viewset, "get_scopes", None) not in (None, SyncViewSetMixin.get_scopes)
    path = scope_path(collection.model)
    if path is not None and not has_scopes:
        yield checks.Error(
            f"{collection.model.__name__} has the scope “{path}”, but {viewset.__name__} does "
            "not say which scopes a user sees: nobody would see anything.",
            hint="Add SyncViewSetMixin and def get_scopes(self), or drop sync_scope_path.",
            obj=viewset,
            id="django_sync.E005",
        )
    own_query = "get_queryset" in {
        name for base in viewset.__mro__ if not _is_drf(base) for name in vars(base)
    }
    if path is None and own_query:
        yield checks.Warning(
            f"{viewset.__name__} has a query of its own for a collection without scopes: each "
            "user gets the ids of objects that are hidden from them, and sees when others write.",
            hint=f"Give {collection.model.__name__} a scope, for instance sync_scope_path = "
            "“owner”.",
            obj=viewset,
            id="django_sync.W002",
        )


def _is_drf(base: type[Any]) -> bool:
    return base.__module__.startswith("rest_framework.") or base is object


def _permissions(collection: Collection) -> Messages:
    from rest_framework.permissions import AllowAny, DjangoModelPermissions

    for permission in getattr(collection.viewset_class, "permission_classes", ()) or [AllowAny]:
        checks_nothing = permission is AllowAny or (
            isinstance(permission, type)
            and issubclass(permission, DjangoModelPermissions)
            and not permission.perms_map.get("GET")
        )
        if checks_nothing:
            yield checks.Warning(
                f"{permission.__name__} on {collection.viewset_class.__name__} checks nothing for "
                "readers: only scopes and queryset decide.",
                hint="Use SyncModelPermissions, which checks “view”, unless you mean this.",
                obj=collection.viewset_class,
                id="django_sync.W003",
            )


REQUEST_WIDE = {
    "authentication_classes": "DEFAULT_AUTHENTICATION_CLASSES",
    "throttle_classes": "DEFAULT_THROTTLE_CLASSES",
}


def _request_wide(viewset: type[Any]) -> Messages:
    """Classes that apply to a whole request, which may concern many collections."""
    from rest_framework.views import APIView

    for name, setting in REQUEST_WIDE.items():
        if list(getattr(viewset, name, ())) != list(getattr(APIView, name)):
            yield checks.Warning(
                f"{viewset.__name__} has {name} of its own; the sync endpoints take those of the "
                "settings.",
                hint=f"Set them in REST_FRAMEWORK[“{setting}”], if sync is to have them too.",
                obj=viewset,
                id="django_sync.W011",
            )


def _generic_keys(collection: Collection) -> Messages:
    for field in collection.model._meta.private_fields:
        if isinstance(field, GenericForeignKey):
            yield checks.Warning(
                f"{collection.model.__name__}.{field.name} is a generic foreign key; it is not "
                "part of a record.",
                hint="Leave it out of the serializer, or give each kind its own key.",
                obj=collection.model,
                id="django_sync.W005",
            )
