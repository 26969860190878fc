"""How the benches measure: two kinds of the same work in turn, A B B A, and their medians.

Wall time says what one waits for, and on a busy machine also what others did. CPU seconds are
steadier: those of this process, and on PostgreSQL those of the server's process that serves it.
"""

from __future__ import annotations

import gc
import json
import math
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


def ran(pid: int) -> float:
    """CPU seconds of a process with one thread so far, to a microsecond."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def backend() -> int | None:
    """The process of PostgreSQL that serves our connection, where it is of this machine."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = int(cursor.fetchone()[0])
    return pid if Path(f"/proc/{pid}/stat").exists() else None


def stay_connected() -> None:
    """Keep the connection over the end of a request, so that one process of PostgreSQL is ours.

    To be called before the first query, where a project's settings do not say so.
    """
    from django.db import connection

    connection.settings_dict["CONN_MAX_AGE"] = None


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

    def verdict(self, base: Cost, ours: Cost, n: int) -> str:
        """Whether it is met, by wall time and by CPU; ``n`` is the units of work in a turn."""
        by_cpu, by_wall = (
            self.met(self.ratio(getattr(base, of), getattr(ours, of))) for of in ("cpu", "wall")
        )
        if by_cpu == by_wall:
            return "yes" if by_cpu else "**no**"
        return "by CPU alone" if by_cpu else "by wall time alone"


@dataclass(frozen=True)
class Within(Goal):
    """A bound on the seconds of wall time that our whole turn may take."""

    def __str__(self) -> str:
        return f"≤ {self.bound:g} s"

    def verdict(self, base: Cost, ours: Cost, n: int) -> str:
        return "yes" if ours.wall <= self.bound else "**no**"


@dataclass(frozen=True)
class PerSecond(Goal):
    """A bound on the units of work that we do in a second of wall time, at least."""

    def __str__(self) -> str:
        return f"≥ {self.bound:,g} a second"

    def verdict(self, base: Cost, ours: Cost, n: int) -> str:
        return "yes" if n >= self.bound * ours.wall else "**no**"


@dataclass(frozen=True)
class Added(Goal):
    """A bound on the difference: microseconds of CPU that each unit may cost more than without.

    CPU alone counts: of PostgreSQL its own process, for the statement is all that is measured.
    """

    n: int = 1

    def __str__(self) -> str:
        return f"≤ {self.bound:g} µs more"

    def ratio(self, base: float, ours: float) -> float:
        return (ours - base) / self.n * 1e6

    def verdict(self, base: Cost, ours: Cost, n: int) -> str:
        return "yes" if self.met(self.ratio(base.cpu, ours.cpu)) else "**no**"


@dataclass(frozen=True)
class Line:
    """One row of the table; ``n`` is how many units of work a turn held."""

    database: str
    work: str
    n: int
    unit: str
    against: str
    base: Cost
    ours: Cost
    goal: Goal | None

    def verdict(self) -> str:
        return "" if self.goal is None else self.goal.verdict(self.base, self.ours, self.n)

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
        return [*shown, str(self.goal or ""), self.verdict()]

    def to_json(self) -> str:
        told = asdict(self) | {"goal": str(self.goal or ""), "met": self.verdict()}
        goal = self.goal or Goal(1)
        for of in ("wall", "cpu"):
            ratio = goal.ratio(getattr(self.base, of), getattr(self.ours, of))
            told[f"ratio_{of}"] = ratio if math.isfinite(ratio) else None
        return json.dumps(told, ensure_ascii=False, allow_nan=False)


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
