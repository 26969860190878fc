"""Wake-ups under Celery beside as many empty Celery tasks, by the same two workers.

    DATABASE_URL=postgresql://… python -m tests.benchmarks.wakes [--endpoints 10000] [--rounds 3]

First a process publishes an empty task for each endpoint, then another writes to the boards that
their users see, and the workers send by ``locmem``, to nobody: what is left is what we add. Theirs
counts from the first message to the last that is acknowledged, ours from the first row that is
settled to the last. CPU is that of all the processes, PostgreSQL's and Redis' not included. Figures
are this machine's.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import redis

from tests import celery_processes as cp
from tests.benchmarks.empty import NOTHING
from tests.benchmarks.first_pull import MIGRATE, cpu, database, environment, run
from tests.benchmarks.push import SETUP, WRITE, worker_child

PUBLISH = f"""
import resource, sys
from example_project.celery import app
with app.producer_or_acquire() as producer:
    for number in range(int(sys.argv[1])):
        app.send_task("{NOTHING}", (number,), producer=producer, ignore_result=True)
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_utime + used.ru_stime)
"""
TOLD = """
SELECT count(sent_at), count(due_at), coalesce(extract(epoch from max(sent_at) - min(sent_at)), 0)
FROM django_sync_endpoint
"""
MOST = 600
"""Seconds after which a part is given up."""


def spent(processes: list[Any]) -> float:
    """CPU seconds of Celery's processes, and of what they forked."""
    pids = {pid for p in processes for pid in (p.pid, worker_child(p.pid))}
    return sum(map(cpu, pids))


def until(met: Callable[[], bool]) -> None:
    deadline = time.monotonic() + MOST
    while not met():
        assert time.monotonic() < deadline, "it does not end"
        time.sleep(0.1)


def empty(number: int, celery: cp.Celery, broker: cp.Redis, crew: list[Any]) -> dict[str, Any]:
    """That many messages published, taken, and acknowledged."""
    queue = redis.Redis(port=broker.port)
    before, began = spent(crew), time.monotonic()
    publishing = [sys.executable, "-c", PUBLISH, str(number)]
    out = subprocess.run(publishing, env=celery.env, stdout=subprocess.PIPE, check=True, text=True)
    until(lambda: not queue.llen(celery.queue) and not queue.hlen("unacked"))
    seconds = time.monotonic() - began
    used = spent(crew) - before + float(out.stdout)
    return {"per_second": round(number / seconds), "cpu_ms": round(used * 1000 / number, 2)}


def wakes(number: int, env: dict[str, str], crew: list[Any]) -> dict[str, Any]:
    """The same boards are written to, and everybody is told once."""
    with psycopg.connect(env["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("UPDATE django_sync_endpoint SET sent_at = NULL")
        before = spent(crew)
        run(WRITE, env)

        def told() -> tuple[int, int, float]:
            return connection.execute(TOLD).fetchone() or (0, 0, 0.0)

        until(lambda: told()[:2] == (number, 0))
        seconds = float(told()[2])
        used = spent(crew) - before
    return {"per_second": round(number / seconds), "cpu_ms": round(used * 1000 / number, 2)}


def stage(asked: argparse.Namespace, folder: Path, env: dict[str, str]) -> list[dict[str, Any]]:
    told = {
        "endpoints": asked.endpoints,
        "writes": asked.writes,
        "kind": "locmem",
        "target": {"url": "memory:"},
    }
    run(SETUP.format(**told), env)
    broker = cp.Redis(folder)
    broker.start()
    name = urlsplit(env["DATABASE_URL"]).path.removeprefix("/")
    settings = {"PUSH_SENDERS": {"locmem": "django_sync.push.locmem.Locmem"}}
    results = []
    try:
        with cp.celery(folder, broker.url, name, settings) as celery:
            celery.env["PUSH_INCLUDE"] = "tests.benchmarks.empty"
            crew = [*(celery.worker("prefork") for _ in range(2)), celery.beat()]
            queue = redis.Redis(port=broker.port)
            until(lambda: bool(queue.exists("_kombu.binding." + celery.queue)))
            empty(100, celery, broker, crew)
            for _ in range(asked.rounds):
                theirs = empty(asked.endpoints, celery, broker, crew)
                ours = wakes(asked.endpoints, env, crew)
                ratio = round(ours["per_second"] / theirs["per_second"], 2)
                results.append({"empty": theirs, "wakes": ours, "ratio": ratio})
                print(json.dumps(results[-1]), flush=True)
    finally:
        broker.stop()
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--endpoints", type=int, default=10_000)
    parser.add_argument("--writes", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        env = environment(Path(name))
        with database(env):
            run(MIGRATE, env)
            stage(asked, Path(name), env)


if __name__ == "__main__":
    main()
