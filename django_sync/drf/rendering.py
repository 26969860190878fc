"""Records straight from rows, for serializers of DRF's standard fields.

DRF makes a model instance and asks each field for its attribute, for every record. For a
serializer whose fields are DRF's own over the model's own columns, the same values come from
``values_list``, through the same fields' ``to_representation``. Anything else (a method
field, an own ``to_representation``, an own field class) is left to DRF: there is no plan.
"""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.signals import setting_changed
from django.db import models
from django.db.models.query_utils import DeferredAttribute
from django.db.models.signals import post_init, pre_init
from django.dispatch import receiver
from django.utils import timezone
from rest_framework import fields as drf
from rest_framework import relations, serializers

from ..fields import id_field
from ..models import SyncModel
from ..protocol import Json, ReadyRecord, Record
from .json_sql import (
    BIG_INTEGERS,
    INTEGER,
    TEXT,
    Cell,
    Convert,
    ManyCell,
    TextPlan,
    column_kind,
    encoded,
    finite,
    kind_of,
    text_plan,
    writes_utc,
)
from .serializers import SyncRelatedField

__all__ = [
    "Plan",
    "encoded",
    "finite",
    "is_standard_model",
    "obstacles",
    "plan_for",
    "put_text",
    "usual_plan",
]


def put_text(record: Record) -> str:
    """The JSON of a record's ``put``: as the database made it, or made here."""
    if isinstance(record, ReadyRecord):
        return record.put
    return encoded(record.as_change().to_json())


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
        *BIG_INTEGERS,
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
"""DRF's own fields, which use only the value of their source."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How the records of a collection come from rows."""

    collection: str
    id_name: str
    cells: tuple[Cell, ...]
    many: tuple[ManyCell, ...]
    order: tuple[str, ...]
    text: TextPlan | None = None

    def records(self, queryset: Any) -> list[Record]:
        """The records of a query's rows, in its order; as text where the database makes that."""
        ready = None if self.text is None else self.text.records(queryset)
        return self._from_rows(queryset) if ready is None else ready

    def _from_rows(self, queryset: Any) -> list[Record]:
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
    if not is_standard(model, type(serializer)):
        return None
    members: list[Cell | ManyCell] = []
    for name, field in serializer.fields.items():
        if field.write_only:
            continue
        cell = _cell(model, name, field)
        if cell is None:
            return None
        members.append(cell)
    return Plan(
        collection,
        str(id_field(model).name),
        tuple(member for member in members if isinstance(member, Cell)),
        tuple(member for member in members if isinstance(member, ManyCell)),
        tuple(member.name for member in members),
        text_plan(collection, model, members),
    )


def is_standard(model: type[models.Model], kind: type[Any]) -> bool:
    """Whether a serializer class shows only what is in rows, as far as the class decides."""
    return is_standard_model(model) and _is_standard_serializer(kind)


def obstacles(model: type[models.Model], serializer: Any) -> list[str]:
    """The fields that prevent a plan: only DRF knows what comes out."""
    shown = (pair for pair in serializer.fields.items() if not pair[1].write_only)
    return [name for name, field in shown if _cell(model, name, field) is None]


MOST_PLANS = 500
"""Plans that are kept: a project may make a serializer class for each request."""
_usual: dict[tuple[Any, ...], Plan | None] = {}


def usual_plan(collection: str, model: type[models.Model], kind: type[Any]) -> Plan | None:
    """The plan of a serializer whose class alone decides on its fields: made once a process.

    It is of a serializer without a request, since it outlives each; and of the time zone.
    """
    if not is_standard(model, kind):
        return None
    key = (kind, collection, model, timezone.get_current_timezone_name())
    with contextlib.suppress(KeyError):
        return _usual[key]
    plan = plan_for(collection, model, kind())
    if len(_usual) >= MOST_PLANS:
        _usual.clear()
    _usual[key] = plan
    return plan


@receiver(setting_changed)
def forget_plans(**kwargs: Any) -> None:
    """Make all plans anew where a test has changed how DRF writes."""
    _usual.clear()


def is_standard_model(model: type[models.Model]) -> bool:
    """Whether an instance is nothing but its row."""
    listeners = any(signal.has_listeners(model) for signal in (pre_init, post_init))
    own = model.__init__ is not models.Model.__init__
    loading: Any = SyncModel.from_db
    loaded = getattr(model.from_db, "__func__", None) is not loading.__func__
    return not (listeners or own or loaded)


def _is_standard_serializer(kind: type[Any]) -> bool:
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
    if column is None or not _is_standard_column(model, column):
        return None
    if type(field) is SyncRelatedField and column.is_relation:
        target: Any = column.related_model
        id = id_field(target)
        return Cell(name, f"{source}__{id.name}", str, column_kind(id))
    if type(field) is relations.SlugRelatedField and column.is_relation:
        return _slug_cell(name, source, column.related_model, str(field.slug_field))
    if type(field) not in KNOWN or column.is_relation:
        return None
    return Cell(name, source, _converter(field, column), kind_of(field, column))


def _is_standard_column(model: type[models.Model], column: Any) -> bool:
    """Whether reading the attribute gives the column's value: files and the like do more."""
    if column.is_relation:
        return bool(column.many_to_one or column.one_to_one)
    return type(vars(column.model).get(column.attname)) is DeferredAttribute


def _slug_cell(name: str, source: str, target: Any, slug: str) -> Cell | None:
    """The named object's own column, where it is one."""
    known = {f.name: f for f in target._meta.concrete_fields}
    column = known.get(slug)
    if column is None or column.is_relation or not _is_standard_column(target, column):
        return None
    kind = column_kind(column)
    shown = kind if kind in (TEXT, INTEGER) else None
    return Cell(name, f"{source}__{slug}", lambda value: value, shown)


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
    if not writes_utc(field):
        return represent

    def convert(value: Any) -> Any:
        if type(value) is not datetime.datetime or value.tzinfo is not datetime.UTC:
            return represent(value)
        return value.isoformat()[:-6] + "Z"

    return convert
