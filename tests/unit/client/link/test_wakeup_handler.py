"""Wake-ups that come to a running link, or to none: remembered, seen to, never forgotten."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from django_sync import errors
from django_sync.client import Pace, SyncClient
from django_sync.client.store.database import Store
from django_sync.client.store.wakeup_store import WakeupStore
from django_sync.testing.clocks import until
from tests.unit.client.conftest import middle
from tests.unit.client.helpers import fault, on, titles

WAKE = {"type": "sync", "session": "5f0c", "collections": ["cards"]}


def waits(client: SyncClient) -> bool:
    """Whether one is remembered, as another process reads it off the disk."""
    store = Store(client._store.path)
    try:
        return WakeupStore(store).is_pending()
    finally:
        store.close()


class Held:
    """Credentials that the program may change."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Token {self._tokens[0]}"}


def pulls(server: Any) -> int:
    return sum(r.url.path.endswith("/sync/changes/") for r in server.requests)


def settled(client: SyncClient, waker: Any) -> None:
    until(lambda: client.status.link == "live", "it is live")
    waker.asleep()


@pytest.fixture
def polling(server: Any, link: Any, waker: Any) -> Callable[..., SyncClient]:
    """A client that polls, and sleeps until the next."""

    def polling(**options: Any) -> SyncClient:
        client: SyncClient = link(**options)
        client.start()
        settled(client, waker)
        return client

    return polling


# Fetched


def test_one_that_comes_between_polls_is_fetched_at_once(
    server: Any, polling: Any, waker: Any
) -> None:
    client = polling()
    waker.advance(2.0)
    waker.asleep()
    server.put("cards", {"title": "new"})
    assert client.wake(WAKE)
    until(lambda: titles(client) == ["new"], "it is here, and no time has passed")
    until(lambda: not waits(client), "it is seen to")


@pytest.mark.parametrize(
    "payload",
    [None, "", b"\xff", "[]", {"type": "other"}, {**WAKE, "collections": ["of", "others"]}],
)
def test_what_is_no_wake_up_of_ours_leaves_no_trace(
    payload: Any, server: Any, polling: Any, waker: Any
) -> None:
    client = polling()
    before = pulls(server)
    assert client.wake(payload) is False
    assert not waits(client)
    waker.asleep()
    assert pulls(server) == before


def test_of_any_session_and_however_late_it_is_served_once(
    server: Any, polling: Any, waker: Any
) -> None:
    client = polling()
    before = pulls(server)
    for session in ("ended", "", None, 7):
        assert client.wake(json.dumps({**WAKE, "session": session}))

    def all_done() -> bool:
        # Those that came after the first exchange began are done in a second one, a moment later.
        if waits(client) and waker.sleeps:
            waker.advance(0.5)
        return not waits(client)

    until(all_done, "each wake-up is done")
    waker.asleep()
    assert pulls(server) <= before + 2


def test_a_storm_costs_two_exchanges(server: Any, polling: Any, waker: Any) -> None:
    """The first at once; all that come before its request, or soon after, in one more."""
    client = polling()
    waker.advance(1.0)
    waker.asleep()
    before = pulls(server)
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(client.wake, [WAKE] * 400))
    until(lambda: pulls(server) > before, "the first is fetched")
    left = waker.asleep()
    assert pulls(server) == before + 1
    if waits(client):  # Some came after that request.
        assert left is not None
        assert left <= 2.0
        waker.advance(left)
        until(lambda: not waits(client), "the others are fetched")
        waker.asleep()
        assert pulls(server) == before + 2


def test_the_next_one_right_behind_waits_as_long_as_a_poll_does_at_least(
    server: Any, polling: Any, waker: Any
) -> None:
    client = polling(pace=Pace(shortest=5.0, longest=60.0, uniform=middle))
    client.wake(WAKE)
    until(lambda: not waits(client), "the first is fetched")
    waker.asleep()
    waker.advance(1.0)
    before = pulls(server)
    client.wake(WAKE)
    until(lambda: waker.asleep() == 4.0, "it waits for the rest of five seconds")
    assert pulls(server) == before
    waker.advance(4.0)
    until(lambda: not waits(client), "and is fetched")


