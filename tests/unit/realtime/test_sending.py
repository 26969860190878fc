"""Sending for many connections from few tasks: order, slow clients, errors, cancellation."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st

from django_sync.realtime.sending import Outgoing, Senders


class Client:
    """What a server has sent to one client, which may be slow."""

    def __init__(self, senders: Senders) -> None:
        self.got: list[Any] = []
        self.takes = asyncio.Event()
        self.takes.set()
        self.error: Exception | None = None
        self.tasks: list[Any] = []
        self.out = Outgoing(senders, self.send)

    async def send(self, event: Any) -> None:
        self.tasks.append(asyncio.current_task())
        await self.takes.wait()
        if self.error is not None:
            raise self.error
        self.got.append(event["n"])

    def add(self, *numbers: int, counted: bool = False) -> None:
        for n in numbers:
            self.out.add({"n": n}, counted)


def run(story: Callable[[Senders], Any]) -> None:
    async def told() -> None:
        before = len(asyncio.all_tasks())
        senders = Senders(asyncio.get_running_loop())
        await story(senders)
        async with asyncio.timeout(10):
            while len(asyncio.all_tasks()) > before:
                await asyncio.sleep(0)

    asyncio.run(told())


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0)


def test_one_task_sends_to_all_who_take_at_once() -> None:
    async def story(senders: Senders) -> None:
        clients = [Client(senders) for _ in range(50)]
        for client in clients:
            client.add(1, 2)
        for client in clients:
            await client.out.drained()
        assert all(client.got == [1, 2] for client in clients)
        assert len({id(task) for client in clients for task in client.tasks}) == 1

    run(story)


def test_who_is_slow_holds_up_nobody_and_is_alone_with_its_task() -> None:
    async def story(senders: Senders) -> None:
        clients = [Client(senders) for _ in range(9)]
        slow = clients[::3]
        for client in slow:
            client.takes.clear()
        for client in clients:
            client.add(1, 2)
        quick = [client for client in clients if client not in slow]
        await until(lambda: all(client.got == [1, 2] for client in quick))
        assert [client.got for client in slow] == [[], [], []]
        assert len({id(client.tasks[0]) for client in slow}) == 3
        for client in quick:  # and again, with all slow ones in the way
            client.add(3)
        await until(lambda: all(client.got == [1, 2, 3] for client in quick))
        for client in slow:
            client.add(3)
            assert not await client.out.drained(timeout=0)
            client.takes.set()
            assert await client.out.drained()
            assert client.got == [1, 2, 3]

    run(story)


def test_its_events_are_counted_when_they_are_handed_over() -> None:
    async def story(senders: Senders) -> None:
        client = Client(senders)
        client.takes.clear()
        client.add(1, 2, counted=True)
        client.add(3)
        await until(lambda: client.tasks)
        assert (client.out.sent_count, len(client.out)) == (1, 2)
        client.takes.set()
        await client.out.drained()
        assert (client.out.sent_count, len(client.out)) == (2, 0)

    run(story)


def test_closing_gives_up_what_is_being_sent_and_others_go_on() -> None:
    async def story(senders: Senders) -> None:
        slow, other = Client(senders), Client(senders)
        slow.takes.clear()
        slow.add(1, 2)
        other.add(1)
        await until(lambda: slow.tasks)
        await slow.out.close()
        slow.takes.set()
        other.add(2)
        slow.add(3)
        await other.out.drained()
        assert (slow.got, other.got) == ([], [1, 2])
        assert await slow.out.drained()

    run(story)


def test_closing_in_the_very_moment_in_which_it_waits_loses_nobody_else() -> None:
    """Before another task has taken over: the one that is cancelled was to go on with the rest."""

    async def story(senders: Senders) -> None:
        slow, other = Client(senders), Client(senders)
        slow.takes.clear()
        closing: list[Any] = []
        entered = slow.send

        async def send(event: Any) -> None:
            closing.append(asyncio.ensure_future(slow.out.close()))
            await entered(event)

        slow.out._send = send
        slow.add(1)
        other.add(1)
        await other.out.drained()
        await asyncio.gather(*closing)
        assert (slow.got, other.got) == ([], [1])

    run(story)


@pytest.mark.parametrize("error", [OSError("gone"), RuntimeError("a server's fault")])
def test_an_error_ends_one_connection_alone(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(senders: Senders) -> None:
        broken, other = Client(senders), Client(senders)
        failed: list[bool] = []

        class Failing(Outgoing):
            def failed(self) -> None:
                super().failed()
                failed.append(True)

        broken.out = Failing(senders, broken.send)
        broken.error = error
        broken.add(1, 2)
        other.add(1)
        await other.out.drained()
        assert await broken.out.drained()
        broken.error = None
        broken.add(3)  # it would miss what was before
        assert await broken.out.drained()
        assert (broken.got, other.got) == ([], [1])
        assert failed == ([] if isinstance(error, OSError) else [True])

    with caplog.at_level(logging.CRITICAL, logger="django_sync.realtime"):
        run(story)


def test_a_server_may_use_time_outs_and_its_time_out_ends_its_own_sending_alone() -> None:
    """``asyncio.timeout`` cancels the task that it was entered in: it has to be the sender's."""

    async def story(senders: Senders) -> None:
        slow, other = Client(senders), Client(senders)
        slow.takes.clear()

        async def send(event: Any) -> None:
            async with asyncio.timeout(0.01):
                await slow.takes.wait()

        slow.out._send = send
        slow.add(1)
        other.add(1)
        await slow.out.drained()
        other.add(2)
        await other.out.drained()
        assert other.got == [1, 2]

    run(story)


