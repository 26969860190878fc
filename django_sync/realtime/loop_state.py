"""What the connections of one event loop share: the watch, the hub, and the bells that hurry them.

Their reading is done in a thread of its own, on a connection that is looked after as Django
does around a request.
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
from .fair_queue import Turns
from .hub import Hub
from .sending import Senders
from .throttle import Pace
from .watch import News, Watch

if TYPE_CHECKING:  # models: an asgi.py imports this package before it has set up Django
    from ..feed.fanout import Delivery, Subscription

Looked = Callable[..., Awaitable[Any]]
"""Runs a function in the thread that reads the feed."""

LARGE = 64 * 1024
"""Bytes from which a frame is large: reading it holds up the whole process for a moment."""
BYTES_PER_SECOND = 1024 * 1024
"""What a user may send in large frames; what comes faster is not read until its time."""


class Shared:
    """The watch and the hub of ``loop``; ``open`` counts sockets and streams, by user."""

    def __init__(self, loop: asyncio.AbstractEventLoop, turns: Turns, looked: Looked) -> None:
        from ..feed import notify

        self.loop = loop
        self.open: Counter[str] = Counter()
        self.turn = 0
        """How often it was told that somebody's access changed."""
        self.forget: Callable[[str], None] = lambda user: None
        """Called first with each user whose access has changed."""
        self._rechecks: dict[str, set[Callable[[], None]]] = {}
        self.turns = turns
        self._looked = looked
        self.senders = Senders(loop)
        self.pace = Pace(BYTES_PER_SECOND, loop.time)
        self.ending = False
        self._leaving: set[Callable[[], None]] = set()
        self.watch = Watch(self._look, _interval)
        self.hub = Hub(self._turn, self._sealed, _interval)
        notify.listen(self.bell)
        shutdown.attend(self)
        if getattr(settings, "CHANNEL_LAYERS", None):  # Channels is an extra
            from .channel_layer import answer

            self._hints = loop.create_task(answer(self.hear))

    def bell(self, user: str | None) -> None:
        """Hurry, from whichever thread: the feed grew, or a user's access changed."""
        if self.loop.is_closed():
            from ..feed import notify

            notify.unlisten(self.bell)
        else:
            self.loop.call_soon_threadsafe(self.hear, user)

    def hear(self, user: str | None) -> None:
        """The same, on the loop."""
        if user is not None:
            from ..sessions import directives

            directives.forget()
            self.turn += 1
            self.forget(user)
            for recheck in tuple(self._rechecks.get(user, ())):
                recheck()
        self.hub.hurry()
        self.watch.hurry()

    def follow_access(self, user: str, recheck: Callable[[], None], began: int) -> None:
        """Have ``recheck`` called on the loop when the user's access changes.

        Also where it has since ``began``, the ``turn`` at which it was looked at: what was told in
        between reached nobody.
        """
        if self.turn != began:
            self.loop.call_soon(recheck)
        self._rechecks.setdefault(user, set()).add(recheck)

    def unfollow_access(self, user: str, recheck: Callable[[], None]) -> None:
        """The opposite of ``follow_access``."""
        self._rechecks[user].discard(recheck)
        if not self._rechecks[user]:
            del self._rechecks[user]

    def connect(self, user: str, recheck: Callable[[], None], began: int) -> bool:
        """One more open connection of a user; ``False`` where that would be too many.

        Its user's access is followed, as by ``follow_access``.
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
        """Have ``leave`` called on the loop, should the process be told to end."""
        if self.ending:
            self.loop.call_soon(leave)
        self._leaving.add(leave)

    def off_shutdown(self, leave: Callable[[], None]) -> None:
        """The opposite of ``on_shutdown``."""
        self._leaving.discard(leave)

    @contextlib.contextmanager
    def concerned(self, user: str, recheck: Callable[[], None], began: int) -> Iterator[None]:
        """``follow_access`` for a while."""
        self.follow_access(user, recheck, began)
        try:
            yield
        finally:
            self.unfollow_access(user, recheck)

    @contextlib.contextmanager
    def counted(self, user: str, recheck: Callable[[], None], began: int) -> Iterator[bool]:
        """``connect`` for a while, if there is room for one more."""
        has_room = self.connect(user, recheck, began)
        try:
            yield has_room
        finally:
            if has_room:
                self.disconnect(user, recheck)

    @contextlib.contextmanager
    def until_end(self, leave: Callable[[], None]) -> Iterator[None]:
        """``on_shutdown`` for a while."""
        self.on_shutdown(leave)
        try:
            yield
        finally:
            self.off_shutdown(leave)

    def told_to_end(self) -> None:
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        self.ending = True
        for leave in tuple(self._leaving):
            leave()

    async def _look(self, after: int | None) -> News:
        from ..feed import log as feed_log

        head, scopes, left = await self._looked(looked_after, feed_log.news, after)
        if left:
            self.watch.hurry()
        return head, scopes

    async def _turn(self, subscriptions: Sequence[Subscription]) -> tuple[list[Delivery], bool]:
        from ..feed import fanout

        found: tuple[list[Delivery], bool]
        found = await self._looked(looked_after, fanout.tick, subscriptions)
        return found

    async def _sealed(self, subscriptions: Sequence[Subscription]) -> list[str]:
        from ..feed import fanout

        found: list[str] = await self._looked(lambda: list(map(fanout.cursor_of, subscriptions)))
        return found


def _interval() -> float:
    return conf.WATCH_MS / 1000


def looked_after(function: Callable[..., Any], *args: Any) -> Any:
    """Call a function with the thread's database connections handled as for a request."""
    close_old_connections()
    try:
        return function(*args)
    finally:
        close_old_connections()
