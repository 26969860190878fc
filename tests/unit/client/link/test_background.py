"""The running link: one thread, a server in memory, a clock that the test moves.

Nothing sleeps. A test waits until the link does (``waker.asleep()``), until the server
holds its request (``server.held.wait()``), or for a condition.
"""

from __future__ import annotations

import random
import threading
from typing import Any

import httpx2
import pytest

from django_sync import errors
from django_sync.client import BearerAuth
from django_sync.testing.clocks import ManualWaker, until
from django_sync.testing.faults import Fate, FaultyTransport
from django_sync.testing.server import MemoryServer
from tests.unit.client.helpers import fault, on, sent, threads, titles


def asks(server: MemoryServer, path: str = "changes/") -> int:
    return sum(str(r.url.path).endswith(f"/sync/{path}") for r in server.requests)


# Polling


def test_it_polls_and_tells_what_changed(server: Any, link: Any, waker: Any) -> None:
    client = link()
    server.put("cards", {"title": "old"})
    seen: list[Any] = []
    client.on_change("cards")(lambda event: seen.append(event.record["title"]))
    client.start()
    client.wait_until_synced(60)
    assert client.status.link == "live"
    waker.asleep()
    assert client.status.transport == "poll"
    server.put("cards", {"title": "new"})
    waker.advance(60)
    until(lambda: seen == ["old", "new"], "both are reported")


def test_quiet_polls_come_less_often_and_news_brings_them_back(
    server: Any, link: Any, waker: Any
) -> None:
    link().start()
    waits = []
    for _ in range(10):
        waits.append(waker.asleep())
        waker.advance(waits[-1])
    assert waits[:4] == [2.0, 3.0, 4.5, 6.75]
    assert waits[-1] == 30.0
    waker.asleep()
    server.put("cards", {"title": "news"})
    waker.advance(30)
    assert waker.asleep() == 2.0


def test_metered_or_in_the_background_it_polls_least(server: Any, link: Any, waker: Any) -> None:
    server.transports = ["long-poll", "poll"]
    client = link()
    client.network(metered=True)
    client.start()
    assert waker.asleep() == 300.0
    client.network(metered=False)
    server.held.wait()
    assert client.status.transport == "long-poll"
    client.network(foreground=False)
    assert waker.asleep() == 300.0
    assert client.status.transport == "poll"


# Local writes


@pytest.mark.parametrize("transports", [["poll"], ["long-poll", "poll"]])
def test_writes_go_out_at_once_and_together(
    server: Any, link: Any, waker: Any, transports: list[str]
) -> None:
    server.transports = transports
    client = link()
    client.start()
    server.held.wait() if "long-poll" in transports else waker.asleep()
    cards = client.collection("cards")
    cards.create({"title": "a"})
    until(lambda: waker.asleep() == pytest.approx(0.1), "it waits a moment for more")
    cards.create({"title": "b"})
    waker.advance(0.1)
    until(lambda: not client.outbox, "they are sent")
    assert [len(batch) for batch in sent(server)] == [2]


def test_what_was_decided_is_sent_at_once(server: Any, link: Any, waker: Any) -> None:
    client = link()
    id = server.put("cards", {"title": "a"})
    client.sync()
    client.collection("cards").update(id, {"title": "mine"})
    server.store(("cards", id), {"title": "theirs"}, "", None)
    client.start()
    client.wait_until_synced(60)
    (conflict,) = client.conflicts
    waker.asleep()
    conflict.settle(conflict.keep_client())
    until(lambda: waker.asleep() == pytest.approx(0.1), "it is about to be sent")
    waker.advance(0.1)
    until(lambda: server.object("cards", id) == {"title": "mine"}, "it arrives")


def test_offline_a_write_waits_for_the_network(server: Any, link: Any, waker: Any) -> None:
    client = link()
    server.faults.append(on("/sync/", httpx2.ConnectError))
    client.start()
    assert waker.asleep() == 1.0
    client.collection("cards").create({"title": "a"})
    assert waker.asleep() == 1.0
    assert len(server.requests) == 1
    server.faults.clear()
    client.network(online=True)
    until(lambda: not client.outbox, "it is sent as soon as the network is back")
    until(lambda: client.status.link == "live", "it is live")


# The long poll


