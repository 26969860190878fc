"""Opens lines, and says what follows when one ends. The background's thread alone uses it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from ... import errors
from ...protocol.words import Transport
from ..listener import Listener
from ..net import websocket
from ..net.connection import Line
from ..net.http import Network
from ..net.network_state import NetworkState
from ..net.sessions import Decision, Sessions
from ..net.sse import Stream
from ..store.database import Store
from ..store.outbox import Outbox
from ..waker import Waker
from .exchange import Exchange
from .feed import Feed
from .live import Live
from .pace import Pace
from .transports import Choice

log = logging.getLogger("django_sync.client")

HEARTBEAT = 25.0
"""Seconds, where no session says otherwise."""


class Lines:
    """The one line of a background, while it has one."""

    def __init__(
        self,
        network: Network,
        exchange: Exchange,
        store: Store,
        outbox: Outbox,
        listener: Listener,
        choice: Choice,
        pace: Pace,
        waker: Waker,
        push: Mapping[str, Any] | None = None,
    ) -> None:
        self._network = network
        self._exchange = exchange
        self._store = store
        self._outbox = outbox
        self._listener = listener
        self._choice = choice
        self._pace = pace
        self._waker = waker
        self._sessions = Sessions(network, exchange.collections, push)
        self._decision: Decision | None = None
        self.agreed: Transport | None = None
        """What the server was last asked about."""
        self._settled: set[int] = set()
        self._looked_at = 0.0
        self.live: Live | None = None

    def forget(self) -> None:
        """A new beginning: another session, too."""
        self._sessions.forget()
        self._decision = self.agreed = None

    def has_news(self, around: NetworkState) -> bool:
        """Whether the server should hear how things stand, though no line is to be opened."""
        return self._sessions.wants(around)

    def agree(self, transport: Transport, around: NetworkState) -> Transport:
        """Ask the server before a line is opened; return what is to be used.

        A server without sessions lets no socket in, and has no say in the rest.
        """
        now = self._waker.now()
        able, failed = self._choice.usable(), self._choice.resting(now)
        client_id = self._exchange.replica.place().client_id
        self._decision = decision = self._sessions.ask(client_id, able, failed, around)
        self.agreed = transport
        if decision is None:
            self._choice.lacks(Transport.WEBSOCKET, now)
        else:
            self._choice.rest = decision.upgrade_after or self._choice.rest
            self._pace.longest = decision.poll_interval or self._pace.longest
            if decision.transport != transport:
                self._choice.ordered(decision.transport, now, decision.upgrade_after)
        return self._choice.best(now, sparing=around.sparing)

    def open(
        self,
        transport: Transport,
        *,
        alive: Callable[[], bool],
        welcomed: Callable[[], None],
        synced: Callable[[], None],
    ) -> Live:
        """Open a line; it feeds the store from now on. Raises one of ``errors``."""
        decision, self._decision = self._decision, None  # A ticket lets in once.
        heartbeat = HEARTBEAT if decision is None else decision.heartbeat
        replica, names = self._exchange.replica, self._exchange.collections
        feed = Feed(self._store, replica, names, self._listener, synced)
        try:
            line = self._line(transport, decision, feed, heartbeat)
        except BaseException:
            feed.end()
            raise
        live = Live(line, feed, self._waker, heartbeat, alive=alive, welcomed=welcomed)
        self.live = live
        self._settled, self._looked_at = set(), self._waker.now()
        live.begin("" if decision is None else decision.id)
        return live

    def _line(
        self, transport: Transport, decision: Decision | None, feed: Feed, heartbeat: float
    ) -> Line:
        if transport is Transport.WEBSOCKET:
            if decision is None or not decision.url:
                raise errors.NotFound("There is no ticket to a socket.")
            return websocket.opened(self._network, decision.url, self._waker)
        asked = self._exchange.asked(feed.place)
        response = self._network.stream("live/stream/", asked, 2 * heartbeat)
        line = Stream(response, self._waker)
        line.open()
        return line

    def close(self) -> None:
        """End the line, if there is one. The store is anybody's again."""
        live, self.live = self.live, None
        if live is not None:
            live.close()

    def is_superseded(self) -> bool:
        """Whether somebody else has taken the store, and no frame has shown it yet."""
        if self.live is None:
            return False
        return self._exchange.replica.place().stream != self.live.feed.place.stream

    def is_stuck(self) -> bool:
        """Whether a result has been waiting for its change for a whole heartbeat.

        What others may not see, or what never became a change, is told of by no frame:
        a complete pull ends it.
        """
        now = self._waker.now()
        if self.live is None or now - self._looked_at < self.live.heartbeat:
            return False
        before, self._settled, self._looked_at = self._settled, self._outbox.settled(), now
        return bool(before & self._settled)

    def ended(self, transport: Transport, error: errors.SyncError) -> errors.SyncError | None:
        """A line broke, or did not open: close it, and return what is to be waited for.

        ``None`` where nothing need be waited for: a cursor that is void, or a transport that
        does not exist here. Credentials are for HTTP to judge, which renews them.
        """
        live, now = self.live, self._waker.now()
        lived = 0.0 if live is None else now - live.opened_at
        self.close()
        log.info("%s ended after %.0f s: %s", transport, lived, error.detail)
        match error:
            case errors.CursorExpired() | errors.InvalidCursor():
                self._choice.ended(transport, now, lived)
                return self._void(error)
            case errors.SessionEnded() | errors.Blocked():
                return error
            case errors.Unavailable():
                return error  # It restarts, or says when to come again.
            case errors.Throttled():
                self._choice.lacks(transport, now)
                return error
            case errors.Offline() | errors.NotAuthenticated():
                self._choice.ended(transport, now, lived)
                lost = not isinstance(error, errors.NotAuthenticated)
                return error if lost else errors.Unavailable(error.detail)
        self._choice.lacks(transport, now)
        return None

    def _void(self, error: errors.SyncError) -> errors.SyncError | None:
        try:
            self._exchange.void(self._exchange.replica.place(), error)
        except errors.SyncError as problem:
            return problem
        return None
