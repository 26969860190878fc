"""What splitting the feed by shards of scopes would gain: a simulation for ADR 27.

    DATABASE_URL=postgresql://… python -m tests.benchmarks.split [--shards 1 2 4] [--seconds 3]

Nothing in ``django_sync`` is split. Here each shard has its own feed row, outbox and log, with the
columns, the indexes and the statements of the real ones: first in one database, then each in its
own database of the same server. Three things are measured for each number of shards:

* drain: one sequencer for each shard moves a backlog, and nobody else is there
* traffic: writers write, one sequencer for each shard follows them, readers read their scopes
* model: how long a cursor with a place for each shard is, and how many shards a pull asks

CPU seconds are those of PostgreSQL's processes, from /proc, so the server must be on this machine.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

SCOPES = 2000
EACH = 10
"""Changes in a writer's transaction."""
STEP = 5000
OF_A_READER = 5
"""Scopes that one reader follows."""
COLUMNS = "model, object_id, revision, op, columns, scope, at"
Task = Callable[[Any, "Plan", int], dict[str, float]]


class Plan:
    """Where the shards are: a URL and a suffix of table names for each."""

    def __init__(self, urls: Sequence[str], seconds: float, backlog: int) -> None:
        self.urls, self.seconds, self.backlog = list(urls), seconds, backlog

    @property
    def shards(self) -> int:
        return len(self.urls)

    def connect(self, shard: int) -> Any:
        import psycopg

        return psycopg.connect(
            self.urls[shard], autocommit=True, cursor_factory=psycopg.ClientCursor
        )


def tables(shard: int) -> tuple[str, str, str]:
    return f"split_feed_{shard}", f"split_outbox_{shard}", f"split_log_{shard}"


def shard_of(scope: int, shards: int) -> int:
    """As a table of shards by scope would say; here a scope's number decides."""
    return scope % shards


def create(plan: Plan) -> None:
    for shard in range(plan.shards):
        feed, outbox, log = tables(shard)
        with plan.connect(shard) as db:
            db.execute(
                f"CREATE TABLE {feed} (id int PRIMARY KEY, head bigint);"
                f"INSERT INTO {feed} VALUES (1, 0);"
                f"CREATE TABLE {outbox} (id bigserial PRIMARY KEY, model text, object_id uuid,"
                " revision bigint, op text, columns text, scope text, at timestamptz);"
                f"CREATE TABLE {log} (position bigint PRIMARY KEY, mark bigint, model text,"
                " object_id uuid, revision bigint, op text, columns text, scope text,"
                " at timestamptz);"
                f"CREATE INDEX ON {log} (scope, position);"
                f"CREATE INDEX ON {log} (object_id, revision)"
            )


def drop(plan: Plan) -> None:
    for shard in range(plan.shards):
        with plan.connect(shard) as db:
            db.execute(f"DROP TABLE {', '.join(tables(shard))}")


def fill(plan: Plan) -> None:
    """Fill the outboxes: the same number of changes in all, for any number of shards."""
    for shard in range(plan.shards):
        with plan.connect(shard) as db:
            db.execute(
                f"INSERT INTO {tables(shard)[1]} ({COLUMNS}) SELECT 'notes.note',"
                " gen_random_uuid(), 2, 'u', 'title', (n % 500)::text, now()"
                f" FROM generate_series(1, {plan.backlog // plan.shards}) n"
            )


def step(db: Any, shard: int) -> int:
    """What ``sequencer._sequence_once`` does, on this shard's tables."""
    from django_sync.feed.postgresql import MOVE
    from django_sync.feed.tables import CHANGE, FEED, OUTBOX

    row, outbox, log = tables(shard)
    move = MOVE.replace(CHANGE, log).replace(OUTBOX, outbox)
    with db.transaction():
        head = db.execute(f"SELECT head FROM {row} WHERE id = 1 FOR UPDATE").fetchone()[0]
        moved = db.execute(move.replace(FEED, row), [STEP, head]).fetchone()[0]
    return int(moved - head)


# The work of the processes; each reports how much it did and the CPU time of its servers


def drain(ready: Any, plan: Plan, number: int) -> dict[str, float]:
    with plan.connect(number) as db:
        ready.wait()
        began, cpu, done = time.monotonic(), spent(db), 0
        while moved := step(db, number):
            done += moved
        return {"done": done, "cpu": spent(db) - cpu, "seconds": time.monotonic() - began}


