"""How the database carries out the statements that pulls and writes consist of.

    [DATABASE_URL=postgresql://…] python -m tests.benchmarks.plans [--records N] [--others N]

Makes a database of its own with so many records of one user and so many changes of others, then
pulls, writes and sequences through the protocol, and prints the plan of each statement on the way:
EXPLAIN (ANALYZE, BUFFERS) on PostgreSQL, EXPLAIN QUERY PLAN on SQLite.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

from tests.benchmarks.first_pull import database

VERBS = ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE")
HOT = {
    "sequencing: is there anything": "SELECT EXISTS (SELECT 1 FROM django_sync_outbox)",
    "sequencing: the move": "WITH gone AS",
    "state of the feed": "SELECT h.epoch",
    "tail read": "SELECT c.position",
    "is anything of these scopes without a position": "WHERE scope = ANY",
    "page of a scope's snapshot": '"notes_note"."sync_scope" =',
    "tombstones": "FROM django_sync_tombstone",
    "scope sets": 'FROM "django_sync_scopeset"',
    "claim: insert": 'INTO "django_sync_mutationresult"',
    "claim: read": 'FROM "django_sync_mutationresult" WHERE',
    "history of an object": "UNION ALL SELECT revision",
}
"""What is told, by a part of its SQL."""


@contextmanager
def explained(*, analyze: bool, setting: str = "") -> Iterator[list[tuple[str, str]]]:
    """The statements of this block with their plans, each as things are right before it runs."""
    found: list[tuple[str, str]] = []
    inner = False

    def watch(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
        nonlocal inner
        if not inner and not many and str(sql).lstrip().startswith(VERBS):
            inner = True
            try:
                found.append((str(sql), plan(str(sql), params, analyze, setting)))
            finally:
                inner = False
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        yield found


def plan(sql: str, params: Any, analyze: bool, setting: str) -> str:
    """One statement's plan; what it writes for that is undone."""
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)
            return "\n".join(str(row[3]) for row in cursor.fetchall())
        if setting:
            cursor.execute(f"SET LOCAL {setting}")
        options = "ANALYZE, BUFFERS, " if analyze else ""
        cursor.execute(f"EXPLAIN ({options}COSTS OFF) {sql}", params)
        told = "\n".join(row[0] for row in cursor.fetchall())
        transaction.set_rollback(True)
        return told


def tell(found: list[tuple[str, str]], told: set[str]) -> None:
    for name, part in HOT.items():
        if name in told:
            continue
        plans = [plan for sql, plan in found if part in sql]
        if plans:
            told.add(name)
            print(f"── {name}\n{plans[0]}\n", flush=True)


def work(records: int, others: int) -> None:
    """A first pull's pages, a write, a tail, behind a crowd."""
    from tests.benchmarks.works_mutate import Writing
    from tests.benchmarks.works_read import Reading, crowd

    reading = Reading(records)
    _, cursor = reading.browser.pull()
    crowd(others)
    writing = Writing()
    writing.browser, writing.room = reading.browser, reading.room
    bodies = writing.mutations(100)
    ids = [body["object_id"] for body in bodies]
    told: set[str] = set()

    def send(mutations: list[Any]) -> None:
        body = {"client_id": writing.client, "mutations": mutations}
        reading.browser.call("POST", "/sync/mutations/", json.dumps(body).encode())

    with explained(analyze=True) as found:
        send(bodies)
        send(
            [
                {
                    **one,
                    "op": "update",
                    "id": one["id"][:-4] + "0000",
                    "base_revision": 0,
                    "fields": {"n": 5},
                }
                for one in bodies[:1]
            ]
        )
    tell(found, told)
    send(
        [
            {
                "id": one["id"][:-4] + "1111",
                "seq": 999,
                "op": "delete",
                "collection": "notes",
                "object_id": ids[place],
                "base_revision": 1,
                "fields": {},
            }
            for place, one in enumerate(bodies[:10], 5)
        ]
    )
    with explained(analyze=True) as found:
        reading.browser.pull(cursor)
    tell(found, told)
    with explained(analyze=True) as found:
        first = reading.browser.call("GET", "/sync/changes/?collections=notes&limit=1000")
        place = json.loads(first)["cursor"]
        reading.browser.call("GET", f"/sync/changes/?limit=1000&cursor={place}&collections=notes")
    tell(found[::-1], told)
    missing = set(HOT) - told
    print("not met on this database:", ", ".join(sorted(missing)) or "nothing")


def main() -> int:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--others", type=int, default=1_000_000)
    asked = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.settings"
    with tempfile.TemporaryDirectory() as folder:
        env = {
            "DATABASE_URL": os.environ.get("DATABASE_URL") or f"sqlite:///{folder}/plans.sqlite3"
        }
        with database(env):
            os.environ["DATABASE_URL"] = env["DATABASE_URL"]
            import django
            from django.core.management import call_command

            django.setup()
            call_command("migrate", verbosity=0, run_syncdb=True)
            work(asked.records, asked.others)
    return 0


if __name__ == "__main__":
    sys.exit(main())
