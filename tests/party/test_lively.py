"""G6 and G7 for guests who stay in step by themselves, each by a way of their own.

Sockets, streams, held and plain polls, real threads and a real server that is restarted, and a
network that breaks lines in the middle of a frame.

    PARTY_SEED=7 pytest tests/party/test_lively.py
    PARTY_SEEDS=100 pytest tests/party/test_lively.py -m soak
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from .lively import hold_lively_party

SEED = os.environ.get("PARTY_SEED")


@pytest.mark.parametrize("seed", [int(SEED) if SEED else 1])
def test_g6_by_whichever_way_they_come(seed: int, processes: Any, tmp_path: Path) -> None:
    hold_lively_party(seed, processes, tmp_path)


@pytest.mark.soak
@pytest.mark.skipif("PARTY_SEEDS" not in os.environ, reason="PARTY_SEEDS says how many")
@pytest.mark.parametrize("seed", range(1, int(os.environ.get("PARTY_SEEDS", "0")) + 1))
def test_g6_by_whichever_way_they_come_for_long(seed: int, processes: Any, tmp_path: Path) -> None:
    hold_lively_party(seed, processes, tmp_path)
