"""Blocked, ended, told to pull anew: felt at once, over each transport, and said why."""

from __future__ import annotations

import asyncio
import json
import threading
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connections, transaction
from django.utils import timezone

from django_sync import errors, sync
from django_sync.drf.caller import Caller
from django_sync.feed import notify
from django_sync.maintenance import retention
from django_sync.models import Client, Order, SyncSession
from django_sync.realtime.channel_layer import ChannelNotifier
from django_sync.sessions import directives, lifecycle
from example_project.boards.models import Card
from tests.integration.test_channel_layer import LAYERS, layers_of, redis_is_there, wait_until_sent
from tests.integration.test_http import client_of
from tests.integration.wire import Site, bearer, in_a_thread

EVERY = ["websocket", "sse", "long-poll", "poll"]


SITE_SETTINGS = {"TRANSPORTS": EVERY, "WATCH_MS": 50}


@pytest.fixture(autouse=True)
def everything_is_offered(settings):
    settings.DJANGO_SYNC = SITE_SETTINGS
    directives.forget()
    yield
    directives.forget()


class Device:
    """A client over HTTP that says who it is."""

    def __init__(self, user: Any, **told: Any) -> None:
        self.api = client_of(user)
        self.id = str(uuid.uuid4())
        self.session: str | None = None
        self.open(**told)

    def open(self, **told: Any) -> Any:
        body = {"client_id": self.id, "transports": EVERY} | told
        response = self.api.post("/sync/sessions/", body, format="json")
        if response.status_code == 201:
            self.session = response.json()["id"]
            self.ticket = response.json()["ticket"]
        return response

    @property
    def says(self) -> dict[str, str]:
        return {"Sync-Client": self.id, "Sync-Session": self.session or ""}

    def pull(self, cursor: str | None = None) -> Any:
        query = {} if cursor is None else {"cursor": cursor}
        return self.api.get("/sync/changes/", query, headers=self.says)

    def send(self, *mutations: Any) -> Any:
        body = {"client_id": self.id, "cursor": None, "mutations": list(mutations)}
        return self.api.post("/sync/mutations/", body, format="json", headers=self.says)


def code(response: Any) -> tuple[int, str | None]:
    return response.status_code, response.json().get("code")


BLOCKED, ENDED = (403, "blocked"), (403, "session_ended")


# Over HTTP


def test_a_blocked_user_is_refused_wherever_they_come(people):
    device, card = Device(people.ada), Card.objects.get(board=people.launch)
    assert sync.block(user=people.ada)
    for method, path in (
        ("get", ""),
        ("get", "changes/"),
        ("get", "live/changes/"),
        ("get", "sessions/"),
        ("get", "cards/"),
        ("get", f"cards/{card.sync_id}/"),
        ("get", f"cards/{card.sync_id}/history/"),
        ("post", "mutations/"),
        ("post", "sessions/"),
        ("patch", f"sessions/{device.session}/"),
        ("delete", f"sessions/{device.session}/"),
        ("delete", f"cards/{card.sync_id}/"),
    ):
        assert code(getattr(device.api, method)(f"/sync/{path}")) == BLOCKED, path
    assert Device(people.grace).pull().status_code == 200, "others go on"
    assert sync.unblock(user=people.ada)
    assert device.pull().status_code == 200


def test_a_blocked_client_is_refused_by_any_name_that_it_gives(people):
    device, other = Device(people.ada), Device(people.ada)
    assert sync.block(client=uuid.UUID(device.id))
    assert code(device.pull()) == BLOCKED
    assert code(device.send()) == BLOCKED
    assert code(device.open()) == BLOCKED
    body = {"client_id": device.id, "mutations": []}
    assert code(device.api.post("/sync/mutations/", body, format="json")) == BLOCKED, "unsaid"
    assert other.pull().status_code == 200, "the user has others"
    assert sync.unblock(client=uuid.UUID(device.id))
    assert device.pull().status_code == 200


