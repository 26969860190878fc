"""Sends the events of many connections from few tasks; a slow client delays no other client.

An ASGI server accepts an event at once, unless its client is slow. So one task sends for all
connections that have events to send, one after another, as a plain loop would. When a server
makes that task wait, another task goes on with the remaining connections, and the first one stays
with the connection that it waits for. So as many tasks exist as there are slow clients, and an
idle connection has none.

Each ``send`` is awaited in a task of asyncio's, so servers and middleware may use time-outs, locks
and task groups in it. These tasks run in an empty context: what one connection has set in context
variables does not reach another one.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Mapping
from contextvars import Context
from typing import Any

from .routes import Send

log = logging.getLogger("django_sync.realtime")


class Senders:
    """The tasks of one event loop that send."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._ready: deque[Outgoing] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._current = 0
        """The number of the task that sends now; 0 if none does."""
        self._started = 0

    def submit(self, outgoing: Outgoing) -> None:
        """Have the events of a connection sent soon."""
        self._ready.append(outgoing)
        if not self._current:
            self._start()

    def _start(self) -> None:
        self._started += 1
        self._current = self._started
        task = self._loop.create_task(self._send(self._current), context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # This runs when the task has given control back for the first time: it has sent
        # everything, or it waits for a client.
        self._loop.call_soon(self._replace, self._current)

    async def _send(self, number: int) -> None:
        while self._current == number and self._ready:
            await self._ready.popleft().send_all()
        if self._current == number:
            self._current = 0

    def _replace(self, number: int) -> None:
        """Let another task go on for one that waits, now or when there is something to send."""
        if self._current != number:
            return
        self._current = 0
        if self._ready:
            self._start()


class Outgoing:
    """The events of one connection that wait to be sent, in their order.

    ``sent_count`` counts the counted events that were handed to the server. After an error nothing
    that waited is sent: the client is gone, or it would miss something.
    """

    __slots__ = (
        "_drained",
        "_events",
        "_is_closed",
        "_is_submitted",
        "_send",
        "_senders",
        "_task",
        "sent_count",
    )

    def __init__(self, senders: Senders, send: Send) -> None:
        self._senders = senders
        self._send = send
        self._is_closed = False
        self._events: list[tuple[Mapping[str, Any], bool]] = []
        self._is_submitted = False
        self._task: asyncio.Task[Any] | None = None
        self._drained: asyncio.Future[None] | None = None
        self.sent_count = 0

    def __len__(self) -> int:
        """Events that wait, without the one that is being sent."""
        return len(self._events)

    def add(self, event: Mapping[str, Any], counted: bool = False) -> None:
        """Send an event after those before it."""
        if self._is_closed:
            return
        self._events.append((event, counted))
        if not self._is_submitted:
            self._is_submitted = True
            self._senders.submit(self)

    def clear(self) -> None:
        """Drop all events that wait."""
        self._events.clear()

    async def drained(self, timeout: float | None = None) -> bool:
        """Wait until everything has been sent or dropped; ``False`` if the time was too short."""
        if not self._is_submitted:
            return True
        if self._drained is None:
            self._drained = asyncio.get_running_loop().create_future()
        done, _ = await asyncio.wait({self._drained}, timeout=timeout)
        return bool(done)

    async def close(self) -> None:
        """Send nothing more, and give up what is being sent."""
        self._is_closed = True
        self._events.clear()
        task = self._task
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    async def send_all(self) -> None:
        """Send what waits; for the task of ``Senders``."""
        self._task = asyncio.current_task()
        try:
            while self._events and not self._is_closed:
                event, counted = self._events.pop(0)
                self.sent_count += counted  # the acknowledgement may come before ``send`` returns
                await self._send(event)
                if counted:
                    self.was_sent()
        except asyncio.CancelledError:
            self._is_closed = True  # what comes after a gap would be wrong
            self._events.clear()
            raise
        except OSError:  # the client is gone
            self._is_closed = True
            self._events.clear()
        except Exception:  # whatever a server raises
            log.exception("a connection is closed: its server failed to send")
            self._events.clear()
            self.failed()
        finally:
            self._task = None
            self._is_submitted = False
            if self._drained is not None:
                self._drained.set_result(None)
                self._drained = None

    def was_sent(self) -> None:
        """A counted event has been handed to the server."""

    def failed(self) -> None:
        """The server failed to send. Nothing more is sent, unless a subclass wants that."""
        self._is_closed = True
