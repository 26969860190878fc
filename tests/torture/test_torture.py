"""G1, G2, G6, G7: all at once, in processes, on PostgreSQL; nothing missed, nothing out of order.

    TORTURE_SEED=7 pytest tests/torture          one torture again
    TORTURE_SECONDS=600 pytest tests/torture -m soak
    python -m tests.torture                      the long one, for its figures

A torture that fails tells its seed. It is not to be had again step by step, since
processes run as they will; what each transaction draws is the same.
"""

from __future__ import annotations

import json
import os
import random
from typing import Any

import pytest

from tests import processes as p

from .run import Plan, run
from .verdict import check_variety, judge

pytestmark = pytest.mark.postgresql


@pytest.fixture
def seed() -> int:
    return int(os.environ.get("TORTURE_SEED") or random.SystemRandom().randrange(10**6))


def torture(plan: Plan, processes: p.Processes) -> dict[str, Any]:
    print(f"TORTURE_SEED={plan.seed}")
    figures = judge(run(plan, processes))
    print(json.dumps(figures))
    return figures


@pytest.mark.slow
def test_torture(processes: p.Processes, seed: int) -> None:
    torture(Plan(seed, seconds=6, writers=8, newcomers=1, long=3), processes)


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_torture_for_long(processes: p.Processes, seed: int) -> None:
    seconds = float(os.environ.get("TORTURE_SECONDS", "60"))
    figures = torture(Plan(seed, seconds, writers=16, newcomers=2, long=20), processes)
    check_variety(figures)
