"""Which fields the database writes exactly as DRF does, and how.

A pair of a serializer field and a model field has a kind only where both are of exactly the
classes named here and nothing about them changes the text. A subclass may do anything.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from rest_framework import ISO_8601
from rest_framework import fields as drf
from rest_framework.settings import api_settings

from ...fields import RevisionField, ScopeField, SyncIdField
from ...models.database import connection

UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Kind:
    """How a column becomes JSON: the name of its SQL, and the numbers that go into it."""

    name: str
    numbers: tuple[tuple[str, int], ...] = ()


TEXT, INTEGER, BOOLEAN, UUID = Kind("text"), Kind("integer"), Kind("boolean"), Kind("uuid")
SCOPE = Kind("scope")
"""A text that is not NULL: a change without a scope does not name the member at all."""
ID = Kind("id")
"""An object's own id, which ``queries.joined`` has looked at."""
DATETIME, DATE, TIME = Kind("datetime"), Kind("date"), Kind("time")

COLUMNS: Mapping[type[Any], Kind] = {
    models.CharField: TEXT,
    models.TextField: TEXT,
    models.EmailField: TEXT,
    models.SlugField: TEXT,
    models.URLField: TEXT,
    ScopeField: TEXT,
    models.AutoField: INTEGER,
    models.BigAutoField: INTEGER,
    models.SmallAutoField: INTEGER,
    models.IntegerField: INTEGER,
    models.BigIntegerField: INTEGER,
    models.SmallIntegerField: INTEGER,
    models.PositiveIntegerField: INTEGER,
    models.PositiveBigIntegerField: INTEGER,
    models.PositiveSmallIntegerField: INTEGER,
    RevisionField: INTEGER,
    models.BooleanField: BOOLEAN,
    models.UUIDField: UUID,
    SyncIdField: UUID,
    models.DateTimeField: DATETIME,
    models.DateField: DATE,
    models.TimeField: TIME,
}
"""What the columns of these model fields hold."""

FIELDS: Mapping[type[Any], Kind] = {
    drf.CharField: TEXT,
    drf.EmailField: TEXT,
    drf.SlugField: TEXT,
    drf.URLField: TEXT,
    drf.RegexField: TEXT,
    drf.IntegerField: INTEGER,
    drf.BooleanField: BOOLEAN,
}
"""Serializer fields that show a value of this kind as JSON has it."""


BIG_INTEGERS: tuple[Any, ...] = tuple(filter(None, [getattr(drf, "BigIntegerField", None)]))
"""Only newer versions of DRF have it."""


def column_kind(column: Any) -> Kind | None:
    """What a column holds, where only Django writes its table's definition."""
    return COLUMNS.get(type(column)) if column.model._meta.managed else None


def kind_of(field: Any, column: Any) -> Kind | None:
    """How the database writes what this serializer field shows of this column, if it can."""
    if type(column) is models.DecimalField and type(field) is drf.DecimalField:
        return _decimal(field, column)
    kind = column_kind(column)
    if kind is None:
        return None
    if type(field) is drf.ChoiceField:
        return kind if _shows_choices_as_they_are(field, kind) else None
    is_standard = FIELDS.get(type(field)) is kind or _is_number(field, kind)
    return kind if is_standard or _writes_iso(field, kind) else None


def _is_number(field: Any, kind: Kind) -> bool:
    """Whether a big integer is shown as a number, and not as text."""
    if type(field) not in BIG_INTEGERS or kind is not INTEGER:
        return False
    return not getattr(field, "coerce_to_string", api_settings.COERCE_BIGINT_TO_STRING)


def _writes_iso(field: Any, kind: Kind) -> bool:
    """Whether a time or an id is written in its usual form, a time in UTC."""
    if type(field) is drf.DateTimeField:
        return kind is DATETIME and settings.USE_TZ and writes_utc(field) and _stores_utc()
    if type(field) is drf.DateField:
        return kind is DATE and _is_iso(getattr(field, "format", api_settings.DATE_FORMAT))
    if type(field) is drf.TimeField:
        return kind is TIME and _is_iso(getattr(field, "format", api_settings.TIME_FORMAT))
    return type(field) is drf.UUIDField and kind is UUID and field.uuid_format == "hex_verbose"


def writes_utc(field: Any) -> bool:
    """Whether a ``DateTimeField`` writes ISO 8601 in UTC, now."""
    zone = field.timezone if hasattr(field, "timezone") else field.default_timezone()
    iso = _is_iso(getattr(field, "format", api_settings.DATETIME_FORMAT))
    return iso and zone in (datetime.UTC, UTC)


def _stores_utc() -> bool:
    """Whether stored times have a time zone, or are in UTC.

    SQLite stores times without a time zone, in the ``TIME_ZONE`` of the database setting.
    """
    db = connection()
    return db.vendor != "sqlite" or db.timezone in (datetime.UTC, UTC)


def _is_iso(form: str | None) -> bool:
    return form is not None and form.lower() == ISO_8601


def _shows_choices_as_they_are(field: Any, kind: Kind) -> bool:
    """Whether each choice is shown as it is stored, as one that is none of them is anyway."""
    shown = field.choice_strings_to_values.items()
    if kind is TEXT:
        return all(type(value) is str and value == key for key, value in shown)
    return kind is INTEGER and all(type(value) is int and str(value) == key for key, value in shown)


def _decimal(field: Any, column: Any) -> Kind | None:
    """The kind of a decimal that DRF shows with the column's own digits; else ``None``."""
    as_text = getattr(field, "coerce_to_string", api_settings.COERCE_DECIMAL_TO_STRING)
    is_standard = as_text and not field.localize and not getattr(field, "normalize_output", False)
    digits = (column.max_digits, column.decimal_places)
    if not (is_standard and column.model._meta.managed) or None in digits:
        return None
    if (field.max_digits, field.decimal_places) != digits:
        return None
    return Kind("decimal", (("places", digits[1]), ("whole", digits[0] - digits[1])))
