"""What grows over many changes, and what prune and vacuum give back: sizes on PostgreSQL.

    DATABASE_URL=postgresql://… python -m tests.benchmarks.growth [--changes 1000000]

Makes a database of its own there and drops it. Cards of the example are written in
transactions of 50 changes: three in four are updates, one in eight creates, one in eight
deletes; changes are sequenced every thousand, as pulls do. Figures are this machine's.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from typing import Any

from tests.benchmarks.first_pull import database

TABLES = {
    "log": "django_sync_change",
    "outbox": "django_sync_outbox",
    "tombstones": "django_sync_tombstone",
    "cards": "boards_card",
}


def write(changes: int, pull: Any) -> float:
    """Seconds that so many changes took, sequencing among them."""
    from django.db import connection, transaction

    from example_project.boards.models import Board, Card

    board, began = Board.objects.get(name="Bench"), time.perf_counter()
    step, done = 50, 0
    while done < changes:
        with transaction.atomic(), connection.cursor() as cursor:
            Card.objects.bulk_create(
                [Card(board=board, title=f"Card {done + n}") for n in range(step // 8)]
            )
            cursor.execute(
                "UPDATE boards_card SET title = title || '.' WHERE id IN "
                "(SELECT id FROM boards_card WHERE board_id = %s ORDER BY id DESC LIMIT %s)",
                [board.pk, step - 2 * (step // 8)],
            )
            cursor.execute(
                "DELETE FROM boards_card WHERE id IN "
                "(SELECT id FROM boards_card WHERE board_id = %s ORDER BY id LIMIT %s)",
                [board.pk, step // 8],
            )
        done += step
        if done % 1000 == 0:
            pull()
    return time.perf_counter() - began


def sizes(when: str) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        for name, table in TABLES.items():
            cursor.execute(
                f"SELECT pg_relation_size('{table}'), pg_indexes_size('{table}'),"
                f" (SELECT count(*) FROM {table}), s.n_dead_tup, s.autovacuum_count"
                " FROM pg_stat_user_tables s WHERE s.relname = %s",
                [table],
            )
            heap, indexes, rows, dead, vacuums = cursor.fetchone()
            each = f"{(heap + indexes) / rows:>6.0f} bytes a row" if rows else ""
            print(
                f"{when:<24} {name:<10} {rows:>9,} rows {heap / 2**20:>8.1f} MiB indexes"
                f" {indexes / 2**20:>8.1f} MiB  dead {dead:>8,}  autovacuums {vacuums:>3} {each}",
                flush=True,
            )


def options() -> None:
    """How autovacuum is set for our tables, and for the cluster."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 'autovacuum ' || current_setting('autovacuum') || ', naptime '"
            " || current_setting('autovacuum_naptime')"
        )
        print(cursor.fetchone()[0])
        cursor.execute(
            "SELECT relname, reloptions FROM pg_class WHERE relname = ANY(%s) AND reloptions"
            " IS NOT NULL ORDER BY 1",
            [list(TABLES.values())],
        )
        for table, told in cursor.fetchall():
            print(f"{table}: {', '.join(told)}")


def timed(what: str, act: Any) -> Any:
    began = time.perf_counter()
    told = act()
    print(f"{'':<24} {what}: {time.perf_counter() - began:.2f} s")
    return told


def vacuum() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        # Else our own deletes are counted after the vacuum that takes them.
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT 1")
        for table in TABLES.values():
            cursor.execute(f"VACUUM ANALYZE {table}")


def measure(changes: int) -> None:
    import django

    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command

    from django_sync.feed import sequencer
    from django_sync.maintenance import retention
    from example_project.boards.models import Board, Card

    call_command("migrate", verbosity=0)
    board = Board.objects.create(name="Bench", owner=User.objects.create_user("bench"))
    Card.objects.bulk_create([Card(board=board, title=f"Card {n}") for n in range(1000)])
    sequencer.sequence()
    options()

    seconds = write(changes, sequencer.sequence)
    print(f"{changes:,} changes in {seconds:.0f} s, {changes / seconds:,.0f} a second")
    sequencer.sequence()
    sizes("written")
    timed("a sequencing with nothing to do, before vacuum", sequencer.sequence)
    vacuum()
    sizes("vacuumed")
    timed("a sequencing with nothing to do, after vacuum", sequencer.sequence)
    keep = changes // 10
    dry = timed("prune, dry run", lambda: retention.prune(keep=keep, dry_run=True))
    report = timed("prune", lambda: retention.prune(keep=keep))
    assert report.changes == dry.changes
    sizes(f"pruned to {keep:,}")
    vacuum()
    sizes("vacuumed")
    for turn in (1, 2, 3):
        write(changes // 10, sequencer.sequence)
        retention.prune(keep=keep)
        vacuum()
        sizes(f"+ {changes // 10:,}, pruned ({turn})")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--changes", type=int, default=1_000_000)
    asked = parser.parse_args()
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        print("Name a PostgreSQL in DATABASE_URL.", file=sys.stderr)
        return 1
    os.environ |= {"DJANGO_SETTINGS_MODULE": "example_project.settings", "DEBUG": "0"}
    os.environ.setdefault("SECRET_KEY", "bench")
    env = dict(os.environ)
    with database(env):
        os.environ["DATABASE_URL"] = env["DATABASE_URL"]
        measure(asked.changes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
