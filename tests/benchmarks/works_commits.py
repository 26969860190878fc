"""Commits a second of several processes at once, while others read what comes.

    python -m tests.benchmarks.works_commits writer|reader synced|plain SECONDS

is one such process: it says that it is ready, waits for a line, and tells what it did.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LOOK = 0.1
"""Seconds between two looks of a reader, as of one that is woken by each of many commits."""


def write(kind: str, seconds: float) -> int:
    """Creates, each a transaction of its own."""
    from django.utils import timezone

    from tests.benchmarks.notes import models

    folders, items = (
        (models.Folder, models.Item) if kind == "synced" else (models.PlainFolder, models.PlainItem)
    )
    folder: Any = folders.objects.get(name="commits")
    ready()
    done, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        items(folder=folder, title=f"Item {done}", body="b" * 140, at=timezone.now()).save()
        done += 1
    return done


def read(kind: str, seconds: float) -> int:
    """Follow what is created: the feed's tail, or a plain table by its key."""
    from tests.benchmarks.notes import models

    look = tail_of_feed() if kind == "synced" else tail_of_table(models.PlainItem)
    ready()
    found, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        found += look()
        time.sleep(LOOK)
    return found


def tail_of_feed() -> Any:
    from django_sync.feed import log as feed_log
    from django_sync.feed import sequencer
    from tests.benchmarks.notes.models import Folder

    scope = str(Folder.objects.get(name="commits").sync_id)
    place = feed_log.state()[0].head

    def look() -> int:
        nonlocal place
        sequencer.sequence()
        with feed_log.snapshot():
            entries = feed_log.read([scope], ["notes.item"], place, feed_log.state()[0].head, 1000)
        place = entries[-1].position if entries else place
        return len(entries)

    return look


def tail_of_table(model: Any) -> Any:
    place = model.objects.order_by("-pk").values_list("pk", flat=True).first() or 0

    def look() -> int:
        nonlocal place
        rows = list(model.objects.filter(pk__gt=place).order_by("pk").values_list("pk")[:1000])
        place = rows[-1][0] if rows else place
        return len(rows)

    return look


def ready() -> None:
    print("ready", flush=True)
    sys.stdin.readline()


def together(kind: str, writers: int, readers: int, seconds: float) -> tuple[int, float, float]:
    """Commits, and CPU seconds of the writers and of their PostgreSQL processes."""
    roles = ["writer"] * writers + ["reader"] * readers
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.works_commits", role, kind, str(seconds)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for role in roles
    ]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    told = [json.loads(process.communicate()[0]) for process in processes]
    wrote = [one for one, role in zip(told, roles, strict=True) if role == "writer"]
    return (
        sum(one["done"] for one in wrote),
        sum(one["client"] for one in told),
        sum(one["server"] for one in told),
    )


def lines(writers: int, readers: int, seconds: float, pairs: int) -> Iterator[Any]:
    from django.db import connection

    from django_sync.feed import sequencer
    from tests.benchmarks.measure import Cost, Goal, Line, median, say
    from tests.benchmarks.notes.models import Folder, PlainFolder

    for folders in (Folder, PlainFolder):
        folders.objects.create(name="commits")
    sequencer.sequence()
    costs: dict[str, list[Cost]] = {"plain": [], "synced": []}
    for turn in range(pairs):
        for kind in list(costs) if turn % 2 == 0 else list(costs)[::-1]:
            say(f"commits of {writers} writers, {readers} readers tailing, {kind}")
            done, client, server = together(kind, writers, readers, seconds)
            # What a thousand commits cost; processes are many, so their seconds are of the wall.
            part = 1000 / done
            costs[kind].append(Cost(seconds * part, client * part, server * part))
            sequencer.sequence()
    name = f"commits of {writers} writers, {readers} readers tailing"
    base, ours = median(costs["plain"]), median(costs["synced"])
    goal = Goal(0.9, of_rate=True)
    yield Line(connection.vendor, name, 1000, "commit", "the same without sync", base, ours, goal)


def main() -> None:
    import django

    django.setup()
    from tests.benchmarks.measure import backend, cpu_of

    role, kind, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    pid = backend()
    server, client = cpu_of(pid) if pid else 0.0, time.process_time()
    done = {"writer": write, "reader": read}[role](kind, seconds)
    told = {
        "done": done,
        "client": time.process_time() - client,
        "server": cpu_of(pid) - server if pid else 0.0,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
