"""Server-sent events: what a socket sends, for clients without one."""

from __future__ import annotations

import asyncio
import json
import uuid

import pytest

from django_sync.feed import notify
from django_sync.models import Feed
from example_project.boards.models import Card, Membership
from tests.integration.wire import bearer, in_a_thread

SITE_SETTINGS = {"WATCH_MS": 50}


def write(board, title="New"):
    return in_a_thread(Card.objects.create, board=board, title=title)


def titles(data):
    return [c["object"]["title"] for c in data["changes"] if "title" in c.get("object", ())]


async def caught_up(wire):
    """The id of the cursor with which the catch-up ended."""
    while True:
        kind, data, _ = await wire.part()
        assert kind == "changes"
        cursor = await wire.part()
        assert cursor[0] == "cursor"
        if not data["has_more"]:
            return cursor[2]


async def next_titles(wire):
    while True:
        kind, data, _ = await wire.part()
        if kind == "changes":
            return titles(data)


def test_it_begins_with_a_snapshot_and_goes_on(site, ada, boards):
    async def story():
        async with site.stream(ada) as wire:
            assert wire.start["status"] == 200
            assert (b"content-type", b"text/event-stream; charset=utf-8") in wire.start["headers"]
            await caught_up(wire)
            await write(boards.launch)
            assert await next_titles(wire) == ["New"]
            kind, data, id = await wire.part()
            assert (kind, data) == ("cursor", {"type": "cursor", "cursor": id})

    asyncio.run(story())


@pytest.mark.parametrize("by", ["header", "parameter"])
def test_it_resumes(site, ada, boards, by):
    async def story():
        async with site.stream(ada) as wire:
            cursor = await caught_up(wire)
        await write(boards.launch, "Meanwhile")
        headers, query = ([ada, ("Last-Event-ID", cursor)], "")
        if by == "parameter":
            headers, query = [ada], f"cursor={cursor}"
        async with site.stream(*headers, query=query) as again:
            assert await next_titles(again) == ["Meanwhile"]

    asyncio.run(story())


def test_what_cannot_begin_is_answered_with_its_status(site, ada, boards):
    async def story():
        cases = [
            ([], "", 401, "not_authenticated"),
            ([ada], "cursor=made-up", 400, "invalid_cursor"),
            ([ada], "collections=ghosts", 400, "unknown_collection"),
        ]
        for headers, query, status, code in cases:
            async with site.stream(*headers, query=query) as wire:
                problem = json.loads((await wire.event())["body"])
                assert (wire.start["status"], problem["code"]) == (status, code)

    asyncio.run(story())


def test_the_accept_header_of_a_browser_is_fine(site, ada):
    async def story():
        async with site.stream(ada, ("Accept", "text/event-stream")) as wire:
            assert wire.start["status"] == 200

    asyncio.run(story())


def test_a_heartbeat_is_a_comment(site, ada, settings):
    settings.DJANGO_SYNC = {"HEARTBEAT": 0.05}

    async def story():
        async with site.stream(ada) as wire:
            await caught_up(wire)
            while (await wire.part())[0] != "":
                pass

    asyncio.run(story())


def test_r6_a_membership_that_ends_is_felt(site, boards):
    def leave():
        Membership.objects.filter(user=boards.grace).delete()
        notify.invalidate(boards.grace)

    grace = bearer(boards.grace)

    async def story():
        async with site.stream(grace) as wire:
            await caught_up(wire)
            await site.joined(1)
            await in_a_thread(leave)
            kind, data, _ = await wire.part()
            assert (kind, {c["op"] for c in data["changes"]}) == ("changes", {"drop"})

    asyncio.run(story())


def test_an_end_says_why(site, ada, boards):
    def move():
        Feed.objects.update(epoch=uuid.uuid4())
        Card.objects.create(board=boards.launch, title="In another history")

    async def story():
        async with site.stream(ada) as wire:
            await caught_up(wire)
            await in_a_thread(move)
            kind, data, _ = await wire.part()
            assert (kind, data["problem"]["code"]) == ("error", "cursor_expired")
            assert (await wire.part())[0] == "end"

    asyncio.run(story())


def test_too_many_streams_of_one_user(site, ada, settings):
    settings.DJANGO_SYNC = {"CONNECTIONS_PER_USER": 1}

    async def story():
        async with site.stream(ada) as first, site.stream(ada) as second:
            assert (first.start["status"], second.start["status"]) == (200, 429)

    asyncio.run(story())


def test_who_does_not_take_what_comes_is_passed_over_and_loses_nothing(site, ada, boards):
    async def story():
        async with site.stream(ada) as slow, site.stream(ada) as quick:
            await caught_up(slow)
            await caught_up(quick)
            await site.joined(2)
            slow.takes.clear()
            for number in range(30):
                await write(boards.launch, str(number))
                assert await next_titles(quick) == [str(number)]
            slow.takes.set()
            seen: list[str] = []
            while len(seen) < 30:
                seen += await next_titles(slow)
            assert sorted(seen, key=int) == [str(number) for number in range(30)]

    asyncio.run(story())
