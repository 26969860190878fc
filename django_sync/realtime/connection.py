"""What a socket and a stream have in common: events to send, and a place in the feed.

Only a task of ``sending`` waits for the client. Frames that the client has not taken are few and
counted; while there are ``WINDOW`` of them the line is not ready, the hub passes it over, and its
place in the feed stays where it is. So a slow client costs a few frames of memory, and no time.
All else that it has not taken is counted, too, and ends the line where it becomes too much.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..conf import conf
from ..errors import SyncError
from .hub import Frame, Hub
from .requests import Send
from .sending import Outgoing
from .subrequest import granted

if TYPE_CHECKING:  # models: an asgi.py imports this package before it has set up Django
    from ..feed.fanout import Audience, Subscription
    from .loop_state import Shared

log = logging.getLogger("django_sync.realtime")

WINDOW = 16
"""Frames of changes that a client may have before it, unacknowledged or not yet sent."""

WAITING = 4 * WINDOW
"""Events of all kinds that may wait to be sent."""

FAREWELL_SECONDS = 5
"""The longest time that a client gets to take what it is told last."""


class Line(Outgoing):
    """One client's open connection; subclasses say how a frame looks, and how it ends."""

    __slots__ = (
        "_follower",
        "_owes_cursor",
        "_places",
        "_reached",
        "_room",
        "finished",
        "frames",
        "has_begun",
        "hub",
        "subscription",
        "taken",
        "taken_at",
        "told",
    )

    subscription: Subscription

    def __init__(self, shared: Shared, send: Send) -> None:
        super().__init__(shared.senders, send)
        self.hub: Hub = shared.hub
        self._room: asyncio.Future[None] | None = None
        """What a pull waits for while the client's window is full."""
        self._follower: asyncio.Task[None] | None = None
        self.has_begun = False
        """Whether it follows the feed, or is about to."""
        self.frames = 0
        """Frames of changes that were put into the queue so far."""
        self.taken = 0
        """Those of them that the client has taken."""
        self.taken_at = 0.0
        self._places: list[int | None] = []
        """The feed position after each frame that is not taken yet; ``None``: a pull's frame."""
        self._reached: int | None = None
        """The feed position after the last frame that was taken, if it is known."""
        self._owes_cursor = False
        """Whether frames were sent since the last cursor."""
        self.finished = False
        self.told = ""
        """The cursor that was told last."""

    # What a subclass says

    def frame_event(self, frame: Frame) -> Mapping[str, Any]:
        raise NotImplementedError

    def cursor_event(self, cursor: str) -> Mapping[str, Any]:
        raise NotImplementedError

    async def pull(self, cursor: str) -> Any:
        """The project's answer to this client's pull from a cursor (``""``: from the start)."""
        raise NotImplementedError

    def refuse(self, response: Any) -> None:
        """End, because of an answer of the project's that is no page."""
        raise NotImplementedError

    def expire(self, error: SyncError) -> None:
        raise NotImplementedError

    def recheck(self) -> None:
        raise NotImplementedError

    def overrun(self) -> None:
        """Too much waits to be sent: end."""
        raise NotImplementedError

    def fail(self) -> None:
        """Something broke that was not foreseen: end."""
        raise NotImplementedError

    def failed(self) -> None:
        """Close the connection, with a reason if possible: the client lacks what was not sent."""
        self.finished = True
        self.hub.leave(self)
        self.fail()

    def begin_work(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Have guarded work done. One that is given up before its first step is closed, too."""
        task = asyncio.get_running_loop().create_task(self.guarded(work))
        task.add_done_callback(lambda _: work.close())
        return task

    # The hub's side

    @property
    def ready(self) -> bool:
        return self.frames - self.taken < WINDOW

    def deliver(self, frame: Frame) -> None:
        if self.finished:
            return
        if self.frames == self.taken:
            self.taken_at = asyncio.get_running_loop().time()
        self.frames += 1
        self._places.append(None if self.is_pulling else self.subscription.place[1])
        self._owes_cursor = True
        self.put(self.frame_event(frame), counted=True)

    def tell_cursor(self, cursor: str, *, always: bool = False) -> None:
        """Say where the client stands, where that is news; ``always``: also where it is none."""
        self._owes_cursor = False
        if always or cursor != self.told:
            self.told = cursor
            self.put(self.cursor_event(cursor))

    def refresh(self) -> None:
        """Pull from the last place on, until nothing is missing, and join the hub."""
        self.hub.leave(self)
        if not self.finished and not self.is_pulling:
            self.has_begun = True
            self._follower = self.begin_work(self._follow())
            self._follower.add_done_callback(self._forget)

    def _forget(self, follower: asyncio.Task[None]) -> None:
        if self._follower is follower:
            self._follower = None

    @property
    def is_pulling(self) -> bool:
        """Whether a pull catches the client up; the hub sends nothing meanwhile."""
        return self._follower is not None and not self._follower.done()

    # The client's side

    def put(self, event: Mapping[str, Any], *, counted: bool = False) -> None:
        """Send an event when those before it are sent; ``counted``: a frame of changes."""
        if self.finished:
            return
        if len(self) >= WAITING:
            self.overrun()
            return
        self.add(event, counted)

    def take(self, frames: int) -> None:
        """The client has so many frames of this line.

        A cursor for them follows soon. A client that takes no frames gets no cursor.
        """
        had_no_room = not self.ready
        behind = self._places[: frames - self.taken]
        del self._places[: frames - self.taken]
        self._reached = next((p for p in reversed(behind) if p is not None), self._reached)
        self.taken = frames
        self.taken_at = asyncio.get_running_loop().time()
        if self._owes_cursor:
            self.hub.remind(self)
        if had_no_room and self.ready:
            if self._room is not None and not self._room.done():
                self._room.set_result(None)
            self._room = None
            self.hub.hurry()

    def look(self, audience: Audience) -> None:
        """See whether the line still delivers what its user sees; ``audience`` is that, now."""
        if self.finished or self.is_pulling:
            return  # a pull is under way, which sees for itself
        if audience.key != self.subscription.audience.key:
            self.refresh()
        else:
            self.subscription = replace(self.subscription, audience=self.hub.known(audience))
            self.hub.remind(self)

    @property
    def reached(self) -> int | None:
        """The place in the feed up to which the client has everything, where that is known."""
        if self.is_pulling or not hasattr(self, "subscription"):
            return None
        return self.subscription.place[1] if self.frames == self.taken else self._reached

    def is_stuck(self) -> bool:
        """Whether the client has had frames before it for longer than a heartbeat."""
        waited = asyncio.get_running_loop().time() - self.taken_at
        return self.frames > self.taken and waited > conf.HEARTBEAT

    def open(self, cursor: str) -> None:
        """Begin to follow the feed from a cursor (``""``: with a snapshot)."""
        self.told = cursor
        self.refresh()

    async def finish(self, *events: Mapping[str, Any]) -> None:
        """Send these last, and nothing more; to whoever takes nothing, only the very last."""
        self.finished = True
        self.hub.leave(self)
        if self._follower is not None:
            self._follower.cancel()
        for event in events:
            self.add(event)
        if not await self.drained(FAREWELL_SECONDS):
            self.clear()
            self.add(events[-1])

    async def close(self) -> None:
        """Let go of all that belongs to the line."""
        self.hub.leave(self)
        await super().close()
        if self._follower is not None:
            self._follower.cancel()
            await asyncio.gather(self._follower, return_exceptions=True)

    async def guarded(self, work: Coroutine[Any, Any, None]) -> None:
        """Do work of the line's; where it breaks the line does: it would lack what others get."""
        try:
            await work
        except Exception:  # whatever it was, it is told in the log
            log.exception("a connection is closed for a fault")
            self.fail()

    async def _follow(self) -> None:
        first = True
        while True:
            if not self.ready:
                self._room = asyncio.get_running_loop().create_future()
                await self._room
            response = await self.pull(self.told)
            if not granted(response):
                self.refuse(response)
                return
            page = response.data
            if first or page["changes"] or page["has_more"] or page["cursor"] != self.told:
                # The page as it was rendered, with a type: a frame may hold more than it must.
                content = '{"type":"changes",' + response.content.decode()[1:]
                self.deliver(Frame(content))
                self.tell_cursor(page["cursor"], always=first)  # it ends the catch-up
            first = False
            subscription = response.sync_subscription
            if subscription is not None:
                self.subscription = replace(
                    subscription, audience=self.hub.known(subscription.audience)
                )
                self.hub.join(self)
                return
            if not page["has_more"]:  # what they see has changed since that page
                await asyncio.sleep(conf.WATCH_MS / 1000)
