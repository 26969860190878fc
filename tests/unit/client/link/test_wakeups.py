"""The table of wake-ups: every pair is there, and what must hold of all of them."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from django_sync.client import NetworkState
from django_sync.client.link import states
from django_sync.client.link.wakeups import TABLE, Act, Event, State, act, read, state_of
from django_sync.client.net.network_state import Kind, Reachability

VECTORS = json.loads((Path(__file__).resolve().parents[3] / "vectors/wakeups.json").read_text())
EVERY = set(itertools.product(State, Event))


def of(row: Any) -> State:
    network = NetworkState(
        type=Kind(row["type"]),
        metered=row["metered"],
        reachability=Reachability(row["reachability"]),
        foreground=row["foreground"],
    )
    return state_of(states.State(row["link"]), network, fed=row["fed"])


def test_every_pair_is_written_and_the_vectors_say_the_same() -> None:
    assert {(state, event) for state in TABLE for event in TABLE[state]} == EVERY
    found = {(row["state"], row["event"]): row["act"] for row in VECTORS["table"]}
    assert found == {(state, event): act(state, event) for state, event in EVERY}


def test_how_things_stand_in_every_case_of_the_vectors() -> None:
    assert len(VECTORS["stands"]) == len(states.State) * 2 * 2 * len(Reachability) * 4
    assert [row for row in VECTORS["stands"] if of(row) != row["state"]] == []
    assert {row["state"] for row in VECTORS["stands"]} == set(State)


def test_nothing_is_fetched_from_a_server_that_asks_to_come_again_later() -> None:
    asked = {row["state"] for row in VECTORS["stands"] if row["link"] == "backing_off"}
    assert {act(State(state), event) for state in asked for event in Event} == {Act.REMEMBER}


def test_what_waits_for_its_user_or_is_stopped_fetches_nothing() -> None:
    resting = {"stopped", "auth_required", "refused"}
    asked = {row["state"] for row in VECTORS["stands"] if row["link"] in resting}
    assert {act(State(state), event) for state in asked for event in Event} == {Act.REMEMBER}


def test_a_storm_does_not_hurry_a_client_that_is_unreachable() -> None:
    """The first of a storm shows that there is a way again; the others show no more."""
    assert act(State.UNREACHABLE, Event.WOKEN) is Act.FETCH
    assert {act(State.UNREACHABLE, e) for e in (Event.AGAIN, Event.WAITS)} == {Act.REMEMBER}


def test_only_where_each_request_is_paid_for_and_nobody_looks_one_waits_for_the_poll() -> None:
    later = [row for row in VECTORS["stands"] if row["state"] == "dear"]
    assert later
    assert all(row["metered"] and not row["foreground"] and not row["fed"] for row in later)


@pytest.mark.parametrize("row", VECTORS["payloads"])
def test_what_is_read_and_what_is_passed_by(row: Any) -> None:
    payload = row["payload"] * row.get("times", 1) if "times" in row else row["payload"]
    found = read(payload)
    fields = None
    if found is not None:
        fields = {"session": found.session, "collections": list(found.collections)}
    assert fields == row["read"]
    assert (found is not None and found.concerns(["boards", "cards"])) is row["concerns"]
    if isinstance(payload, str):
        assert read(payload.encode()) == found


def test_bytes_that_are_no_text_are_no_wake_up() -> None:
    assert read(b"\xff\xfe{") is None
