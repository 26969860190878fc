"""What the client says of itself, and what it does when its session is ended or it is blocked."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

from django_sync import errors
from django_sync.testing.clocks import until
from tests.unit.client.helpers import on, titles

LADDER = ["websocket", "sse", "long-poll", "poll"]
LINKS = {errors.SessionEnded: "ended", errors.Blocked: "blocked"}


def says(error: type[errors.SyncError]) -> Any:
    """A fault: the server answers every request with this."""
    answer = error().problem()
    return lambda request: httpx2.Response(answer["status"], json=answer)


def asked(server: Any, name: str) -> list[Any]:
    return [r for r in server.requests if str(r.url.path).endswith(name)]


def opened(server: Any) -> list[dict[str, Any]]:
    """The reports with which sessions were opened."""
    posts = [r for r in asked(server, "/sessions/") if r.method == "POST"]
    return [json.loads(r.content) for r in posts]


# What is reported


def test_each_request_says_whose_it_is(server: Any, client: Any) -> None:
    client.collection("cards").create({"title": "a"})
    client.sync()
    report = {r.headers.get("Sync-Client") for r in server.requests if r.url.path != "/sync/"}
    assert report == {client.client_id}
    assert not any("Sync-Session" in r.headers for r in server.requests), "it has none"


def test_who_polls_tells_so_once_and_names_its_session(server: Any, link: Any, waker: Any) -> None:
    client = link()
    client.start()
    waker.asleep()
    for _ in range(3):
        waker.advance(60)
        waker.asleep()
    (report,) = opened(server)
    assert report["client_id"] == client.client_id
    assert report["version"]
    (id,) = server.connections.sessions
    assert asked(server, "/changes/")[-1].headers["Sync-Session"] == id
    assert not [r for r in server.requests if r.method == "PATCH"], "nothing has changed"


def test_the_target_of_a_ticket_gets_no_credentials(server: Any, link: Any) -> None:
    server.transports = LADDER
    client = link()
    client.start()
    until(lambda: client.status.transport == "websocket", "it is live")
    (upgrade,) = [r for r in server.requests if "upgrade" in r.headers]
    assert not {"sync-client", "sync-session"} & {name.lower() for name in upgrade.headers}


@pytest.mark.parametrize("status", [404, 429, 500, 503])
def test_a_server_that_takes_no_report_is_pulled_from_all_the_same(
    server: Any, link: Any, waker: Any, status: int
) -> None:
    server.faults.append(on("sessions/", httpx2.Response(status)))
    client = link()
    client.start()
    client.wait_until_synced(60)
    assert client.status.link == "live"
    server.put("cards", {"title": "new"}, scope="b1")
    waker.asleep()
    waker.advance(60)
    until(lambda: titles(client) == ["new"], "it polls")


# What is answered


@pytest.mark.parametrize("error", LINKS)
@pytest.mark.parametrize("by", ["changes/", "mutations/"])
def test_it_rests_keeps_its_outbox_and_asks_nothing(
    server: Any, link: Any, waker: Any, error: Any, by: str
) -> None:
    client = link()
    client.start()
    client.wait_until_synced(60)
    waker.asleep()
    shut = on(by, says(error))
    server.faults.append(shut)
    client.collection("cards").create({"title": "mine"})
    client.start()
    until(lambda: client.status.link == LINKS[error], "it says so")
    assert type(client.status.problem) is error
    assert len(client.outbox) == (by == "mutations/")
    assert waker.asleep() is None, "it waits for nobody but its user"
    before = len(server.requests)
    client.collection("cards").create({"title": "more"})
    client.network(online=True)
    waker.advance(100_000)
    assert (client.status.link, waker.asleep()) == (LINKS[error], None)
    assert len(server.requests) == before
    with pytest.raises(error):
        client.wait_until_synced(60)
    server.faults.remove(shut)
    client.start()
    client.wait_until_synced(60)
    assert client.status.link == "live"
    assert client.outbox == []
    assert titles(client) == ["mine", "more"]


@pytest.mark.parametrize("error", LINKS)
def test_a_refused_user_sees_the_reason(server: Any, link: Any, waker: Any, error: Any) -> None:
    server.faults.append(on("sessions/", says(error)))
    client = link()
    client.start()
    until(lambda: client.status.link == LINKS[error], "it says so")
    assert waker.asleep() is None


def test_ended_goes_on_with_another_session(server: Any, link: Any, waker: Any) -> None:
    client = link()
    client.start()
    waker.asleep()
    (old,) = server.connections.sessions

    def ended(request: Any) -> Any:
        named = request.headers.get("Sync-Session") == old
        return says(errors.SessionEnded)(request) if named else None

    server.faults.append(ended)
    waker.advance(60)
    until(lambda: client.status.link == "ended", "it rests")
    client.start()
    client.wait_until_synced(60)
    waker.asleep()
    assert len(opened(server)) == 2
    assert asked(server, "/changes/")[-1].headers.get("Sync-Session") != old


@pytest.mark.parametrize("error", LINKS)
@pytest.mark.parametrize("frame", [True, False], ids=["said", "by its code alone"])
def test_a_socket_that_is_closed_for_it(
    server: Any, link: Any, waker: Any, error: Any, frame: bool
) -> None:
    server.transports = LADDER
    client = link()
    client.start()
    until(lambda: client.status.transport == "websocket", "it is live")
    shut = on("changes/", says(error))
    server.faults.append(shut)
    if frame:
        server.connections.wait().refuse(error())
    else:
        server.connections.wait().shut({"ended": 4419, "blocked": 4423}[LINKS[error]])
    until(lambda: client.status.link == LINKS[error], "it says so")
    assert waker.asleep() is None
    assert len(server.connections.opened) == 1
    server.faults.remove(shut)
    client.start()
    server.connections.wait(2)
    until(lambda: client.status.transport == "websocket", "it is live again")


@pytest.mark.parametrize("error", LINKS)
def test_a_stream_that_is_ended_for_it(server: Any, link: Any, waker: Any, error: Any) -> None:
    server.transports = LADDER[1:]
    client = link()
    client.start()
    until(lambda: client.status.transport == "sse", "it is live")
    server.connections.wait().refuse(error())
    until(lambda: client.status.link == LINKS[error], "it says so")
    assert waker.asleep() is None


def test_a_batch_over_a_socket_that_is_refused(server: Any, link: Any, waker: Any) -> None:
    server.transports = LADDER
    client = link()
    client.start()
    until(lambda: client.status.transport == "websocket", "it is live")

    def refuse(connection: Any, frame: Any) -> bool:
        if frame["type"] == "mutate":
            problem = errors.Blocked().problem()
            connection.send({"type": "error", "ref": frame["ref"], "problem": problem})
        return bool(frame["type"] == "mutate")

    server.connections.on_frame = refuse
    client.collection("cards").create({"title": "mine"})
    until(lambda: waker.asleep() is not None and waker.asleep() <= 0.1, "it waits for more")
    waker.advance(0.1)
    until(lambda: client.status.link == "blocked", "it says so")
    assert len(client.outbox) == 1
