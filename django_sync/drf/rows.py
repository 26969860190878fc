"""A model's rows by their ids: whether they exist, their scopes, and locks on them.

Nothing here asks who may see a row, so no answer may go to a user as it is.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import models

from ..fields import id_field
from ..models import Tombstone
from ..models.database import connection


class Rows:
    """The rows of a synced model."""

    def __init__(self, model: type[models.Model]) -> None:
        self.model = model
        self.id_name = id_field(model).name

    @property
    def label(self) -> str:
        """The label that the model's entries in the feed carry."""
        concrete = self.model._meta.concrete_model or self.model
        return concrete._meta.label_lower

    def existing(self, ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
        """Those of these ids that have a row, also one that the user may not see."""
        return set(self.located(ids))

    def located(self, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, str | None]:
        """The scope of each of these ids that has a row, also one that the user may not see."""
        rows = self.model._base_manager.filter(**{f"{self.id_name}__in": ids}).order_by()
        return dict(rows.values_list(self.id_name, "sync_scope"))

    def in_use(self, ids: Sequence[uuid.UUID]) -> tuple[str, list[Any]]:
        """An SQL condition and its parameters: whether any of these ids has or had a row."""
        there, bound = self._there(ids)
        among = _among(ids)[0]
        sql = (
            f"{there} OR EXISTS (SELECT 1"
            f" FROM {Tombstone._meta.db_table} WHERE model = %s AND object_id {among})"
        )
        return sql, [*bound, self.label, *bound]

    def _there(self, ids: Sequence[uuid.UUID]) -> tuple[str, list[Any]]:
        """An SQL condition and its parameters: whether any of these ids has a row."""
        quote = connection().ops.quote_name
        field: Any = id_field(self.model)
        # The id of a model that inherits its columns is in its parent's table.
        column, table = quote(field.column), quote(field.model._meta.db_table)
        among, bound = _among(ids)
        return f"EXISTS (SELECT 1 FROM {table} WHERE {column} {among})", bound

    def any_there(self, ids: Sequence[uuid.UUID]) -> bool:
        """Whether any of these ids has a row, also one that the user may not see."""
        return self._is_so(*self._there(ids))

    def _is_so(self, sql: str, bounds: list[Any]) -> bool:
        with connection().cursor() as cursor:
            cursor.execute(f"SELECT {sql}", bounds)
            return bool(cursor.fetchone()[0])

    def any_in_use(self, ids: Sequence[uuid.UUID]) -> bool:
        """Whether any of these ids has a row or had one."""
        return self._is_so(*self.in_use(ids))

    def lock(self, id: uuid.UUID, known: int) -> int | None:
        """Lock the row until the transaction ends; its revision, ``None`` where it has no row.

        ``known`` is the revision that was read in this transaction. On SQLite no other
        transaction can have changed it, so it is returned.
        """
        if not connection().features.has_select_for_update:
            return known
        rows = self.model._base_manager.select_for_update().filter(**{self.id_name: id})
        return rows.order_by().values_list("sync_revision", flat=True).first()

    def lock_many(
        self, ids: Sequence[uuid.UUID], known: Mapping[uuid.UUID, int]
    ) -> Mapping[uuid.UUID, int]:
        """Lock rows, in the order of their ids; return the revisions of the rows that exist."""
        if not connection().features.has_select_for_update:
            return known
        rows = self.model._base_manager.select_for_update().filter(**{f"{self.id_name}__in": ids})
        return dict(rows.order_by(self.id_name).values_list(self.id_name, "sync_revision"))

    def scope_of(self, id: uuid.UUID) -> str | None:
        """The scope of a row, also one that the user may not see."""
        rows = self.model._base_manager.filter(**{self.id_name: id})
        return rows.values_list("sync_scope", flat=True).first()


def _among(ids: Sequence[uuid.UUID]) -> tuple[str, list[Any]]:
    """SQL for being among these ids, and its one parameter."""
    if connection().vendor == "postgresql":
        return "= ANY(%s)", [list(ids)]
    return "IN (SELECT value FROM json_each(%s))", [json.dumps([id.hex for id in ids])]
