"""Triggers and rules on a synced table that are not part of this package."""

from __future__ import annotations

from typing import Any

from .postgresql_parts import FIRST, LAST
from .sqlite import PREFIX


def has_other_triggers(connection: Any, table: str) -> bool:
    """Whether the table has triggers or rules of the project's own that are enabled.

    Their effect is not known: they may write any row.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            quoted = connection.ops.quote_name(table)
            cursor.execute(
                "SELECT EXISTS (SELECT 1 FROM pg_trigger WHERE tgrelid = %s::regclass"
                " AND NOT tgisinternal AND tgenabled <> 'D'"
                " AND NOT starts_with(tgname, %s) AND NOT starts_with(tgname, %s))"
                " OR EXISTS (SELECT 1 FROM pg_rewrite WHERE ev_class = %s::regclass)",
                [quoted, FIRST, LAST, quoted],
            )
        else:
            cursor.execute(
                "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'trigger'"
                " AND tbl_name = %s AND substr(name, 1, %s) <> %s)",
                [table, len(PREFIX), PREFIX],
            )
        return bool(cursor.fetchone()[0])
