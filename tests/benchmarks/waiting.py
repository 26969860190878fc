"""Many who wait and many who poll, on one ASGI process, while others write.

    DATABASE_URL=postgresql://… python -m tests.benchmarks.waiting [--seconds 120] [--kept]

So many clients hold long polls and as many poll every two seconds, as one user over HTTP against
uvicorn; another process writes ``--rate`` cards a second through the ORM. At the end each client
must have heard of each card. Prints latency from the commit to the client, requests, the
server's CPU, and its memory and database connections at intervals. ``--kept`` lets the site keep
connections (``CONN_MAX_AGE``). Figures are this machine's.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx2

from tests.benchmarks.first_pull import (
    KEPT,
    MIGRATE,
    cpu,
    database,
    environment,
    free_port,
    memory,
    run,
    server,
)

USER = """
import django; django.setup()
from django.contrib.auth.models import User
from rest_framework.authtoken.models import Token
from example_project.boards.models import Board
ada = User.objects.get_or_create(username="waiter")[0]
Board.objects.create(name="Waiting", owner=ada)
print(Token.objects.get_or_create(user=ada)[0].key)
"""
WRITER = """
import sys, time, django; django.setup()
from example_project.boards.models import Board, Card
board, rate, seconds = Board.objects.get(name="Waiting"), {rate}, {seconds}
began, number = time.monotonic(), 0
while time.monotonic() - began < seconds:
    number += 1
    Card.objects.create(board=board, title=f"{{number}}")
    print(number, time.time(), flush=True)
    time.sleep(max(0, began + number / rate - time.monotonic()))
"""
POLL = 2.0
"""Seconds between two polls of one client."""


class Client:
    """One who pulls, waiting or polling; ``heard`` holds when each card came."""

    def __init__(self, http: httpx2.AsyncClient, waits: bool) -> None:
        self.http, self.waits = http, waits
        self.cursor, self.asked = "", 0
        self.errors: Counter[str] = Counter()
        self.heard: dict[str, float] = {}

    async def pull(self) -> bool:
        """One request; whether more is to come at once."""
        asked = {"cursor": self.cursor, "collections": "cards"}
        if self.waits:
            asked["wait"] = "25"
        path = "live/changes/" if self.waits else "changes/"
        self.asked += 1
        try:
            answer = await self.http.get(path, params=asked)
            page = answer.raise_for_status().json()
        except httpx2.HTTPStatusError as error:
            self.errors[str(error.response.status_code)] += 1
            await asyncio.sleep(random.uniform(1, 2) * int(answer.headers.get("Retry-After", 1)))
            return True
        except httpx2.HTTPError as error:
            self.errors[f"{type(error).__name__}: {error}"] += 1
            await asyncio.sleep(random.uniform(0, 1))
            return True
        now = time.time()
        for change in page["changes"]:
            if change["op"] == "put":
                self.heard.setdefault(change["object"]["title"], now)
        self.cursor = page["cursor"]
        return bool(page["has_more"]) or self.waits

    async def run(self) -> None:
        await asyncio.sleep(random.uniform(0, POLL))
        while True:
            if not await self.pull():
                await asyncio.sleep(POLL * random.uniform(0.9, 1.1))


def connections(env: dict[str, str]) -> int | None:
    """How many are open to the bench's own database, on PostgreSQL."""
    if not env["DATABASE_URL"].startswith("postgres"):
        return None
    import psycopg

    with psycopg.connect(env["DATABASE_URL"], autocommit=True) as asking:
        found = asking.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchone()
    return int(found[0]) if found else 0


async def sampled(pid: int, env: dict[str, str], every: float, samples: list[Any]) -> None:
    """Memory, connections and CPU so far, at intervals."""
    began, spent = time.monotonic(), cpu(pid)
    while True:
        samples.append(
            {
                "s": round(time.monotonic() - began),
                "mib": round(memory(pid)[0], 1),
                "connections": await asyncio.to_thread(connections, env),
                "cpu_s": round(cpu(pid) - spent, 1),
                "load": round(os.getloadavg()[0], 1),
            }
        )
        print(json.dumps(samples[-1]), file=sys.stderr)
        await asyncio.sleep(every)


async def stage(asked: Any, port: int, pid: int, token: str, env: dict[str, str]) -> dict[str, Any]:
    """Let them wait, poll and write; what came of it."""
    limits = httpx2.Limits(
        max_connections=None, max_keepalive_connections=None, keepalive_expiry=KEPT / 3
    )
    async with httpx2.AsyncClient(
        base_url=f"http://127.0.0.1:{port}/sync/",
        headers={"Authorization": f"Token {token}"},
        timeout=60,
        limits=limits,
    ) as http:
        clients = [Client(http, waits) for waits in (True, False) for _ in range(asked.clients)]
        tasks = [asyncio.create_task(client.run()) for client in clients]
        await asyncio.sleep(2 * POLL)
        spent, own, samples = cpu(pid), time.process_time(), list[Any]()
        tasks.append(asyncio.create_task(sampled(pid, env, asked.seconds / 12, samples)))
        before = sum(client.asked for client in clients)
        code = WRITER.format(rate=asked.rate, seconds=asked.seconds)
        writer = subprocess.Popen(
            [sys.executable, "-c", code], env=env, stdout=subprocess.PIPE, text=True
        )
        written: dict[str, float] = {}
        assert writer.stdout is not None
        began = time.monotonic()
        while line := await asyncio.to_thread(writer.stdout.readline):
            number, at = line.split()
            written[number] = float(at)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if all(len(client.heard) >= len(written) for client in clients):
                break
            await asyncio.sleep(0.2)
        told: dict[str, Any] = {
            "written": len(written),
            "seconds": round(time.monotonic() - began, 1),
            "server_cpu": round(cpu(pid) - spent, 1),
            "clients_cpu": round(time.process_time() - own, 1),
            "requests": sum(client.asked for client in clients) - before,
            "samples": samples,
        }
        halves = clients[: asked.clients], clients[asked.clients :]
        for name, some in zip(("waiting", "polling"), halves, strict=True):
            late = [c.heard[n] - at for c in some for n, at in written.items() if n in c.heard]
            told[name] = {
                "missed": sum(n not in c.heard for c in some for n in written),
                "errors": dict(sum((c.errors for c in some), Counter())),
                "requests": sum(c.asked for c in some),
                "p50_ms": round(1000 * statistics.median(late)),
                "p99_ms": round(1000 * statistics.quantiles(late, n=100)[98]),
            }
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--rate", type=float, default=20)
    parser.add_argument("--kept", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        env = environment(Path(name))
        if asked.kept:
            env["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.kept"
        with database(env):
            run(MIGRATE, env)
            token, port = run(USER, env).split()[-1], free_port()
            with server("asgi", port, env) as pid:
                told = asyncio.run(stage(asked, port, pid, token, env))
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
