"""The link's table: it lists moves only, and what must hold for every state and event."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from django_sync import errors
from django_sync.client.link.states import TABLE, Act, Event, Move, State, move, outcome

OUTCOMES = {
    Event.SYNCED: Move(State.LIVE, Act.LISTEN),
    Event.UNREACHABLE: Move(State.OFFLINE, Act.WAIT),
    Event.BUSY: Move(State.BACKING_OFF, Act.WAIT),
    Event.UNAUTHORIZED: Move(State.AUTH_REQUIRED, Act.REST),
    Event.REFUSED: Move(State.REFUSED, Act.REST),
    Event.ENDED: Move(State.ENDED, Act.REST),
    Event.BLOCKED: Move(State.BLOCKED, Act.REST),
}
ASKING = (State.CONNECTING, State.CATCHING_UP, State.LIVE)
RESTING = (State.AUTH_REQUIRED, State.REFUSED, State.ENDED, State.BLOCKED)
VECTORS = Path(__file__).resolve().parents[3] / "vectors" / "link.json"
EVERY = list(itertools.product(State, Event))


def test_the_vectors_that_other_clients_read_say_the_same() -> None:
    moves = json.loads(VECTORS.read_text())
    assert len(moves) == len(EVERY)
    for row in moves:
        found = move(State(row["state"]), Event(row["event"]))
        assert (found.state, found.act) == (row["to"], row["act"])


def test_the_table_lists_moves_only_and_anything_else_changes_nothing() -> None:
    assert set(TABLE) == set(State)
    listed = {(state, event) for state in TABLE for event in TABLE[state]}
    moves = {(s, e) for s, e in EVERY if move(s, e) != Move(s, Act.GO_ON)}
    assert listed == moves


@pytest.mark.parametrize("state", State)
def test_stop_ends_in_stopped_from_anywhere(state: State) -> None:
    assert move(state, Event.STOP).state is State.STOPPED


def test_what_is_stopped_is_left_by_start_alone() -> None:
    left = {event for event in Event if move(State.STOPPED, event).state is not State.STOPPED}
    assert left == {Event.START}


@pytest.mark.parametrize("state", ASKING)
def test_an_exchange_ends_alike_wherever_it_began(state: State) -> None:
    assert {event: move(state, event) for event in OUTCOMES} == OUTCOMES


@pytest.mark.parametrize("state", RESTING)
def test_what_waits_for_its_user_does_nothing_by_itself(state: State) -> None:
    assert all(move(state, e) == Move(state, Act.GO_ON) for e in (Event.DUE, Event.WROTE))
    assert move(state, Event.START) == Move(State.CONNECTING, Act.EXCHANGE)


def test_a_busy_server_is_asked_again_only_when_it_is_time() -> None:
    asks = {e for e in Event if move(State.BACKING_OFF, e).act is Act.EXCHANGE}
    assert asks == {Event.DUE}


def test_a_write_is_sent_at_once_only_where_the_server_was_there() -> None:
    asks = {state for state in State if move(state, Event.WROTE).act is Act.SEND}
    assert asks == {State.LIVE, State.CATCHING_UP}


@pytest.mark.parametrize(("state", "event"), EVERY)
def test_acts_fit_the_state_that_they_are_done_in(state: State, event: Event) -> None:
    to, act = move(state, event)
    if act is Act.GO_ON:
        assert to is state or to is State.CATCHING_UP
    fitting = {
        Act.EXCHANGE: set(ASKING),
        Act.SEND: {State.CATCHING_UP, State.LIVE},
        Act.LISTEN: {State.LIVE},
        Act.WAIT: {State.OFFLINE, State.BACKING_OFF},
        Act.REST: set(RESTING),
        Act.END: {State.STOPPED},
        Act.GO_ON: set(State),
    }
    assert to in fitting[act]


@pytest.mark.parametrize("state", State)
def test_every_state_is_reached_and_left(state: State) -> None:
    assert any(move(s, e).state is state for s, e in EVERY if s is not state)
    assert any(move(state, e).state is not state for e in Event)


@pytest.mark.parametrize("error", list(errors.every_error()))
def test_every_error_is_an_outcome(error: type[errors.SyncError]) -> None:
    expected = {
        errors.Offline: Event.UNREACHABLE,
        errors.Captive: Event.UNREACHABLE,
        errors.NotAuthenticated: Event.UNAUTHORIZED,
        errors.UpgradeRequired: Event.REFUSED,
        errors.UnsupportedProtocol: Event.REFUSED,
        errors.StoreMismatch: Event.REFUSED,
        errors.SessionEnded: Event.ENDED,
        errors.Blocked: Event.BLOCKED,
    }
    assert outcome(error()) is expected.get(error, Event.BUSY)
