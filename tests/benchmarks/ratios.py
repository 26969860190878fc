"""What sync costs, as ratios against plain Django and plain DRF, all in one run.

    [DATABASE_URL=postgresql://…] python -m tests.benchmarks.ratios [WORK …] [--json FILE]

WORK is any of those in ``works``, which ``--help`` lists; all of them without one. On a database
of this run's own: SQLite, or one that is made on the server that DATABASE_URL names. Prints a
Markdown table; progress is told on stderr. What is measured, and how, stands in ``measure`` and
in the ``works_…`` modules; goals are those of docs/evidence/performance.md. As it stands it
takes some five minutes on each database; goals are of ``--records 100000 --others 1000000
--writers 16``, which take far longer.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks.first_pull import database
from tests.benchmarks.works import WORKS


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("works", nargs="*", metavar="WORK", help=", ".join(WORKS))
    parser.add_argument("--pairs", type=int, default=3, help="turns of each of the two, A B B A")
    parser.add_argument("--single", type=int, default=100, help="single writes in a turn")
    parser.add_argument("--bulk", type=int, default=10_000, help="rows of a bulk write")
    parser.add_argument("--records", type=int, default=20_000, help="records of the puller")
    parser.add_argument("--pulls", type=int, default=2, help="turns of a first pull")
    parser.add_argument("--others", type=int, default=100_000, help="changes of others")
    parser.add_argument("--calls", type=int, default=40, help="small requests in a turn")
    parser.add_argument("--batches", type=int, default=3, help="batches in a turn")
    parser.add_argument("--writers", type=int, default=4, help="processes that write at once")
    parser.add_argument("--seconds", type=float, default=2, help="seconds of such a turn")
    parser.add_argument("--real", type=int, default=5000, help="records of each real-world shape")
    parser.add_argument("--queued", type=int, default=5300, help="mutations of an offline client")
    parser.add_argument("--sockets", type=int, default=500, help="open sockets of one process")
    parser.add_argument("--sent", type=int, default=32, help="writes to them in a turn")
    parser.add_argument("--held", type=int, default=30, help="seconds that many wait and poll")
    parser.add_argument("--cards", type=int, default=61_549, help="records of the browser")
    parser.add_argument("--backlog", type=int, default=200_000, help="changes in a long outbox")
    parser.add_argument("--json", type=Path, help="append one object a line to this file")
    asked = parser.parse_args()
    unknown = set(asked.works) - set(WORKS)
    if unknown:
        parser.error(f"no such work: {', '.join(sorted(unknown))}")
    asked.works = asked.works or list(WORKS)
    return asked


def lines(asked: argparse.Namespace) -> Iterator[Any]:
    for name, of_work in WORKS.items():
        if name in asked.works:
            yield from of_work(asked)


def measure(asked: argparse.Namespace) -> None:
    import django

    django.setup()
    from django.core.management import call_command

    from tests.benchmarks.measure import machine, table

    call_command("migrate", verbosity=0, run_syncdb=True)
    found = []
    before = machine()
    for line in lines(asked):
        found.append(line)
        print(f"| {' | '.join(line.cells())} |", file=sys.stderr, flush=True)
        if asked.json:
            with asked.json.open("a") as told:
                told.write(line.to_json() + "\n")
    print(f"{before}; at the end {os.getloadavg()[0]:.1f}\n\n{table(found)}\n")


def main() -> int:
    asked = options()
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.settings"
    with tempfile.TemporaryDirectory() as folder:
        url = os.environ.get("DATABASE_URL") or f"sqlite:///{folder}/bench.sqlite3"
        env = {"DATABASE_URL": url}
        with database(env):
            os.environ["DATABASE_URL"] = env["DATABASE_URL"]
            measure(asked)
    return 0


if __name__ == "__main__":
    sys.exit(main())
