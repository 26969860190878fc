"""Adopting a large table: seconds, memory, and how long a writer waits.

    DATABASE_URL=postgresql://… python -m tests.benchmarks.adoption [--rows 1000000]

Makes a database of its own with the example's tables, fills ``Card`` with rows that have neither
id nor scope, without triggers and index, as they are right after the columns were added. Then it
installs triggers and index and adopts, while another process updates a row of that table
every few milliseconds. The figures are this machine's.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

WRITER = """
import time, django
django.setup()
from django.db import connection
waits, n = [], 0
with connection.cursor() as cursor:
    cursor.execute("SELECT min(id), max(id) FROM boards_card")
    low, high = cursor.fetchone()
    print("ready", flush=True)
    end = time.time() + 3600
    while time.time() < end:
        n += 1
        began = time.perf_counter()
        cursor.execute("UPDATE boards_card SET title = %s WHERE id = %s",
                       [str(n), low + (n * 7919) % (high - low)])
        waits.append(time.perf_counter() - began)
        print(f"{time.time():.3f} {waits[-1]:.4f}", flush=True)
        time.sleep(0.005)
"""


def fill(rows: int) -> None:
    from django.contrib.auth.models import User
    from django.db import connection

    from django_sync.capture import uninstall
    from django_sync.capture.install import index_names
    from example_project.boards.models import Board

    user = User.objects.create_user("bench")
    board = Board.objects.create(name="Bench", owner=user)
    uninstall()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'boards_card'"
            " AND is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO'"
        )
        values = {
            "board_id": str(board.pk),
            "title": "'Card ' || n",
            "body": "repeat('b', 160)",
            "created_at": "now()",
            "updated_at": "now()",
            "done": "false",
            "checklist": "'[]'",
            '"column"': "'todo'",
            "status": "'todo'",
            "position": "n",
            "votes": "0",
        }
        names = [name if name != "column" else '"column"' for (name,) in cursor.fetchall()]
        missing = [name for name in names if name not in values]
        assert not missing, missing
        cursor.execute(
            f"INSERT INTO boards_card ({', '.join(names)}) "
            f"SELECT {', '.join(values[n] for n in names)} FROM generate_series(1, {rows}) AS n"
        )
        for name, table in index_names("default").items():
            if table == "boards_card":
                cursor.execute(f'DROP INDEX "{name}"')
        cursor.execute("VACUUM ANALYZE boards_card")


def measure(url: str) -> None:
    from django.core.management import call_command

    from django_sync.capture import adopt, install, verify
    from example_project.boards.models import Board, Card

    stages: list[tuple[str, float, float]] = []
    path = "/tmp/django_sync_adoption_writes"
    with open(path, "w") as told:
        env = {**os.environ, "DATABASE_URL": url}
        writer = subprocess.Popen([sys.executable, "-c", WRITER], env=env, cwd=ROOT, stdout=told)

        def stage(name: str, act: Any) -> None:
            began = time.time()
            act()
            stages.append((name, began, time.time()))

        try:
            time.sleep(3)
            stage("nothing else", lambda: time.sleep(5))
            stage("triggers and index", install)
            stage("the boards", lambda: adopt(Board))
            stage("adoption", lambda: adopt(Card))
            stage("once more, nothing to do", lambda: call_command("sync_adopt", verbosity=0))
        finally:
            writer.terminate()
            writer.wait()
    lines = [line.split() for line in Path(path).read_text().splitlines() if line.count(" ") == 1]
    writes = [(float(at), float(wait)) for at, wait in lines]
    print(f"{'stage':28}{'seconds':>10}{'writes':>10}{'median ms':>12}{'longest ms':>12}")
    for name, began, end in stages:
        waits = sorted(wait for at, wait in writes if began <= at <= end + 0.5)
        median = waits[len(waits) // 2] * 1000 if waits else 0
        longest = waits[-1] * 1000 if waits else 0
        print(f"{name:28}{end - began:>10.1f}{len(waits):>10}{median:>12.1f}{longest:>12.1f}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    left = Card.objects.filter(sync_id=None).count()
    print(f"memory of the adopting process: {peak:.0f} MB; rows left: {left}; amiss: {verify()}")


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=1_000_000)
    rows = options.parse_args().rows
    base = os.environ.get("DATABASE_URL", "")
    if not base.startswith("postgres"):
        print("This is about PostgreSQL: set DATABASE_URL=postgresql://…")
        return 1
    import psycopg

    name = f"adoption_{os.getpid()}"
    url = f"{base.rsplit('/', 1)[0]}/{name}"
    with psycopg.connect(base, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
    os.environ["DATABASE_URL"] = url
    os.environ["DJANGO_SETTINGS_MODULE"] = "example_project.settings"
    import django
    from django.core.management import call_command
    from django.db import connections

    try:
        django.setup()
        call_command("migrate", verbosity=0)
        began = time.perf_counter()
        fill(rows)
        print(f"{rows} rows made in {time.perf_counter() - began:.0f} s")
        measure(url)
    finally:
        connections.close_all()
        with psycopg.connect(base, autocommit=True) as server:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