def follow(ready: Any, plan: Plan, number: int) -> dict[str, float]:
    with plan.connect(number) as db:
        ready.wait()
        end, cpu, done = time.monotonic() + plan.seconds, spent(db), 0
        while time.monotonic() < end:
            moved = step(db, number)
            done += moved
            if moved < STEP:
                time.sleep(0.02)
        return {"done": done, "cpu": spent(db) - cpu}


def write(ready: Any, plan: Plan, number: int) -> dict[str, float]:
    dice = random.Random(number)
    dbs = [plan.connect(shard) for shard in range(plan.shards)]
    ready.wait()
    end, cpu, done = time.monotonic() + plan.seconds, sum(map(spent, dbs)), 0
    while time.monotonic() < end:
        scope = dice.randrange(SCOPES)
        shard = shard_of(scope, plan.shards)
        rows = [("notes.note", uuid.uuid4(), 2, "u", "title", str(scope)) for _ in range(EACH)]
        values = ", ".join(["(%s, %s, %s, %s, %s, %s, now())"] * EACH)
        flat = [value for row in rows for value in row]
        dbs[shard].execute(f"INSERT INTO {tables(shard)[1]} ({COLUMNS}) VALUES {values}", flat)
        done += EACH
    return {"done": done, "cpu": sum(map(spent, dbs)) - cpu}


def read(ready: Any, plan: Plan, number: int) -> dict[str, float]:
    """Pulls of one user after another: each asks the shards in which their scopes are."""
    dice = random.Random(1000 + number)
    dbs = [plan.connect(shard) for shard in range(plan.shards)]
    ready.wait()
    end, cpu, done, asked = time.monotonic() + plan.seconds, sum(map(spent, dbs)), 0, 0
    places: dict[tuple[int, int], int] = {}
    while time.monotonic() < end:
        mine = dice.sample(range(SCOPES), OF_A_READER)
        for shard in {shard_of(scope, plan.shards) for scope in mine}:
            here = [str(scope) for scope in mine if shard_of(scope, plan.shards) == shard]
            feed, _, log = tables(shard)
            head = dbs[shard].execute(f"SELECT head FROM {feed} WHERE id = 1").fetchone()[0]
            after = places.get((number, shard), 0)
            dbs[shard].execute(
                f"SELECT c.position FROM unnest(%s::text[]) s (scope) CROSS JOIN LATERAL"
                f" (SELECT position FROM {log} WHERE scope = s.scope AND position > %s"
                " AND position <= %s ORDER BY position LIMIT 100) c ORDER BY 1 LIMIT 100",
                [here, after, head],
            ).fetchall()
            places[(number, shard)] = head
            asked += 1
        done += 1
        time.sleep(0.005)
    return {"done": done, "asked": asked, "cpu": sum(map(spent, dbs)) - cpu}


def spent(db: Any) -> float:
    """CPU seconds of the process that serves a connection."""
    return int(Path(f"/proc/{db.info.backend_pid}/schedstat").read_text().split()[0]) / 1e9


def run(plan: Plan, tasks: Sequence[tuple[Task, int]]) -> list[dict[str, float]]:
    """All tasks at once, each in a process of its own; they begin together."""
    context = get_context("fork")
    ready, results = context.Barrier(len(tasks)), context.Queue()

    def one(place: int, task: Task, number: int) -> None:
        results.put((place, task(ready, plan, number)))

    processes = [
        context.Process(target=one, args=(place, task, number))
        for place, (task, number) in enumerate(tasks)
    ]
    for process in processes:
        process.start()
    found = dict(results.get(timeout=600) for _ in processes)
    for process in processes:
        process.join()
    return [found[place] for place in range(len(tasks))]


def drained(plan: Plan) -> dict[str, float]:
    fill(plan)
    reports = run(plan, [(drain, shard) for shard in range(plan.shards)])
    done, cpu = sum(t["done"] for t in reports), sum(t["cpu"] for t in reports)
    wall = max(t["seconds"] for t in reports)
    return {"changes/s": done / wall, "CPU µs/change": cpu / done * 1e6, "cores": cpu / wall}


