"""G6 and G7 for JavaScript clients among Python ones: over each transport, in Node and in a page.

PARTY_SEED=7 pytest tests/party/test_mixed.py
PARTY_SEEDS=100 pytest tests/party/test_mixed.py -m soak
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from .mixed import IN_CHROMIUM, WAYS, hold_mixed_party, needs_chromium

SEED = os.environ.get("PARTY_SEED")
ONE = [int(SEED) if SEED else 1]
FOR_LONG = [
    pytest.mark.soak,
    pytest.mark.timeout(0),
    pytest.mark.skipif("PARTY_SEEDS" not in os.environ, reason="PARTY_SEEDS says how many"),
]
MANY = range(1, int(os.environ.get("PARTY_SEEDS", "0")) + 1)
WITH_A_PAGE = {
    "ada": "websocket",
    "grace in Node": "sse",
    IN_CHROMIUM: "websocket",
}

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("seed", [*ONE, *(pytest.param(n, marks=FOR_LONG) for n in MANY)])
def test_g6_with_javascript_over_each_transport(seed: int, processes: Any, tmp_path: Path) -> None:
    hold_mixed_party(seed, processes, tmp_path, ways=WAYS, steps=40)


@pytest.mark.parametrize("seed", [*ONE, *(pytest.param(n, marks=FOR_LONG) for n in MANY)])
def test_g6_with_a_page_in_chromium(seed: int, processes: Any, tmp_path: Path) -> None:
    needs_chromium()
    hold_mixed_party(seed, processes, tmp_path, ways=WITH_A_PAGE, steps=40)
