"""When a socket's client acknowledges: both clients read the same vectors."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_sync.client.net import frames
from django_sync.client.net.acknowledgement import WINDOW, Acknowledgement
from django_sync.realtime import connection

VECTORS = json.loads(
    (Path(__file__).resolve().parents[3] / "vectors/acknowledging.json").read_text()
)


@pytest.mark.parametrize("scenario", VECTORS, ids=[scenario["told"] for scenario in VECTORS])
def test_the_vectors_that_other_clients_read_say_the_same(scenario: Any) -> None:
    acknowledgement = Acknowledgement(scenario["heartbeat"], scenario["window"])
    for step in scenario["steps"]:
        acknowledgement.take(step["frames"], step["at"])
        at_once = step.get("at_once", False)
        assert acknowledgement.next(step["at"], at_once=at_once) == step["acknowledges"]
        due = acknowledgement.due_at()
        assert (None if due == math.inf else pytest.approx(due)) == step["due"]


@given(
    st.integers(1, 40),
    st.lists(st.tuples(st.integers(0, 3), st.floats(0, 5), st.booleans()), max_size=60),
)
def test_no_more_than_half_a_window_waits_and_no_longer_than_a_third(
    window: int, steps: list[tuple[int, float, bool]]
) -> None:
    heartbeat, now, frames, done, since = 9.0, 0.0, 0, 0, 0.0
    acknowledgement = Acknowledgement(heartbeat, window)
    for more, seconds, at_once in steps:
        now += seconds
        if more and frames == done:
            since = now
        frames += more
        acknowledgement.take(frames, now)
        found = acknowledgement.next(now, at_once=at_once)
        assert found in (None, frames)
        assert found is None or frames > done
        done = frames if found is not None else done
        if frames > done:
            assert frames - done < max(window // 2, 1)
            assert now < since + heartbeat / 3
            assert not at_once


def test_an_older_server_has_the_window_that_is_assumed() -> None:
    assert connection.WINDOW == WINDOW


@pytest.mark.parametrize(
    ("window_sent", "window"), [(32, 32), (1, 1), (0, None), (-1, None), (True, None), ("8", None)]
)
def test_a_window_is_read_leniently(window_sent: object, window: int | None) -> None:
    read = frames.read({"type": "welcome", "epoch": "e", "window": window_sent})
    assert isinstance(read, frames.Welcome)
    assert read.window == window
