"""Watches the feed for all held pulls of this process, and wakes those that news concerns.

A waiter joins before its first pull and collects news from then on, so no change is missed between
the pull and the wait (R5). It names its scopes after the pull, when they are known. While there are
no waiters, the feed is not read. This file knows nothing about HTTP.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

log = logging.getLogger("django_sync.realtime")

News = tuple[int, frozenset[str] | None]
"""The feed's head, and the scopes in which something is new; ``None``: maybe in all scopes."""
Look = Callable[[int | None], Awaitable[News]]
"""Reads the news after a position; with ``None`` only the head."""


SHORTEST = 0.1
"""The shortest time between two looks, in seconds: news runs the pulls of all it concerns."""


class Waiter:
    """One held pull; made by ``Watch.join``."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._scopes: frozenset[str] | None = None
        self._seen: set[str] = set()
        self._is_everywhere = False

    def add_news(self, scopes: frozenset[str] | None) -> None:
        """Something is new in these scopes; ``None``: maybe in all scopes."""
        if scopes is None:
            self._is_everywhere = True
        else:
            self._seen |= scopes
        self._check()

    async def concerned(self, scopes: frozenset[str]) -> None:
        """Wait until something is new in these scopes since the last call, or since the join."""
        self._scopes = scopes
        self._check()
        await self._event.wait()
        self._event.clear()
        self._seen.clear()
        self._is_everywhere = False

    def _check(self) -> None:
        if self._scopes is None:
            return
        if self._is_everywhere or not self._seen.isdisjoint(self._scopes):
            self._event.set()
        else:
            self._seen.clear()


class Watch:
    """Looks every ``interval`` seconds while there are waiters; belongs to one event loop."""

    def __init__(self, look: Look, interval: Callable[[], float]) -> None:
        self._look = look
        self._interval = interval
        self._waiters: set[Waiter] = set()
        self._task: asyncio.Task[None] | None = None
        self._first: asyncio.Future[None] | None = None
        self._wake = asyncio.Event()

    def hurry(self) -> None:
        """Look at once: something may be new."""
        self._wake.set()

    def __len__(self) -> int:
        return len(self._waiters)

    @contextlib.asynccontextmanager
    async def join(self) -> AsyncIterator[Waiter]:
        """A waiter that collects all news from now on."""
        waiter = Waiter()
        self._waiters.add(waiter)
        try:
            if self._task is None or self._task.done():
                self._first = asyncio.get_running_loop().create_future()
                self._task = asyncio.create_task(self._run(self._first))
            assert self._first is not None
            await asyncio.shield(self._first)
            yield waiter
        finally:
            self._waiters.discard(waiter)

    async def _run(self, first: asyncio.Future[None]) -> None:
        """Read the head, then the news, until no waiter is left; a look that fails is repeated."""
        head: int | None = None
        failed = False
        while self._waiters:
            self._wake.clear()
            try:
                head, scopes = await self._look(head)
            except Exception:  # of any kind; it may be over by the next look
                log.exception("the feed could not be looked at")
                failed = True
            else:
                if failed or scopes is None or scopes:
                    self._add_news(None if failed else scopes)
                failed = False
            if not first.done():
                first.set_result(None)
            shortest = min(SHORTEST, self._interval())
            await asyncio.sleep(shortest)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._interval() - shortest)

    def _add_news(self, scopes: frozenset[str] | None) -> None:
        for waiter in tuple(self._waiters):
            waiter.add_news(scopes)
