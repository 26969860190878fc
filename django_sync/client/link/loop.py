"""What the background's thread does: one act of ``link``'s table after the other.

It decides nothing of states; ``background`` holds them, and the table says what an
event leads to. Which transport is used is for ``choice`` to say.
"""

from __future__ import annotations

import logging
import sqlite3

from ... import errors
from ...protocol.words import Transport
from ..net.cancel import Interrupted
from .feed import Superseded
from .live import Ordered
from .states import Act, Event, State
from .transports import LINES
from .upload import VOID
from .waits import Waiting

log = logging.getLogger("django_sync.client")

HEEDED = (errors.Blocked, errors.SessionEnded, errors.NotAuthenticated, errors.StoreMismatch)
"""What a server answers that ends more than the question."""

_MARGIN = 30.0
"""Seconds by which a lease outlives a poll that is late."""


class Acting(Waiting):
    """The acts of one background."""

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
        if not self._link.mend():
            return Act.END
        try:
            failure = self._exchange.send(live.post if live and by_socket else None)
        except errors.SyncError as error:
            if live and (live.has_ended or (by_socket and _asks_http(error))):
                return self._ended(live.transport, error)
            return self._failed(error)
        if isinstance(failure, VOID):
            return self._link.feed(Event.DUE, failure)
        self._link.show(self._link.transport, failure)
        return Act.LISTEN

    def _listen(self) -> Act:
        """Wait for news, where no other process on this store does."""
        now, around = self._waker.now(), self._link.around.state
        self._link.waking.look()
        transport = self._choice.best(now, sparing=around.sparing)
        live = self._lines.live
        if transport in LINES and (live is None or live.transport is not transport):
            # Another process may have the store; then nothing is asked.
            if taken_for := self._taken(transport, self._exchange.service.wait_seconds):
                return self._give_up_for(taken_for)
            if not self._link.mend():
                return Act.END
            try:
                transport = self._lines.agree(transport, around)
            except errors.SyncError as error:
                return self._failed(error)
        elif transport not in LINES and self._lines.agreed is not transport:
            if not self._link.mend():
                return Act.END
            try:
                self._introduce(transport)
            except errors.SyncError as error:
                return self._failed(error)
        elif self._lines.has_news(around):
            if not self._link.mend():
                return Act.END
            try:
                transport = self._lines.agree(transport, around)
            except HEEDED as error:
                return self._failed(error)
            except errors.SyncError as error:  # What works is not given up for that.
                log.info("The server was not told of the network: %s", error.detail)
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

    def _introduce(self, transport: Transport) -> None:
        """Tell the server who pulls, once. What hinders that hinders no pull."""
        try:
            self._lines.agree(transport, self._link.around.state)
        except HEEDED:
            raise
        except errors.SyncError as error:
            self._lines.agreed = transport
            log.info("The server was not told who pulls: %s", error.detail)

    def _seconds(self, transport: Transport) -> float:
        """For how long it listens at most before it looks around."""
        if transport is Transport.POLL:
            news, self._news = self._news, False
            return self._pace.next(news=news, sparing=self._link.around.state.sparing)
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
        climbs_in = self._choice.climbs_in(transport, self._waker.now())
        seconds = float(self._exchange.service.wait_seconds)
        return self._await(
            seconds if climbs_in is None else min(seconds, climbs_in), then=Act.LISTEN
        )

    def _in_step(self, transport: Transport) -> None:
        """A line's catch-up has ended."""
        self._link.feed(Event.SYNCED, self._link.problem)
        self._link.show(transport, self._link.problem)

    def _switch(self, order: Ordered) -> Act:
        """The server orders another transport."""
        log.info("The server orders %s for %s s.", order.transport, order.retry_after)
        self._choice.ordered(order.transport, self._waker.now(), order.retry_after)
        self._lines.close()
        return self._link.feed(Event.DUE, self._link.problem)

    def _give_way(self) -> Act:
        """Somebody pulls, and has the store for that: come back in a moment.

        Where that goes on, something lower suits better, which counts as any early end.
        """
        live = self._lines.live
        if live is not None:
            now = self._waker.now()
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
            self._choice.lacks(held, self._waker.now())
            return self._link.feed(Event.SYNCED, self._link.problem)
        except errors.SyncError as error:
            self._choice.failed(held, self._waker.now())
            return self._failed(error)
        now = self._waker.now()
        if news or now - began >= seconds / 2:
            self._choice.worked(held)
        else:
            self._choice.failed(held, now)
        self._news = news
        return self._link.feed(Event.SYNCED, self._link.problem)


def _asks_http(error: errors.SyncError) -> bool:
    """Whether the credentials are not taken any more: only a call by HTTP renews them."""
    return isinstance(error, errors.NotAuthenticated)
