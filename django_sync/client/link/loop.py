"""The loop of the background thread: one act of the table in ``states`` after the other.

``background`` holds the state, and the table says what an event leads to; the loop does it and
waits in between. ``transports`` decides which transport is used.
"""

from __future__ import annotations

import logging
import math
import sqlite3
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ... import errors
from ...protocol.words import Transport
from ..net.cancel import Interrupted
from ..net.http import Network
from ..net.network_state import NetworkState
from . import wakeups
from .connections import Connections
from .exchange import Exchange
from .feed import Superseded
from .inbox import Inbox
from .live import SwitchRequested
from .parts import Parts
from .states import Act, Event, State, move, outcome
from .transports import STREAMING, Choice
from .upload import VOID

if TYPE_CHECKING:
    from .background import Background

log = logging.getLogger("django_sync.client")

DEBOUNCE = 0.1
"""Seconds to wait after a write for further writes, which are then sent in the same batch."""

MOMENT = 0.02
"""The same over a socket, where a batch costs no request."""

DECISIVE = (errors.Blocked, errors.SessionEnded, errors.NotAuthenticated, errors.StoreMismatch)
"""Errors of a report to the server that concern the whole link."""

_MARGIN = 30.0
"""Seconds by which a lease outlives a poll that is late."""


@dataclass
class _Wait:
    """One wait: until when, what follows, and what has happened meanwhile."""

    until: float | None
    then: Act | None
    wrote: bool = False
    woken: bool = False

    def shorten(self, until: float) -> None:
        self.until = until if self.until is None else min(self.until, until)


