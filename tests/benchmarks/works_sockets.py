"""One write to many sockets, against a plain ASGI loop over as many, both under uvicorn.

The server's process is measured: its CPU from a write to the last socket's frame, with the
acknowledgements that the frames bring about, and its memory before and after the sockets opened.
The fan-out without the write itself is what remains after subtracting the same writes with no
socket open. uvicorn gets the same options for both.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tests.benchmarks.first_pull import ROOT, free_port, memory
from tests.benchmarks.measure import Cost, Goal, Line, cpu_of, median, say
from tests.benchmarks.subscribers import Socket, Writer, opened, until_all

PLAIN = "tests.benchmarks.plain_sockets:application"
OURS = "tests.benchmarks.asgi:application"
OPTIONS = [
    *("--lifespan", "off", "--log-level", "warning", "--no-access-log"),
    *("--ws-per-message-deflate", "false"),
]
PAUSE = 0.02
"""Seconds between two writes, for the work that follows each."""


@dataclass(frozen=True)
class Served:
    """A server's process. ``syncs``: it is ours, and a write is a REST create."""

    pid: int
    port: int
    syncs: bool

    @property
    def path(self) -> str:
        return "/sync/live/ws/" if self.syncs else "/"

    def spent(self) -> float:
        """CPU seconds so far; exact, as long as none of its threads ends."""
        tasks = list(Path(f"/proc/{self.pid}/task").glob("*/schedstat"))
        found = sum(int(task.read_text().split()[0]) for task in tasks) / 1e9
        return found or cpu_of(self.pid)


@dataclass(frozen=True)
class MemoryLine:
    """A row of the table about KiB of memory, where a ``Line`` is about seconds."""

    database: str
    work: str
    n: int
    against: str
    base: float
    ours: float
    goal: Goal

    def cells(self) -> list[str]:
        ratio = self.goal.ratio(self.base, self.ours)
        each = [f"{kib:.1f} KiB" for kib in (self.base, self.ours)]
        met = "yes" if self.goal.met(ratio) else "**no**"
        work = f"{self.work} ({self.n:,})"
        return [self.database, work, self.against, *each, f"{ratio:.2f}", "", str(self.goal), met]

    def to_json(self) -> str:
        ratio = self.goal.ratio(self.base, self.ours)
        met = "yes" if self.goal.met(ratio) else "**no**"
        body = asdict(self) | {"unit": "KiB", "goal": str(self.goal), "met": met, "ratio": ratio}
        return json.dumps(body, ensure_ascii=False)


@contextmanager
def served(application: str, *, syncs: bool) -> Iterator[Served]:
    """One uvicorn process."""
    port = free_port()
    argv = [sys.executable, "-m", "uvicorn", application, "--port", str(port), *OPTIONS]
    process = subprocess.Popen(argv, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        yield Served(process.pid, port, syncs)
    finally:
        process.terminate()
        process.wait()


async def ready(server: Served) -> None:
    """Until the server takes connections; two sockets and a few writes warm it up."""
    deadline = time.monotonic() + 60
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        except OSError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.1)
        else:
            writer.close()
            break
    await measure_round(server, 2, 5)


async def measure_round(server: Served, number: int, writes: int) -> tuple[Cost, float]:
    """Cost of all writes to ``number`` sockets, and KiB of each idle socket."""
    before = memory(server.pid)[0]
    sockets = await opened(server.port, server.path, number, syncs=server.syncs)
    await asyncio.sleep(1)
    kib = (memory(server.pid)[0] - before) * 1024 / max(number, 1)
    starts = [socket.count for socket in sockets]
    if len(set(starts)) > 1:
        raise RuntimeError("The sockets did not all catch up in as many frames.")
    wall = await (_created if server.syncs else _sent)(server, sockets, writes)
    for socket in sockets:
        socket.transport.close()
    await asyncio.sleep(0.5)
    return wall, kib


async def _created(server: Served, sockets: Sequence[Socket], writes: int) -> Cost:
    from tests.benchmarks.works_read import contents

    writer = Writer(server.port)
    await writer.open()
    start = sockets[0].count if sockets else 0
    costs = []
    for number, record in enumerate(contents(writes, seed=time.monotonic_ns()), 1):
        began, spent = time.monotonic(), server.spent()
        await writer.create(record)
        await until_all(sockets, start + number)
        arrived = max((socket.came_at for socket in sockets), default=time.monotonic())
        await asyncio.sleep(PAUSE)
        costs.append(Cost(arrived - began, server.spent() - spent, 0.0))
    writer.close()
    return _mean(costs)


async def _sent(server: Served, sockets: Sequence[Socket], writes: int) -> Cost:
    start = sockets[0].count
    text = json.dumps({"type": "changes", "text": "x" * 400})
    costs = []
    for number in range(1, writes + 1):
        began, spent = time.monotonic(), server.spent()
        sockets[0].send(text)
        await until_all(sockets, start + number)
        arrived = max(socket.came_at for socket in sockets)
        await asyncio.sleep(PAUSE)
        costs.append(Cost(arrived - began, server.spent() - spent, 0.0))
    return _mean(costs)


def _mean(costs: Sequence[Cost]) -> Cost:
    """What one write costs: acknowledgements and cursors do not come with each."""
    wall = statistics.median(cost.wall for cost in costs)
    return Cost(wall, sum(cost.client for cost in costs) / len(costs), 0.0)


async def measured(
    plain: Served, ours: Served, sockets: int, writes: int, pairs: int
) -> tuple[Cost, Cost, Cost, float, float]:
    """Medians of plain, ours and ours without sockets; KiB a socket of the first round of each."""
    await ready(plain)
    await ready(ours)
    costs: dict[str, list[Cost]] = {"plain": [], "ours": [], "alone": []}
    kib: dict[str, list[float]] = {"plain": [], "ours": []}
    kinds = {"plain": (plain, sockets), "ours": (ours, sockets), "alone": (ours, 0)}
    for round_ in range(pairs):
        for kind in list(kinds) if round_ % 2 == 0 else list(kinds)[::-1]:
            say(f"{writes} writes to {sockets} sockets, {kind}")
            server, number = kinds[kind]
            cost, each = await measure_round(server, number, writes)
            costs[kind].append(cost)
            if number:
                kib[kind].append(each)
    found = [median(costs[kind]) for kind in kinds]
    # Later rounds take what the first one's sockets have left.
    return found[0], found[1], found[2], max(kib["plain"]), max(kib["ours"])


def lines(sockets: int, writes: int, pairs: int) -> Iterator[Any]:
    from django.contrib.auth.models import User
    from django.db import connection
    from rest_framework.authtoken.models import Token

    user = User.objects.get_or_create(username="bench")[0]
    Token.objects.get_or_create(user=user, defaults={"key": "bench"})
    with ExitStack() as stack:
        plain = stack.enter_context(served(PLAIN, syncs=False))
        ours = stack.enter_context(served(OURS, syncs=True))
        base, full, alone, kib_base, kib_ours = asyncio.run(
            measured(plain, ours, sockets, writes, pairs)
        )
    against, vendor = "a plain ASGI loop", connection.vendor
    yield Line(vendor, f"a write to {sockets} sockets", 1, "write", against, base, full, Goal(4))
    without = replace(full, client=max(full.client - alone.client, 0))
    without = replace(without, wall=max(full.wall - alone.wall, 0))
    work = f"a write to {sockets} sockets, without the write itself"
    yield Line(vendor, work, 1, "write", against, base, without, Goal(2.5))
    idle = "memory of an idle socket"
    yield MemoryLine(vendor, idle, sockets, against, kib_base, kib_ours, Goal(1.9))
