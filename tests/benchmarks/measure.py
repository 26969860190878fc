"""How the benches measure: two kinds of the same work in turn, A B B A, and their medians.

Wall time says what one waits for, and on a busy machine also what others did. CPU seconds are
steadier: those of this process, and on PostgreSQL those of the server's process that serves it.
"""

from __future__ import annotations

import gc
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

Work = Callable[[], Any]
"""Something to be measured. Where it returns a function, that one is run off the clock."""


def cpu_of(pid: int) -> float:
    """CPU seconds of another process so far, to a hundredth."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def backend() -> int | None:
    """The process of PostgreSQL that serves our connection, where it is of this machine."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = int(cursor.fetchone()[0])
    return pid if Path(f"/proc/{pid}/stat").exists() else None


@dataclass(frozen=True)
class Cost:
    """What one turn cost: seconds of wall time, of our CPU, and of PostgreSQL's."""

    wall: float
    client: float
    server: float

    @property
    def cpu(self) -> float:
        return self.client + self.server


def timed(work: Work) -> Cost:
    """One turn."""
    pid = backend()
    gc.collect()
    server, client, wall = cpu_of(pid) if pid else 0.0, time.process_time(), time.perf_counter()
    after = work()
    wall, client = time.perf_counter() - wall, time.process_time() - client
    server = cpu_of(pid) - server if pid else 0.0
    if callable(after):
        after()
    return Cost(wall, client, server)


def median(costs: Sequence[Cost]) -> Cost:
    return Cost(
        *(
            statistics.median(getattr(c, name) for c in costs)
            for name in ("wall", "client", "server")
        )
    )


def in_turn(a: Work, b: Work, pairs: int, warm: bool = True) -> tuple[Cost, Cost]:
    """The medians of both, measured A B, B A, A B …"""
    if warm:
        timed(a)
        timed(b)
    of_a: list[Cost] = []
    of_b: list[Cost] = []
    for turn in range(pairs):
        both = [(a, of_a), (b, of_b)]
        for work, costs in both if turn % 2 == 0 else both[::-1]:
            costs.append(timed(work))
    return median(of_a), median(of_b)


@dataclass(frozen=True)
class Goal:
    """A bound on the ratio: of the cost (at most), or of the rate (at least)."""

    bound: float
    of_rate: bool = False

    def __str__(self) -> str:
        return f"{'≥' if self.of_rate else '≤'} {self.bound:g}x"

    def ratio(self, base: float, ours: float) -> float:
        if not base or not ours:
            return float("nan")
        return base / ours if self.of_rate else ours / base

    def met(self, ratio: float) -> bool:
        return ratio >= self.bound if self.of_rate else ratio <= self.bound


@dataclass(frozen=True)
class Line:
    """One row of the table; ``n`` is how many units of work a turn held.

    ``least`` is a goal of its own kind: units a second of ours, by the clock on the wall.
    """

    database: str
    work: str
    n: int
    unit: str
    against: str
    base: Cost
    ours: Cost
    goal: Goal | None
    least: float | None = None

    def rate(self, cost: Cost) -> float:
        """Units a second."""
        return self.n / cost.wall

    def aim(self) -> str:
        return f"≥ {self.least:,.0f}/s" if self.least is not None else str(self.goal or "")

    def verdict(self) -> str:
        if self.least is not None:
            return "yes" if self.rate(self.ours) >= self.least else "**no**"
        if self.goal is None:
            return ""
        by_cpu, by_wall = (
            self.goal.met(self.goal.ratio(getattr(self.base, of), getattr(self.ours, of)))
            for of in ("cpu", "wall")
        )
        if by_cpu == by_wall:
            return "yes" if by_cpu else "**no**"
        return "by CPU alone" if by_cpu else "by wall time alone"

    def cells(self) -> list[str]:
        goal = self.goal or Goal(1)
        each = [
            f"{per(cost.wall / self.n)} / {per(cost.cpu / self.n)}"
            for cost in (self.base, self.ours)
        ]
        ratios = [
            f"{goal.ratio(getattr(self.base, of), getattr(self.ours, of)):.2f}"
            for of in ("wall", "cpu")
        ]
        work = f"{self.work} ({self.n:,})" if self.n > 1 else self.work
        shown = [self.database, work, self.against, *each, *ratios]
        return [*shown, self.aim(), self.verdict()]

    def to_json(self) -> str:
        told = asdict(self) | {"goal": self.aim(), "met": self.verdict()}
        told["per_second"] = self.rate(self.ours)
        goal = self.goal or Goal(1)
        told |= {
            f"ratio_{of}": goal.ratio(getattr(self.base, of), getattr(self.ours, of))
            for of in ("wall", "cpu")
        }
        return json.dumps(told, ensure_ascii=False)


def per(seconds: float) -> str:
    """A time, in the unit that fits."""
    if seconds >= 1:
        return f"{seconds:.2f} s"
    if seconds >= 1e-3:
        return f"{seconds * 1e3:.2f} ms"
    return f"{seconds * 1e6:.0f} µs"


HEAD = ["database", "work", "against", "baseline, wall / CPU each", "ours, wall / CPU each"]
HEAD += ["ratio, wall", "ratio, CPU", "goal", "met"]


def table(lines: Sequence[Line]) -> str:
    """Markdown."""
    rows = [HEAD, ["---"] * len(HEAD), *(line.cells() for line in lines)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def say(text: str) -> None:
    """Progress."""
    print(f"{time.strftime('%H:%M:%S')}  {text}", file=sys.stderr, flush=True)


def machine() -> str:
    """What the figures belong to."""
    import platform

    import django
    import rest_framework
    from django.db import connection

    with connection.cursor() as cursor:
        ask = "sqlite_version()" if connection.vendor == "sqlite" else "version()"
        cursor.execute(f"SELECT {ask}")
        database = str(cursor.fetchone()[0])
    found = [
        line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line
    ]
    processor = found[0].split(":")[1].strip() if found else platform.machine()
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    version = database.removeprefix("PostgreSQL ").split(" ")[0]
    return (
        f"{os.cpu_count()} × {processor}; Python {platform.python_version()}, Django"
        f" {django.__version__}, DRF {rest_framework.VERSION}, {connection.display_name}"
        f" {version}; {time.strftime('%Y-%m-%d')}; load {load}"
    )
