"""One look at the feed for all who wait in this process, and who of them is concerned.

A waiter joins before it pulls and collects what is seen from then on, so that
nothing falls between its pull and its waiting (R5). It names the scopes that it is waiting
for only once it knows them. Nobody waits, nobody looks. This file knows nothing of HTTP.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

log = logging.getLogger("django_sync.realtime")

News = tuple[int, frozenset[str] | None]
"""The feed's head, and the scopes of what is new; ``None``: it may concern anybody."""
Look = Callable[[int | None], Awaitable[News]]
"""Looks for what is new behind a position; ``None`` asks for the head alone."""


SHORTEST = 0.1
"""Seconds between two looks at least: each that finds something runs the pulls of all whom it
concerns."""


class Waiter:
    """One who waits; made by ``Watch.join``."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._scopes: frozenset[str] | None = None
        self._seen: set[str] = set()
        self._everybody = False

    def tell(self, scopes: frozenset[str] | None) -> None:
        """Something is new in these scopes."""
        if scopes is None:
            self._everybody = True
        else:
            self._seen |= scopes
        self._check()

    async def concerned(self, scopes: frozenset[str]) -> None:
        """Wait until something is new in these scopes, or was since the last call or the join."""
        self._scopes = scopes
        self._check()
        await self._event.wait()
        self._event.clear()
        self._seen.clear()
        self._everybody = False

    def _check(self) -> None:
        if self._scopes is None:
            return
        if self._everybody or not self._seen.isdisjoint(self._scopes):
            self._event.set()
        else:
            self._seen.clear()


class Watch:
    """Looks while somebody waits, every ``interval`` seconds; belongs to one event loop."""

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
        """A waiter who is told of all that becomes visible from now on."""
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
        """Find the head, then look again and again; a look that fails is made again."""
        head: int | None = None
        failed = False
        while self._waiters:
            self._wake.clear()
            try:
                head, scopes = await self._look(head)
            except Exception:  # whatever it was, it may be over by the next look
                log.exception("the feed could not be looked at")
                failed = True
            else:
                if failed or scopes is None or scopes:
                    self._tell(None if failed else scopes)
                failed = False
            if not first.done():
                first.set_result(None)
            shortest = min(SHORTEST, self._interval())
            await asyncio.sleep(shortest)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._interval() - shortest)

    def _tell(self, scopes: frozenset[str] | None) -> None:
        for waiter in tuple(self._waiters):
            waiter.tell(scopes)
