"""What is known of the network: the table, the round trip, what is reported, and by whom."""

from __future__ import annotations

import itertools
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from django_sync import errors
from django_sync.client import Backoff, NetworkState
from django_sync.client.net.http import Network
from django_sync.client.net.network_monitor import NetworkMonitor
from django_sync.client.net.network_state import (
    LONGEST,
    REACHABILITY_TABLE,
    Event,
    Kind,
    Reachability,
    RoundTrip,
    differs,
    next_reachability,
)
from django_sync.testing.clocks import Clock
from tests.unit.client.helpers import fault, on

VECTORS = json.loads((Path(__file__).resolve().parents[3] / "vectors/reach.json").read_text())


# The table


def test_every_pair_is_written_and_the_vectors_say_the_same() -> None:
    pairs = [(row["state"], row["event"]) for row in VECTORS["table"]]
    assert pairs == list(itertools.product(Reachability, Event))
    assert {(s, e) for s in REACHABILITY_TABLE for e in REACHABILITY_TABLE[s]} == set(
        itertools.product(Reachability, Event)
    )
    for row in VECTORS["table"]:
        assert next_reachability(Reachability(row["state"]), Event(row["event"])) == row["to"]


@pytest.mark.parametrize("state", Reachability)
def test_the_last_request_counts_whatever_was_before(state: Reachability) -> None:
    assert next_reachability(state, Event.ANSWERED) is Reachability.REACHABLE
    assert next_reachability(state, Event.SILENT) is Reachability.UNREACHABLE
    assert next_reachability(state, Event.STRANGE) is Reachability.CAPTIVE


def test_only_an_answer_proves_that_the_server_is_there() -> None:
    into = {(s, e) for s, e in itertools.product(Reachability, Event)}
    proving = {
        e for s, e in into if next_reachability(s, e) is Reachability.REACHABLE and s != "reachable"
    }
    assert proving == {Event.ANSWERED}


# Round trips


def test_it_is_smoothed_as_rfc_6298_says() -> None:
    trip = RoundTrip().sampled(0.1)
    assert (trip.srtt, trip.rttvar) == (0.1, 0.05)  # (2.2)
    trip = trip.sampled(0.3)
    assert trip.rttvar == pytest.approx(0.75 * 0.05 + 0.25 * 0.2)  # (2.3), with the old SRTT
    assert trip.srtt == pytest.approx(0.875 * 0.1 + 0.125 * 0.3)


def test_an_outlier_moves_it_by_an_eighth_and_is_forgotten() -> None:
    trip = RoundTrip()
    for seconds in [0.05] * 10 + [10.0]:
        trip = trip.sampled(seconds)
    assert trip.ms is not None
    assert trip.ms < 2_000  # The ladder's “slow”: one outlier costs no WebSocket.
    for _ in range(40):
        trip = trip.sampled(0.05)
    assert trip.ms is not None
    assert trip.ms < 60


@pytest.mark.parametrize("seconds", [0, -1, LONGEST + 1, 10_800, float("nan"), float("inf")])
def test_what_cannot_be_a_round_trip_is_none(seconds: float) -> None:
    before = RoundTrip().sampled(0.1)
    assert before.sampled(seconds) == before
    assert RoundTrip().sampled(seconds).ms is None


@pytest.mark.parametrize("row", VECTORS["round_trips"])
def test_round_trips_of_the_vectors(row: Any) -> None:
    trip = RoundTrip()
    for seconds in row["samples"]:
        trip = trip.sampled(seconds)
    assert (trip.srtt, trip.rttvar, trip.ms) == (row["srtt"], row["rttvar"], row["ms"])


# What the program tells, what requests show


def test_a_program_says_only_what_it_knows() -> None:
    monitor = NetworkMonitor()
    monitor.report(metered=True)
    monitor.report(foreground=False)
    assert monitor.state == NetworkState(metered=True, foreground=False)
    assert monitor.report(metered=False).sparing  # It is in the background still.


