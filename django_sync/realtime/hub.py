"""The hub: one reader of the feed for all sockets and streams of a process (R4, R5, R7).

Each line (a client's open connection) has a seat: who looks, what they see, and the place in
the feed up to which they have it all. A turn takes the lines that can take more, reads what is
behind their places, and hands each its frame. So a line that joins needs no buffer: it brings
the place at which its pull ended, and the next turn begins there. A slow line keeps its place
while others move on, and nobody waits for it.

The hub looks when it is told to hurry, and by itself every ``WATCH_MS``. It belongs to one event
loop, and knows nothing of HTTP or of databases: what it does in threads comes in from outside.
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
"""The longest time for which frames flow without a cursor that stands for them."""

Turn = Callable[[Sequence["Subscription"]], Awaitable[tuple[list["Delivery"], bool]]]
Sealed = Callable[[Sequence["Subscription"]], Awaitable[list[str]]]


class Frame:
    """A text that goes to many, and its forms by transport, each made once."""

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


class Line(Protocol):
    """One client's connection, as the hub sees it. None of its methods waits."""

    subscription: Subscription

    @property
    def ready(self) -> bool:
        """Whether it can take another frame."""

    def deliver(self, frame: Frame) -> None: ...

    def tell_cursor(self, cursor: str) -> None: ...

    def refresh(self) -> None:
        """What it sees has changed: it left the hub, pulls, and joins again."""

    def expire(self, error: SyncError) -> None:
        """Its place is none any more."""


class Hub:
    """The lines of one process, and the task that serves them while there are any."""

    def __init__(self, turn: Turn, sealed: Sealed, interval: Callable[[], float]) -> None:
        self._turn = turn
        self._sealed = sealed
        self._interval = interval
        self._lines: dict[Line, None] = {}
        self._dirty: dict[Line, None] = {}
        self._audiences: WeakValueDictionary[object, Audience] = WeakValueDictionary()
        self._met: WeakKeyDictionary[Audience, float] = WeakKeyDictionary()
        self._cursors_at = 0.0
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._lines)

    def known(self, audience: Audience) -> Audience:
        """One audience for all lines of a user who see the same, not older than a heartbeat."""
        now = asyncio.get_running_loop().time()
        found = self._audiences.get(audience.key)
        if found is not None and now - self._met[found] < conf.HEARTBEAT:
            return found
        self._audiences[audience.key] = audience
        self._met[audience] = now
        return audience

    def join(self, line: Line) -> None:
        """Serve a line from its seat on."""
        self._lines[line] = None
        self.hurry()
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    def leave(self, line: Line) -> None:
        self._lines.pop(line, None)
        self._dirty.pop(line, None)

    def remind(self, line: Line) -> None:
        """Have a line told its place, at the next time that cursors are told."""
        if line in self._lines:
            self._dirty[line] = None
            if asyncio.get_running_loop().time() >= self._cursors_at + CURSOR_SECONDS:
                self.hurry()

    def hurry(self) -> None:
        """Look at once: the feed may have grown, or a line can take more."""
        self._wake.set()

    async def _run(self) -> None:
        while self._lines:
            self._wake.clear()
            try:
                again = await self._serve()
                await self._tell_cursors()
            except Exception:  # the database, mostly: it may be over by the next look
                log.exception("the feed could not be read for those who listen")
                await asyncio.sleep(self._interval())
                continue
            if not again:
                await self._pause()

    async def _pause(self) -> None:
        """Until somebody hurries, or it is time to look, or to tell cursors."""
        seconds = self._interval()
        if self._dirty:
            due = self._cursors_at + CURSOR_SECONDS - asyncio.get_running_loop().time()
            seconds = min(seconds, max(due, 0))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)

    async def _serve(self) -> bool:
        """One turn; whether there is more at once."""
        groups = _seated(line for line in self._lines if line.ready)
        if not groups:
            return False
        deliveries, again = await self._turn([subscription for subscription, _ in groups])
        for delivery, (_, taken) in zip(deliveries, groups, strict=True):
            self._hand_out(delivery, taken)
        return again

    def _hand_out(self, delivery: Delivery, taken: Iterable[tuple[Line, Subscription]]) -> None:
        frame = None if delivery.frame is None else Frame(delivery.frame)
        for line, subscription in taken:
            if line not in self._lines or line.subscription is not subscription:
                continue  # it left meanwhile, or sits elsewhere
            if delivery.error is not None:
                self.leave(line)
                line.expire(delivery.error)
            elif delivery.stale:
                self.leave(line)
                line.refresh()
            else:
                line.subscription = delivery.subscription
                if frame is not None:
                    line.deliver(frame)

    async def _tell_cursors(self) -> None:
        """Tell those who took frames where they stand, at most once a second."""
        now = asyncio.get_running_loop().time()
        if not self._dirty or now < self._cursors_at + CURSOR_SECONDS:
            return
        self._cursors_at = now
        groups = _seated(self._dirty)
        self._dirty.clear()
        cursors = await self._sealed([subscription for subscription, _ in groups])
        for (_, taken), cursor in zip(groups, cursors, strict=True):
            for line, _ in taken:
                if line in self._lines:
                    line.tell_cursor(cursor)


def _seated(lines: Iterable[Line]) -> list[tuple[Subscription, list[tuple[Line, Subscription]]]]:
    """Lines by seat: who sees the same as the same user, and stands at the same place."""
    groups: dict[object, tuple[Subscription, list[tuple[Line, Subscription]]]] = {}
    # Lines that got the same frame share one seat object, so their seats need no comparison.
    by_identity: dict[int, list[tuple[Line, Subscription]]] = {}
    for line in lines:
        subscription = line.subscription
        group = by_identity.get(id(subscription))
        if group is None:
            key = (subscription.audience.key, subscription.place, subscription.open)
            group = by_identity[id(subscription)] = groups.setdefault(key, (subscription, []))[1]
        group.append((line, subscription))
    return list(groups.values())
