"""The feed's entries that triggers have written since a moment of this transaction."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from ..feed import tables
from ..models.database import connection


class EntriesSince:
    """The feed's newest entries of some objects, all of them locked or made by this transaction."""

    def __init__(self, label: str, ids: Sequence[uuid.UUID]) -> None:
        self.label, self.ids = label, frozenset(ids)
        sqlite = connection().vendor == "sqlite"
        self.table, self.place = (tables.CHANGE, "position") if sqlite else (tables.OUTBOX, "id")
        self._after: int | None = None
        self._delayed = -1

    def mark(self, delayed: int) -> None:
        """Begin here. ``delayed`` counts saves: without a new one the last mark still holds."""
        if self._after is not None and delayed == self._delayed:
            return
        self._delayed = delayed
        with connection().cursor() as cursor:
            cursor.execute(f"SELECT COALESCE(max({self.place}), 0) FROM {self.table}")
            self._after = int(cursor.fetchone()[0])

    def read(self) -> dict[uuid.UUID, int]:
        """Which of the objects were changed since, and the last revision of each."""
        with connection().cursor() as cursor:
            cursor.execute(
                f"SELECT {self.place}, object_id, revision FROM {self.table}"
                f" WHERE {self.place} > %s AND model = %s ORDER BY {self.place}",
                [self._after or 0, self.label],
            )
            found = cursor.fetchall()
        if found:
            self._after = found[-1][0]
        changed = ((uuid.UUID(str(id)), int(revision)) for _, id, revision in found)
        return {id: revision for id, revision in changed if id in self.ids}