def test_a_long_poll_brings_changes_as_they_are_made(server: Any, link: Any) -> None:
    server.transports = ["long-poll", "poll"]
    client = link()
    client.start()
    for n in range(3):
        server.held.wait()
        assert client.status.transport == "long-poll"
        server.put("cards", {"title": str(n)})
        until(lambda n=n: str(n) in titles(client), "it is there")
    assert asks(server) == 1
    assert sent(server) == []


def test_a_long_poll_that_ends_empty_is_asked_for_again(server: Any, link: Any, waker: Any) -> None:
    server.transports = ["long-poll", "poll"]
    link().start()
    for _ in range(5):
        server.held.wait()
        before = asks(server, "live/changes/")
        waker.advance(25)
        server.held.release()
        until(lambda n=before: asks(server, "live/changes/") == n + 1, "it asks again")
    assert server.requests[-1].url.params["wait"] == "25"


@pytest.mark.parametrize(
    ("answer", "tries"),
    [(None, 3), (httpx2.Response(404), 1), (httpx2.Response(405), 1)],
)
def test_where_nothing_is_held_it_polls_and_tries_again_later(
    server: Any, link: Any, waker: Any, answer: Any, tries: int
) -> None:
    """``None``: the server answers at once, as WSGI does."""
    server.transports = ["long-poll", "poll"]
    server.held.answers_at_once = answer is None
    if answer is not None:
        server.faults.append(on("live/changes/", answer))
    client = link()
    client.start()
    waker.asleep()
    assert asks(server, "live/changes/") == tries
    assert (client.status.link, client.status.transport) == ("live", "poll")
    waker.advance(30)
    until(lambda: waker.asleep() and asks(server) == 2, "it polls")
    assert asks(server, "live/changes/") == tries
    server.faults.clear()
    server.held.answers_at_once = False
    waker.advance(600)
    server.held.wait()
    until(lambda: client.status.transport == "long-poll", "it has gone back")


def test_a_long_poll_that_is_always_cut_is_given_up(server: Any, link: Any, waker: Any) -> None:
    server.transports = ["long-poll", "poll"]
    server.faults.append(on("live/changes/", httpx2.RemoteProtocolError))
    client = link()
    client.start()
    for _ in range(3):
        assert waker.asleep() == 1.0
        assert client.status.link == "offline"
        waker.advance(1.0)
    until(lambda: client.status.transport == "poll", "it polls")
    assert asks(server, "live/changes/") == 3


# Failures


def test_backing_off_doubles_to_5_min_and_is_reset_by_success(
    server: Any, link: Any, waker: Any, clock: Any
) -> None:
    client = link()
    server.faults.append(on("changes/", httpx2.Response(503)))
    client.start()
    waits = []
    for _ in range(10):
        waits.append(waker.asleep())
        assert client.status.link == "backing_off"
        assert (client.status.retry_at - clock.now()).total_seconds() == waits[-1]
        waker.advance(waits[-1])
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]
    waker.asleep()
    server.faults.clear()
    waker.advance(300)
    until(lambda: client.status.link == "live", "it is live")
    assert client.status.retry_at is client.status.problem is None
    waker.asleep()
    server.faults.append(on("changes/", httpx2.Response(503)))
    waker.advance(60)
    until(lambda: client.status.link == "backing_off", "it backs off")
    assert waker.asleep() == 1


def test_retry_after_is_obeyed_whatever_is_written_or_started(
    server: Any, link: Any, waker: Any
) -> None:
    client = link()
    server.faults.append(on("changes/", httpx2.Response(429, headers={"Retry-After": "77"})))
    client.start()
    assert waker.asleep() == 77
    before = len(server.requests)
    client.collection("cards").create({"title": "a"})
    client.start()
    client.network(online=True)
    assert waker.asleep() == 77
    assert len(server.requests) == before


@pytest.mark.parametrize("days", [-400, 400])
def test_clocks_that_jump(server: Any, link: Any, waker: Any, clock: Any, days: int) -> None:
    """A date counts from the server's own clock, and what waits does not look at ours."""
    clock.jump(days=days)
    dates = {
        "Date": "Mon, 23 Nov 2026 12:00:00 GMT",
        "Retry-After": "Mon, 23 Nov 2026 12:01:00 GMT",
    }
    server.faults.append(on("changes/", httpx2.Response(503, headers=dates)))
    client = link()
    client.start()
    assert waker.asleep() == 60
    clock.jump(days=-2 * days)
    assert waker.asleep() == 60
    server.faults.clear()
    waker.advance(60)
    until(lambda: client.status.link == "live", "it is live")


