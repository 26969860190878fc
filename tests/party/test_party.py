"""G6: three clients, other programs, a bad network and a restless house all converge.

    PARTY_SEED=7 pytest tests/party          one party again
    PARTY_SEEDS=1000 pytest tests/party -m soak
    PARTY_STEPS=200                          longer ones
    PARTY_STEPS=3,17,42                      these steps alone
    PARTY_SHRINK=600                         seconds to find fewer steps that still fail in; 0: none

A party that fails is held again without some of its steps, as long as it fails; what is told is
the history of the shortest, and the line that holds it again.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from django.db import connection

from .holding import STEPS, fewest, hold_and_tell

PARTIES = 25 if connection.vendor == "sqlite" else 10
"""One that fails is held again, and many more are held before each release; these are for today."""


def groups(count: int) -> list[range]:
    """The seeds, a few to a test: emptying the whole database takes as long as a party."""
    told = os.environ.get("PARTY_SEED")
    if told:
        return [range(int(told), int(told) + 1)]
    return [range(n, min(n + 5, count + 1)) for n in range(1, count + 1, 5)]


@pytest.mark.parametrize(
    "seeds",
    [
        pytest.param(seeds, id=str(seeds), marks=[pytest.mark.slow] if later else [])
        for later, seeds in enumerate(groups(PARTIES))
    ],
)
def test_g6_all_replicas_converge(seeds: range, hold: Any) -> None:
    for seed in seeds:
        hold_and_tell(hold, seed, STEPS)


@pytest.mark.soak
@pytest.mark.skipif("PARTY_SEEDS" not in os.environ, reason="PARTY_SEEDS says how many")
@pytest.mark.timeout(0)
@pytest.mark.parametrize("seeds", groups(int(os.environ.get("PARTY_SEEDS", "0"))), ids=str)
def test_g6_all_replicas_converge_for_long(seeds: range, hold: Any) -> None:
    for seed in seeds:
        hold_and_tell(hold, seed, STEPS)


# What is told of one that fails


def test_the_fewest_steps_that_fail_are_found() -> None:
    held: list[list[int]] = []

    def fails(steps: list[int]) -> bool:
        held.append(steps)
        return {3, 17} <= set(steps)

    assert fewest(fails, range(80), lambda: True) == [3, 17]
    assert len(held) < 40
    held.clear()
    assert {3, 17} < set(fewest(fails, range(80), lambda: len(held) < 5))


def test_a_failure_says_how_to_hold_the_party_again() -> None:
    def hold(seed: int, steps: Any) -> None:
        if 5 in steps:
            raise AssertionError("G6: not the truth")
        if 4 in steps:
            raise AssertionError("G7: another fault")

    with pytest.raises(AssertionError, match="G6") as caught:
        hold_and_tell(hold, 9, range(8))
    assert caught.value.__notes__ == [
        "Again: PARTY_SEED=9 PARTY_STEPS=5, pytest tests/party/test_party.py"
    ]
