"""Records straight from rows, where a serializer is plain enough to be foretold.

DRF makes a model instance and asks each field for its attribute, for every record. For a
serializer whose fields are DRF's own over the model's own columns, the same values come from
``values_list``, through the same fields' ``to_representation``. Anything else (a method
field, an own ``to_representation``, an own field class) is left to DRF: there is no plan.
"""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models.query_utils import DeferredAttribute
from django.db.models.signals import post_init, pre_init
from rest_framework import ISO_8601, relations, serializers
from rest_framework import fields as drf
from rest_framework.settings import api_settings
from rest_framework.utils.encoders import JSONEncoder

from .fields import id_field
from .models import SyncModel
from .protocol import Json, Record
from .serializers import SyncRelatedField

Convert = Callable[[Any], Any]
UTC = ZoneInfo("UTC")


def encoded(value: Any) -> str:
    """The JSON of what is sent, also of what neither JSON nor UTF-8 can say.

    NaN and infinities, which raw SQL can store, become null; half surrogates are escaped.
    """
    try:
        text = _compact(value, escaped=False)
        text.encode()
    except ValueError:
        return _compact(finite(value), escaped=True)
    return text


def _compact(value: Any, *, escaped: bool) -> str:
    return json.dumps(
        value, cls=JSONEncoder, ensure_ascii=escaped, allow_nan=False, separators=(",", ":")
    )


def finite(value: Any) -> Any:
    """The value with ``None`` for each number that JSON does not know."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(inner) for inner in value]
    return value


AS_IT_IS: dict[type[Any], type] = {
    drf.CharField: str,
    drf.IntegerField: int,
    drf.FloatField: float,
    drf.BooleanField: bool,
    drf.JSONField: object,
}
"""Field classes that change nothing of a value which is of this type already."""

KNOWN: frozenset[type[Any]] = frozenset(
    {
        *AS_IT_IS,
        drf.ChoiceField,
        drf.DateField,
        drf.DateTimeField,
        drf.DecimalField,
        drf.DurationField,
        drf.EmailField,
        drf.IPAddressField,
        drf.RegexField,
        drf.SlugField,
        drf.TimeField,
        drf.URLField,
        drf.UUIDField,
    }
)
"""DRF's own fields, which take nothing but the value of their source."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One member of an object: the lookup that reads it, and what becomes of its value."""

    name: str
    lookup: str
    convert: Convert


@dataclass(frozen=True, slots=True)
class ManyCell:
    """A list of references, read for a whole page in one query."""

    name: str
    through: type[models.Model]
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Plan:
    """How the records of a collection come from rows."""

    collection: str
    id_name: str
    cells: tuple[Cell, ...]
    many: tuple[ManyCell, ...]
    order: tuple[str, ...]

    def records(self, queryset: Any) -> list[Record]:
        """The records of a query's rows, in its order."""
        fixed = ("pk", self.id_name, "sync_revision", "sync_scope")
        lookups = [cell.lookup for cell in self.cells]
        rows = list(queryset.prefetch_related(None).values_list(*fixed, *lookups))
        lists = [self._lists(cell, [row[0] for row in rows]) for cell in self.many]
        converters = [(cell.name, cell.convert) for cell in self.cells]
        made: list[Record] = []
        for pk, id, revision, scope, *values in rows:
            found: Json = {}
            for (name, convert), value in zip(converters, values, strict=True):
                found[name] = None if value is None else convert(value)
            for cell, listed in zip(self.many, lists, strict=True):
                found[cell.name] = listed.get(pk, [])
            content = {name: found[name] for name in self.order} if self.many else found
            made.append(Record(self.collection, id, revision, scope, content))
        return made

    def _lists(self, cell: ManyCell, pks: Sequence[Any]) -> dict[Any, list[str]]:
        """Primary key to the ids that its list holds, in the order of ids."""
        rows = cell.through._base_manager.filter(**{f"{cell.source}__in": pks})
        listed: dict[Any, list[str]] = {}
        for pk, id in rows.order_by(cell.target).values_list(cell.source, cell.target):
            listed.setdefault(pk, []).append(str(id))
        return listed