# While an exchange is under way


def pages_of_one(server: Any) -> None:
    server.page_size = 1
    for number in range(3):
        server.put("cards", {"title": str(number)})


def test_one_that_comes_in_the_middle_of_a_snapshot_is_seen_to_by_its_end(
    server: Any, link: Any, waker: Any
) -> None:
    pages_of_one(server)
    client = link()
    seen: list[int] = []

    def second(request: httpx2.Request) -> None:
        seen.append(1)
        if len(seen) == 2:
            assert client.wake(WAKE)

    with fault(server, on("/changes/", second)):
        client.start()
        settled(client, waker)
    assert len(seen) >= 4  # pages, the last of which was asked for after it came
    assert not waits(client)
    assert pulls(server) == len(seen)


def test_one_that_comes_after_the_last_page_was_asked_for_has_another_exchange(
    server: Any, link: Any, waker: Any
) -> None:
    client = link()
    woken: list[bool] = []

    def late(request: httpx2.Request) -> Any:
        """The page is rendered, then the change commits and the push arrives, then the page."""
        if woken or not request.url.path.endswith("/sync/changes/"):
            return None
        woken.append(True)
        answer = server.handle(request)
        server.put("cards", {"title": "late"})
        client.wake(WAKE)
        return answer

    with fault(server, late):
        client.start()
        until(lambda: titles(client) == ["late"], "it is fetched, and no time has passed")
    until(lambda: not waits(client), "it is seen to")


@pytest.mark.parametrize("transport", ["poll", "long-poll"])
def test_a_page_that_was_asked_for_before_it_came_has_not_seen_to_it(
    transport: str, server: Any, client: Any
) -> None:
    """On the disk too: the program may end before it has fetched anything."""
    server.transports = ["long-poll", "poll"]
    client.sync()
    server.put("cards", {"title": "news"})
    woken: list[bool] = []

    def late(request: httpx2.Request) -> Any:
        if woken or not request.url.path.endswith("/changes/"):
            return None
        woken.append(True)
        answer = server.handle(request)
        client.wake(WAKE)
        return answer

    with fault(server, late):
        client.sync() if transport == "poll" else client._exchange.listen()
    assert woken
    assert waits(client)
    client.sync()
    assert not waits(client)


def test_a_pull_that_fails_has_seen_to_nothing(server: Any, client: Any) -> None:
    pages_of_one(server)
    client.wake(WAKE)
    calls: list[int] = []

    def third(request: httpx2.Request) -> None:
        calls.append(1)
        if len(calls) >= 3:
            raise httpx2.ReadError("cut")

    with fault(server, on("/changes/", third)), pytest.raises(errors.Offline):
        client.sync()
    assert waits(client)
    client.sync()
    assert not waits(client)


# What fails


def test_a_server_that_says_when_to_come_again_is_not_asked_before(
    server: Any, polling: Any, waker: Any
) -> None:
    client = polling()
    busy = httpx2.Response(
        503, json={"code": "unavailable", "status": 503}, headers={"Retry-After": "600"}
    )
    with fault(server, on("/changes/", busy)):
        client.wake(WAKE)
        until(lambda: client.status.link == "backing_off", "it must wait")
        left = waker.asleep()
        assert left is not None
        assert left >= 600
        before = len(server.requests)
        for _ in range(20):
            client.wake(WAKE)
        assert waker.asleep() == left
        assert len(server.requests) == before
    assert waits(client)
    waker.advance(left)
    until(lambda: not waits(client), "it is fetched when it is time")


def test_unreachable_the_first_tries_once_and_a_storm_no_more(
    server: Any, polling: Any, waker: Any
) -> None:
    client = polling()
    with fault(server, on("", httpx2.ConnectError)):
        waker.advance(60)
        until(lambda: client.status.link == "offline", "the network is gone")
        waker.asleep()
        before = len(server.requests)
        client.wake(WAKE)
        until(lambda: len(server.requests) == before + 1, "what came through shows a way")
        until(lambda: client.status.link == "offline", "there was none")
        left = waker.asleep()
        for _ in range(50):
            client.wake(WAKE)
        assert waker.asleep() == left
        assert len(server.requests) == before + 1
    client.network(online=True)
    until(lambda: not waits(client), "it is fetched when the network is back")


