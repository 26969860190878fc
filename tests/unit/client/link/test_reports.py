"""What is reported with the session: the network when it has changed enough, and `push`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from django_sync.client import SyncClient
from django_sync.testing.clocks import until
from tests.unit.client.helpers import fault, titles

PUSH = {"kind": "webhook", "url": "https://me.test/", "secret": "sixteen letters!"}


def reports(server: Any) -> list[tuple[str, dict[str, Any]]]:
    """Method and body of each call of the session."""
    return [
        (r.method, json.loads(r.content))
        for r in server.requests
        if "/sync/sessions/" in r.url.path
    ]


def answered(client: SyncClient, waker: Any) -> None:
    """Wait until the server has answered the ping that was just sent.

    Without an answer in two heartbeats a client gives its connection up and opens another.
    """
    live = client._background._loop._connections.live
    assert live is not None
    until(lambda: live.received_at == waker.now(), "the ping is answered")


@pytest.fixture
def live(server: Any, link: Any, waker: Any) -> Callable[..., SyncClient]:
    def live(kind: str = "websocket", **options: Any) -> SyncClient:
        server.transports = [kind, "poll"]
        client: SyncClient = link(**options)
        client.start()
        until(lambda: client.status.transport == kind, f"it is live by {kind}")
        waker.asleep()
        return client

    return live


def test_what_the_program_tells_goes_to_the_server(server: Any, live: Any, waker: Any) -> None:
    client = live()
    client.network(type="cellular", metered=True)
    until(lambda: len(reports(server)) == 2, "the session is changed")
    [(opened, first), (changed, second)] = reports(server)
    assert (opened, changed) == ("POST", "PATCH")
    assert first["network"] == {"type": None, "metered": False, "rtt_ms": None}
    assert second["network"] == {"type": "cellular", "metered": True, "rtt_ms": None}
    waker.asleep()
    client.network(foreground=False)
    until(lambda: len(reports(server)) == 3, "so that the server may wake it")
    assert reports(server)[2][1]["foreground"] is False
    assert "push" not in reports(server)[2][1]


def test_the_same_again_is_not_reported(server: Any, live: Any, waker: Any) -> None:
    client = live("poll", push=PUSH)
    before = len(server.requests)
    for number in range(1, 4):
        client.network(metered=False, online=True)
        until(lambda: len(server.requests) >= before + number, "it asks")  # noqa: B023
        waker.asleep()
    assert [method for method, _ in reports(server)] == ["POST"]


def test_a_round_trip_is_reported_once_it_is_another(server: Any, live: Any, waker: Any) -> None:
    client = live()
    patches = 0
    for seconds, more in ((0.04, 0), (0.5, 1), (0.55, 0), (0.6, 0)):
        for _ in range(30):  # until it has settled
            client._parts.network_monitor.note_round_trip(seconds)
        waker.advance(client._background._loop._exchange.service.wait_seconds)
        waker.asleep()
        answered(client, waker)
        patches += more
        until(lambda: len(reports(server)) == 1 + patches, f"{seconds} s is reported, or not")  # noqa: B023
    assert reports(server)[-1][1]["network"]["rtt_ms"] == pytest.approx(500, abs=20)


def test_a_connection_that_works_is_kept_although_a_report_fails(
    server: Any, live: Any, waker: Any
) -> None:
    client = live()

    def full(request: httpx2.Request) -> Any:
        if request.method != "PATCH":
            return None
        return httpx2.Response(503, json={"code": "unavailable", "status": 503})

    connection = server.connections.opened[-1]
    with fault(server, full):
        client._parts.network_monitor.note_round_trip(1.0)
        waker.advance(25)
        until(lambda: reports(server)[-1][0] == "PATCH", "it was tried")
        waker.asleep()
        answered(client, waker)
    assert client.status.problem is None
    assert not connection.ended
    waker.advance(25)
    until(lambda: reports(server)[-1][1]["network"]["rtt_ms"] == 1_000, "and reported later")
    waker.asleep()
    server.put("cards", {"title": "new"})
    until(lambda: titles(client) == ["new"], "it works")
    assert server.connections.opened == [connection]


# Push


@pytest.mark.parametrize("kind", ["websocket", "sse", "long-poll", "poll"])
def test_how_it_is_woken_is_reported_with_the_session(kind: str, server: Any, link: Any) -> None:
    server.transports = [kind, "poll"]
    client = link(push=PUSH)
    client.start()
    until(lambda: client.status.transport == kind, f"it is live by {kind}")
    [(method, body)] = reports(server)
    assert method == "POST"
    assert body["push"] == PUSH
    assert "push" in body["transports"]


def test_a_client_that_polls_says_once_who_it_is(server: Any, live: Any) -> None:
    live("poll")
    [(method, body)] = reports(server)
    assert method == "POST"
    assert "push" not in body


def test_a_session_that_ended_is_opened_with_it_again(server: Any, live: Any, waker: Any) -> None:
    client = live(push=PUSH)
    server.connections.sessions.clear()
    client.network(type="wifi")
    until(lambda: len(reports(server)) == 3, "a PATCH finds none, a POST opens another")
    assert [method for method, _ in reports(server)] == ["POST", "PATCH", "POST"]
    assert reports(server)[2][1]["push"] == PUSH


def test_a_server_that_wakes_nobody_costs_no_socket(server: Any, live: Any, caplog: Any) -> None:
    def refuses(request: httpx2.Request) -> Any:
        if "/sessions/" not in request.url.path or "push" not in json.loads(request.content):
            return None
        problem = {"code": "invalid", "status": 400, "detail": "No webhooks here."}
        return httpx2.Response(400, json=problem)

    with fault(server, refuses):
        live(push=PUSH)
    assert [("push" in body, "push" in body["transports"]) for _, body in reports(server)] == [
        (True, True),
        (False, False),
    ]
    assert "No webhooks here." in caplog.text


def test_a_server_without_sessions_is_asked_once(server: Any, live: Any, waker: Any) -> None:
    server.has_sessions = False
    live("poll", push=PUSH)
    for _ in range(3):
        waker.advance(60)
        waker.asleep()
    assert len(reports(server)) == 1