class Loop:
    """Runs the acts of one background, in its thread."""

    def __init__(
        self, link: Background, parts: Parts, network: Network, exchange: Exchange, inbox: Inbox
    ) -> None:
        self._link = link
        self._exchange = exchange
        self._inbox = inbox
        self._lease = parts.lease
        self._wakeups = parts.wakeups
        self._network_monitor = parts.network_monitor
        self._waker = parts.waker
        self._backoff = replace(parts.backoff)
        self._pace = replace(parts.pace)
        self._choice = Choice(parts.transports, uniform=parts.pace.uniform)
        self._connections = Connections(parts, network, exchange, self._choice, self._pace)
        self._quiet_until = 0.0
        self._yielded = self._news = False
        self._retry_in = 0.0

    def run(self, act: Act) -> None:
        """Do one act after the other until the end."""
        try:
            while act is not Act.END:
                act = self._try(act)
        finally:
            try:
                self._connections.close()
            except sqlite3.Error:
                log.info("A callback closed the store before the loop ended.")

    def _try(self, act: Act) -> Act:
        try:
            return self._do(act)
        except Interrupted:
            return self._resume_in(0.0)
        except SwitchRequested as request:
            return self._switch(request)
        except Superseded:
            return self._give_way()
        except Exception as error:
            if not self._link.is_here():
                return Act.END  # The store may have been closed meanwhile.
            log.exception("The link failed.")
            return self._fail(errors.SyncError(f"{type(error).__name__}: {error}"))

    def _do(self, act: Act) -> Act:
        match act:
            case Act.EXCHANGE:
                return self._exchange_all()
            case Act.SEND:
                return self._send()
            case Act.LISTEN:
                return self._listen()
            case Act.WAIT:
                return self._wait(self._retry_in)
        return self._wait(None)

    # Exchanges

    def _exchange_all(self) -> Act:
        """Send and pull. A pull takes the store, so a connection is closed first."""
        self._connections.close()
        number = self._link.begin()
        if number is None:
            return Act.END
        anew = self._link.state is State.CONNECTING
        try:
            counts, failure = self._exchange.go(anew=anew)
        except errors.SyncError as error:
            return self._fail(error)
        self._news = counts.changes > 0 or counts.sent > 0
        self._choice.offered(self._exchange.service.transports)
        self._backoff.succeeded()
        if failure is None:
            self._link.complete(number)
        return self._link.feed(Event.SYNCED, failure)

    def _send(self) -> Act:
        """Send, and go on listening if changes come by themselves."""
        live = self._connections.live
        if live is None and not self._lease.is_fed():
            return self._exchange_all()
        by_socket = live is not None and live.transport is Transport.WEBSOCKET
        if not self._link.mend():
            return Act.END
        try:
            failure = self._exchange.send(live.post if live and by_socket else None)
        except errors.SyncError as error:
            # Only a call over HTTP renews credentials.
            needs_http = by_socket and isinstance(error, errors.NotAuthenticated)
            if live and (live.has_ended or needs_http):
                return self._after_connection(live.transport, error)
            return self._fail(error)
        if isinstance(failure, VOID):
            return self._link.feed(Event.DUE, failure)
        self._link.show(self._link.transport, failure)
        return Act.LISTEN

    # Listening

    def _listen(self) -> Act:
        """Wait for news, unless another process on this store does."""
        began, network = self._waker.now(), self._network_monitor.state
        self._wakeups.look()
        best = self._choice.best(began, sparing=network.sparing)
        transport = self._agree(best, network)
        if isinstance(transport, Act):
            return transport
        live = self._connections.live
        if live is not None and live.transport is not transport:
            self._connections.close()
        seconds = self._listening_time(transport)
        if taken_for := self._take_lease(transport, seconds):
            return self._yield_for(taken_for)
        if self._yielded:
            self._yielded = False
            return self._link.feed(Event.DUE, self._link.problem)
        if transport in STREAMING:
            return self._stream(transport)
        self._link.show(transport, self._link.problem)
        if transport is Transport.POLL:
            return self._wait(seconds)
        return self._hold(began, seconds)

    def _agree(self, transport: Transport, network: NetworkState) -> Transport | Act:
        """Report to the server if there is news; return the transport to use, or what to do.

        Before a connection is opened, the server must agree. In the other cases an error of the
        report changes nothing, unless it is ``DECISIVE``.
        """
        live = self._connections.live
        opens = transport in STREAMING and (live is None or live.transport is not transport)
        introduces = transport not in STREAMING and self._connections.agreed is not transport
        if opens:  # If another process has the store, the server is not asked.
            if taken_for := self._take_lease(transport, self._exchange.service.wait_seconds):
                return self._yield_for(taken_for)
        elif not introduces and not self._connections.has_news(network):
            return transport
        if not self._link.mend():
            return Act.END
        try:
            agreed = self._connections.agree(transport, network)
        except errors.SyncError as error:
            if opens or isinstance(error, DECISIVE):
                return self._fail(error)
            self._connections.agreed = transport
            log.info("The server did not take the client's report: %s", error.detail)
            return transport
        return transport if introduces else agreed

    def _listening_time(self, transport: Transport) -> float:
        """The longest time to listen before the next decision."""
        if transport is Transport.POLL:
            news, self._news = self._news, False
            return self._pace.next(news=news, sparing=self._network_monitor.state.sparing)
        return float(self._exchange.service.wait_seconds)

    def _take_lease(self, transport: Transport, seconds: float) -> float:
        return self._lease.take(seconds + _MARGIN, streams=transport in STREAMING)

    def _yield_for(self, seconds: float) -> Act:
        """Leave the store to another process for a while."""
        self._yielded = True
        self._connections.close()
        return self._wait(min(seconds, self._pace.longest), then=Act.LISTEN)

    def _stream(self, transport: Transport) -> Act:
        """Keep a connection open, and handle its frames until something else is due."""
        if self._connections.live is None:
            try:
                self._connections.open(
                    transport,
                    alive=self._link.is_here,
                    welcomed=lambda: self._link.show(transport, self._link.problem),
                    synced=lambda: self._caught_up(transport),
                )
            except errors.SyncError as error:
                return self._after_connection(transport, error)
        if self._connections.is_superseded():
            return self._give_way()
        if self._connections.is_stuck():
            return self._link.feed(Event.DUE, self._link.problem)
        climbs_in = self._choice.climbs_in(transport, self._waker.now())
        seconds = float(self._exchange.service.wait_seconds)
        return self._wait(
            seconds if climbs_in is None else min(seconds, climbs_in), then=Act.LISTEN
        )

    def _caught_up(self, transport: Transport) -> None:
        """The catch-up over a connection has ended."""
        self._link.feed(Event.SYNCED, self._link.problem)
        self._link.show(transport, self._link.problem)

    def _hold(self, began: float, seconds: float) -> Act:
        """Ask, and have the server hold the request until something is new."""
        held = Transport.LONG_POLL
        try:
            with self._inbox.holding():
                if not self._link.is_here():
                    return Act.END
                news = self._exchange.listen()
        except (errors.NotFound, errors.MethodNotAllowed):
            self._choice.rest_from(held, self._waker.now())
            return self._link.feed(Event.SYNCED, self._link.problem)
        except errors.SyncError as error:
            self._choice.failed(held, self._waker.now())
            return self._fail(error)
        now = self._waker.now()
        if news or now - began >= seconds / 2:
            self._choice.worked(held)
        else:
            self._choice.failed(held, now)
        self._news = news
        return self._link.feed(Event.SYNCED, self._link.problem)

    # What ends listening

    def _fail(self, error: errors.SyncError) -> Act:
        self._connections.close()
        if isinstance(error, errors.Offline):
            self._network_monitor.note_call(error)
        if isinstance(error, errors.SessionEnded):
            self._connections.forget_session()
        self._retry_in = self._backoff.failed(error.retry_after)
        return self._link.feed(outcome(error), error, self._retry_in)

    def _after_connection(self, transport: Transport, error: errors.SyncError) -> Act:
        """A connection has ended, or could not be opened."""
        if not self._link.is_here():
            return Act.END
        problem = self._connections.after_end(transport, error)
        if problem is not None:
            return self._fail(problem)
        return self._link.feed(Event.DUE, self._link.problem)

    def _switch(self, request: SwitchRequested) -> Act:
        """The server wants another transport."""
        log.info("The server wants %s for %s s.", request.transport, request.retry_after)
        self._choice.switch_to(request.transport, self._waker.now(), request.retry_after)
        self._connections.close()
        return self._link.feed(Event.DUE, self._link.problem)

    def _give_way(self) -> Act:
        """Another pull has taken the store: come back in a moment.

        It counts as an early end of the connection, so if it goes on, a lower transport is used.
        """
        live = self._connections.live
        if live is not None:
            now = self._waker.now()
            self._choice.ended(live.transport, now, now - live.opened_at)
        self._connections.close()
        return self._resume_in(self._pace.uniform(0.0, 1.0))

    def _resume_in(self, seconds: float) -> Act:
        """Go on as before after so many seconds, unless an event comes first."""
        behind = self._link.state is State.CATCHING_UP and self._connections.live is None
        return self._wait(seconds, then=Act.EXCHANGE if behind else Act.LISTEN)

    # Waiting

    def _wait(self, seconds: float | None, then: Act | None = None) -> Act:
        """Wait; return what an event leads to, or ``then``, or what is due at the end.

        A write does not end the wait at once, for others may follow it. Frames that come
        meanwhile are handled. A wake-up ends the wait if its table says so.
        """
        wait = _Wait(None if seconds is None else self._waker.now() + seconds, then)
        while self._link.is_here():
            due = math.inf
            if (live := self._connections.live) is not None:
                try:
                    due = live.pump()
                except errors.SyncError as error:
                    return self._after_connection(live.transport, error)
            if self._wakeup_asks_for_fetch():
                wait.shorten(self._quiet_until)
                wait.woken = True
            for event in self._inbox.take():
                act = self._handle(event, wait)
                if act is not Act.GO_ON:
                    return act
            now = self._waker.now()
            if wait.until is not None:
                if now >= wait.until:
                    return self._after_wait(wait, now)
                due = min(due, wait.until)
            self._waker.wait(None if due == math.inf else due - now)
        return Act.END

    def _handle(self, event: Event, wait: _Wait) -> Act:
        """Feed an event of another thread; a write shortens the wait instead."""
        act = move(self._link.state, event).act
        if event is Event.WROTE:
            if act is not Act.GO_ON and not wait.wrote:
                self._note_write(wait)
            return Act.GO_ON
        if act is Act.WAIT:
            return self._fail(errors.Offline("The program reports that there is no network."))
        return self._link.feed(event, self._link.problem)

    def _note_write(self, wait: _Wait) -> None:
        live = self._connections.live
        by_socket = live is not None and live.transport is Transport.WEBSOCKET
        soon = self._waker.now() + (MOMENT if by_socket else DEBOUNCE)
        if wait.then is None:
            wait.shorten(soon)
        else:
            wait.until = soon
        wait.wrote = True

    def _after_wait(self, wait: _Wait, now: float) -> Act:
        """What follows a wait that has reached its end."""
        if wait.woken:
            self._quiet_until = now + self._pace.shortest
            return self._link.feed(Event.DUE, self._link.problem)
        if wait.then is not None and not wait.wrote:
            return wait.then
        return self._link.feed(Event.WROTE if wait.wrote else Event.DUE, self._link.problem)

    def _wakeup_asks_for_fetch(self) -> bool:
        """Whether a wake-up has come for which ``wakeups``' table asks for an exchange."""
        live = self._connections.live
        if live is None:
            self._wakeups.connection_lost()
        else:
            self._wakeups.note_bytes(live.received_at)
        if (event := self._wakeups.take()) is None:
            return False
        fed = live is not None or self._link.transport is Transport.LONG_POLL
        fed = fed or self._lease.is_fed()
        state = wakeups.state_of(self._link.state, self._network_monitor.state, fed=fed)
        act = wakeups.act(state, event)
        log.info("A wake-up, %s, %s: %s.", event, state, act)
        if act is wakeups.Act.TRUST and live is not None:
            self._wakeups.trust(self._waker.now())
        return act is wakeups.Act.FETCH
