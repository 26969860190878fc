"""Many who wait and many who poll, on one ASGI process, while others write.

    DATABASE_URL=postgresql://… python -m tests.benchmarks.waiting [--seconds 120] [--kept]
        [--users 1] [--httpx2]

So many clients hold long polls and as many poll every two seconds over HTTP against uvicorn;
another process writes ``--rate`` cards a second through the ORM. At the end each client must have
heard of each card. Prints latency from the commit to the client, requests, the server's CPU, and
its memory and database connections at intervals. The clients are of ``--users`` users in turn, all
members of the one board. ``--kept`` lets the site keep connections (``CONN_MAX_AGE``). Clients cost
little (``lean``); with ``--httpx2`` they cost what an ordinary client does, on the same processors.
Figures are this machine's.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
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
from tests.benchmarks.lean import Lean, Refused
from tests.benchmarks.measure import Cost, Line, Within

USER = """
import django; django.setup()
from django.contrib.auth.models import User
from rest_framework.authtoken.models import Token
from example_project.boards.models import Board
ada = User.objects.get_or_create(username="waiter")[0]
Board.objects.create(name="Waiting", owner=ada)
print(Token.objects.get_or_create(user=ada)[0].key)
"""
MEMBERS = """
import django; django.setup()
from django.contrib.auth.models import User
from rest_framework.authtoken.models import Token
from example_project.boards.models import Board, Membership
board = Board.objects.get(name="Waiting")
for number in range({users} - 1):
    user = User.objects.create(username="waiter%d" % number)
    Membership.objects.create(board=board, user=user, role="viewer")
    print(Token.objects.create(user=user).key)
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

    def __init__(self, get: Callable[[str], Awaitable[Any]], waits: bool) -> None:
        self.get, self.waits = get, waits
        self.cursor, self.asked, self.caught_up = "", 0, False
        self.errors: Counter[str] = Counter()
        self.heard: dict[str, float] = {}

    async def pull(self) -> bool:
        """One request; whether more is to come at once."""
        query = f"cursor={self.cursor}&collections=cards"
        path = f"live/changes/?{query}&wait=25" if self.waits else f"changes/?{query}"
        self.asked += 1
        try:
            page = await self.get(f"/sync/{path}")
        except Refused as error:
            self.errors[str(error.status)] += 1
            await asyncio.sleep(random.uniform(1, 2) * error.retry_after)
            return True
        except (OSError, EOFError, httpx2.HTTPError) as error:
            self.errors[f"{type(error).__name__}: {error}"] += 1
            await asyncio.sleep(random.uniform(0, 1))
            return True
        now = time.time()
        for change in page["changes"]:
            if change["op"] == "put":
                self.heard.setdefault(change["object"]["title"], now)
        self.cursor = page["cursor"]
        self.caught_up = self.caught_up or not page["has_more"]
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


def fetching(asked: Any, port: int, stack: AsyncExitStack) -> Callable[[str], Any]:
    """Makes, for each token, a function that fetches the JSON at a path."""
    if not asked.httpx2:
        return lambda token: Lean(port, token).get

    def make(token: str) -> Any:
        http = httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            headers={"Authorization": f"Token {token}"},
            timeout=60,
            limits=httpx2.Limits(
                max_connections=None, max_keepalive_connections=None, keepalive_expiry=KEPT / 3
            ),
        )
        stack.push_async_callback(http.aclose)

        async def get(path: str) -> Any:
            answer = await http.get(path)
            if answer.status_code != 200:
                raise Refused(answer.status_code, int(answer.headers.get("Retry-After", 1)))
            return answer.json()

        return get

    made: dict[str, Any] = {}
    return lambda token: made.setdefault(token, make(token))  # of one user, one pool


async def stage(
    asked: Any, port: int, pid: int, tokens: Sequence[str], env: dict[str, str]
) -> dict[str, Any]:
    """Let them wait, poll and write; what came of it."""
    async with AsyncExitStack() as stack:
        get, token = fetching(asked, port, stack), itertools.cycle(tokens)
        clients = [
            Client(get(next(token)), waits) for waits in (True, False) for _ in range(asked.clients)
        ]
        tasks = [asyncio.create_task(client.run()) for client in clients]
        while not all(client.caught_up for client in clients):
            await asyncio.sleep(0.2)
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
                "most_ms": round(1000 * max(late)),
            }
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return told


def measured(asked: Any) -> dict[str, Any]:
    """What came of it, on a site and a database of its own."""
    with tempfile.TemporaryDirectory() as name:
        env = environment(Path(name))
        if asked.kept:
            env["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.kept"
        with database(env, "waiting"):
            run(MIGRATE, env)
            tokens, port = [run(USER, env).split()[-1]], free_port()
            tokens += run(MEMBERS.format(users=asked.users), env).split()
            with server("asgi", port, env) as pid:
                return asyncio.run(stage(asked, port, pid, tokens, env))


def lines(seconds: float) -> Iterator[Line]:
    """The rows of ``ratios``: latencies against what they shall be, and the server's CPU."""
    asked = argparse.Namespace(
        clients=200, users=1, seconds=seconds, rate=20, kept=True, httpx2=False
    )
    told = measured(asked)
    for name, most in (("waiting", 1.0), ("polling", POLL + 0.3)):
        work = f"{name}, 200 clients, 20 writes a second, p99"
        ours = Cost(told[name]["p99_ms"] / 1000, 0, 0)
        against = f"{most:g} s"
        yield Line("PostgreSQL", work, 1, "change", against, Cost(most, 0, 0), ours, Within(most))
    work, count = "waiting and polling, 400 clients, the server's CPU", told["requests"]
    spent = Cost(told["seconds"], 0, told["server_cpu"])
    yield Line("PostgreSQL", work, count, "request", "none", Cost(0, 0, 0), spent, None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--users", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--rate", type=float, default=20)
    parser.add_argument("--kept", action="store_true")
    parser.add_argument("--httpx2", action="store_true")
    print(json.dumps(measured(parser.parse_args()), indent=2))


if __name__ == "__main__":
    main()
