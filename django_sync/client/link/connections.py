"""Opens connections, and decides what follows when one ends. For the link's thread alone."""

from __future__ import annotations

import logging
from collections.abc import Callable

from ... import errors
from ...protocol.words import Transport
from ..backoff import Pace
from ..net import websocket
from ..net.connection import Connection
from ..net.http import Network
from ..net.network_state import NetworkState
from ..net.sessions import Decision, Sessions
from ..net.sse import EventStream
from .exchange import Exchange
from .feed import Feed
from .live import Live
from .parts import Parts
from .transports import Choice

log = logging.getLogger("django_sync.client")

HEARTBEAT = 25.0
"""Seconds, unless the session says otherwise."""


class Connections:
    """The connections of a background, one at a time."""

    def __init__(
        self, parts: Parts, network: Network, exchange: Exchange, choice: Choice, pace: Pace
    ) -> None:
        self._parts = parts
        self._network = network
        self._exchange = exchange
        self._replica = parts.replica
        self._choice = choice
        self._pace = pace
        self._waker = parts.waker
        self._sessions = Sessions(network, parts.collections, parts.push)
        self._decision: Decision | None = None
        self.agreed: Transport | None = None
        """The transport of the last report to the server."""
        self._settled: set[int] = set()
        self._checked_at = 0.0
        self.live: Live | None = None

    def forget_session(self) -> None:
        """Open another session next time."""
        self._sessions.forget()
        self._decision = self.agreed = None

    def has_news(self, network: NetworkState) -> bool:
        """Whether to report to the server although no connection is opened."""
        return self._sessions.has_news(network)

    def agree(self, transport: Transport, network: NetworkState) -> Transport:
        """Report to the server before a connection is opened; return the transport to use.

        A server without sessions opens no socket, and does not decide about the others.
        """
        now = self._waker.now()
        able, failed = self._choice.usable(), self._choice.resting(now)
        client_id = self._replica.place().client_id
        self._decision = decision = self._sessions.ask(client_id, able, failed, network)
        self.agreed = transport
        if decision is None:
            self._choice.rest_from(Transport.WEBSOCKET, now)
        else:
            self._choice.rest = decision.upgrade_after or self._choice.rest
            self._pace.longest = decision.poll_interval or self._pace.longest
            if decision.transport != transport:
                self._choice.switch_to(decision.transport, now, decision.upgrade_after)
        return self._choice.best(now, sparing=network.sparing)

    def open(
        self,
        transport: Transport,
        *,
        alive: Callable[[], bool],
        welcomed: Callable[[], None],
        synced: Callable[[], None],
    ) -> Live:
        """Open a connection; from now on it feeds the store. Raises one of ``errors``."""
        decision, self._decision = self._decision, None  # A ticket is valid once.
        heartbeat = HEARTBEAT if decision is None else decision.heartbeat
        feed = Feed(self._parts, synced)
        try:
            connection = self._connect(transport, decision, feed, heartbeat)
        except BaseException:
            feed.end()
            raise
        live = Live(connection, feed, self._waker, heartbeat, alive=alive, welcomed=welcomed)
        self.live = live
        self._settled, self._checked_at = set(), self._waker.now()
        live.begin("" if decision is None else decision.id)
        return live

    def _connect(
        self, transport: Transport, decision: Decision | None, feed: Feed, heartbeat: float
    ) -> Connection:
        if transport is Transport.WEBSOCKET:
            if decision is None or not decision.url:
                raise errors.NotFound("The server gave no ticket for a socket.")
            return websocket.connect(self._network, decision.url, self._waker)
        query = self._exchange.query(feed.place)
        response = self._network.stream("live/stream/", query, 2 * heartbeat)
        connection = EventStream(response, self._waker)
        connection.open()
        return connection

    def close(self) -> None:
        """Close the connection, if there is one. Others may feed the store then."""
        live, self.live = self.live, None
        if live is not None:
            live.close()

    def is_superseded(self) -> bool:
        """Whether another feeder has taken the store, and no frame has shown it yet."""
        if self.live is None:
            return False
        return self._replica.place().stream != self.live.feed.place.stream

    def is_stuck(self) -> bool:
        """Whether a result has waited for its change for a whole heartbeat.

        No frame comes for a change that the user may not see, or that changed nothing; a
        complete pull ends the wait.
        """
        now = self._waker.now()
        if self.live is None or now - self._checked_at < self.live.heartbeat:
            return False
        before, self._settled = self._settled, self._parts.outbox.settled()
        self._checked_at = now
        return bool(before & self._settled)

    def after_end(self, transport: Transport, error: errors.SyncError) -> errors.SyncError | None:
        """Close a connection that broke or did not open; return the problem to wait for.

        ``None`` if there is nothing to wait for: the cursor is void, or the transport does not
        exist here. Refused credentials are renewed by a call over HTTP.
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
                return error  # The server restarts, or says when to come again.
            case errors.Throttled():
                self._choice.rest_from(transport, now)
                return error
            case errors.Offline() | errors.NotAuthenticated():
                self._choice.ended(transport, now, lived)
                lost = not isinstance(error, errors.NotAuthenticated)
                return error if lost else errors.Unavailable(error.detail)
        self._choice.rest_from(transport, now)
        return None

    def _void(self, error: errors.SyncError) -> errors.SyncError | None:
        try:
            self._exchange.void(self._replica.place(), error)
        except errors.SyncError as problem:
            return problem
        return None