def test_no_context_of_a_connection_reaches_another() -> None:
    user: contextvars.ContextVar[str] = contextvars.ContextVar("user")

    async def story(senders: Senders) -> None:
        client = Client(senders)
        found: list[Any] = []

        async def send(event: Any) -> None:
            found.append(user.get("nobody"))

        client.out._send = send
        user.set("ada")
        client.add(1)
        await client.out.drained()
        assert found == ["nobody"]

    run(story)


def test_tasks_that_are_cancelled_from_outside_are_replaced() -> None:
    """As where a server cancels all tasks; whoever is connected still gets what comes then."""

    async def story(senders: Senders) -> None:
        client = Client(senders)
        client.add(1)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:  # not begun yet
            task.cancel()
        await client.out.drained()
        assert client.got == [1]

    run(story)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks are of Python 3.12")
def test_eager_tasks() -> None:
    async def story(senders: Senders) -> None:
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)  # type: ignore[attr-defined,unused-ignore]
        slow, other = Client(senders), Client(senders)
        slow.takes.clear()
        slow.add(1)
        other.add(1, 2)
        await until(lambda: other.got == [1, 2])
        slow.takes.set()
        slow.add(2)
        await slow.out.drained()
        assert slow.got == [1, 2]

    run(story)


ACTS = st.lists(
    st.tuples(st.sampled_from(["add", "add", "stop", "go", "close", "pass"]), st.integers(0, 4)),
    max_size=60,
)


@how(deadline=None, max_examples=150)
@given(ACTS)
def test_each_gets_its_events_in_order_whatever_the_others_do(acts: list[tuple[str, int]]) -> None:
    async def story(senders: Senders) -> None:
        clients = [Client(senders) for _ in range(5)]
        added: list[list[int]] = [[] for _ in clients]
        closed: set[int] = set()
        for n, (act, who) in enumerate(acts):
            client = clients[who]
            if act == "add":
                client.add(n)
                if who not in closed:
                    added[who].append(n)
            elif act == "stop":
                client.takes.clear()
            elif act == "go":
                client.takes.set()
            elif act == "close":
                closed.add(who)
                await client.out.close()
            else:
                await asyncio.sleep(0)
        for client in clients:
            client.takes.set()
        for who, client in enumerate(clients):
            async with asyncio.timeout(10):
                await client.out.drained()
            if who in closed:
                assert client.got == added[who][: len(client.got)]
            else:
                assert client.got == added[who]

    run(story)
