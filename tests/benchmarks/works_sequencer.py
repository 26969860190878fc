"""The sequencer alone: a long outbox, moved to the log by one process while nobody writes.

Compared with the least that any log costs: the same rows, inserted by one statement into a table
with the same indexes. PostgreSQL alone, since SQLite has no sequencer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.db import connection

from django_sync.conf import conf
from django_sync.feed import sequencer, tables
from tests.benchmarks.measure import Line, PerSecond, in_turn, say

LEAST = 30_000
"""Changes a second."""
ROWS = "model, object_id, revision, op, columns, scope, at"
RANDOM = "floor(random() * 9007199254740991)::bigint"


def execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def fill(table: str, number: int) -> None:
    """Changes of rows at random, of 500 scopes, as triggers would leave them."""
    execute(
        f"INSERT INTO {table} ({ROWS}) SELECT 'notes.note', gen_random_uuid(), 2, 'u', 'title',"
        f" 'tenant ' || (n % 500), now() FROM generate_series(1, {number}) n"
    )


def lines(number: int, pairs: int) -> Iterator[Line]:
    if connection.vendor != "postgresql":
        return
    sequencer.sequence()
    log, outbox = "bench_log", "bench_outbox"
    execute(
        f"CREATE TABLE {log} (LIKE {tables.CHANGE} INCLUDING ALL)",
        f"CREATE TABLE {outbox} (LIKE {tables.OUTBOX} INCLUDING ALL)",
    )

    def plain() -> Callable[[], None]:
        execute(
            f"INSERT INTO {log} (position, mark, {ROWS})"
            f" SELECT (SELECT COALESCE(max(position), 0) FROM {log})"
            f" + row_number() OVER (ORDER BY id), {RANDOM}, {ROWS} FROM {outbox}"
        )
        return lambda: None

    def ours() -> Callable[[], None]:
        assert sequencer.sequence() == number
        return lambda: fill(tables.OUTBOX, number)

    fill(outbox, number)
    fill(tables.OUTBOX, number)
    say(f"sequencing {number:,} changes, {conf.SEQUENCE_BATCH:,} in a transaction")
    base, cost = in_turn(plain, ours, pairs)
    against = "INSERT … SELECT into a table with the log's indexes"
    goal = PerSecond(LEAST)
    line = Line(connection.vendor, "sequencer alone", number, "change", against, base, cost, goal)
    say(f"{number / cost.wall:,.0f} changes a second, {number / base.wall:,.0f} by plain INSERT")
    yield line
    execute(f"DROP TABLE {log}", f"DROP TABLE {outbox}")
    sequencer.sequence()
