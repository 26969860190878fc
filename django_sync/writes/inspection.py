"""Checks of a project's classes before a run: which steps the mutations may share.

Each function checks whether a class does a step as Django and DRF do it. It is called for each
run, because classes can be changed while a process runs.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth import backends, get_user_model
from django.contrib.auth.models import PermissionsMixin
from django.db import models, router
from django.db.models import signals
from django.db.models.deletion import get_candidate_relations_to_delete
from django.utils.module_loading import import_string
from rest_framework import mixins, permissions, serializers
from rest_framework.fields import Field

from ..drf.field_patterns import has_own
from ..drf.rendering import KNOWN
from ..drf.serializers import SyncRelatedField, SyncSerializerMixin
from ..drf.viewsets import SyncModelPermissions
from ..fields import TriggerOwned, mark_stale
from ..models import SyncModel

BLIND: frozenset[Any] = frozenset(
    {permissions.AllowAny, permissions.IsAuthenticated, permissions.IsAdminUser}
)
"""Permission classes that look at nothing but the user."""
BY_MODEL: frozenset[Any] = frozenset({permissions.DjangoModelPermissions, SyncModelPermissions})
"""Those that ask the authentication backends, which cache the answer on the user."""
BACKENDS: frozenset[Any] = frozenset({backends.ModelBackend, backends.AllowAllUsersModelBackend})

SIMPLE_COLUMNS: frozenset[Any] = frozenset(
    {
        models.BigIntegerField,
        models.BooleanField,
        models.CharField,
        models.DateField,
        models.DateTimeField,
        models.DecimalField,
        models.DurationField,
        models.EmailField,
        models.FloatField,
        models.ForeignKey,
        models.IntegerField,
        models.JSONField,
        models.OneToOneField,
        models.PositiveBigIntegerField,
        models.PositiveIntegerField,
        models.PositiveSmallIntegerField,
        models.SlugField,
        models.SmallIntegerField,
        models.TextField,
        models.TimeField,
        models.URLField,
        models.UUIDField,
    }
)
"""Django's own fields whose values go into a column as they are."""
AUTO_KEYS: frozenset[Any] = frozenset(
    {models.AutoField, models.BigAutoField, models.SmallAutoField}
)

VALIDATE = ("is_valid", "run_validation", "to_internal_value", "validate", "run_validators")
PERMIT = ("get_permissions", "check_permissions", "check_object_permissions", "permission_denied")
SAVE = (serializers.BaseSerializer.save, SyncSerializerMixin.save)


def shares_permissions(view: type[Any]) -> bool:
    """Whether all mutations of a run get the same answer: no permission looks at data."""
    if has_own(view, PERMIT):
        return False
    classes = set(view.permission_classes)
    if classes <= BLIND:
        return True
    only_django = not has_own(view, ("get_queryset",)) and _asks_django_alone()
    return only_django and classes <= BLIND | BY_MODEL


def _asks_django_alone() -> bool:
    from django.conf import settings

    found = {import_string(path) for path in settings.AUTHENTICATION_BACKENDS}
    user: Any = get_user_model()
    asked = ("has_perm", "has_perms")
    own = any(getattr(user, n, None) is not getattr(PermissionsMixin, n) for n in asked)
    return found <= BACKENDS and not own


def validates_as_drf(serializer: Any) -> bool:
    """Whether only the fields validate, so that mutations can share them."""
    kind = type(serializer)
    inherited = all(getattr(kind, n) is getattr(serializers.Serializer, n) for n in VALIDATE)
    hooks = (n for n in dir(kind) if n.startswith("validate_") and not hasattr(Field, n))
    return (
        inherited
        and not any(hooks)
        and not serializer.validators
        and all(_is_simple_field(f) for f in serializer._writable_fields)
    )


def _is_simple_field(field: Any) -> bool:
    known = type(field) in KNOWN or type(field) is SyncRelatedField
    return known and field.source_attrs == [field.field_name]


def saves_as_django(model: Any) -> bool:
    """Whether saving an instance writes its row and does nothing else."""
    options = model._meta
    return (
        all(getattr(model, n) is getattr(SyncModel, n) for n in _SAVING)
        and not (options.parents or options.proxy or options.swapped or router.routers)
        and not any(s.has_listeners(model) for s in (signals.pre_init, signals.post_init))
        and not signals.pre_save.has_listeners(model)
        and _only_ours_listens(model)
        and all(map(_is_simple_column, options.local_concrete_fields))
    )


_SAVING = (
    "save",
    "save_base",
    "_save_table",
    "_do_insert",
    "_do_update",
    "_prepare_related_fields_for_save",
    "full_clean",
    "__init__",
)
"""A project that overrides one of these does something of its own when it saves."""


def _only_ours_listens(model: Any) -> bool:
    found: Any = signals.post_save._live_receivers(model)
    receivers = [r for group in found for r in (group if isinstance(group, list) else [group])]
    return all(receiver is mark_stale for receiver in receivers)


def _is_simple_column(field: Any) -> bool:
    kind = type(field)
    if isinstance(field, TriggerOwned):
        return True
    if getattr(field, "generated", False) or field.has_db_default():
        return False
    return kind in SIMPLE_COLUMNS or (field.primary_key and kind in AUTO_KEYS)


def creates_as_drf(serializer: type[Any], model: Any) -> bool:
    """Whether ``save()`` of a new object is DRF's own, down to the manager."""
    base = serializers.ModelSerializer
    manager = model._default_manager
    return (
        serializer.create is base.create
        and serializer.save in SAVE
        and type(manager).create is models.Manager.create
        and type(manager).get_queryset is models.Manager.get_queryset
        and manager._queryset_class.create is models.QuerySet.create
    )


def updates_as_drf(serializer: type[Any]) -> bool:
    """Whether ``save()`` of a known object is DRF's own."""
    return serializer.update is serializers.ModelSerializer.update and serializer.save in SAVE


def deletes_as_django(view: type[Any], model: Any) -> bool:
    """Whether a delete is Django's own, and changes no other row of the same table."""
    listened = any(s.has_listeners(model) for s in (signals.pre_delete, signals.post_delete))
    return (
        not has_own(view, ("perform_destroy",))
        and view.perform_destroy is mixins.DestroyModelMixin.perform_destroy
        and model.delete is SyncModel.delete
        and not (model._meta.parents or model._meta.proxy or listened or router.routers)
        and not model._meta.private_fields
        and not _leads_back(model)
    )


def _leads_back(model: Any) -> bool:
    """Whether deleting a row may lead to rows of the same table, along foreign keys."""
    todo, visited = [model], {model}
    while todo:
        for relation in get_candidate_relations_to_delete(todo.pop()._meta):
            target = relation.related_model
            if target is model:
                return True
            if target not in visited:
                visited.add(target)
                todo.append(target)
    return False
