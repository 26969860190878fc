"""A mixed party notices faults in the JavaScript client, put into each guest that has one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import processes as p

from .mixed import hold_mixed_party

WAYS = {"ada": "websocket", "ada in Node": "websocket", "grace in Node": "sse"}
SEEDS = range(1, 6)
WITHIN = 4.0
"""Seconds that a party with a fault is waited for."""

pytestmark = [pytest.mark.sqlite, pytest.mark.slow]


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("drops_a_change", "G6"),
        pytest.param("keeps_what_left", "G", marks=pytest.mark.soak),
        pytest.param("forgets_an_entry", "", marks=pytest.mark.soak),
    ],
)
def test_a_fault_of_the_javascript_client_is_noticed(
    fault: str, told: str, transactional_db: None, tmp_path: Path
) -> None:
    for seed in SEEDS:
        p.empty_database()
        processes = p.Processes()
        place = tmp_path / str(seed)
        place.mkdir()
        try:
            hold_mixed_party(
                seed, processes, place, ways=WAYS, steps=30, within=WITHIN, fault=fault
            )
        except AssertionError as error:
            if str(error).startswith(told):
                return
        finally:
            processes.end()
    raise AssertionError(f"none of {SEEDS} noticed")
