"""What follows an acknowledgement over a socket, and what a client lacks that sent none."""

from __future__ import annotations

import asyncio
import json

import pytest

from django_sync.realtime import hub
from django_sync.realtime.connection import WINDOW
from example_project.boards.models import Card
from tests.integration.wire import in_a_thread, until


@pytest.fixture(autouse=True)
def cursors_as_often_as_asked(monkeypatch):
    monkeypatch.setattr(hub, "CURSOR_SECONDS", 0.0)


def write(board, title="New"):
    return in_a_thread(Card.objects.create, board=board, title=title)


def titles(frame):
    return [c["object"]["title"] for c in frame["changes"] if c["op"] == "put"]


async def connection_of(site):
    await site.joined(1)
    (connection,) = site.application.hub._connections
    return connection


def test_the_welcome_names_the_window(site, ada):
    async def story():
        async with site.socket(ada) as wire:
            assert (await wire.hello())["window"] == WINDOW

    asyncio.run(story())


def test_a_cursor_follows_an_acknowledgement_and_none_comes_before(site, ada, boards):
    async def story():
        async with site.following(ada) as wire:
            for n in range(3):
                await write(boards.launch, str(n))
                assert titles(await wire.frame("changes")) == [str(n)]
            wire.say(type="ping")
            await wire.frame("pong")  # and no cursor meanwhile
            wire.say(type="ack", frames=wire.frames + 2)
            cursor = (await wire.frame("cursor"))["cursor"]
            wire.say(type="ack", frames=wire.frames + 3)  # the cursor stands for all three
            wire.say(type="ping")
            await wire.frame("pong")
        async with site.socket(ada) as again:
            await again.hello(cursor=cursor)
            assert await again.caught_up() == []

    asyncio.run(story())


def test_who_ends_with_an_older_cursor_gets_the_changes_again(site, ada, boards):
    async def story():
        async with site.following(ada) as wire:
            await write(boards.launch, "First")
            await wire.frame("changes")
            card = await write(boards.launch, "Second")
            await wire.frame("changes")
            await in_a_thread(card.delete)
            assert (await wire.frame("changes"))["changes"][0]["op"] == "delete"
        async with site.socket(ada) as again:
            await again.hello(cursor=wire.cursor)
            found = await again.caught_up()
            assert [c["object"]["title"] for c in found if c["op"] == "put"] == ["First"]
            assert [c["id"] for c in found if c["op"] == "delete"] == [str(card.sync_id)]

    asyncio.run(story())


def test_who_makes_room_late_gets_the_rest_at_once(site, ada, boards, settings):
    """Not at the next look of the hub, which is an hour away."""
    settings.DJANGO_SYNC = {"WATCH_MS": 3_600_000}

    async def story():
        async with site.following(ada) as wire:
            for n in range(WINDOW + 2):
                await write(boards.launch, str(n))
                if n < WINDOW:
                    assert titles(await wire.frame("changes")) == [str(n)]
            wire.say(type="ack", frames=wire.frames + WINDOW // 2)
            frames = []
            while sum(len(f["changes"]) for f in frames) < 2:
                event = json.loads((await wire.event())["text"])
                frames += [event] if event["type"] == "changes" else []
            assert sorted(t for f in frames for t in titles(f)) == [str(WINDOW), str(WINDOW + 1)]

    asyncio.run(story())


def test_where_it_stands_is_known_though_not_all_is_acknowledged(site, ada, boards):
    """For the lag of its session: behind the last frame that it has taken."""

    async def story():
        async with site.following(ada) as wire:
            connection = await connection_of(site)
            places = []
            for n in range(4):
                await write(boards.launch, str(n))
                await wire.frame("changes")
                places.append(connection.subscription.place[1])
            assert len(set(places)) == 4
            wire.say(type="ack", frames=wire.frames + 2)
            await wire.frame("cursor")
            assert connection.position == places[1]
            wire.say(type="ack", frames=wire.frames + 4)
            await until(lambda: connection.position == places[3])

    asyncio.run(story())


def test_an_idle_socket_keeps_little(site, ada):
    """No task, no timer but its heartbeat, no queue; tasks would be one of each socket's."""

    async def story():
        async with site.following(ada) as wire:
            connection = await connection_of(site)
            await until(lambda: connection._follower is None)
            for one in (connection, connection.handler):
                assert not hasattr(one, "__dict__")
            assert not connection.handler._tasks
            served = {wire.served, asyncio.current_task(), site.application.hub._task}
            assert asyncio.all_tasks() == served

    asyncio.run(story())