def test_behind_a_portal_it_waits_for_another_network(
    server: Any, polling: Any, waker: Any
) -> None:
    client = polling()
    with fault(server, lambda request: httpx2.Response(200, html="Sign in")):
        waker.advance(60)
        until(lambda: client.status.network_state.reachability == "captive", "a portal answers")
        until(lambda: client.status.link == "offline", "the link knows")
        left = waker.asleep()
        before = len(server.requests)
        client.wake(WAKE)
        assert waker.asleep() == left
        assert len(server.requests) == before
    client.network(type="cellular")
    until(lambda: not waits(client), "it is fetched there")


def test_without_a_network_it_is_not_even_tried(server: Any, polling: Any, waker: Any) -> None:
    client = polling()
    client.network(type="none")
    until(lambda: client.status.link == "offline", "the link knows")
    waker.asleep()
    before = len(server.requests)
    client.wake(WAKE)
    waker.asleep()
    assert len(server.requests) == before
    assert waits(client)


def test_it_waits_for_credentials_and_is_fetched_with_them(
    server: Any, link: Any, waker: Any
) -> None:
    tokens = ["expired"]
    client = link(auth=Held(tokens))
    client.start()
    until(lambda: client.status.link == "auth_required", "it waits for its user")
    waker.asleep()
    before = len(server.requests)
    client.wake(WAKE)
    waker.asleep()
    assert len(server.requests) == before
    assert waits(client)
    tokens[0] = "t-ann"
    client.start()
    until(lambda: not waits(client), "it is fetched")


def test_stopped_it_is_remembered_for_the_next_exchange(server: Any, client: Any) -> None:
    server.put("cards", {"title": "new"})
    assert client.wake(WAKE)
    assert waits(client)
    assert server.requests == []
    client.sync()
    assert titles(client) == ["new"]
    assert not waits(client)


def test_a_fetch_that_failed_is_made_after_a_restart(
    server: Any, link: Any, polling: Any, waker: Any
) -> None:
    client = polling()
    with fault(server, on("/changes/", httpx2.ReadTimeout)):
        client.wake(WAKE)
        until(lambda: client.status.link == "offline", "it failed")
        client.close()
    server.put("cards", {"title": "new"})
    again = link()
    assert waits(again)
    again.start()
    until(lambda: not waits(again), "it is fetched by the next program")
    assert titles(again) == ["new"]


# Where it costs


def test_paid_for_and_unseen_it_waits_for_the_poll_or_for_eyes(
    server: Any, polling: Any, waker: Any
) -> None:
    client = polling()
    client.network(metered=True, foreground=False)
    until(lambda: (waker.asleep() or 0) > 60, "it polls rarely")
    before = pulls(server)
    client.wake(WAKE)
    left = waker.asleep()
    assert left is not None
    assert left > 60
    assert (pulls(server), waits(client)) == (before, True)
    client.network(foreground=True)
    until(lambda: not waits(client), "somebody looks")


@pytest.mark.parametrize("dear", [{"metered": True}, {"foreground": False}])
def test_either_alone_fetches_for_that_is_what_a_push_is_for(
    dear: Any, server: Any, polling: Any, waker: Any
) -> None:
    client = polling()
    client.network(**dear)
    until(lambda: (waker.asleep() or 0) > 60, "it polls rarely")
    client.wake(WAKE)
    until(lambda: not waits(client), "it is fetched, and no time has passed")


# Where news comes by itself