def test_whose_client_is_blocked_is_nobody_elses_to_learn(people):
    device, stranger = Device(people.ada), Device(people.grace)
    sync.block(client=uuid.UUID(device.id))
    sync.end(uuid.UUID(device.session))
    stranger.id, stranger.session = device.id, device.session
    assert stranger.pull().status_code == 200
    told = {
        (stranger.api.patch(f"/sync/sessions/{id}/", {}, format="json")).content
        for id in (device.session, str(uuid.uuid4()))
    }
    assert len(told) == 1, "as one that never was"


def test_an_ended_session_says_so_until_another_is_opened(people):
    device = Device(people.ada)
    assert sync.end(uuid.UUID(device.session))
    assert code(device.pull()) == ENDED
    assert code(device.send()) == ENDED
    path = f"/sync/sessions/{device.session}/"
    assert code(device.api.patch(path, {}, format="json")) == ENDED, "without a header, too"
    assert code(device.api.delete(path)) == (404, "not_found")
    old = device.session
    assert device.open().status_code == 201
    assert device.pull().status_code == 200
    assert not Order.objects.exists(), "it is done"
    device.session = old
    assert device.pull().status_code == 200, "what is late names one that was replaced"


def test_one_that_was_replaced_or_left_is_not_ended_by_the_server(people):
    device = Device(people.ada)
    old = device.session
    device.open()
    device.session = old
    assert device.pull().status_code == 200, "two processes on one store take turns"
    assert code(device.api.patch(f"/sync/sessions/{old}/", {}, format="json"))[0] == 404


def test_what_was_applied_stays_and_what_was_not_is_answered_later(people, phone, card):
    device = Device(people.ada)
    phone.client_id = device.id
    first, second = phone.create("cards", title="1", board=str(people.launch.sync_id)), None
    second = phone.create("cards", title="2", board=str(people.launch.sync_id))
    assert device.send(first).json()["results"][0]["status"] == "applied"
    sync.end(uuid.UUID(device.session))
    assert code(device.send(first, second)) == ENDED
    assert not Card.objects.filter(title="2").exists()
    device.open()
    told = device.send(first, second).json()["results"]
    assert [(r["status"], r["replayed"]) for r in told] == [("applied", True), ("applied", False)]


def test_two_admins_at_once(people):
    device = Device(people.ada)
    client, session = uuid.UUID(device.id), uuid.UUID(device.session)
    assert [sync.block(user=people.ada) for _ in range(2)] == [True, False]
    assert [sync.block(client=client, by=people.grace) for _ in range(2)] == [True, False]
    assert [sync.end(session) for _ in range(2)] == [True, False]
    assert [sync.refresh(client) for _ in range(2)] == [True, False]
    assert [sync.unblock(user=people.ada) for _ in range(2)] == [True, False]
    assert code(device.pull()) == BLOCKED, "the client is still"
    assert [sync.unblock(client=client) for _ in range(2)] == [True, False]
    with pytest.raises(TypeError):
        sync.block()
    with pytest.raises(Client.DoesNotExist):
        sync.block(client=uuid.uuid4())


def test_what_is_ordered_in_a_transaction_that_fails_is_not(people):
    device = Device(people.ada)

    def order_and_fail() -> None:
        with transaction.atomic():
            sync.block(user=people.ada)
            sync.end(uuid.UUID(device.session))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        order_and_fail()
    assert device.pull().status_code == 200


# A fresh snapshot


def test_a_fresh_snapshot_is_pulled_once(people):
    device, other = Device(people.ada), Device(people.ada)
    cursor = device.pull().json()["cursor"]
    others = other.pull().json()["cursor"]
    sync.refresh(uuid.UUID(device.id))
    for _ in range(2):
        assert code(device.pull(cursor)) == (410, "cursor_expired"), "an answer may be lost"
    assert other.pull(others).status_code == 200
    page = device.pull()
    assert (page.status_code, bool(page.json()["changes"])) == (200, True)
    assert not Order.objects.exists()
    assert device.pull(page.json()["cursor"]).status_code == 200
    assert device.send().status_code == 200, "its outbox goes out meanwhile"


