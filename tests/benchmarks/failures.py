"""Sockets and streams on two processes, while Redis stops, a process dies, and a crowd comes back.

    DATABASE_URL=postgresql://… python -m tests.benchmarks.failures [--sockets 200] [--streams 100]

Two ASGI processes (uvicorn) and one WSGI process (gunicorn) serve the benches' application on a
database and a Redis of this run's own. One writer creates, changes and deletes over REST,
``--rate`` times a second or as often as the machine lets it. Each client keeps what it got; at
the end each must hold what the table holds. Prints latency (from the writer's request to a
client that had caught up), what was cut, CPU and memory by phase. Figures are this machine's.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks.crowd import Client, Crowd, Socket, Stream
from tests.benchmarks.first_pull import ROOT, cpu, database, memory, run
from tests.benchmarks.measure import say
from tests.benchmarks.servers import Servers

PREPARE = """
import django; django.setup()
from django.core.management import call_command
call_command("migrate", run_syncdb=True, verbosity=0)
from django.contrib.auth.models import User
from rest_framework.authtoken.models import Token
Token.objects.create(user=User.objects.create_user("bench"), key="bench")
"""
TABLE = """
import django, json; django.setup()
from tests.benchmarks.notes.models import Note
from tests.benchmarks.measure import machine
rows = {str(id): revision for id, revision in Note.objects.values_list("id", "sync_revision")}
print(json.dumps([rows, machine()]))
"""
WRITER = """
import json, random, sys, time, uuid, httpx2
port, rate = int(sys.argv[1]), float(sys.argv[2])
content = {"title": "A note", "body": "b" * 180, "n": 1, "at": "2026-01-01T00:00:00Z"}
lives, began, number, chance = {}, time.monotonic(), 0, random.Random(7)
http = httpx2.Client(base_url="http://127.0.0.1:%d/sync/notes/" % port, timeout=60,
                     headers={"Authorization": "Token bench"})
while True:
    number += 1
    time.sleep(max(0, began + number / rate - time.monotonic()))
    id, kind, sent = random.choice([*lives, None]), chance.random(), time.monotonic()
    if id is None or kind < 0.5:
        id = str(uuid.uuid4())
        answer = http.post("", json={"id": id, "object": content})
    elif kind < 0.9:
        told = {"object": {"n": number}}
        answer = http.patch(id + "/", json=told, headers={"If-Match": lives[id]})
    else:
        answer = http.delete(id + "/", headers={"If-Match": lives.pop(id)})
    answer.raise_for_status()
    revision = 0
    if answer.content:
        lives[id], revision = answer.headers["ETag"], answer.json()["revision"]
    print(json.dumps([id, revision, sent]), flush=True)
