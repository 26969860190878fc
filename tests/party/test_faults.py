"""The bad network itself: what each fate does, and that a seed decides all of it."""

from __future__ import annotations

import random

import httpx2
import pytest

from django_sync.testing.faults import FAIR, Fate, FaultyTransport

URL = "http://testserver/sync/mutations/"


class Server(httpx2.BaseTransport):
    """Counts what arrives."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self.heard.append(request.read())
        return httpx2.Response(200, json={"n": len(self.heard), "text": "x" * 50})


def post(network: FaultyTransport, content: str) -> str:
    """What the client makes of it: a status, or the name of an exception."""
    request = httpx2.Request("POST", URL, content=content)
    try:
        return str(network.handle_request(request).status_code)
    except httpx2.TransportError as error:
        return type(error).__name__


ARRIVALS = {
    Fate.DELIVERED: (1, {"200"}),
    Fate.LOST: (0, {"ConnectError", "ReadTimeout"}),
    Fate.UNANSWERED: (1, {"ReadTimeout"}),
    Fate.CUT: (1, {"RemoteProtocolError"}),
    Fate.TRUNCATED: (1, {"200"}),
    Fate.TWICE: (2, {"200"}),
    Fate.LATE: (0, {"ReadTimeout"}),
    Fate.SLOW: (1, {"200"}),
    Fate.PORTAL: (0, {"200", "302", "511"}),
    Fate.BUSY: (0, {"503"}),
    Fate.THROTTLED: (0, {"429"}),
    Fate.BROKEN: (1, {"502", "504"}),
    Fate.GARBLED: (1, {"200"}),
    Fate.EXPIRED: (0, {"401"}),
    Fate.FORBIDDEN: (0, {"403"}),
    Fate.CLASHED: (0, {"409"}),
    Fate.GONE: (0, {"410"}),
    Fate.LARGE: (0, {"413"}),
    Fate.FAILED: (0, {"500"}),
}


@pytest.mark.parametrize("fate", Fate)
def test_each_fate_is_what_it_says(fate: Fate) -> None:
    server = Server()
    seen = set()
    for seed in range(8):
        network = FaultyTransport(server, random.Random(seed), weights={fate: 1})
        seen.add(post(network, "a"))
    arrivals, answers = ARRIVALS[fate]
    assert len(server.heard) == 8 * arrivals
    assert seen <= answers


def test_a_late_request_arrives_behind_a_later_one() -> None:
    server = Server()
    network = FaultyTransport(server, random.Random(1), weights={Fate.LATE: 1})
    post(network, "first")
    network.weights = {Fate.DELIVERED: 1}
    post(network, "second")
    network.heal()
    assert server.heard == [b"second", b"first"]


def test_a_past_request_arrives_once_more() -> None:
    server = Server()
    network = FaultyTransport(server, random.Random(1), weights={Fate.DELIVERED: 1})
    post(network, "first")
    network.deliver_late()
    assert server.heard == [b"first", b"first"]


def test_others_act_before_and_behind_a_slow_request() -> None:
    server = Server()
    heard: list[int] = []
    network = FaultyTransport(
        server,
        random.Random(1),
        weights={Fate.SLOW: 1},
        meanwhile=lambda: heard.append(len(server.heard)),
    )
    post(network, "first")
    assert heard == [0, 1]


def test_one_seed_is_one_weather() -> None:
    def weather() -> list[str]:
        network = FaultyTransport(Server(), random.Random(7), weights=FAIR)
        return [post(network, str(n)) for n in range(50)]

    assert weather() == weather()
