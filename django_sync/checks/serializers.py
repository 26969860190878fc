"""Checks of serializers: how a record names other objects, and what else it is made from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core import checks
from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured
from rest_framework import relations, serializers
from rest_framework.exceptions import APIException

from ..drf.caller import Caller
from ..drf.collection import Collection
from ..drf.registry import registry
from ..drf.schema_hash import decides_on_fields
from ..drf.serializers import SyncRelatedField, SyncSerializerMixin, is_synced, relation_of
from ..fields import uuid_primary_key

Messages = Iterator[checks.CheckMessage]
BROKEN = (APIException, AssertionError, ImproperlyConfigured, FieldDoesNotExist)
"""What DRF raises if a serializer cannot be created."""
BY_KEY = (relations.PrimaryKeyRelatedField, relations.HyperlinkedRelatedField)
COLUMN_OF_ANOTHER = (relations.SlugRelatedField, relations.StringRelatedField)


def check_serializer(collection: Collection, serializer: type[Any]) -> Messages:
    """What would leak or become outdated in the records of a serializer."""
    if not issubclass(serializer, SyncSerializerMixin):
        yield checks.Error(
            f"{serializer.__name__} is not a SyncSerializerMixin: it would send primary keys.",
            hint=f"class {serializer.__name__}(SyncSerializerMixin, ModelSerializer)",
            obj=serializer,
            id="django_sync.E006",
        )
        return
    from django.contrib.auth.models import AnonymousUser

    try:
        kind: Any = serializer
        made = kind(context={"request": Caller.for_user(AnonymousUser()).request})
        fields: dict[str, Any] = dict(made.fields)
    except BROKEN as problem:
        yield checks.Error(str(problem), obj=serializer, id="django_sync.E007")
        return
    except AttributeError:
        if not decides_on_fields(serializer):
            raise
        return  # it reads an attribute that only signed-in users have
    for name, field in fields.items():
        yield from _reference(collection, serializer, name, field)
        if not field.write_only:
            yield from _made_from(collection.model, serializer, name, field)


# References


def _reference(collection: Collection, serializer: type[Any], name: str, field: Any) -> Messages:
    relation_field = getattr(field, "child_relation", field)
    model = _named_by_key(collection.model, relation_field, str(field.source))
    if model is not None:
        yield checks.Error(
            f"{serializer.__name__}.{name} names an object of {model.__name__} by its primary key.",
            hint="Leave the field to SyncSerializerMixin, or make it a SyncRelatedField.",
            obj=serializer,
            id="django_sync.E008",
        )
    model = None if field.read_only else _looked_up_among_all(relation_field)
    if model is not None:
        yield checks.Warning(
            f"{serializer.__name__}.{name} refers to {model.__name__}, which no collection shows: "
            "an id is looked up among all its objects, also those hidden from the user.",
            hint=f"Register {model.__name__}, and ids are looked up among what the user sees; or "
            "make the field read-only.",
            obj=serializer,
            id="django_sync.W008",
        )


def _looked_up_among_all(field: Any) -> Any:
    """The model whose rows a reference is looked up among, without a check of who sees them."""
    if not isinstance(field, SyncRelatedField):
        return None
    if type(field).get_queryset is not relations.RelatedField.get_queryset:
        return None  # it chooses the rows itself
    queryset: Any = vars(field)["queryset"]
    model = getattr(queryset, "model", None)
    return None if model is None or registry.of_model(model) else model


def _named_by_key(model: Any, field: Any, source: str) -> Any:
    """The synced model whose objects a field names by primary key, if it does.

    If the primary key is the id itself, it may be shown. To accept it, a field would have to look
    it up among what the user sees, which DRF's own field does not.
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
    """The model at the end of a path of relations; ``None`` if there is none."""
    for name in path:
        relation = relation_of(model, name) if model is not None else None
        model = getattr(relation, "related_model", None)
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


# What a record is made from


def _made_from(model: Any, serializer: type[Any], name: str, field: Any) -> Messages:
    source = str(field.source).split(".")
    if other := _related_model(model, field, source):
        yield checks.Warning(
            f"{serializer.__name__}.{name} is made from rows of {other.__name__}; a change there "
            "reaches no replica.",
            hint=f"Leave it out and register {other.__name__}: its objects are records of their "
            "own. Or answer for it in get_visibility_tag().",
            obj=serializer,
            id="django_sync.W009",
        )
    elif _shows_more_than_own_row(model, field, source) and not _is_touched(model, field, source):
        yield checks.Warning(
            f"{serializer.__name__}.{name} is computed, or made from more than the object's own "
            "row; a change there reaches no replica.",
            hint=f"Declare what it reads on {model.__name__}, as in sync_touches = "
            f"(“{_touch_hint(field, source)}”,), or answer for it in get_visibility_tag().",
            obj=serializer,
            id="django_sync.W004",
        )


def _related_model(model: Any, field: Any, source: list[str]) -> Any:
    """The model whose rows refer to the object, or are listed by it with more than their keys.

    No key of the object leads there, so ``sync_touches`` cannot name it.
    """
    relation = relation_of(model, source[0])
    if relation is None or relation.many_to_one or (relation.one_to_one and relation.concrete):
        return None
    own_list = relation.many_to_many and not relation.auto_created
    relation_field = getattr(field, "child_relation", field)
    if own_list and len(source) == 1 and isinstance(relation_field, (SyncRelatedField, *BY_KEY)):
        return None
    return relation.related_model


def _shows_more_than_own_row(model: Any, field: Any, source: list[str]) -> bool:
    """Whether a field is nested, dotted, computed, or shows a column of another row."""
    computed = isinstance(field, (serializers.SerializerMethodField, serializers.BaseSerializer))
    if computed or len(source) > 1 or isinstance(field, COLUMN_OF_ANOTHER):
        return True
    return source != ["*"] and not _is_own(model, source[0])


def _is_own(model: Any, name: str) -> bool:
    """Whether an attribute belongs to the row itself: a column, a list, the label of a choice."""
    known: list[Any] = [*model._meta.concrete_fields, *model._meta.many_to_many]
    words = name.removeprefix("get_").removesuffix("_display")
    return any(
        name in (field.name, field.attname) or (field.choices and words == field.name)
        for field in known
    )


def _is_touched(model: Any, field: Any, source: list[str]) -> bool:
    """Whether ``sync_touches`` names all that a field shows: a key, or one column behind it."""
    touched = getattr(model, "sync_touches", ())
    slug = (
        str(field.slug_field).split("__") if isinstance(field, relations.SlugRelatedField) else []
    )
    match [*source, *slug]:
        case [key]:
            return key in {path.partition("__")[0] for path in touched}
        case [key, column]:
            return key in touched or f"{key}__{column}" in touched
    return False


def _touch_hint(field: Any, source: list[str]) -> str:
    if source == ["*"]:
        return "key"
    slug = [field.slug_field] if isinstance(field, relations.SlugRelatedField) else []
    return "__".join([*source, *slug][:2])
