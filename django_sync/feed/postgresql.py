"""The feed on PostgreSQL: triggers write an outbox, and the sequencer moves it into the log."""

from __future__ import annotations

import contextlib
import logging
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from django.db import ProgrammingError

from .dialect import Row, overview_sql
from .tables import CHANGE, FEED, OUTBOX

log = logging.getLogger("django_sync.feed")

LOCKED = "55P03"
"""The SQLSTATE for a lock that was not free in time."""
NO_FUNCTION = frozenset({"42883", "42501"})
"""The SQLSTATEs for a function that is missing, and for one that may not be called."""

MOVE = f"""
WITH gone AS (
        DELETE FROM {OUTBOX}
        WHERE ctid = ANY (ARRAY(SELECT ctid FROM {OUTBOX} ORDER BY id LIMIT %s)) RETURNING *),
     moved AS (
        INSERT INTO {CHANGE}
               (position, mark, model, object_id, revision, op, columns, scope, at)
        SELECT %s + row_number() OVER (ORDER BY id), floor(random() * 9007199254740991)::bigint,
               model, object_id, revision, op, columns, scope, at
        FROM gone RETURNING 1)
UPDATE {FEED} SET head = head + (SELECT count(*) FROM moved) WHERE id = 1 RETURNING head
"""
"""Entries are deleted by ``ctid``, not by a join on ``id``. The statistics are mostly those of an
empty outbox; with a join, the planner would hash a long outbox at each step. A ``ctid`` stays
valid: entries are never updated, and only the sequencer deletes them, under its lock."""

_READ = f"""
SELECT c.position, c.mark, c.model, c.object_id, c.scope
FROM unnest(%s::text[]) AS s (scope) CROSS JOIN LATERAL (
    SELECT position, mark, model, object_id, scope FROM {CHANGE}
    WHERE (scope, position) > (s.scope, %s) AND (scope, position) <= (s.scope, %s)
      AND model = ANY(%s)
    ORDER BY scope, position LIMIT %s) c
ORDER BY c.position LIMIT %s
"""
_WITHOUT_JIT = "pg_catalog.set_config('jit', 'off', true)"
"""To compile what reads a page takes longer than to run it. Ends with the transaction."""

_OVERVIEW = {
    whole: overview_sql(
        head="f.head",
        gather="json_object_agg(model, value)::text",
        whole=whole,
        besides=f", {_WITHOUT_JIT}" if whole else "",
    )
    for whole in (True, False)
}
"""Of the whole, the statement also ends JIT for its transaction."""

without_function: set[str] = set()
"""Aliases of databases that refused the function: it is missing there, or not ours to call."""


class PostgreSQL:
    """``Dialect`` of PostgreSQL."""

    at = "at AT TIME ZONE 'UTC'"
    outbox_fills = True

    def id(self, value: uuid.UUID) -> object:
        return value

    def among(self, values: Sequence[str] | Sequence[uuid.UUID]) -> tuple[str, object]:
        return "= ANY(%s)", list(values)

    def lock_feed(self, cursor: Any, wait_ms: int) -> int | None:
        cursor.execute(
            "SELECT set_config('lock_timeout', %s, true),"
            " CASE WHEN current_setting('synchronous_commit') = 'off'"
            " THEN set_config('synchronous_commit', 'on', true) END",
            [f"{wait_ms}ms"],
        )
        cursor.execute(f"SELECT head FROM {FEED} WHERE id = 1 FOR UPDATE")
        row = cursor.fetchone()
        return None if row is None else int(row[0])

    def move(self, cursor: Any, head: int, limit: int) -> int:
        cursor.execute(MOVE, [limit, head])
        return int(cursor.fetchone()[0])

    def is_lock_timeout(self, error: Exception) -> bool:
        return getattr(error.__cause__, "sqlstate", None) == LOCKED

    @contextlib.contextmanager
    def one_state(self, db: Any) -> Iterator[None]:
        """Have the next BEGIN set the level; a statement for that costs a round trip."""
        from django.db.backends.postgresql.psycopg_any import IsolationLevel

        db.ensure_connection()
        driver, level = db.connection, db.connection.isolation_level
        driver.isolation_level = IsolationLevel.REPEATABLE_READ
        try:
            yield
        finally:
            if not driver.closed:
                driver.isolation_level = level

    def check_constraints(self, db: Any) -> None:
        with db.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")

    def overview(self, *, whole: bool) -> str:
        return _OVERVIEW[whole]

    def quick_overview(self, db: Any, position: int) -> Row | None:
        """Call the function of migration 0011, whose plan PostgreSQL keeps.

        ``None`` where it cannot be called, and where its failure would end a transaction of the
        caller.
        """
        if db.in_atomic_block or db.alias in without_function or not db.get_autocommit():
            return None
        try:
            with db.cursor() as cursor:
                cursor.execute(f"SELECT django_sync_overview({int(position)})")
                (text,) = cursor.fetchone()
        except ProgrammingError as error:
            if getattr(error.__cause__, "sqlstate", None) not in NO_FUNCTION:
                raise
            without_function.add(db.alias)
            log.info("django_sync_overview() is missing or may not be called; a statement is used")
            return None
        return None if text is None else parse_overview(text)

    def read(
        self, scopes: Sequence[str], models: Sequence[str], after: int, upto: int, limit: int
    ) -> tuple[str, list[Any]]:
        return _READ, [list(scopes), after, upto, list(models), limit, limit]


def parse_overview(text: str) -> Row:
    """Read the function's answer: its values are in the order of migration 0011."""
    epoch, head, floor, mark, unsequenced, *rest = text.split("|", 5)
    there = None if mark == "-1" else int(mark)
    generations = rest[0] if rest else None
    return epoch, int(head), int(floor), 0, there, unsequenced == "1", generations
