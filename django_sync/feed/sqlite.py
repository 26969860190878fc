"""The feed on SQLite: with its single writer, triggers write the log, whose id is the position."""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from .dialect import Row, overview_sql
from .tables import BY_SCOPE, CHANGE, FEED

_READ = f"""
SELECT c.position, c.mark, c.model, c.object_id, c.scope
FROM json_each(%s) AS s CROSS JOIN {CHANGE} AS c INDEXED BY {BY_SCOPE}
WHERE c.scope = s.value AND c.position > %s AND c.position <= %s
  AND c.model IN (SELECT value FROM json_each(%s))
ORDER BY c.position LIMIT %s
"""

_OVERVIEW = {
    whole: overview_sql(
        head=f"(SELECT COALESCE(max(position), 0) FROM {CHANGE})",
        gather="json_group_object(model, value)",
        whole=whole,
    )
    for whole in (True, False)
}


class SQLite:
    """``Dialect`` of SQLite."""

    at = "at"
    outbox_fills = False

    def id(self, value: uuid.UUID) -> object:
        return value.hex

    def among(self, values: Sequence[str] | Sequence[uuid.UUID]) -> tuple[str, object]:
        listed = [value.hex if isinstance(value, uuid.UUID) else value for value in values]
        return "IN (SELECT value FROM json_each(%s))", json.dumps(listed)

    def lock_feed(self, cursor: Any, wait_ms: int) -> int | None:
        """Return the head; the database has one writer, so there is nothing to lock."""
        cursor.execute(f"SELECT head FROM {FEED} WHERE id = 1")
        row = cursor.fetchone()
        return None if row is None else int(row[0])

    def move(self, cursor: Any, head: int, limit: int) -> int:
        """Return the head: each entry has its position already."""
        return head

    def is_lock_timeout(self, error: Exception) -> bool:
        return False

    @contextlib.contextmanager
    def one_state(self, db: Any) -> Iterator[None]:
        """Begin as a reader, also where the project's transactions begin IMMEDIATE."""
        mode, db.transaction_mode = db.transaction_mode, "DEFERRED"
        try:
            yield
        finally:
            db.transaction_mode = mode

    def check_constraints(self, db: Any) -> None:
        """Leave it to the commit: SQLite cannot check deferred constraints earlier."""

    def overview(self, *, whole: bool) -> str:
        return _OVERVIEW[whole]

    def quick_overview(self, db: Any, position: int) -> Row | None:
        """Return ``None``: the statement is the shortest way."""

    def read(
        self, scopes: Sequence[str], models: Sequence[str], after: int, upto: int, limit: int
    ) -> tuple[str, list[Any]]:
        return _READ, [json.dumps(list(scopes)), after, upto, json.dumps(list(models)), limit]