def test_an_order_that_comes_while_it_pulls_is_not_taken_for_done(people, monkeypatch):
    device = Device(people.ada)
    from django_sync.feed import pull as feed_pull

    pull = feed_pull.pull

    def late(*args: Any) -> Any:
        page = pull(*args)
        sync.refresh(uuid.UUID(device.id))
        return page

    monkeypatch.setattr(feed_pull, "pull", late)
    cursor = device.pull().json()["cursor"]
    monkeypatch.undo()
    assert code(device.pull(cursor)) == (410, "cursor_expired")


# What a process remembers


def test_orders_cost_requests_nothing_while_they_are_remembered(boards, django_assert_num_queries):
    caller = Caller.for_user(boards.ada)
    directives.check(caller)
    with django_assert_num_queries(0):
        directives.check(caller)
        assert directives.pending_snapshots(caller) == []
    sync.block(user=boards.ada)
    with pytest.raises(errors.Blocked):
        directives.check(Caller.for_user(boards.ada))
    sync.unblock(user=boards.ada)
    directives.check(caller)


def test_what_another_process_took_back_is_asked_again(boards):
    caller = Caller.for_user(boards.ada)
    sync.block(user=boards.ada)
    with pytest.raises(errors.Blocked):
        directives.check(caller)
    Order.objects.all().delete()  # as another process, of which this one has not heard
    directives.check(caller)


def test_what_was_read_before_it_was_told_is_not_remembered(boards, monkeypatch):
    """A request reads the orders, one commits and is told, then it remembers what it read."""
    read, caller = directives._all, Caller.for_user(boards.ada)

    def slow() -> Any:
        found = read()
        monkeypatch.setattr(directives, "_all", read)
        sync.block(user=boards.ada)
        return found

    monkeypatch.setattr(directives, "_all", slow)
    directives.forget()
    directives.check(caller)
    with pytest.raises(errors.Blocked):
        directives.check(caller)


def test_too_many_orders_are_asked_for_one_by_one(boards, monkeypatch):
    monkeypatch.setattr(directives, "MOST", 1)
    sync.block(user=boards.ada)
    sync.block(user=boards.grace)
    for user, blocked in ((boards.ada, True), (boards.grace, True), (boards.alan, False)):
        try:
            directives.check(Caller.for_user(user))
        except errors.Blocked:
            assert blocked
        else:
            assert not blocked


# Connections that are open


def device_of(user: Any) -> Device:
    try:
        return Device(user)
    finally:
        connections.close_all()


CLOSES = {
    "block user": (lambda d, u: sync.block(user=u), (4423, "blocked")),
    "block client": (lambda d, u: sync.block(client=uuid.UUID(d.id)), (4423, "blocked")),
    "end": (lambda d, u: sync.end(uuid.UUID(d.session)), (4419, "session_ended")),
    "refresh": (lambda d, u: sync.refresh(uuid.UUID(d.id)), (4410, "cursor_expired")),
}


@pytest.mark.parametrize("ordered", CLOSES)
def test_a_socket_is_closed_at_once(site, boards, ordered):
    act, why = CLOSES[ordered]

    async def story():
        device = await in_a_thread(device_of, boards.ada)
        async with site.socket(query=f"ticket={device.ticket}") as wire:
            await wire.hello(session=device.session)
            await wire.caught_up()
            await site.joined(1)
            await in_a_thread(act, device, boards.ada)
            assert await wire.ended() == why  # a heartbeat is 25 s, a test's patience 20

    asyncio.run(story())


