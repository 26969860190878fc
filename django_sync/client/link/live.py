"""One open connection, from the hello to its end: handles its frames and sends ours.

It runs in the link's own thread, which calls ``pump()`` whenever something came or is due.
``connections`` opens a connection and decides what follows its end.
"""

from __future__ import annotations

import itertools
import json
import logging
from collections.abc import Callable
from typing import Any

from ... import errors
from ...protocol import PROTOCOL_VERSION
from ...protocol.words import Transport
from ..net import frames
from ..net.acknowledgement import Acknowledgement
from ..net.cancel import Interrupted
from ..net.connection import MAX_QUEUED, Connection
from ..net.frames import Frame
from ..waker import Waker
from .feed import Feed

log = logging.getLogger("django_sync.client")

WELCOME = 10.0
"""Seconds to wait for the answer to a hello."""

PATIENCE = 30.0
"""Seconds to wait for results, not counting a catch-up that comes first."""


class SwitchRequested(Exception):
    """The server wants another transport. It never leaves the client."""

    def __init__(self, transport: str, retry_after: float | None) -> None:
        self.transport = transport
        self.retry_after = retry_after
        super().__init__(transport)


class Live:
    """A connection and the feed behind it. ``alive`` says whether waiting still makes sense."""

    def __init__(
        self,
        connection: Connection,
        feed: Feed,
        waker: Waker,
        heartbeat: float,
        *,
        alive: Callable[[], bool],
        welcomed: Callable[[], None],
    ) -> None:
        self._connection = connection
        self._waker = waker
        self._alive = alive
        self._welcomed = welcomed
        self._is_welcome = False
        self._refs = itertools.count(1)
        self._ref = ""
        self._answer: dict[str, Any] | errors.SyncError | None = None
        self._reason: errors.SyncError | None = None
        self._asks = connection.transport is Transport.WEBSOCKET
        self.feed = feed
        self.transport = connection.transport
        self._acknowledgement = Acknowledgement(heartbeat)
        self.has_ended = False
        self.opened_at = self._sent_at = self._busy_at = waker.now()

    def begin(self, session: str) -> None:
        """Say hello; the request of a stream contains all of it."""
        if self._asks:
            place = self.feed.place
            hello = {"type": "hello", "protocol": PROTOCOL_VERSION, "session": session}
            self._send(hello | {"cursor": place.cursor, "collections": self.feed.collections})
        else:
            self._is_welcome = True
            self._welcomed()

    @property
    def heartbeat(self) -> float:
        """Seconds after which a quiet connection is checked."""
        return self._acknowledgement.heartbeat

    @property
    def received_at(self) -> float:
        """When bytes came last, by the waker's clock."""
        return self._connection.queue.received_at

    def close(self) -> None:
        """Close the connection, and stop feeding the store."""
        self._connection.close()
        self.feed.end()

    def pump(self) -> float:
        """Handle what came; return when something is due next. Raises why the connection ended."""
        try:
            return self._pump()
        except errors.SyncError as error:
            self.has_ended = True
            raise self._reason or error from None

    def _pump(self) -> float:
        for _ in range(MAX_QUEUED):
            body = self._connection.queue.next()
            if body is None:
                break
            self._handle(frames.read(body))
            self._acknowledge()
        if not self._asks:
            return float("inf")
        self._acknowledge()
        return self._due(self._waker.now())

    def _acknowledge(self) -> None:
        """Acknowledge the frames that were taken, if that is due; a stream sends nothing."""
        if not self._asks:
            return
        now = self._waker.now()
        self._acknowledgement.take(self.feed.frames, now)
        frames = self._acknowledgement.next(now, at_once=self.feed.waits_for_cursor)
        if frames is not None:
            self._send({"type": "ack", "frames": frames})

    def post(self, body: bytes) -> dict[str, Any]:
        """Send a batch of mutations and wait for its results; handle other frames meanwhile.

        Raises the server's error, or, with ``has_ended``, why there is no answer.
        """
        self._ref, self._answer = str(next(self._refs)), None
        self._write(f'{{"type":"mutate","ref":"{self._ref}",{body.decode()[1:]}')
        began = self._waker.now()
        while True:
            due = self.pump()
            now = self._waker.now()
            if (answer := self._answered()) is not None:
                return answer
            if not self._alive():
                raise Interrupted
            until = max(began, self._busy_at) + PATIENCE
            if now >= until:
                self.has_ended = True
                raise errors.Offline("No results came.")
            self._waker.wait(min(due, until) - now)

    def _answered(self) -> dict[str, Any] | None:
        """The answer, if it has come; raises an error that has come instead."""
        if isinstance(self._answer, errors.SyncError):
            raise self._answer
        return self._answer

    def _due(self, now: float) -> float:
        """Keep the connection alive, or find that it is dead."""
        if not self._is_welcome and now >= self.opened_at + WELCOME:
            raise errors.Offline("The server did not answer the hello.")
        dead_at = self._connection.queue.received_at + 2 * self.heartbeat
        if now >= dead_at:
            raise errors.Offline("Nothing came for two heartbeats.")
        if now >= self._sent_at + self.heartbeat / 2:
            self._send({"type": "ping"})
        acknowledged_at = self._acknowledgement.due_at()
        due = min(dead_at, self._sent_at + self.heartbeat / 2, acknowledged_at)
        return due if self._is_welcome else min(due, self.opened_at + WELCOME)

    def _send(self, frame: dict[str, Any]) -> None:
        self._write(json.dumps(frame))

    def _write(self, text: str) -> None:
        """Send. If the connection is broken, the queue holds the reason."""
        try:
            self._connection.send(text)
        except errors.Offline as error:
            log.info("A frame was not sent: %s", error.detail)
        self._sent_at = self._waker.now()

    def _handle(self, frame: Frame | None) -> None:
        match frame:
            case frames.Welcome():
                self._welcome(frame)
            case frames.Changes(page):
                self._expect_welcome()
                if page.has_more:
                    self._busy_at = self._waker.now()
                self.feed.changes(page)
            case frames.Cursor(cursor):
                self._expect_welcome()
                self.feed.cursor(cursor)
            case frames.Results(ref, body) if ref == self._ref:
                self._answer = dict(body)
            case frames.Problem(ref, error) if ref is not None and ref == self._ref:
                self._answer = error
            case frames.Problem(None, error):
                log.warning("The server reports: %s", error.detail)
                self._reason = error
            case frames.Switch(transport, retry_after):
                raise SwitchRequested(transport, retry_after)
            case frames.Results(ref) | frames.Problem(ref):
                log.warning("The server answered what was not asked: %r", ref)

    def _welcome(self, welcome: frames.Welcome) -> None:
        if self._is_welcome:
            return
        place = self.feed.place
        if place.cursor is not None and place.epoch != welcome.epoch:
            raise errors.CursorExpired("The server has another epoch.")
        self._is_welcome = True
        acknowledgement = self._acknowledgement
        acknowledgement.heartbeat = welcome.heartbeat or acknowledgement.heartbeat
        acknowledgement.window = welcome.window or acknowledgement.window
        self._welcomed()

    def _expect_welcome(self) -> None:
        """Changes before the welcome may belong to another connection."""
        if not self._is_welcome:
            raise errors.Offline("Changes came before the welcome.")
