"""The long torture in a database of its own, for its figures: `make torture`.

    DATABASE_URL=postgresql://… python -m tests.torture [--seconds 60] [--seed 7] [--writers 16]

Tells what it measured, and once more as one line of JSON. It fails where anything that has to
hold did not. Figures are this machine's.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
from typing import Any

from tests.benchmarks.first_pull import database


def torture(asked: argparse.Namespace) -> dict[str, Any]:
    import django

    django.setup()
    from django.core.management import call_command

    from tests.processes import Processes

    from .run import Plan, run
    from .verdict import check_variety, judge

    call_command("migrate", verbosity=0)
    plan = Plan(asked.seed, asked.seconds, asked.writers, newcomers=2, long=asked.long)
    processes = Processes()
    try:
        figures = judge(run(plan, processes))
        check_variety(figures)
        return figures
    finally:
        processes.end()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--long", type=float, default=20, help="seconds of the long transaction")
    parser.add_argument("--writers", type=int, default=16)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    asked = parser.parse_args()
    if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
        print("Name a PostgreSQL in DATABASE_URL.", file=sys.stderr)
        return 1
    print(f"seed {asked.seed}", flush=True)
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    env = dict(os.environ)
    with database(env):
        os.environ["DATABASE_URL"] = env["DATABASE_URL"]
        figures = torture(asked)
    for name, figure in figures.items():
        print(f"{name:<32} {figure}")
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