def test_a_socket_that_says_its_session_is_closed_for_it(site, boards):
    async def story():
        device = await in_a_thread(device_of, boards.ada)
        async with site.socket(bearer_of := await in_a_thread(bearer, boards.ada)) as wire:
            await wire.hello(session=device.session)
            await wire.caught_up()
            await site.joined(1)
            await in_a_thread(sync.block, client=uuid.UUID(device.id))
            assert await wire.ended() == (4423, "blocked")
        async with site.socket(bearer_of) as wire:
            wire.say(type="hello", protocol=1, session=device.session)
            assert await wire.ended() == (4423, "blocked")

    asyncio.run(story())


def test_a_stream_is_ended_at_once(site, boards):
    async def story():
        device = await in_a_thread(device_of, boards.ada)
        headers = [await in_a_thread(bearer, boards.ada), *device.says.items()]
        async with site.stream(*headers) as wire:
            while (await wire.part())[0] != "cursor":
                pass
            await site.joined(1)
            await in_a_thread(sync.end, uuid.UUID(device.session))
            while (told := await wire.part())[0] != "error":
                pass
            assert told[1]["problem"]["code"] == "session_ended"
            assert (await wire.part())[0] == "end"

    asyncio.run(story())


async def held(site: Site, headers: Any, cursor: str) -> tuple[int, Any]:
    """The answer to a pull that waits."""
    sent: list[Any] = []
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/sync/live/changes/",
        "query_string": f"wait=25&cursor={cursor}".encode(),
        "headers": [
            (b"host", b"localhost"),
            *((n.lower().encode(), v.encode()) for n, v in headers),
        ],
    }
    come = [{"type": "http.request"}]

    async def receive() -> Any:
        return come.pop() if come else await asyncio.Event().wait()

    async def send(event: Any) -> None:
        sent.append(event)

    await asyncio.wait_for(site.application(scope, receive, send), 20)
    return sent[0]["status"], json.loads(b"".join(e.get("body", b"") for e in sent))


def test_a_held_pull_is_answered_at_once(site, boards):
    async def story():
        device = await in_a_thread(device_of, boards.ada)
        token = await in_a_thread(bearer, boards.ada)
        page = await in_a_thread(lambda: device.pull().json())
        task = asyncio.create_task(held(site, [token, *device.says.items()], page["cursor"]))
        watch = site.application.watch
        while not any(w._scopes is not None for w in watch._waiters):
            await asyncio.sleep(0.005)
        await in_a_thread(sync.block, user=boards.ada)
        status, problem = await task
        assert (status, problem["code"]) == BLOCKED

    asyncio.run(story())


def test_blocked_between_ticket_and_socket(site, boards):
    async def story():
        device = await in_a_thread(device_of, boards.ada)
        await in_a_thread(sync.block, user=boards.ada)
        async with site.socket(query=f"ticket={device.ticket}") as wire:
            assert await wire.ended() == (4401, "not_authenticated"), "the ticket is void"
        async with site.socket(await in_a_thread(bearer, boards.ada)) as wire:
            assert await wire.ended() == (4423, "blocked")

    asyncio.run(story())


def test_blocked_while_its_handshake_is_looked_at(site, boards, monkeypatch):
    """The look finds nothing, then the block commits and is told, then the socket opens."""
    looked, go = threading.Event(), threading.Event()
    check = directives.check
    holding = [True]

    def slow(caller: Caller, client: Any = None) -> None:
        check(caller, client)
        if holding.pop() if holding else False:
            looked.set()
            assert go.wait(20)

    monkeypatch.setattr(directives, "check", slow)

    async def story():
        token = await in_a_thread(bearer, boards.ada)
        opening = asyncio.create_task(anext_of(site, token))
        await asyncio.to_thread(looked.wait, 20)
        await in_a_thread(sync.block, user=boards.ada)
        await asyncio.sleep(0)  # it is told, and nobody is there to hear it
        go.set()
        assert await opening == (4423, "blocked")

    asyncio.run(story())


async def anext_of(site: Site, token: Any) -> Any:
    async with site.socket(token) as wire:
        return await wire.ended()


