"""What sockets and streams have in common: events to send, and a place in the feed.

Only a task of ``sending`` waits for the client. Frames that the client has not taken are counted:
while there are ``WINDOW`` of them, the connection is not ready, the hub skips it, and its place in
the feed does not move. So a slow client costs the memory of a few frames, and no time. Events of
all other kinds are counted, too; too many of them close the connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..conf import conf
from ..errors import SyncError
from .hub import Frame, Hub
from .routes import Send
from .sending import Outgoing, log
from .subrequest import granted

if TYPE_CHECKING:  # models: an asgi.py imports this package before it has set up Django
    from ..feed.fanout import Audience, Subscription
    from .loop_state import LoopState

WINDOW = 16
"""Frames of changes that were not acknowledged or are not sent yet; a client has no more."""

MOST_UNSENT = 4 * WINDOW
"""Events of all kinds that may wait to be sent."""

CLOSE_SECONDS = 5
"""The longest time that a client gets to take its last events."""


class Connection(Outgoing):
    """One client's open connection; a subclass makes its events and closes it."""

    __slots__ = (
        "_follower",
        "_lacks_cursor",
        "_places",
        "_room",
        "_taken_position",
        "finished",
        "frames",
        "has_begun",
        "hub",
        "last_cursor",
        "subscription",
        "taken",
        "taken_at",
    )

    subscription: Subscription

    def __init__(self, shared: LoopState, send: Send) -> None:
        super().__init__(shared.senders, send)
        self.hub: Hub = shared.hub
        self._room: asyncio.Future[None] | None = None
        """A pull waits for this while the client's window is full."""
        self._follower: asyncio.Task[None] | None = None
        self.has_begun = False
        """Whether it follows the feed, or pulls to begin."""
        self.frames = 0
        """Frames of changes that were put into the queue so far."""
        self.taken = 0
        """Those of them that the client has taken."""
        self.taken_at = 0.0
        self._places: list[int | None] = []
        """The feed position after each frame that is not taken yet; ``None`` for a pull's frame."""
        self._taken_position: int | None = None
        """The feed position after the last frame that was taken, if it is known."""
        self._lacks_cursor = False
        """Whether frames were sent since the last cursor."""
        self.finished = False
        self.last_cursor = ""
        """The last cursor that the client has, or was sent."""

    # What a subclass does

    def frame_event(self, frame: Frame) -> Mapping[str, Any]:
        raise NotImplementedError

    def cursor_event(self, cursor: str) -> Mapping[str, Any]:
        raise NotImplementedError

    async def pull(self, cursor: str) -> Any:
        """The project's answer to this client's pull from a cursor (``""``: from the start)."""
        raise NotImplementedError

    def refuse(self, response: Any) -> None:
        """Close it: the project's answer to a pull is no page."""
        raise NotImplementedError

    def expire(self, error: SyncError) -> None:
        raise NotImplementedError

    def recheck(self) -> None:
        raise NotImplementedError

    def overrun(self) -> None:
        """Close it: too many events wait to be sent."""
        raise NotImplementedError

    def fail(self) -> None:
        """Close it: an unexpected exception was raised."""
        raise NotImplementedError

    def failed(self) -> None:
        """Close it, with a reason if possible: the client lacks what was not sent."""
        self.finished = True
        self.hub.leave(self)
        self.fail()

    def begin_work(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start ``guarded`` work; its coroutine is closed even if it never starts."""
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
        self._lacks_cursor = True
        self.put(self.frame_event(frame), counted=True)

    def send_cursor(self, cursor: str, *, always: bool = False) -> None:
        """Send the client its cursor if it is a new one; ``always``: also if it is not."""
        self._lacks_cursor = False
        if always or cursor != self.last_cursor:
            self.last_cursor = cursor
            self.put(self.cursor_event(cursor))

    def refresh(self) -> None:
        """Pull from the last cursor until nothing is missing, then join the hub."""
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
        """Whether the client catches up by pulls; the hub sends nothing meanwhile."""
        return self._follower is not None and not self._follower.done()

    # The client's side

    def put(self, event: Mapping[str, Any], *, counted: bool = False) -> None:
        """Send an event after those before it; ``counted``: it is a frame of changes."""
        if self.finished:
            return
        if len(self) >= MOST_UNSENT:
            self.overrun()
            return
        self.add(event, counted)

    def take(self, frames: int) -> None:
        """The client has so many frames of this connection.

        A cursor for them follows soon. A client that takes no frames gets no cursor.
        """
        had_no_room = not self.ready
        positions = self._places[: frames - self.taken]
        del self._places[: frames - self.taken]
        known = (p for p in reversed(positions) if p is not None)
        self._taken_position = next(known, self._taken_position)
        self.taken = frames
        self.taken_at = asyncio.get_running_loop().time()
        if self._lacks_cursor:
            self.hub.remind(self)
        if had_no_room and self.ready:
            if self._room is not None and not self._room.done():
                self._room.set_result(None)
            self._room = None
            self.hub.hurry()

    def update_audience(self, audience: Audience) -> None:
        """Pull again if the user sees something else by now; ``audience`` is who sees what now."""
        if self.finished or self.is_pulling:
            return  # a pull is under way, and reads it itself
        if audience.key != self.subscription.audience.key:
            self.refresh()
        else:
            self.subscription = replace(self.subscription, audience=self.hub.known(audience))
            self.hub.remind(self)

    @property
    def position(self) -> int | None:
        """The position in the feed up to which the client has everything, if it is known."""
        if self.is_pulling or not hasattr(self, "subscription"):
            return None
        return self.subscription.place[1] if self.frames == self.taken else self._taken_position

    def is_stuck(self) -> bool:
        """Whether the client has frames to take, and took none for longer than a heartbeat."""
        waited = asyncio.get_running_loop().time() - self.taken_at
        return self.frames > self.taken and waited > conf.HEARTBEAT

    def open(self, cursor: str) -> None:
        """Follow the feed from a cursor (``""``: from a snapshot)."""
        self.last_cursor = cursor
        self.refresh()

    async def finish(self, *events: Mapping[str, Any]) -> None:
        """Send these events, then no more. A client that takes nothing gets only the last one."""
        self.finished = True
        self.hub.leave(self)
        if self._follower is not None:
            self._follower.cancel()
        for event in events:
            self.add(event)
        if not await self.drained(CLOSE_SECONDS):
            self.clear()
            self.add(events[-1])

    async def close(self) -> None:
        """Leave the hub, and end the tasks of the connection."""
        self.hub.leave(self)
        await super().close()
        if self._follower is not None:
            self._follower.cancel()
            await asyncio.gather(self._follower, return_exceptions=True)

    async def guarded(self, work: Coroutine[Any, Any, None]) -> None:
        """Do work of the connection; if it fails, close the connection: it would lack changes."""
        try:
            await work
        except Exception:  # noqa: BLE001  # of any kind; it is logged
            log.exception("a connection is closed for a fault")
            self.fail()

    async def _follow(self) -> None:
        first = True
        while True:
            if not self.ready:
                self._room = asyncio.get_running_loop().create_future()
                await self._room
            response = await self.pull(self.last_cursor)
            if not granted(response):
                self.refuse(response)
                return
            page = response.data
            if first or page["changes"] or page["has_more"] or page["cursor"] != self.last_cursor:
                # The page as it was rendered, with a type: a frame may have more members.
                content = '{"type":"changes",' + response.content.decode()[1:]
                self.deliver(Frame(content))
                self.send_cursor(page["cursor"], always=first)  # a page is followed by its cursor
            first = False
            subscription = response.sync.subscription
            if subscription is not None:
                self.subscription = replace(
                    subscription, audience=self.hub.known(subscription.audience)
                )
                self.hub.join(self)
                return
            if not page["has_more"]:  # what they see has changed since that page
                await asyncio.sleep(conf.WATCH_MS / 1000)
