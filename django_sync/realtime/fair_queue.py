"""The threads of a process's connections, taken in turns: a crowd of one's holds up nobody else.

Whoever asks is somebody's: a user's, or, as long as it is not known whose, an address's. Those who
wait are served one of each owner after another, and no owner has the last thread.
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
        self._each = max(1, threads - 1)
        self._waiting: dict[str, deque[Job]] = {}
        self._busy: Counter[str] = Counter()
        self._jobs: set[asyncio.Task[None]] = set()

    async def run(
        self, owner: str, function: Callable[..., Any], *args: Any, most: int | None = None
    ) -> Any:
        """What the function returns, when it is its owner's turn.

        Raises ``Unavailable`` where ``most`` of its owner's are waiting already.
        """
        waiting = self._waiting.setdefault(owner, deque())
        if most is not None and len(waiting) >= most:
            raise errors.Unavailable("Too many are waiting to be let in.")
        result: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        waiting.append((result, function, args))
        self._next()
        return await result

    def _next(self) -> None:
        """Give free threads to those who wait."""
        while self._busy.total() < self._threads and (owner := self._whose()) is not None:
            waiting = self._waiting.pop(owner)
            job = waiting.popleft()
            if waiting:
                self._waiting[owner] = waiting  # behind all others
            if job[0].done():
                continue  # given up while it waited
            self._busy[owner] += 1
            task = asyncio.get_running_loop().create_task(self._do(owner, *job))
            self._jobs.add(task)
            task.add_done_callback(self._jobs.discard)

    def _whose(self) -> str | None:
        return next((o for o in self._waiting if self._busy[o] < self._each), None)

    async def _do(
        self,
        owner: str,
        result: asyncio.Future[Any],
        function: Callable[..., Any],
        args: tuple[Any, ...],
    ) -> None:
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._pool, function, *args)
        except Exception as error:  # noqa: BLE001  # whoever asked is told
            if not result.done():
                result.set_exception(error)
        else:
            if not result.done():
                result.set_result(found)
        finally:
            self._busy[owner] -= 1
            if not self._busy[owner]:
                del self._busy[owner]
            self._next()
