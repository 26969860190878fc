"""What the connections of one event loop share: watch, hub, pulls, and the hints that wake them.

The feed is read in a thread of its own, whose database connection is handled as Django handles it
around a request.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import close_old_connections

from ..conf import conf
from . import shutdown
from .fair_queue import FairQueue
from .hub import Hub
from .identity_cache import RequestKeys
from .memory_pulls import MemoryPulls
from .sending import Senders
from .throttle import Pace
from .watch import News, Watch

if TYPE_CHECKING:  # models: an asgi.py imports this package before it has set up Django
    from ..feed.fanout import Delivery, Subscription

InThread = Callable[..., Awaitable[Any]]
"""Runs a function in a certain thread."""

LARGE = 64 * 1024
"""Bytes from which a frame is large: parsing it delays the whole process for a moment."""
BYTES_PER_SECOND = 1024 * 1024
"""What a user may send in large frames; what comes faster has to wait before it is read."""


class LoopState:
    """The watch, the hub and the pulls from memory of ``loop``, and its open connections.

    ``open`` counts sockets and streams by user. ``access_version`` counts the announced changes of
    access, of any user. ``in_feed_thread`` runs a function in the thread that reads the feed,
    ``in_pull_thread`` in the one that answers pulls from memory.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        fair_queue: FairQueue,
        keys: RequestKeys,
        in_feed_thread: InThread,
        in_pull_thread: InThread,
    ) -> None:
        from ..feed import notify

        self.loop = loop
        self.open: Counter[str] = Counter()
        self.access_version = 0
        self._rechecks: dict[str, set[Callable[[], None]]] = {}
        self.fair_queue = fair_queue
        self._in_feed_thread = in_feed_thread
        self.senders = Senders(loop)
        self.pace = Pace(BYTES_PER_SECOND, loop.time)
        self.is_shutting_down = False
        self._leaving: set[Callable[[], None]] = set()
        self.watch = Watch(self._news, _interval)
        self.hub = Hub(self._read, self._cursors, _interval)
        self.pulls = MemoryPulls(in_pull_thread, keys, lambda: self.access_version)
        notify.listen(self.notify)
        shutdown.register(self)
        if getattr(settings, "CHANNEL_LAYERS", None):  # Channels is an extra
            from .channel_layer import receive_hints

            self._hints = loop.create_task(receive_hints(self.notify_on_loop))

    def notify(self, user: str | None) -> None:
        """The feed grew, or the access of ``user`` changed. May be called from any thread."""
        if self.loop.is_closed():
            from ..feed import notify

            notify.unlisten(self.notify)
        else:
            self.loop.call_soon_threadsafe(self.notify_on_loop, user)

    def notify_on_loop(self, user: str | None) -> None:
        """The same as ``notify``, called on the loop."""
        if user is not None:
            from ..sessions import directives

            directives.forget()
            self.access_version += 1
            self.pulls.identities.forget(user)
            for recheck in tuple(self._rechecks.get(user, ())):
                recheck()
        self.hub.hurry()
        self.watch.hurry()

    def follow_access(self, user: str, recheck: Callable[[], None], began: int) -> None:
        """Have ``recheck`` called on the loop when the user's access changes.

        ``began`` is the ``access_version`` at which the access was last checked. A change that was
        announced since then found no ``recheck`` to call, so it is called now.
        """
        if self.access_version != began:
            self.loop.call_soon(recheck)
        self._rechecks.setdefault(user, set()).add(recheck)

    def unfollow_access(self, user: str, recheck: Callable[[], None]) -> None:
        """The opposite of ``follow_access``."""
        self._rechecks[user].discard(recheck)
        if not self._rechecks[user]:
            del self._rechecks[user]

    def connect(self, user: str, recheck: Callable[[], None], began: int) -> bool:
        """Count one more open connection of a user; ``False`` if that would be too many.

        The user's access is followed, as by ``follow_access``.
        """
        if self.open[user] >= conf.CONNECTIONS_PER_USER:
            return False
        self.open[user] += 1
        self.follow_access(user, recheck, began)
        return True

    def disconnect(self, user: str, recheck: Callable[[], None]) -> None:
        """The opposite of a ``connect`` that returned ``True``."""
        self.unfollow_access(user, recheck)
        self.open[user] -= 1
        if not self.open[user]:
            del self.open[user]

    def on_shutdown(self, leave: Callable[[], None]) -> None:
        """Have ``leave`` called on the loop when the process shuts down."""
        if self.is_shutting_down:
            self.loop.call_soon(leave)
        self._leaving.add(leave)

    def off_shutdown(self, leave: Callable[[], None]) -> None:
        """The opposite of ``on_shutdown``."""
        self._leaving.discard(leave)

    @contextlib.contextmanager
    def access_followed(self, user: str, recheck: Callable[[], None], began: int) -> Iterator[None]:
        """``follow_access`` within a block."""
        self.follow_access(user, recheck, began)
        try:
            yield
        finally:
            self.unfollow_access(user, recheck)

    @contextlib.contextmanager
    def connected(self, user: str, recheck: Callable[[], None], began: int) -> Iterator[bool]:
        """``connect`` within a block, if one more connection is allowed."""
        has_room = self.connect(user, recheck, began)
        try:
            yield has_room
        finally:
            if has_room:
                self.disconnect(user, recheck)

    @contextlib.contextmanager
    def until_shutdown(self, leave: Callable[[], None]) -> Iterator[None]:
        """``on_shutdown`` within a block."""
        self.on_shutdown(leave)
        try:
            yield
        finally:
            self.off_shutdown(leave)

    def shut_down(self) -> None:
        """The process will end; called from the handler of SIGTERM."""
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self._shut_down)

    def _shut_down(self) -> None:
        self.is_shutting_down = True
        for leave in tuple(self._leaving):
            leave()

    async def _news(self, after: int | None) -> News:
        from ..feed import log as feed_log

        head, scopes, left = await self._in_feed_thread(
            with_fresh_connections, feed_log.news, after
        )
        if left:
            self.watch.hurry()
        return head, scopes

    async def _read(self, subscriptions: Sequence[Subscription]) -> tuple[list[Delivery], bool]:
        from ..feed import fanout

        found: tuple[list[Delivery], bool]
        found = await self._in_feed_thread(with_fresh_connections, fanout.tick, subscriptions)
        return found

    async def _cursors(self, subscriptions: Sequence[Subscription]) -> list[str]:
        from ..feed import fanout

        found: list[str] = await self._in_feed_thread(
            lambda: list(map(fanout.cursor_of, subscriptions))
        )
        return found


def _interval() -> float:
    return conf.WATCH_MS / 1000


def with_fresh_connections(function: Callable[..., Any], *args: Any) -> Any:
    """Call a function, with the thread's database connections handled as for a request."""
    close_old_connections()
    try:
        return function(*args)
    finally:
        close_old_connections()
