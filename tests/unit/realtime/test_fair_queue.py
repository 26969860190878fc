"""Threads by turns: who asks for much waits for it himself."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from django_sync.errors import Unavailable
from django_sync.realtime.fair_queue import Turns


@pytest.fixture
def done():
    return []


@pytest.fixture
def pool():
    with ThreadPoolExecutor(4) as pool:
        yield pool


async def crowd(turns, done, asked, hold):
    """What was done in which order: all wait for one thread, which is held at first."""
    tasks = [asyncio.create_task(turns.run("holder", hold.wait))]
    await asyncio.sleep(0)
    tasks += [asyncio.create_task(turns.run(owner, done.append, owner)) for owner in asked]
    await asyncio.sleep(0)
    hold.set()
    await asyncio.gather(*tasks)


def test_owners_take_turns(pool, done):
    asked = ["a", "a", "a", "b", "b", "c"]
    asyncio.run(asyncio.wait_for(_one(pool, done, asked), 10))
    assert done == ["a", "b", "c", "a", "b", "a"]


async def _one(pool, done, asked):
    await crowd(Turns(pool, 1), done, asked, threading.Event())


def test_nobody_has_the_last_thread(pool, done):
    hold = threading.Event()

    async def story():
        turns = Turns(pool, 3)
        crowd = [asyncio.create_task(turns.run("crowd", hold.wait)) for _ in range(20)]
        await asyncio.sleep(0)
        await asyncio.wait_for(turns.run("one", done.append, 1), 10)
        hold.set()
        assert all(await asyncio.gather(*crowd))

    try:
        asyncio.run(story())
    finally:
        hold.set()
    assert done == [1]


def test_no_more_wait_than_may(pool):
    hold = threading.Event()

    async def story():
        turns = Turns(pool, 1)
        held = [asyncio.create_task(turns.run("a", hold.wait, most=2)) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await turns.run("a", hold.wait, most=2)
        waiting = asyncio.create_task(turns.run("b", hold.wait, most=2))
        await asyncio.sleep(0)
        hold.set()
        await asyncio.gather(*held, waiting)

    try:
        asyncio.run(story())
    finally:
        hold.set()


def test_who_gave_up_waiting_costs_no_thread_and_what_is_raised_is_raised(pool, done):
    hold = threading.Event()

    async def story():
        turns = Turns(pool, 1)
        first = asyncio.create_task(turns.run("a", hold.wait))
        await asyncio.sleep(0)
        gone = asyncio.create_task(turns.run("a", done.append, "gone"))
        await asyncio.sleep(0)
        gone.cancel()
        hold.set()
        await first
        with pytest.raises(ZeroDivisionError):
            await turns.run("b", lambda: 1 // 0)
        await turns.run("a", done.append, "last")
        assert not turns._waiting
        assert not turns._busy

    asyncio.run(story())
    assert done == ["last"]