def plan_for(collection: str, model: type[models.Model], serializer: Any) -> Plan | None:
    """The plan of a serializer over a model, or ``None`` where only DRF knows what comes out."""
    if not is_plain(model, type(serializer)):
        return None
    cells: list[Cell] = []
    many: list[ManyCell] = []
    order: list[str] = []
    for name, field in serializer.fields.items():
        if field.write_only:
            continue
        cell = _cell(model, name, field)
        if cell is None:
            return None
        order.append(name)
        if isinstance(cell, ManyCell):
            many.append(cell)
        else:
            cells.append(cell)
    id_name = str(id_field(model).name)
    return Plan(collection, id_name, tuple(cells), tuple(many), tuple(order))


def is_plain(model: type[models.Model], kind: type[Any]) -> bool:
    """Whether a serializer class takes what it shows from rows alone, as far as a class tells."""
    return _is_plain_model(model) and _is_plain_serializer(kind)


def _is_plain_model(model: type[models.Model]) -> bool:
    """Whether an instance is nothing but its row."""
    listeners = any(signal.has_listeners(model) for signal in (pre_init, post_init))
    own = model.__init__ is not models.Model.__init__
    loading: Any = SyncModel.from_db
    loaded = getattr(model.from_db, "__func__", None) is not loading.__func__
    return not (listeners or own or loaded)


def _is_plain_serializer(kind: type[Any]) -> bool:
    return (
        issubclass(kind, serializers.ModelSerializer)
        and kind.to_representation is serializers.Serializer.to_representation
        and not hasattr(kind.Meta, "list_serializer_class")
    )


def _cell(model: type[models.Model], name: str, field: Any) -> Cell | ManyCell | None:
    source = str(field.source)
    column = {f.name: f for f in model._meta.concrete_fields}.get(source)
    if type(field) is relations.ManyRelatedField:
        return _many_cell(model, name, field)
    if column is None or not _is_plain_column(model, column):
        return None
    if type(field) is SyncRelatedField and column.is_relation:
        target: Any = column.related_model
        return Cell(name, f"{source}__{id_field(target).name}", str)
    if type(field) is relations.SlugRelatedField and column.is_relation:
        return _slug_cell(name, source, column.related_model, str(field.slug_field))
    if type(field) not in KNOWN or column.is_relation:
        return None
    return Cell(name, source, _converter(field, column))


def _is_plain_column(model: type[models.Model], column: Any) -> bool:
    """Whether reading the attribute gives the column's value: files and the like do more."""
    if column.is_relation:
        return bool(column.many_to_one or column.one_to_one)
    return type(vars(column.model).get(column.attname)) is DeferredAttribute


def _slug_cell(name: str, source: str, target: Any, slug: str) -> Cell | None:
    """The named object's own column, where it is one."""
    known = {f.name: f for f in target._meta.concrete_fields}
    column = known.get(slug)
    if column is None or column.is_relation or not _is_plain_column(target, column):
        return None
    return Cell(name, f"{source}__{slug}", lambda value: value)


def _many_cell(model: type[models.Model], name: str, field: Any) -> ManyCell | None:
    source = {f.name: f for f in model._meta.many_to_many}.get(str(field.source))
    if source is None or type(field.child_relation) is not SyncRelatedField:
        return None
    through: Any = source.remote_field.through
    target: Any = source.related_model
    to_target = f"{source.m2m_reverse_field_name()}__{id_field(target).name}"
    return ManyCell(name, through, source.m2m_field_name(), to_target)


def _converter(field: Any, column: Any) -> Convert:
    """What the field makes of a value; nothing where nothing changes."""
    kind = AS_IT_IS.get(type(field))
    represent: Convert = field.to_representation
    if type(field) is drf.DateTimeField:
        return _times(field)
    if kind is None or getattr(field, "binary", False):
        return represent
    if kind is object:
        return lambda value: value

    def convert(value: Any) -> Any:
        return value if type(value) is kind else represent(value)

    return convert


def _times(field: Any) -> Convert:
    """What a ``DateTimeField`` makes of a time; without its detour where all is in UTC.

    DRF asks for the current time zone once a value; within one page it is one.
    """
    represent: Convert = field.to_representation
    told = getattr(field, "format", api_settings.DATETIME_FORMAT)
    zone = field.timezone if hasattr(field, "timezone") else field.default_timezone()
    if told is None or told.lower() != ISO_8601 or zone not in (datetime.UTC, UTC):
        return represent

    def convert(value: Any) -> Any:
        if type(value) is not datetime.datetime or value.tzinfo is not datetime.UTC:
            return represent(value)
        return value.isoformat()[:-6] + "Z"

    return convert