def test_a_batch_over_a_socket_of_one_who_is_blocked(site, boards, monkeypatch):
    """Where nobody is told (a process without a layer), the next batch finds out."""
    monkeypatch.setattr(notify, "invalidate_key", lambda key: None)

    async def story():
        device = await in_a_thread(device_of, boards.ada)
        async with site.socket(query=f"ticket={device.ticket}") as wire:
            await wire.hello(session=device.session)
            await wire.caught_up()
            await in_a_thread(sync.block, user=boards.ada)
            wire.say(type="mutate", ref="1", client_id=device.id, mutations=[])
            assert (await wire.frame("error"))["problem"]["code"] == "blocked"
            site.application.loop_state.notify_on_loop(str(boards.ada.pk))  # the heartbeat
            assert await wire.ended() == (4423, "blocked")

    asyncio.run(story())


def test_a_hint_of_another_process_is_heard_past_what_is_remembered(site, boards, monkeypatch):
    monkeypatch.setattr(directives, "SECONDS", 1000)

    async def story():
        token = await in_a_thread(bearer, boards.ada)
        async with site.following(token) as wire:
            await site.joined(1)
            await in_a_thread(Order.objects.create, kind="block", user=boards.ada)  # elsewhere
            site.application.loop_state.notify_on_loop(str(boards.ada.pk))
            assert await wire.ended() == (4423, "blocked")

    asyncio.run(story())


def block_there(layers: Any, user: int) -> None:
    """In a process of its own, which tells others by a layer."""
    settings.CHANNEL_LAYERS = layers
    notifier = ChannelNotifier()
    notify.listen(notifier)
    sync.block(user=User.objects.get(pk=user))
    wait_until_sent(notifier)


def test_a_block_in_another_process_is_felt_by_a_layer(processes, boards, settings):
    if not redis_is_there():
        pytest.skip("no Redis at TEST_REDIS_URL")
    settings.CHANNEL_LAYERS = layers_of(LAYERS[1])
    settings.DJANGO_SYNC |= {"HEARTBEAT": 1000}

    async def story():
        site, token = Site(), await in_a_thread(bearer, boards.ada)
        async with site.stream(token) as stream, site.following(token) as wire:
            await site.joined(2)
            processes.start(block_there, settings.CHANNEL_LAYERS, boards.ada.pk)
            assert await wire.ended() == (4423, "blocked")
            while (said := await stream.part())[0] != "error":
                pass
            assert said[1]["problem"]["code"] == "blocked"
        site.application.close()

    asyncio.run(story())


def test_without_a_layer_the_next_heartbeat_finds_out(site, boards, settings, monkeypatch):
    monkeypatch.setattr(directives, "SECONDS", 0)
    settings.DJANGO_SYNC |= {"HEARTBEAT": 1}

    async def story():
        token = await in_a_thread(bearer, boards.ada)
        async with site.stream(token) as stream, site.following(token) as wire:
            await site.joined(2)
            await in_a_thread(Order.objects.create, kind="block", user=boards.ada)  # elsewhere
            assert await wire.ended() == (4423, "blocked")
            while (told := await stream.part())[0] != "error":
                pass
            assert told[1]["problem"]["code"] == "blocked"

    asyncio.run(story())


def test_expired_and_idle_sessions(people):
    device = Device(people.ada, transports=["poll"])
    long_ago = timezone.now() - timedelta(hours=200)
    SyncSession.objects.update(seen_at=long_ago)
    retention.prune()
    session = SyncSession.objects.get()
    assert (session.ending, session.ended_at is None) == ("expired", False)
    assert device.pull().status_code == 200
    session.refresh_from_db()
    assert (session.ending, session.ended_at) == ("", None), "it was heard of after all"
    assert lifecycle.own_sessions(Caller.for_user(people.ada))[0].id == session.id
    SyncSession.objects.update(seen_at=timezone.now() - timedelta(hours=100))
    retention.prune()
    session.refresh_from_db()
    assert session.ending == ""
    SyncSession.objects.update(transport="sse")
    retention.prune()
    session.refresh_from_db()
    assert session.ending == "expired", "by its transport"