@pytest.mark.parametrize("kind", ["websocket", "sse"])
def test_over_a_connection_nothing_is_fetched_and_bytes_serve_it(
    kind: str, server: Any, link: Any, waker: Any
) -> None:
    server.transports = [kind, "poll"]
    client = link()
    client.start()
    until(lambda: client.status.transport == kind, "the connection is open")
    waker.asleep()
    before = pulls(server)
    client.wake(WAKE)
    waker.asleep()
    assert waits(client)  # The connection may be dead.
    waker.advance(1.0)
    server.put("cards", {"title": "new"})
    until(lambda: titles(client) == ["new"], "it comes by the connection")
    until(lambda: not waits(client), "and shows that the connection lives")
    assert pulls(server) == before


def test_a_dead_connection_leaves_it_to_the_exchange_that_follows(
    server: Any, link: Any, waker: Any
) -> None:
    server.transports = ["websocket", "poll"]
    client = link()
    client.start()
    until(lambda: client.status.transport == "websocket", "the connection is open")
    waker.asleep()
    server.connections.by_script = True  # Nothing comes over it, and no pong.
    server.put("cards", {"title": "new"})
    client.wake(WAKE)

    def dies() -> bool:
        if not titles(client) and waker.sleeps:
            waker.advance(5.0)
        return titles(client) == ["new"]

    until(dies, "it is fetched")
    until(lambda: not waits(client), "it is seen to")


def test_a_held_request_brings_it(server: Any, link: Any, waker: Any) -> None:
    server.transports = ["long-poll", "poll"]
    client = link()
    client.start()
    server.held.wait()
    client.wake(WAKE)
    before = len(server.requests)
    server.put("cards", {"title": "new"})
    until(lambda: titles(client) == ["new"], "it comes by the held request")
    server.held.wait()
    assert pulls(server) == 1
    assert len(server.requests) == before + 1
    server.put("cards", {"title": "newer"})
    until(lambda: not waits(client), "a request that began after it was answered")


# More than one


def test_another_process_on_the_store_may_see_to_it(server: Any, connect: Any, client: Any) -> None:
    client.sync()
    client.wake(WAKE)
    connect().sync()  # the same store
    assert not waits(client)
    before = pulls(server)
    client.wake(WAKE)
    assert waits(client)
    client.sync()
    assert pulls(server) == before + 1


def test_two_at_once_of_which_the_later_fails_leave_the_later_ones_wake_up(
    connect: Any,
) -> None:
    """A asks, a wake-up comes, B asks; A's answer says nothing of what B asked for."""
    wakeup_store = WakeupStore(connect()._store)
    other = WakeupStore(connect()._store)
    assert wakeup_store.remember()
    first = wakeup_store.asked()
    assert not other.remember()
    second = other.asked()
    wakeup_store.served(first)
    assert wakeup_store.is_pending()
    other.served(second)
    assert not wakeup_store.is_pending()
    wakeup_store.served(first)  # late, and twice
    assert not wakeup_store.is_pending()


def test_a_storm_is_one_write_for_each_request(client: Any) -> None:
    wakeup_store = WakeupStore(client._store)
    statements: list[str] = []
    client._store._db.set_trace_callback(statements.append)
    for _ in range(100):
        wakeup_store.remember()
    assert sum("INSERT" in s for s in statements) == 1
    wakeup_store.asked()
    wakeup_store.remember()
    assert sum("INSERT" in s for s in statements) == 3


def test_a_wipe_forgets_it_and_a_late_answer_does_not_bring_it_back(client: Any) -> None:
    wakeup_store = WakeupStore(client._store)
    for _ in range(3):
        wakeup_store.remember()
        number = wakeup_store.asked()
    client.reset(wipe=True)
    assert not wakeup_store.is_pending()
    wakeup_store.served(number)
    assert wakeup_store.remember()
    assert wakeup_store.is_pending()


def test_a_clock_that_jumps_moves_none_of_it(
    server: Any, polling: Any, waker: Any, clock: Any
) -> None:
    client = polling()
    clock.jump(days=-365)
    client.wake(WAKE)
    until(lambda: not waits(client), "it is fetched")
    waker.asleep()
    clock.jump(days=4_000)
    waker.advance(2.0)
    waker.asleep()
    client.wake(WAKE)
    until(lambda: not waits(client), "and the next")
