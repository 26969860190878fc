"""System checks: set-up mistakes, each with an id and a hint of what to write instead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.core import checks
from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from rest_framework import relations, serializers
from rest_framework.exceptions import APIException

from .caller import Caller
from .capture import scope_path, spec_problems, synced_models, verify
from .collection import Collection
from .conf import SETTINGS, conf
from .fields import uuid_primary_key
from .registry import registry
from .retention import RESULT_DAYS_LEAST
from .serializers import SyncSerializerMixin, is_synced
from .shapes import decides_on_fields
from .viewsets import SyncViewSetMixin

Messages = Iterator[checks.CheckMessage]
BROKEN = (APIException, AssertionError, ImproperlyConfigured, FieldDoesNotExist)
"""What DRF raises where a serializer cannot be made."""
MAY_BE_ZERO = ("RETRIES", "WAIT_SECONDS")
BY_KEY = (relations.PrimaryKeyRelatedField, relations.HyperlinkedRelatedField)


def enlist() -> None:
    """Register the checks with Django."""
    checks.register(check_settings, "django_sync")
    checks.register(check_models, checks.Tags.models)
    checks.register(check_collections, "django_sync")
    checks.register(check_capture, checks.Tags.database)


def check_settings(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """Each key of ``DJANGO_SYNC`` is known and of its type."""
    return list(_settings(getattr(settings, "DJANGO_SYNC", {})))


def _settings(given: Any) -> Messages:
    if not isinstance(given, dict):
        yield checks.Error(
            "DJANGO_SYNC is no dictionary.",
            hint="Write DJANGO_SYNC = {“PAGE_SIZE”: 500}, for instance.",
            id="django_sync.E009",
        )
        return
    for name, value in given.items():
        if name not in SETTINGS:
            yield checks.Warning(
                f"DJANGO_SYNC has a key “{name}” that is no setting.",
                hint=f"The settings are {', '.join(sorted(SETTINGS))}.",
                id="django_sync.W001",
            )
        elif not _fits(name, value):
            kind = SETTINGS[name].kind.__name__
            yield checks.Error(
                f"DJANGO_SYNC[“{name}”] is {value!r}.",
                hint=f"It takes {kind}, for instance {SETTINGS[name].default!r}.",
                id="django_sync.E001",
            )
    days = given.get("RESULT_DAYS", RESULT_DAYS_LEAST)
    if isinstance(days, int) and days < RESULT_DAYS_LEAST:
        yield checks.Warning(
            f"DJANGO_SYNC[“RESULT_DAYS”] is {days}, but results are kept for "
            f"{RESULT_DAYS_LEAST} days at least.",
            hint="The protocol promises that to clients; leave the key out, or set more.",
            id="django_sync.W007",
        )
    alias = given.get("DATABASE", "default")
    if isinstance(alias, str) and alias not in settings.DATABASES:
        yield checks.Error(
            f"DJANGO_SYNC[“DATABASE”] names “{alias}”, which is not in DATABASES.",
            hint=f"Name one of {', '.join(settings.DATABASES)}.",
            id="django_sync.E002",
        )


def _fits(name: str, value: Any) -> bool:
    """Whether a setting has its type; a number is a limit, and few may be 0."""
    kind = SETTINGS[name].kind
    if kind is not int:
        return isinstance(value, kind)
    least = 0 if name in MAY_BE_ZERO else 1
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def check_models(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """What triggers cannot keep of a synced model."""
    return [
        checks.Error(
            problem,
            hint="See “Which models can be synced” in the docs.",
            obj=model,
            id="django_sync.E003",
        )
        for model in synced_models()
        for problem in spec_problems(model)
    ]


def check_collections(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """What would leak, or be wrong, in what is registered."""
    return [message for collection in registry for message in _collection(collection)]


def check_capture(
    app_configs: Sequence[AppConfig] | None = None,
    databases: Sequence[str] | None = None,
    **kwargs: Any,
) -> list[checks.CheckMessage]:
    """Each trigger is in place and unaltered: ``check --database default`` asks the database.

    ``migrate`` asks too, before it starts. So this is a warning, for an error would keep
    it from putting things right, and nothing is said while migrations wait to be applied.
    """
    if conf.DATABASE not in (databases or ()) or _migrations_wait(conf.DATABASE):
        return []
    return [
        checks.Warning(
            f"Capture is not whole: {problem.kind} {problem.name} {problem.label} "
            f"({problem.detail}). Writes may go unseen.",
            hint="Run migrate: it puts triggers back, and adopts rows or names sync_adopt.",
            id="django_sync.W006",
        )
        for problem in verify(conf.DATABASE)
    ]


def _migrations_wait(using: str) -> bool:
    executor = MigrationExecutor(connections[using])
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _collection(collection: Collection) -> Messages:
    viewset = collection.viewset_class
    if not (hasattr(viewset, "get_queryset") and hasattr(viewset, "get_serializer")):
        yield checks.Error(
            f"{viewset.__name__} is no GenericViewSet.",
            hint="Let it subclass rest_framework.viewsets.ModelViewSet.",
            obj=viewset,
            id="django_sync.E004",
        )
        return
    yield from _scopes(collection)
    yield from _permissions(collection)
    serializer = getattr(viewset, "serializer_class", None)
    if serializer is not None:
        yield from _serializer(collection, serializer)
    yield from _generic_keys(collection)


def _scopes(collection: Collection) -> Messages:
    viewset = collection.viewset_class
    says = getattr(viewset, "get_scopes", None) not in (None, SyncViewSetMixin.get_scopes)
    path = scope_path(collection.model)
    if path is not None and not says:
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
            "user is told the ids of what is hidden from them, and reads everybody's traffic.",
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
        asks_nothing = permission is AllowAny or (
            isinstance(permission, type)
            and issubclass(permission, DjangoModelPermissions)
            and not permission.perms_map.get("GET")
        )
        if asks_nothing:
            yield checks.Warning(
                f"{permission.__name__} on {collection.viewset_class.__name__} asks nothing of "
                "who reads: scopes and queryset alone decide.",
                hint="Use SyncModelPermissions, which asks for “view”, where that is not meant.",
                obj=collection.viewset_class,
                id="django_sync.W003",
            )


def _serializer(collection: Collection, serializer: type[Any]) -> Messages:
    from django.contrib.auth.models import AnonymousUser

    if not issubclass(serializer, SyncSerializerMixin):
        yield checks.Error(
            f"{serializer.__name__} is no SyncSerializerMixin: it would send primary keys.",
            hint=f"class {serializer.__name__}(SyncSerializerMixin, ModelSerializer)",
            obj=serializer,
            id="django_sync.E006",
        )
        return
    try:
        kind: Any = serializer
        made = kind(context={"request": Caller.for_user(AnonymousUser()).request})
        fields: Iterable[tuple[str, Any]] = made.fields.items()
    except BROKEN as problem:
        yield checks.Error(str(problem), obj=serializer, id="django_sync.E007")
        return
    except AttributeError:
        if not decides_on_fields(serializer):
            raise
        return  # it asks something of a user that nobody has who is not signed in
    touched = set(getattr(collection.model, "sync_touches", ()))
    keys = {name.split("__")[0] for name in touched}
    for name, field in fields:
        inner = getattr(field, "child_relation", field)
        yield from _reference(collection, serializer, name, inner, str(field.source))
        if _reaches_out(field) and str(field.source).split(".")[0] not in keys:
            yield checks.Warning(
                f"{serializer.__name__}.{name} is made from more than the object's own row; a "
                "change there reaches no replica.",
                hint=f"Declare it on {collection.model.__name__}: sync_touches = "
                f"(“{_touch_hint(field, name)}”,), or answer for it in get_rights().",
                obj=serializer,
                id="django_sync.W004",
            )


def _touch_hint(field: Any, name: str) -> str:
    return str(field.source).replace(".", "__") if "." in str(field.source) else name


def _reaches_out(field: Any) -> bool:
    """Whether a field is nested, dotted, computed, or shows a column of another row."""
    if field.write_only:
        return False
    computed = isinstance(field, (serializers.SerializerMethodField, serializers.BaseSerializer))
    shown = isinstance(field, (relations.SlugRelatedField, relations.StringRelatedField))
    return computed or shown or "." in str(field.source)


def _reference(
    collection: Collection, serializer: type[Any], name: str, field: Any, source: str
) -> Messages:
    model = _named_by_key(collection.model, field, source)
    if model is not None:
        yield checks.Error(
            f"{serializer.__name__}.{name} names an object of {model.__name__} by its primary key.",
            hint="Leave the field to SyncSerializerMixin, or make it a SyncRelatedField.",
            obj=serializer,
            id="django_sync.E008",
        )


def _named_by_key(model: Any, field: Any, source: str) -> Any:
    """The synced model whose objects a field names by primary key, if it does.

    Where the primary key is the id itself it may be shown; to take it, a field would have to
    look among what the user sees, which DRF's own does not.
    """
    target: Any = None
    if isinstance(field, BY_KEY):
        named: Any = field
        target = getattr(named.queryset, "model", None) or _behind(model, source.split("."))
    elif not isinstance(field, relations.RelatedField) and source != "*":
        target = _key_behind(model, source.split("."))
    if not is_synced(target) or (field.read_only and uuid_primary_key(target) is not None):
        return None
    return target


def _behind(model: Any, path: list[str]) -> Any:
    """The model at the end of a path of relations; ``None`` where it is none."""
    for name in path:
        try:
            model = model._meta.get_field(name).related_model
        except (FieldDoesNotExist, AttributeError):
            return None
    return model


def _key_behind(model: Any, path: list[str]) -> Any:
    """The model whose primary key such a path ends in: ``board_id``, ``board.pk``."""
    *before, last = path
    home = _behind(model, before)
    if home is None:
        return None
    if before and last in ("pk", home._meta.pk.name):
        return home
    for field in home._meta.concrete_fields:
        if field.is_relation and field.attname == last != field.name:
            return field.related_model
    return None


def _generic_keys(collection: Collection) -> Messages:
    for field in collection.model._meta.private_fields:
        if isinstance(field, GenericForeignKey):
            yield checks.Warning(
                f"{collection.model.__name__}.{field.name} is a generic foreign key; it is no "
                "part of a record.",
                hint="Leave it out of the serializer, or give each kind a key of its own.",
                obj=collection.model,
                id="django_sync.W005",
            )
