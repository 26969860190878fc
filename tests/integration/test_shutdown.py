"""A process that shuts down closes its connections before its server waits for them."""

from __future__ import annotations

import asyncio
import signal

import pytest

from tests.integration.test_long_poll import Server, caught_up

SITE_SETTINGS = {"TRANSPORTS": ["websocket", "sse", "long-poll", "poll"]}


@pytest.fixture
def server_heard():
    """What a server's own handler of SIGTERM got; the process's real one is put back."""
    received: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: received.append(number))
    yield received
    signal.signal(signal.SIGTERM, before)


async def parts_until_end(wire):
    found = []
    while (event := await wire.event()).get("more_body"):
        found.append(event["body"])
    return b"".join(found)


def test_sockets_streams_and_held_pulls_are_let_go(site, ada, server_heard):
    async def story():
        polling = Server(site.application)
        cursor = await caught_up(polling, ada)
        async with site.following(ada) as socket, site.stream(ada) as stream:
            held = asyncio.create_task(polling.get(f"wait=25&cursor={cursor}", ada))
            await polling.waiting(1)
            await site.joined(2)
            signal.raise_signal(signal.SIGTERM)
            assert await socket.ended() == (1012, None)
            assert b"\nretry: " in await parts_until_end(stream)
            status, page = await asyncio.wait_for(held, 10)
            assert (status, page["changes"]) == (200, [])

    asyncio.run(story())
    assert server_heard == [signal.SIGTERM]


def test_who_comes_after_is_let_go_too(site, ada, server_heard):
    async def story():
        async with site.following(ada):
            signal.raise_signal(signal.SIGTERM)
        async with site.socket(ada) as late, site.stream(ada) as stream:
            assert await late.ended() == (1012, None)
            await parts_until_end(stream)
        assert (await Server(site.application).get("wait=25", ada))[0] == 200

    asyncio.run(story())


def test_where_nobody_handles_the_signal_it_is_left_alone(site, ada):
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)

    async def story():
        async with site.following(ada):
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL

    try:
        asyncio.run(story())
    finally:
        signal.signal(signal.SIGTERM, before)


def test_one_handler_however_many_loops_there_were(site, ada, server_heard):
    async def story():
        async with site.following(ada):
            return signal.getsignal(signal.SIGTERM)

    assert asyncio.run(story()) is asyncio.run(story())