def test_expired_credentials_are_renewed_and_else_waited_for(
    server: Any, link: Any, waker: Any
) -> None:
    tokens = ["t-new"]
    auth = BearerAuth("t-ann", renew=lambda: tokens.pop() if tokens else None)
    client = link(auth=auth)
    client.start()
    client.wait_until_synced(60)
    waker.asleep()
    user = server.users.pop("t-ann")
    server.users["t-new"] = user
    waker.advance(60)
    until(lambda: waker.asleep() and not tokens, "it renews")
    assert client.status.link == "live"

    del server.users["t-new"]
    client.collection("cards").create({"title": "typed"})
    until(lambda: waker.asleep() == pytest.approx(0.1), "it is about to be sent")
    waker.advance(0.1)
    until(lambda: client.status.link == "auth_required", "it waits for its user")
    assert isinstance(client.status.problem, errors.NotAuthenticated)
    assert waker.asleep() is None
    with pytest.raises(errors.NotAuthenticated):
        client.wait_until_synced(60)
    assert len(client.outbox) == 1
    server.users["t-3"] = user
    auth.token = "t-3"
    client.start()
    client.wait_until_synced(60)
    assert client.outbox == []


def test_a_sync_of_ones_own_wakes_a_link_that_waits_for_credentials(
    server: Any, link: Any, waker: Any
) -> None:
    client = link(auth=BearerAuth("wrong"))
    client.start()
    assert waker.asleep() is None
    client._network._auth.token = "t-ann"
    client.sync()
    until(lambda: client.status.link == "live", "it is live")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx2.Response(426), errors.UpgradeRequired),
        (httpx2.Response(200, json={"protocol": 9}), errors.UnsupportedProtocol),
    ],
)
def test_refused_rests_until_it_is_started_again(
    server: Any, link: Any, waker: Any, answer: Any, error: Any
) -> None:
    client = link()
    server.faults.append(on("/sync/", answer))
    client.start()
    with pytest.raises(error):
        client.wait_until_synced(60)
    assert client.status.link == "refused"
    until(lambda: waker.asleep() is None, "it rests")
    server.faults.clear()
    client.start()
    client.wait_until_synced(60)


def test_another_users_store_is_refused(server: Any, link: Any, connect: Any) -> None:
    connect().sync()
    client = link(auth=BearerAuth("t-bob"))
    client.start()
    with pytest.raises(errors.StoreMismatch):
        client.wait_until_synced(60)
    assert client.status.link == "refused"


def test_poison_leaves_the_link_live(server: Any, link: Any) -> None:
    client = link()
    client.collection("boards").create({"title": "poison"})
    client.collection("cards").create({"title": "good"})
    poison = on("mutations/", lambda r: httpx2.Response(500) if b"poison" in r.content else None)
    server.put("cards", {"title": "theirs"})
    with fault(server, poison):
        client.start()
        until(lambda: titles(client) == ["good", "theirs"], "the rest goes on")
        until(lambda: client.status.link == "live" and client.status.problem, "it says so")
        assert len(client.outbox) == 1
    client.wait_until_synced(60)
    assert client.status.problem is None
    assert client.outbox == []


