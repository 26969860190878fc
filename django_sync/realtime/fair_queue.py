"""A queue for the threads that serve connections: many requests of one owner delay no other owner.

The owner of a request is its user, or its address while the user is not known yet. Requests are
served round robin, one of each owner after another, and no owner gets the last free thread.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from .. import errors

MOST_HANDSHAKES = 200
"""Handshakes of one address that may wait."""

Job = tuple["asyncio.Future[Any]", Callable[..., Any], tuple[Any, ...]]


class FairQueue:
    """Runs functions in ``threads`` threads of ``pool``; belongs to one event loop."""

    def __init__(self, pool: Executor, threads: int) -> None:
        self._pool = pool
        self._threads = threads
        self._most_of_one = max(1, threads - 1)
        self._queued: dict[str, deque[Job]] = {}
        self._busy: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(
        self, owner: str, function: Callable[..., Any], *args: Any, most: int | None = None
    ) -> Any:
        """Run a function when a thread is free for its owner, and return its result.

        Raises ``Unavailable`` if ``most`` functions of the owner are queued already.
        """
        queued = self._queued.setdefault(owner, deque())
        if most is not None and len(queued) >= most:
            raise errors.Unavailable(
                "Too many connections of this address are being opened. Try again in a moment."
            )
        result: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        queued.append((result, function, args))
        self._start_jobs()
        return await result

    def _start_jobs(self) -> None:
        """Give the free threads to queued jobs."""
        while self._busy.total() < self._threads and (owner := self._next_owner()) is not None:
            queued = self._queued.pop(owner)
            job = queued.popleft()
            if queued:
                self._queued[owner] = queued  # behind all other owners
            if job[0].done():
                continue  # its caller has gone
            self._busy[owner] += 1
            task = asyncio.get_running_loop().create_task(self._run_job(owner, *job))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _next_owner(self) -> str | None:
        return next((one for one in self._queued if self._busy[one] < self._most_of_one), None)

    async def _run_job(
        self,
        owner: str,
        result: asyncio.Future[Any],
        function: Callable[..., Any],
        args: tuple[Any, ...],
    ) -> None:
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._pool, function, *args)
        except Exception as error:  # noqa: BLE001  # the caller of ``run`` gets it
            if not result.done():
                result.set_exception(error)
        else:
            if not result.done():
                result.set_result(found)
        finally:
            self._busy[owner] -= 1
            if not self._busy[owner]:
                del self._busy[owner]
            self._start_jobs()