"""


class Run:
    """The phases, and what came of each."""

    def __init__(self, asked: Any, servers: Servers) -> None:
        self.asked, self.servers = asked, servers
        self.crowd = Crowd(servers.ports)
        self.clients: list[Client] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.sent: dict[tuple[str, int], float] = {}
        self.writes = 0
        self.phases: list[dict[str, Any]] = []

    def add(self, sockets: int, streams: int, like: Client | None = None) -> list[Client]:
        kinds: list[type[Client]] = [Socket] * sockets + [Stream] * streams
        cursor, held = ("", {}) if like is None else (like.cursor, dict(like.held))
        added = [kind(self.crowd, cursor, held) for kind in kinds]
        self.clients += added
        self.tasks += [asyncio.create_task(client.run()) for client in added]
        return added

    async def until(self, condition: Any, seconds: float = 120) -> float:
        """Wait for it; how long that took."""
        began = time.monotonic()
        while not condition() and time.monotonic() - began < seconds:
            await asyncio.sleep(0.1)
        return time.monotonic() - began

    async def noting(self, writer: asyncio.subprocess.Process) -> None:
        assert writer.stdout is not None
        while line := await writer.stdout.readline():
            id, revision, sent = json.loads(line)
            self.writes += 1
            self.sent[id, revision] = sent

    @contextlib.asynccontextmanager
    async def phase(self, name: str) -> Any:
        """Measure what happens inside."""
        say(name)
        self.crowd.heard, self.crowd.came_back = [], []
        self.crowd.counts.clear()
        pids = [process.pid for process in self.servers.live]
        began, writes = time.monotonic(), self.writes
        spent = {pid: cpu(pid) for pid in pids}
        own = time.process_time()
        yield
        await asyncio.sleep(0.5)  # the writer's last words
        seconds = time.monotonic() - began
        told: dict[str, Any] = {"phase": name, "seconds": round(seconds, 1)}
        told["writes"] = self.writes - writes
        for kind, of_sockets in (("sockets", True), ("streams", False)):
            late = [
                1000 * (at - self.sent[key])
                for key, at, socket in self.crowd.heard
                if socket is of_sockets and self.sent.get(key, 0) > began
            ]
            told[f"{kind} p50/p99/max ms"] = shown(late)
        told["back p50/p99/max ms"] = shown([1000 * s for s in self.crowd.came_back])
        told["counts"] = dict(self.crowd.counts)
        after = [process.pid for process in self.servers.live]
        told["cpu %"] = [round(100 * (cpu(pid) - spent.get(pid, 0.0)) / seconds) for pid in after]
        told["clients' cpu %"] = round(100 * (time.process_time() - own) / seconds)
        told["rss MiB"] = [round(memory(pid)[0]) for pid in after]
        told["load"] = round(os.getloadavg()[0], 1)
        self.phases.append(told)
        print(json.dumps(told, ensure_ascii=False), flush=True)

    async def run(self) -> None:
        asked, servers = self.asked, self.servers
        writer = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-c", WRITER, str(servers.rest_port), str(asked.rate)),
            stdout=asyncio.subprocess.PIPE,
        )
        noting = asyncio.create_task(self.noting(writer))
        try:
            await self._phases()
            if noting.done():
                raise RuntimeError("the writer has stopped")
        finally:
            if not noting.done():
                writer.terminate()
            await noting
            await writer.wait()

    async def _phases(self) -> None:
        asked, servers, part = self.asked, self.servers, self.asked.seconds
        async with self.phase("coming"):
            self.add(asked.sockets, asked.streams)
            if await self.until(lambda: all(client.current for client in self.clients)) > 119:
                raise RuntimeError(f"they do not come: {self.crowd.counts}")
        async with self.phase("quiet"):
            await asyncio.sleep(part)
        async with self.phase("Redis is stopped"):
            servers.redis.terminate()
            servers.redis.wait()
            await asyncio.sleep(part)
        async with self.phase("Redis is back"):
            servers.redis = servers.start_redis()
            await asyncio.sleep(part)
        async with self.phase("one process is killed, and started again after 5 s"):
            servers.live[0].kill()
            servers.live[0].wait()
            await asyncio.sleep(5)
            servers.live[0] = servers.start_live(0)
            await asyncio.sleep(part - 5)
        like = random.choice([client for client in self.clients if client.current])
        cursor, held = like.cursor, dict(like.held)
        await asyncio.sleep(5)  # what they have missed
        crowd = type(like)(self.crowd, cursor, held)
        async with self.phase(f"{asked.crowd} come back at once"):
            third = asked.crowd // 3  # streams; the rest are sockets
            came = self.add(asked.crowd - third, third, crowd)
            took = await self.until(lambda: all(client.current for client in came))
            say(f"all are back after {took:.1f} s")
            await asyncio.sleep(part / 2)

    async def compared(self) -> dict[str, Any]:
        """What each holds, against the table."""
        rows, machine = json.loads(run(TABLE, self.servers.env).splitlines()[-1])
        took = await self.until(lambda: all(client.held == rows for client in self.clients), 60)
        wrong = [client for client in self.clients if client.held != rows]
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        return {
            "machine": machine,
            "rows": len(rows),
            "clients": len(self.clients),
            "caught up with the last write after s": round(took, 1),
            "clients that differ": len(wrong),
            "lost": sum(len(rows.items() - client.held.items()) for client in wrong),
            "not deleted": sum(len(client.held.keys() - rows.keys()) for client in wrong),
            "not connected": sum(not client.current for client in self.clients),
        }


def shown(times: list[float]) -> str:
    if len(times) < 2:
        return "–"
    found = statistics.quantiles(times, n=100)
    return f"{found[49]:.0f} / {found[98]:.0f} / {max(times):.0f} ({len(times)})"


@contextlib.contextmanager
def started(env: dict[str, str]) -> Iterator[Servers]:
    with tempfile.TemporaryDirectory() as folder, database(env):
        run(PREPARE, env)
        servers = Servers(Path(folder), env)
        try:
            servers.start()
            yield servers
        finally:
            servers.end()
            for name, lines in servers.complaints().items():
                print(f"── {name}: {len(lines)} lines in its log", *lines[:40], sep="\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sockets", type=int, default=200)
    parser.add_argument("--streams", type=int, default=100)
    parser.add_argument("--crowd", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=20)
    parser.add_argument("--seconds", type=float, default=30, help="of each phase")
    asked = parser.parse_args()
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres") or shutil.which("redis-server") is None:
        sys.exit("It takes PostgreSQL, named by DATABASE_URL, and redis-server on the PATH.")
    env = os.environ | {
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "tests.benchmarks.settings",
        "PYTHONPATH": str(ROOT),
    }

    async def all_of_it() -> dict[str, Any]:
        bench = Run(asked, servers)
        await bench.run()
        return await bench.compared()

    with started(env) as servers:
        told = asyncio.run(all_of_it())
        print(json.dumps(told, indent=2, ensure_ascii=False))
    if told["clients that differ"]:
        sys.exit("Not all hold what the table holds.")


if __name__ == "__main__":
    main()
