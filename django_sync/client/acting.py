"""What the background's thread does: one act of ``link``'s table after the other.

It decides nothing of states; ``background`` holds them, and the table says what an
event leads to. Which transport is used is for ``choice`` to say.
"""

from __future__ import annotations

import logging
import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING

from .. import errors
from ..protocol.words import Transport
from .alarm import Alarm
from .backoff import Backoff
from .choice import LINES, Choice
from .cutting import Interrupted
from .exchange import Exchange
from .feed import Superseded
from .inbox import Inbox
from .lease import Lease
from .lines import Lines
from .link import Act, Event, State, move, outcome
from .listener import Listener
from .live import Ordered
from .network import Network
from .outbox import Outbox
from .pace import Pace
from .sending import VOID
from .store import Store

if TYPE_CHECKING:
    from .background import Background

log = logging.getLogger("django_sync.client")

DEBOUNCE = 0.1
"""Seconds in which the writes after a first one are waited for, to go out together."""

_MARGIN = 30.0
"""Seconds by which a lease outlives a poll that is late."""


class Acting:
    """The acts of one background."""

    def __init__(
        self,
        link: Background,
        network: Network,
        exchange: Exchange,
        store: Store,
        outbox: Outbox,
        listener: Listener,
        inbox: Inbox,
        lease: Lease,
        choice: Choice,
        backoff: Backoff,
        pace: Pace,
        alarm: Alarm,
    ) -> None:
        self._link = link
        self._cutter = network.cutter
        self._exchange = exchange
        self._inbox = inbox
        self._lease = lease
        self._choice = choice
        self._backoff = replace(backoff)
        self._pace = replace(pace)
        self._alarm = alarm
        self._lines = Lines(network, exchange, store, outbox, listener, choice, self._pace, alarm)
        self._yielded = self._news = False
        self._retry_in = 0.0

    def run(self, act: Act) -> None:
        """Act until the end."""
        try:
            while act is not Act.END:
                act = self._try(act)
        finally:
            try:
                self._lines.close()
            except sqlite3.Error:
                log.info("The store was closed first, by a callback.")

    def _try(self, act: Act) -> Act:
        try:
            return self._do(act)
        except Interrupted:
            return self._heed()
        except Ordered as order:
            return self._switch(order)
        except Superseded:
            return self._give_way()
        except Exception as error:
            if not self._link.is_here():
                return Act.END  # The store may have been closed under it.
            log.exception("The link failed.")
            return self._failed(errors.SyncError(f"{type(error).__name__}: {error}"))

    def _do(self, act: Act) -> Act:
        match act:
            case Act.EXCHANGE:
                return self._exchanged()
            case Act.SEND:
                return self._send()
            case Act.LISTEN:
                return self._listen()
            case Act.WAIT:
                return self._await(self._retry_in)
        return self._await(None)

    def _exchanged(self) -> Act:
        """Send and pull. A pull takes the store, so a line ends before."""
        self._lines.close()
        number = self._link.begin()
        if number is None:
            return Act.END
        anew = self._link.state is State.CONNECTING
        try:
            counts, failure = self._exchange.go(anew=anew)
        except errors.SyncError as error:
            return self._failed(error)
        self._news = counts.changes > 0 or counts.sent > 0
        self._choice.offered(self._exchange.service.transports)
        self._backoff.succeeded()
        if failure is None:
            self._link.complete(number)
        return self._link.feed(Event.SYNCED, failure)

    def _send(self) -> Act:
        """Send, and go on listening where changes come by themselves."""
        live = self._lines.live
        if live is None and not self._lease.is_fed():
            return self._exchanged()
        by_socket = live is not None and live.transport is Transport.WEBSOCKET
        self._cutter.mend()
        try:
            failure = self._exchange.send(live.post if live and by_socket else None)
        except errors.SyncError as error:
            return self._ended(live.transport, error) if live and by_socket else self._failed(error)
        if isinstance(failure, VOID):
            return self._link.feed(Event.DUE, failure)
        self._link.show(self._link.transport, failure)
        return Act.LISTEN

    def _failed(self, error: errors.SyncError) -> Act:
        self._lines.close()
        self._retry_in = self._backoff.failed(error.retry_after)
        return self._link.feed(outcome(error), error, self._retry_in)

    def _listen(self) -> Act:
        """Wait for news, where no other process on this store does."""
        now, hints = self._alarm.now(), self._link.hints
        transport = self._choice.best(now, sparing=hints.sparing)
        live = self._lines.live
        if transport in LINES and (live is None or live.transport is not transport):
            # Another process may have the store; then nothing is asked.
            if taken_for := self._taken(transport, self._exchange.service.wait_seconds):
                return self._give_up_for(taken_for)
            try:
                self._cutter.mend()
                transport = self._lines.agree(transport, hints)
            except errors.SyncError as error:
                return self._failed(error)
        if live is not None and live.transport is not transport:
            self._lines.close()
        seconds = self._seconds(transport)
        if taken_for := self._taken(transport, seconds):
            return self._give_up_for(taken_for)
        if self._yielded:
            self._yielded = False
            return self._link.feed(Event.DUE, self._link.problem)
        if transport in LINES:
            return self._stay(transport)
        self._link.show(transport, self._link.problem)
        if transport is Transport.POLL:
            return self._await(seconds)
        return self._hold(now, seconds)

    def _seconds(self, transport: Transport) -> float:
        """For how long it listens at most before it looks around."""
        if transport is Transport.POLL:
            news, self._news = self._news, False
            return self._pace.next(news=news, sparing=self._link.hints.sparing)
        return float(self._exchange.service.wait_seconds)

    def _taken(self, transport: Transport, seconds: float) -> float:
        return self._lease.take(seconds + _MARGIN, streams=transport in LINES)

    def _give_up_for(self, seconds: float) -> Act:
        self._yielded = True
        self._lines.close()
        return self._await(min(seconds, self._pace.longest), then=Act.LISTEN)

    def _stay(self, transport: Transport) -> Act:
        """Have a line open, and heed it until something else is due."""
        if self._lines.live is None:
            try:
                self._lines.open(
                    transport,
                    alive=self._link.is_here,
                    welcomed=lambda: self._link.show(transport, self._link.problem),
                    synced=lambda: self._in_step(transport),
                )
            except errors.SyncError as error:
                return self._ended(transport, error)
        if self._lines.is_superseded():
            return self._give_way()
        if self._lines.is_stuck():
            return self._link.feed(Event.DUE, self._link.problem)
        climbs_in = self._choice.climbs_in(transport, self._alarm.now())
        seconds = float(self._exchange.service.wait_seconds)
        return self._await(
            seconds if climbs_in is None else min(seconds, climbs_in), then=Act.LISTEN
        )

    def _in_step(self, transport: Transport) -> None:
        """A line's catch-up has ended."""
        self._link.feed(Event.SYNCED, self._link.problem)
        self._link.show(transport, self._link.problem)

    def _ended(self, transport: Transport, error: errors.SyncError) -> Act:
        """A line has ended, or there was none to be had."""
        if not self._link.is_here():
            return Act.END
        problem = self._lines.ended(transport, error)
        if problem is not None:
            return self._failed(problem)
        return self._link.feed(Event.DUE, self._link.problem)

    def _switch(self, order: Ordered) -> Act:
        """The server orders another transport."""
        log.info("The server orders %s for %s s.", order.transport, order.retry_after)
        self._choice.ordered(order.transport, self._alarm.now(), order.retry_after)
        self._lines.close()
        return self._link.feed(Event.DUE, self._link.problem)

    def _give_way(self) -> Act:
        """Somebody pulls, and has the store for that: come back in a moment.

        Where that goes on, something lower suits better, which counts as any early end.
        """
        live = self._lines.live
        if live is not None:
            now = self._alarm.now()
            self._choice.ended(live.transport, now, now - live.opened_at)
        self._lines.close()
        behind = self._link.state is State.CATCHING_UP
        moment = self._pace.uniform(0.0, 1.0)
        return self._await(moment, then=Act.EXCHANGE if behind else Act.LISTEN)

    def _hold(self, began: float, seconds: float) -> Act:
        """Ask, and have the server hold the request until something is new."""
        held = Transport.LONG_POLL
        try:
            with self._inbox.holding():
                if not self._link.is_here():
                    return Act.END
                news = self._exchange.listen()
        except (errors.NotFound, errors.MethodNotAllowed):
            self._choice.lacks(held, self._alarm.now())
            return self._link.feed(Event.SYNCED, self._link.problem)
        except errors.SyncError as error:
            self._choice.failed(held, self._alarm.now())
            return self._failed(error)
        now = self._alarm.now()
        if news or now - began >= seconds / 2:
            self._choice.worked(held)
        else:
            self._choice.failed(held, now)
        self._news = news
        return self._link.feed(Event.SYNCED, self._link.problem)

    def _heed(self) -> Act:
        """After an interruption: do what the inbox says, else go on as before."""
        behind = self._link.state is State.CATCHING_UP and self._lines.live is None
        return self._await(0.0, then=Act.EXCHANGE if behind else Act.LISTEN)

    def _await(self, seconds: float | None, then: Act | None = None) -> Act:
        """Wait; return what an event says is next, or ``then``, or what is due in the end.

        A write does not end the wait at once: others may come right behind it. What a
        line brings is heeded meanwhile.
        """
        until = None if seconds is None else self._alarm.now() + seconds
        wrote = False
        while self._link.is_here():
            due = float("inf")
            if (live := self._lines.live) is not None:
                try:
                    due = live.pump()
                except errors.SyncError as error:
                    return self._ended(live.transport, error)
            for event in self._inbox.take():
                if event is not Event.WROTE:
                    if move(self._link.state, event).act is Act.WAIT:
                        return self._failed(errors.Offline("The network is said to be gone."))
                    act = self._link.feed(event, self._link.problem)
                    if act is not Act.GO_ON:
                        return act
                elif not wrote and move(self._link.state, event).act is not Act.GO_ON:
                    soon = self._alarm.now() + DEBOUNCE
                    until = soon if until is None or then is not None else min(until, soon)
                    wrote = True
            now = self._alarm.now()
            if until is not None and now >= until:
                if then is not None and not wrote:
                    return then
                return self._link.feed(Event.WROTE if wrote else Event.DUE, self._link.problem)
            first = due if until is None else min(due, until)
            self._alarm.wait(None if first == float("inf") else first - now)
        return Act.END
