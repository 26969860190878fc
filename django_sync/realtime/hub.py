"""The hub: one reader of the feed for all sockets and streams of a process (R4, R5, R7).

Each connection has a subscription: its caller, what the caller sees, and the place in the feed up
to which the client has everything. A tick takes the connections that can take another frame, reads
what comes after their places, and gives each its frame. So a connection that joins needs no buffer:
its place is where its pull ended, and the next tick begins there. A slow connection keeps its place
while others move on, and delays no other connection.

The hub looks at the feed when it is notified, and by itself every ``WATCH_MS``. It belongs to one
event loop, and knows nothing about HTTP or databases: the functions that read are passed in.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Protocol
from weakref import WeakKeyDictionary, WeakValueDictionary

from ..conf import conf
from ..errors import SyncError

if TYPE_CHECKING:  # models: an asgi.py imports this package before it has set up Django
    from ..feed.fanout import Audience, Delivery, Subscription

log = logging.getLogger("django_sync.realtime")

CURSOR_SECONDS = 1.0
"""The longest time for which frames are sent without a cursor that covers them."""

Read = Callable[[Sequence["Subscription"]], Awaitable[tuple[list["Delivery"], bool]]]
Cursors = Callable[[Sequence["Subscription"]], Awaitable[list[str]]]


class Frame:
    """A text for many connections, and its event of each transport, made once."""

    __slots__ = ("_socket", "_stream", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._socket: dict[str, object] | None = None
        self._stream: dict[str, object] | None = None

    def for_socket(self) -> dict[str, object]:
        if self._socket is None:
            self._socket = {"type": "websocket.send", "text": self.text}
        return self._socket

    def for_stream(self) -> dict[str, object]:
        if self._stream is None:
            body = f"event: changes\ndata: {self.text}\n\n".encode()
            self._stream = {"type": "http.response.body", "body": body, "more_body": True}
        return self._stream


class Connection(Protocol):
    """One client's open connection, as the hub uses it. None of its methods waits."""

    subscription: Subscription

    @property
    def ready(self) -> bool:
        """Whether it can take another frame."""

    def deliver(self, frame: Frame) -> None: ...

    def send_cursor(self, cursor: str) -> None: ...

    def refresh(self) -> None:
        """What its user sees has changed. It has left the hub; it pulls and joins again."""

    def expire(self, error: SyncError) -> None:
        """Its place in the feed is no longer valid. It has left the hub."""


class Hub:
    """The connections of one event loop, and the task that serves them while there are any.

    ``read`` returns a delivery for each subscription, and whether there is more to read.
    ``cursors`` returns a cursor for each subscription.
    """

    def __init__(self, read: Read, cursors: Cursors, interval: Callable[[], float]) -> None:
        self._read = read
        self._cursors = cursors
        self._interval = interval
        self._connections: dict[Connection, None] = {}
        self._lack_cursor: dict[Connection, None] = {}
        self._audiences: WeakValueDictionary[object, Audience] = WeakValueDictionary()
        self._known_since: WeakKeyDictionary[Audience, float] = WeakKeyDictionary()
        self._cursors_at = 0.0
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._connections)

    def known(self, audience: Audience) -> Audience:
        """One audience for all connections of a user that see the same; at most a heartbeat old."""
        now = asyncio.get_running_loop().time()
        found = self._audiences.get(audience.key)
        if found is not None and now - self._known_since[found] < conf.HEARTBEAT:
            return found
        self._audiences[audience.key] = audience
        self._known_since[audience] = now
        return audience

    def join(self, connection: Connection) -> None:
        """Serve a connection from its subscription on."""
        self._connections[connection] = None
        self.hurry()
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    def leave(self, connection: Connection) -> None:
        self._connections.pop(connection, None)
        self._lack_cursor.pop(connection, None)

    def remind(self, connection: Connection) -> None:
        """Send a connection its cursor, when cursors are sent next."""
        if connection in self._connections:
            self._lack_cursor[connection] = None
            if asyncio.get_running_loop().time() >= self._cursors_at + CURSOR_SECONDS:
                self.hurry()

    def hurry(self) -> None:
        """Look at once: the feed may have grown, or a connection can take more."""
        self._wake.set()

    async def _run(self) -> None:
        while self._connections:
            self._wake.clear()
            try:
                is_more = await self._tick()
                await self._send_cursors()
            except Exception:  # the database, mostly: it may be over by the next look
                log.exception("the feed could not be read for the open connections")
                await asyncio.sleep(self._interval())
                continue
            if not is_more:
                await self._pause()

    async def _pause(self) -> None:
        """Wait for a call of ``hurry``, or until it is time to look or to send cursors."""
        seconds = self._interval()
        if self._lack_cursor:
            due = self._cursors_at + CURSOR_SECONDS - asyncio.get_running_loop().time()
            seconds = min(seconds, max(due, 0))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)

    async def _tick(self) -> bool:
        """Give each connection that is ready its next frame; return whether there is more."""
        groups = _by_subscription(one for one in self._connections if one.ready)
        if not groups:
            return False
        deliveries, is_more = await self._read([subscription for subscription, _ in groups])
        for delivery, (_, served) in zip(deliveries, groups, strict=True):
            self._hand_out(delivery, served)
        return is_more

    def _hand_out(
        self, delivery: Delivery, served: Iterable[tuple[Connection, Subscription]]
    ) -> None:
        frame = None if delivery.frame is None else Frame(delivery.frame)
        for connection, subscription in served:
            if connection not in self._connections or connection.subscription is not subscription:
                continue  # it has left meanwhile, or joined again at another place
            if delivery.error is not None:
                self.leave(connection)
                connection.expire(delivery.error)
            elif delivery.stale:
                self.leave(connection)
                connection.refresh()
            else:
                connection.subscription = delivery.subscription
                if frame is not None:
                    connection.deliver(frame)

    async def _send_cursors(self) -> None:
        """Send a cursor to the connections that got frames since the last one, once a second."""
        now = asyncio.get_running_loop().time()
        if not self._lack_cursor or now < self._cursors_at + CURSOR_SECONDS:
            return
        self._cursors_at = now
        groups = _by_subscription(self._lack_cursor)
        self._lack_cursor.clear()
        cursors = await self._cursors([subscription for subscription, _ in groups])
        for (_, served), cursor in zip(groups, cursors, strict=True):
            for connection, _ in served:
                if connection in self._connections:
                    connection.send_cursor(cursor)


def _by_subscription(
    connections: Iterable[Connection],
) -> list[tuple[Subscription, list[tuple[Connection, Subscription]]]]:
    """Connections by subscription: the same user, the same visibility and the same place."""
    groups: dict[object, tuple[Subscription, list[tuple[Connection, Subscription]]]] = {}
    # Connections that got the same frame share one subscription object: compare it by identity.
    by_identity: dict[int, list[tuple[Connection, Subscription]]] = {}
    for connection in connections:
        subscription = connection.subscription
        group = by_identity.get(id(subscription))
        if group is None:
            key = (subscription.audience.key, subscription.place, subscription.open)
            group = by_identity[id(subscription)] = groups.setdefault(key, (subscription, []))[1]
        group.append((connection, subscription))
    return list(groups.values())
