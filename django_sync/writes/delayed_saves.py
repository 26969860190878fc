"""Saves that are delayed, and written together in one statement.

Only saves that do nothing but write their row are delayed (``inspection``), and only where the
primary key is known beforehand. ``flush`` writes them before any other statement runs, so the
project's code always reads the true state.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any

from django.db import models

from ..conf import conf
from ..drf.serializers import NEW_ID, SyncSerializerMixin
from ..fields import RevisionField, ScopeField, Stale, SyncIdField, TriggerOwned, id_field, remember
from ..models.database import connection
from . import columns, inspection


class RowVanished(Exception):
    """A row that was read and locked is missing at its update."""


class DelayedSaves:
    """The rows of one run that are still to be inserted or updated.

    ``expected`` is how many objects the run creates at most: so many keys are reserved at once.
    """

    def __init__(self, model: Any, expected: int) -> None:
        self.model, self.expected = model, expected
        self.db = connection()
        self.count = 0
        self._inserts: list[Sequence[Any]] = []
        self._updates: list[Sequence[Any]] = []
        self._keys: list[Any] = []
        self._reserved: Iterator[Any] | None = None
        options = model._meta
        fields = options.local_concrete_fields
        self._names = {name for f in fields for name in (f.name, f.attname)}
        self._inserted = [f for f in fields if _is_inserted(f)]
        self._insert_row = _row_reader(self._inserted, add=True)
        self._updated = [f for f in fields if not (f.primary_key or isinstance(f, TriggerOwned))]
        self._update_row = _row_reader(self._updated, add=False)
        self._stale = [f.attname for f in fields if isinstance(f, (RevisionField, ScopeField))]
        self._has_relations = any(f.is_relation for f in fields) or bool(options.private_fields)
        self._alias = conf.DATABASE
        self._id_name = id_field(model).name
        self._auto_key = type(options.pk) in inspection.AUTO_KEYS

    # In place of a serializer's ``save``

    def create(self, serializer: Any, given: dict[str, Any]) -> Any | None:
        """The new instance, whose row is written later; ``None`` if it has to be saved now."""
        values = {**serializer.validated_data, **given}
        context = serializer.context
        if isinstance(serializer, SyncSerializerMixin) and NEW_ID in context:
            values[self._id_name] = context[NEW_ID]
        if not self._are_columns(values):
            return None
        instance = self.model(**values)
        if self._auto_key and instance.pk is None:
            instance.pk = self._next_key()
        if instance.pk is None:
            return None
        if self._has_relations:
            instance._prepare_related_fields_for_save(operation_name="save")
        row = self._insert_row(instance)
        if _has_expression(row):
            return None
        self._inserts.append(row)
        self.count += 1
        instance._state.adding, instance._state.db = False, self._alias
        self._mark_stale(instance)
        return instance

    def update(self, serializer: Any, given: dict[str, Any]) -> Any | None:
        """The changed instance, whose row is written later; ``None``: it has to be saved now."""
        instance = serializer.instance
        values = {**serializer.validated_data, **given}
        if not self._are_columns(values) or instance.get_deferred_fields():
            return None
        for name, value in values.items():
            setattr(instance, name, value)
        if self._has_relations:
            instance._prepare_related_fields_for_save(operation_name="save")
        row = self._update_row(instance)
        if _has_expression(row):
            return None
        self._updates.append(row)
        self._keys.append(instance.pk)
        self.count += 1
        self._mark_stale(instance)
        return instance

    def _mark_stale(self, instance: Any) -> None:
        """As after a save: triggers decide these columns."""
        for name in self._stale:
            instance.__dict__[name] = Stale.STALE
        remember(instance)

    def _are_columns(self, values: dict[str, Any]) -> bool:
        return values.keys() <= self._names and not _has_expression(values.values())

    # Keys

    def forget_keys(self) -> None:
        """On SQLite, somebody else may have taken the next key."""
        if self.db.vendor != "postgresql":
            self._reserved = None

    def _next_key(self) -> Any:
        if self._reserved is None:
            self._reserved = iter(self._reserve())
        return next(self._reserved, None)

    def _reserve(self) -> Sequence[Any]:
        """The next keys, as the database would have given them."""
        options = self.model._meta
        table, key = self.db.ops.quote_name(options.db_table), options.pk.column
        with self.db.cursor() as cursor:
            if self.db.vendor == "postgresql":
                cursor.execute(
                    "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)",
                    [table, key, self.expected],
                )
                return [row[0] for row in cursor.fetchall()]
            cursor.execute(
                "SELECT max(COALESCE((SELECT seq FROM sqlite_sequence WHERE name = %s), 0),"
                f" COALESCE((SELECT max({self.db.ops.quote_name(key)}) FROM {table}), 0))",
                [options.db_table],
            )
            last = int(cursor.fetchone()[0])
        return range(last + 1, last + 1 + self.expected)

    # The statements

    def flush(self) -> None:
        """Write what is delayed. Raises what the database raises, and ``RowVanished``."""
        inserts, self._inserts = self._inserts, []
        updates, self._updates = self._updates, []
        keys, self._keys = self._keys, []
        if inserts:
            columns.insert(self.db, self.model, self._inserted, _turned(inserts))
        if updates:
            found = columns.update(self.db, self.model, self._updated, _turned(updates), keys)
            if found != len(keys):
                raise RowVanished


def delay(serializer: Any, saves: DelayedSaves) -> None:
    """Have this serializer's first ``save()`` delayed; what cannot be delayed is saved at once."""
    kind = type(serializer)
    act: Callable[..., Any] = saves.create if serializer.instance is None else saves.update

    def save(**kwargs: Any) -> Any:
        del serializer.save  # a second call is one of DRF's own
        sound = not (serializer.errors or hasattr(serializer, "_data") or "commit" in kwargs)
        if sound:
            instance = act(serializer, kwargs)
            if instance is not None:
                serializer.instance = instance
                return instance
        return kind.save(serializer, **kwargs)

    serializer.save = save


def _is_inserted(field: Any) -> bool:
    """Triggers fill revision and scope; the id is the client's."""
    return not isinstance(field, TriggerOwned) or isinstance(field, SyncIdField)


def _row_reader(fields: Sequence[Any], *, add: bool) -> Callable[[Any], Sequence[Any]]:
    """From an instance to the values of its row, as each field's ``pre_save`` gives them."""
    if len(fields) > 1 and all(map(_is_read_alone, fields)):
        plain: Callable[[Any], Sequence[Any]] = attrgetter(*(f.attname for f in fields))
        return plain
    return lambda instance: [f.pre_save(instance, add) for f in fields]


def _is_read_alone(field: Any) -> bool:
    """Whether ``pre_save`` does no more than read the attribute."""
    if type(field) in (models.DateField, models.DateTimeField, models.TimeField):
        return not (field.auto_now or field.auto_now_add)
    return type(field).pre_save is models.Field.pre_save


SCALARS = frozenset({str, int, bool, float, type(None), uuid.UUID, datetime.datetime})
"""Types of values that are no expressions."""


def _has_expression(values: Iterable[Any]) -> bool:
    return not SCALARS.issuperset(map(type, values)) and any(
        hasattr(value, "resolve_expression") for value in values
    )


def _turned(rows: list[Sequence[Any]]) -> list[list[Any]]:
    """Columns from rows."""
    return [list(column) for column in zip(*rows, strict=True)]