def test_a_fault_of_ones_own_code_does_not_end_the_thread(
    server: Any, link: Any, waker: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def renew() -> str:
        raise ZeroDivisionError

    client = link(auth=BearerAuth("wrong", renew=renew))
    client.start()
    assert waker.asleep() == 1
    assert client.status.link == "backing_off"
    assert "ZeroDivisionError" in caplog.text


# What networks do, each fate alone and all together


@pytest.mark.parametrize("fate", [f for f in Fate if f is not Fate.DELIVERED])
def test_the_link_comes_through_each_fate(server: Any, link: Any, waker: Any, fate: Fate) -> None:
    """Three of these in a row, then a fair network: all is sent once, all is there."""
    network = FaultyTransport(server.transport(), random.Random(5), weights={fate: 1})
    client = link(transport=network, auth=BearerAuth("t-ann", renew=lambda: "t-ann"))
    server.put("cards", {"title": "theirs"})
    client.collection("cards").create({"title": "mine"})
    client.start()
    for _ in range(3):
        if (left := waker.asleep()) is not None:
            waker.advance(left)
    waker.asleep()
    network.heal()
    client.start()
    if client.status.link == "backing_off":
        waker.advance(300)
    client.wait_until_synced(60)
    assert (
        titles(client)
        == ["mine", "theirs"]
        == sorted(found["title"] for found in server.visible("ann").values())
    )
    assert client.outbox == []


@pytest.mark.parametrize("seed", range(6))
def test_the_link_converges_in_any_weather(server: Any, link: Any, waker: Any, seed: int) -> None:
    drawn = random.Random(seed)
    server.transports = ["long-poll", "poll"] if seed % 2 else ["poll"]
    server.held.answers_at_once = True
    network = FaultyTransport(
        server.transport(),
        random.Random(seed),
        weights=dict.fromkeys(Fate, 1) | {Fate.DELIVERED: 20},
    )
    client = link(transport=network, auth=BearerAuth("t-ann", renew=lambda: "t-ann"))
    client.start()
    for n in range(40):
        if drawn.random() < 0.5:
            client.collection("cards").create({"title": f"c{n:02}"})
        else:
            server.put("cards", {"title": f"s{n:02}"})
        if (left := waker.asleep()) is not None:
            waker.advance(left)
        else:
            client.start()
    waker.asleep()
    network.heal()
    client.start()
    waker.advance(300)
    client.wait_until_synced(60)
    found = [record["title"] for record in server.visible("ann").values()]
    assert titles(client) == sorted(found)
    assert len(found) == 40
    assert client.outbox == []


# Beginning and end


def test_start_twice_is_one_thread_and_stop_leaves_none(server: Any, link: Any) -> None:
    client = link()
    client.stop()
    for _ in range(3):
        client.start()
        client.start()
        assert len(threads()) == 1
        client.wait_until_synced(60)
        client.stop()
        assert threads() == []
        assert client.status.link == "stopped"
        client.stop()


def test_stop_does_not_wait_for_a_held_request(server: Any, link: Any) -> None:
    server.transports = ["long-poll", "poll"]
    client = link()
    for _ in range(3):
        client.start()
        server.held.wait()
        client.stop()
        assert threads() == []
    client.start()
    server.held.wait()
    client.close()
    assert threads() == []


def test_wait_until_synced_ends_in_time_and_says_why(server: Any, link: Any) -> None:
    client = link()
    with pytest.raises(RuntimeError, match="start"):
        client.wait_until_synced(0)
    server.faults.append(on("/sync/", httpx2.ConnectError))
    client.start()
    with pytest.raises(TimeoutError):
        client.wait_until_synced(0)
    server.faults.clear()
    client.network(online=True)
    client.wait_until_synced(60)


def test_wait_until_synced_covers_what_was_written_before(server: Any, link: Any) -> None:
    server.transports = ["long-poll", "poll"]
    client = link()
    client.start()
    server.held.wait()
    client.collection("cards").create({"title": "mine"})
    server.put("cards", {"title": "theirs"})
    client.wait_until_synced(60)
    assert client.outbox == []
    assert titles(client) == ["mine", "theirs"]


def test_each_state_is_reported_once_and_in_order(server: Any, link: Any, waker: Any) -> None:
    server.page_size = 2
    for n in range(5):
        server.put("cards", {"title": str(n)})
    client = link()
    statuses: list[Any] = []
    client.on_status(lambda status: statuses.append((status.link, status.transport)))
    client.start()
    waker.asleep()
    client.stop()
    states = [link for n, (link, _) in enumerate(statuses) if n == 0 or statuses[n - 1][0] != link]
    assert states == ["connecting", "catching_up", "live", "stopped"]
    assert ("live", "poll") in statuses


def test_reset_pulls_anew_and_wipe_stops(server: Any, link: Any, waker: Any) -> None:
    server.put("cards", {"title": "a"})
    client = link()
    client.start()
    client.wait_until_synced(60)
    waker.asleep()
    client.reset()
    until(lambda: titles(client) == ["a"], "it is there again")
    client.reset(wipe=True)
    assert client.status.link == "stopped"
    assert titles(client) == []


# Callbacks of the thread


@pytest.mark.parametrize("what", ["write", "sync", "stop", "close", "restart", "wait"])
def test_a_callback_may_do_anything(server: Any, link: Any, waker: Any, what: str) -> None:
    client = link()
    done: list[Any] = []

    def act(event: Any) -> None:
        if done or event.origin == "local":
            return
        assert threading.current_thread().name == "django_sync"
        match what:
            case "write":
                client.collection("cards").create({"title": "mine"})
            case "sync":
                client.sync()
            case "stop" | "close":
                getattr(client, what)()
            case "restart":
                client.stop()
                client.start()
            case "wait":
                with pytest.raises(RuntimeError):
                    client.wait_until_synced(0)
        done.append(what)

    client.on_change("cards")(act)
    server.put("cards", {"title": "theirs"})
    client.start()
    until(lambda: done, "the callback has ended")
    if what in ("stop", "close"):
        until(lambda: not threads(), "the thread has ended")
        return
    if what == "write":
        until(lambda: not client.outbox, "it is sent")
    until(lambda: client.status.link == "live", "it goes on")
    until(lambda: len(threads()) == 1, "one is left")


def test_a_callback_that_raises_stops_no_other_and_no_thread(
    server: Any, link: Any, waker: Any, caplog: pytest.LogCaptureFixture
) -> None:
    client = link()
    seen: list[Any] = []
    client.on_change("cards")(lambda event: 1 / 0)
    client.on_change("cards")(seen.append)
    client.on_status(lambda status: 1 / 0)
    server.put("cards", {"title": "a"})
    client.start()
    client.wait_until_synced(60)
    until(lambda: len(seen) == 1, "the other sees it")
    waker.asleep()
    assert client.status.link == "live"
    assert "ZeroDivisionError" in caplog.text


def test_a_conflict_is_decided_by_the_thread(server: Any, link: Any, waker: Any) -> None:
    client = link()
    client.on_conflict(lambda conflict: conflict.keep_client())
    id = server.put("cards", {"title": "a"})
    client.sync()
    client.collection("cards").update(id, {"title": "mine"})
    server.store(("cards", id), {"title": "theirs"}, "", None)
    client.start()
    until(lambda: server.object("cards", id) == {"title": "mine"}, "it is settled and sent")


# Two processes on one store


def test_of_two_on_one_store_one_polls_until_it_ends(server: Any, link: Any, clock: Any) -> None:
    wakers = ManualWaker(), ManualWaker()
    first, second = (link(waker=waker) for waker in wakers)
    first.start()
    wakers[0].asleep()
    second.start()
    assert wakers[1].asleep() == 30.0
    before = asks(server)
    wakers[1].advance(30)
    assert wakers[1].asleep() == 30.0
    assert asks(server) == before
    second.collection("cards").create({"title": "from the second"})
    until(lambda: wakers[1].asleep() == pytest.approx(0.1), "it sends its own")
    wakers[1].advance(0.1)
    until(lambda: not second.outbox, "it is sent")
    first.stop()
    wakers[1].asleep()
    before = asks(server)
    wakers[1].advance(30)
    until(lambda: asks(server) == before + 1, "it has taken over")


def test_a_lease_of_one_that_was_killed_ends(server: Any, link: Any, clock: Any) -> None:
    wakers = ManualWaker(), ManualWaker()
    first, second = (link(waker=waker) for waker in wakers)
    first.start()
    wakers[0].asleep()
    second.start()
    wakers[1].asleep()
    for jump, polls in ((10, 0), (60, 1)):
        before = asks(server)
        clock.jump(seconds=jump)
        wakers[1].advance(30)
        wakers[1].asleep()
        assert asks(server) == before + polls


def test_a_lease_by_a_clock_that_was_ahead_holds_nobody_up(
    server: Any, link: Any, clock: Any
) -> None:
    wakers = ManualWaker(), ManualWaker()
    first, second = (link(waker=waker) for waker in wakers)
    first.start()
    wakers[0].asleep()
    clock.jump(days=-400)
    second.start()
    assert wakers[1].asleep() == 2.0
    assert second.status.transport == "poll"
