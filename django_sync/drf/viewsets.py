"""What a DRF viewset declares for sync, and the viewset for a model without one of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from rest_framework import permissions, serializers, viewsets

from ..merge import Resolver
from .caller import Caller
from .registry import registry
from .serializers import SyncSerializerMixin

ScopesOf = Callable[[Any], Iterable[object]]
"""From a user to the scopes that they see."""


class SyncViewSetMixin:
    """The questions that sync asks a viewset besides DRF's own.

    ``get_queryset()`` decides last what is visible. Scopes decide what is sent at all, and to
    whom a change goes.
    """

    resolvers: ClassVar[Mapping[str, Resolver]] = {}
    """The resolver of each field that a client and somebody else changed, by the field's name;
    ``"*"`` is for all others. Without either: ``DJANGO_SYNC["RESOLVER"]``."""

    delete_resolver: ClassVar[Resolver | None] = None
    """The resolver for an object that one side changed and the other deleted."""

    shared_rendering: ClassVar[bool] = False
    """Whether all who see a scope, under one visibility tag, see the same of it.

    Set it where neither queryset nor serializer depend on the user beyond that. Then a change is
    rendered once for all who listen; by default it is rendered for each user.
    """

    def get_scopes(self) -> Iterable[object]:
        """The scopes that ``self.request.user`` sees; ids and numbers are taken as text."""
        return ("",)

    def may_write_scope(self, scope: str) -> bool:
        """Whether ``self.request.user`` may write into ``scope``, which they see."""
        return True

    def get_visibility_tag(self) -> str:
        """A text for all that queryset and serializer depend on besides row, scope and user.

        When it changes for a user (a new role, a date that was reached), the collection is sent
        to them anew.
        """
        return ""


class SyncModelPermissions(permissions.DjangoModelPermissions):
    """``DjangoModelPermissions`` that also asks for ``view`` before anything is read."""

    perms_map = {  # noqa: RUF012 - the shape that DRF asks for
        **permissions.DjangoModelPermissions.perms_map,
        "GET": ["%(app_label)s.view_%(model_name)s"],
        "HEAD": ["%(app_label)s.view_%(model_name)s"],
    }


def make_viewset(
    model: type[models.Model],
    *,
    fields: Sequence[str],
    scope: str | None,
    scopes: ScopesOf | None = None,
) -> type[Any]:
    """A viewset for a model that has none: these fields, these scopes, model permissions."""
    meta = type("Meta", (), {"model": model, "fields": tuple(fields)})
    serializer = type(
        f"{model.__name__}SyncSerializer",
        (SyncSerializerMixin, serializers.ModelSerializer),
        {"Meta": meta},
    )

    def get_scopes(self: Any) -> Iterable[object]:
        if scopes is not None:
            return scopes(self.request.user)
        return natural_scopes(model, scope, self.request)

    return type(
        f"{model.__name__}SyncViewSet",
        (SyncViewSetMixin, viewsets.ModelViewSet),
        {
            "queryset": model._default_manager.all(),
            "serializer_class": serializer,
            "permission_classes": [SyncModelPermissions],
            "get_scopes": get_scopes,
        },
    )


def scope_target(model: type[models.Model], path: str) -> type[models.Model] | None:
    """The model that the last hop of a scope path points to; ``None`` for a plain column."""
    if path == "self":
        return model
    target: Any = model
    for hop in path.split("__"):
        try:
            field = target._meta.get_field(hop)
        except FieldDoesNotExist:
            return None
        target = field.related_model
        if target is None:
            return None
    return target if isinstance(target, type) else None


def natural_scopes(model: type[models.Model], path: str | None, request: Any) -> Iterable[object]:
    """The default scopes: the user's own, or those of the collection pointed to."""
    if path is None:
        return ("",)
    target = scope_target(model, path)
    if target is get_user_model():
        return (request.user.pk,)
    found: set[object] = set()
    for collection in registry.of_model(target) if target not in (None, model) else ():
        found |= collection.scopes(Caller.of(request))
    return found