def traffic(plan: Plan, writers: int, readers: int) -> dict[str, float]:
    tasks: list[tuple[Task, int]] = [(follow, shard) for shard in range(plan.shards)]
    tasks += [(write, n) for n in range(writers)] + [(read, n) for n in range(readers)]
    reports = run(plan, tasks)
    moved, wrote = reports[: plan.shards], reports[plan.shards : plan.shards + writers]
    pulls = reports[plan.shards + writers :]

    def total(of: list[dict[str, float]], name: str) -> float:
        return sum(one[name] for one in of)

    return {
        "written/s": total(wrote, "done") / plan.seconds,
        "sequenced/s": total(moved, "done") / plan.seconds,
        "pulls/s": total(pulls, "done") / plan.seconds,
        "write CPU µs": total(wrote, "cpu") / total(wrote, "done") * 1e6,
        "sequencing CPU µs": total(moved, "cpu") / max(1, total(moved, "done")) * 1e6,
        "pull CPU µs": total(pulls, "cpu") / total(pulls, "done") * 1e6,
        "shards a pull": total(pulls, "asked") / total(pulls, "done"),
    }


def model(shards: Sequence[int]) -> list[dict[str, float]]:
    """Cursors with a place for each shard, made by the real cipher; and the shards of a pull."""
    from dataclasses import replace

    from django_sync.feed import cursor as cursors

    dice, found = random.Random(1), []
    base = cursors.Cursor(str(uuid.uuid4()), 10**9, dice.getrandbits(53), "a" * 40, "a" * 40)
    for count in shards:
        places = [(n, dice.randrange(10**9), dice.getrandbits(53)) for n in range(count)]
        many = replace(base, position=places, mark=0)  # type: ignore[arg-type]  # a model
        row: dict[str, float] = {"shards": count}
        row["cursor, bytes"] = len(cursors.seal(many, user="1", secret="s"))
        for scopes in (1, 5, 50, 500):
            row[f"shards asked, {scopes} scopes"] = count * (1 - (1 - 1 / count) ** scopes)
        found.append(row)
    return found


def show(title: str, rows: Sequence[dict[str, float]]) -> None:
    print(f"\n{title}\n")
    print(f"| {' | '.join(rows[0])} |\n| {' | '.join(['---'] * len(rows[0]))} |")
    for row in rows:
        cells = (f"{value:,.0f}" if value >= 20 else f"{value:.3g}" for value in row.values())
        print(f"| {' | '.join(cells)} |")


def measured(urls: Sequence[str], asked: argparse.Namespace) -> dict[str, float]:
    plan = Plan(urls, asked.seconds, asked.backlog)
    create(plan)
    try:
        row: dict[str, float] = {"shards": plan.shards, **drained(plan)}
        row |= traffic(plan, asked.writers, asked.readers)
    finally:
        drop(plan)
    return row


def in_databases(url: str, asked: argparse.Namespace) -> list[dict[str, float]]:
    """The same, each shard in a database of its own."""
    import psycopg

    most = max(asked.shards)
    names = [f"django_sync_split_{os.getpid()}_{n}" for n in range(most)]
    with psycopg.connect(url, autocommit=True) as admin:
        try:
            for name in names:
                admin.execute(f"CREATE DATABASE {name}")
            base = urlsplit(url)
            urls = [base._replace(path=f"/{name}").geturl() for name in names]
            return [measured(urls[:count], asked) for count in asked.shards]
        finally:
            for name in names:
                admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def main() -> int:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--shards", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--backlog", type=int, default=100_000)
    parser.add_argument("--writers", type=int, default=4)
    parser.add_argument("--readers", type=int, default=2)
    parser.add_argument("--json", type=Path, help="append one object a table to this file")
    asked = parser.parse_args()
    url = os.environ["DATABASE_URL"]

    import django

    from tests.benchmarks.first_pull import database

    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.settings"
    django.setup()
    env = {"DATABASE_URL": url}
    with database(env):
        tables = {
            "one database": [measured([env["DATABASE_URL"]] * n, asked) for n in asked.shards]
        }
    tables["a database for each shard"] = in_databases(url, asked)
    tables["the model"] = model([1, 2, 4, 8, 16, 32, 64])
    for title, rows in tables.items():
        show(title, rows)
        if asked.json:
            with asked.json.open("a") as file:
                file.write(json.dumps({"split": title, "rows": rows}) + "\n")
    print(f"\nload {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")
    return 0


if __name__ == "__main__":
    sys.exit(main())
