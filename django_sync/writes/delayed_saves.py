"""Saves that are delayed, and written together in one statement.

Only saves that do nothing but write their row are delayed (``inspection``), and only where the
primary key is known beforehand. ``flush`` writes them before any other statement runs, so the
project's code always reads the true state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.db import connections

from ..conf import conf
from ..fields import RevisionField, ScopeField, Stale, SyncIdField, TriggerOwned, id_field, remember
from ..serializers import NEW_ID, SyncSerializerMixin
from . import columns, inspection


class RowVanished(Exception):
    """A row that was read and locked is missing at its update."""


class DelayedSaves:
    """The rows of one run that are still to be inserted or updated.

    ``expected`` is how many objects the run creates at most: so many keys are reserved at once.
    """

    def __init__(self, model: Any, expected: int) -> None:
        self.model, self.expected = model, expected
        self.db = connections[conf.DATABASE]
        self.count = 0
        self._inserts: list[list[Any]] = []
        self._updates: list[list[Any]] = []
        self._keys: list[Any] = []
        self._reserved: Iterator[Any] | None = None
        options = model._meta
        fields = options.local_concrete_fields
        self._names = {name for f in fields for name in (f.name, f.attname)}
        self._inserted = [f for f in fields if _is_inserted(f)]
        self._updated = [f for f in fields if not (f.primary_key or isinstance(f, TriggerOwned))]
        self._stale = [f.attname for f in fields if isinstance(f, (RevisionField, ScopeField))]
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
        instance._prepare_related_fields_for_save(operation_name="save")
        row = [f.pre_save(instance, True) for f in self._inserted]
        if any(map(_is_expression, row)):
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
        instance._prepare_related_fields_for_save(operation_name="save")
        row = [f.pre_save(instance, False) for f in self._updated]
        if any(map(_is_expression, row)):
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
        return values.keys() <= self._names and not any(map(_is_expression, values.values()))

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


def _is_expression(value: Any) -> bool:
    return hasattr(value, "resolve_expression")


def _turned(rows: list[list[Any]]) -> list[list[Any]]:
    """Columns from rows."""
    return [list(column) for column in zip(*rows, strict=True)]