def test_gone_and_back() -> None:
    monitor = NetworkMonitor()
    monitor.report(type="wifi")
    monitor.note_call(None)
    monitor.note_round_trip(0.2)
    gone = monitor.report(online=False)
    assert (gone.type, gone.reachability, gone.rtt_ms) == ("none", "unreachable", None)
    assert monitor.report(type="none") == gone
    back = monitor.report(online=True)  # The program does not say which network.
    assert (back.type, back.reachability) == ("unknown", "unknown")


def test_another_network_is_measured_anew() -> None:
    monitor = NetworkMonitor()
    monitor.report(type="wifi")
    monitor.note_call(None)
    monitor.note_round_trip(0.01)
    monitor.report(type="wifi", online=True)
    assert (monitor.state.rtt_ms, monitor.state.reachability) == (10, "reachable")
    monitor.report(type="cellular")
    assert (monitor.state.rtt_ms, monitor.state.reachability) == (None, "unknown")
    monitor.note_round_trip(0.4)
    assert monitor.state.rtt_ms == 400  # and not a mean with the former


def test_an_answer_shows_that_the_program_was_wrong() -> None:
    monitor = NetworkMonitor()
    monitor.report(online=False)
    monitor.note_call(None)
    assert (monitor.state.type, monitor.state.reachability) == ("unknown", "reachable")


def test_a_type_that_is_none_is_refused() -> None:
    monitor = NetworkMonitor()
    with pytest.raises(ValueError, match="wifi6"):
        monitor.report(type="wifi6", metered=True)
    assert monitor.state == NetworkState()


def test_a_refusal_is_an_answer() -> None:
    monitor = NetworkMonitor()
    monitor.note_call(errors.Throttled())
    assert monitor.state.reachability is Reachability.REACHABLE


# What is worth telling


@pytest.mark.parametrize("row", VECTORS["differs"])
def test_what_the_vectors_tell(row: Any) -> None:
    def state(found: dict[str, Any]) -> NetworkState:
        kinds: dict[str, Callable[[Any], Any]] = {"type": Kind, "reachability": Reachability}
        return NetworkState(**{name: kinds.get(name, lambda v: v)(v) for name, v in found.items()})

    assert differs(state(row["told"]), state(row["now"])) is row["differs"]


# Captive portals


PORTALS = [
    httpx2.Response(200, html="<h1>Accept our terms</h1>"),
    httpx2.Response(302, headers={"Location": "http://portal.example/"}),
    httpx2.Response(511, html="Sign in"),
    httpx2.Response(200, json={"portal": True}),
]


@pytest.mark.parametrize("answer", PORTALS)
def test_a_portal_is_distinguished_from_silence(server: Any, client: Any, answer: Any) -> None:
    with fault(server, lambda request: answer), pytest.raises(errors.Captive):
        client.sync()
    assert client.status.network_state.reachability == "captive"
    assert client.status.network == "offline"
    with fault(server, on("", httpx2.ConnectError)), pytest.raises(errors.Offline):
        client.sync()
    assert client.status.network_state.reachability == "unreachable"
    client.sync()
    assert client.status.network_state.reachability == "reachable"


# The clock's part: a server that is slow to connect to, slow to answer, and slow to end


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as found:
        yield found


def test_only_the_way_there_and_back_is_measured(listening: socket.socket) -> None:
    """By a clock that each step moves: a large body's upload and the connection are not in it."""
    took: list[float] = []
    network = Network(
        f"http://127.0.0.1:{listening.getsockname()[1]}/",
        None,
        backoff=Backoff(attempts=1),
        sleep=lambda seconds: None,
        now=Clock().now,
        on_round_trip=took.append,
    )

    def serve() -> None:
        connection, _ = listening.accept()
        with connection:
            for _ in range(3):
                connection.recv(65_536)
                body = b"{}"
                head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                connection.sendall(head + body)

    thread = threading.Thread(target=serve)
    thread.start()
    network.get("")
    assert took == []  # Nothing has marked the call as a round trip.
    network.count_round_trip()
    assert len(took) == 1
    assert 0 < took[0] < LONGEST
    network.count_round_trip()
    assert len(took) == 1  # One request is one sample.
    network.get_held("live/changes/", {}, 25)
    network.count_round_trip()
    assert len(took) == 1  # A held request measures nothing.
    network.get("")
    network.close()
    thread.join()
