"""Waiting on the background's thread: for events, for time, for what a line brings.

And what follows when something fails: the wait that ``link``'s table names.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ... import errors
from ...protocol.words import Transport
from ..backoff import Backoff
from ..listener import Listener
from ..net.http import Network
from ..store.database import Store
from ..store.lease import Lease
from ..store.outbox import Outbox
from ..waker import Waker
from . import wakeups
from .connections import Lines
from .exchange import Exchange
from .inbox import Inbox
from .pace import Pace
from .states import Act, Event, State, move, outcome
from .transports import Choice

if TYPE_CHECKING:
    from .background import Background

log = logging.getLogger("django_sync.client")

DEBOUNCE = 0.1
"""Seconds in which the writes after a first one are waited for, to go out together."""

MOMENT = 0.02
"""The same over a socket, where a frame costs no request."""


class Waiting:
    """What ``Acting`` stands on."""

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
        waker: Waker,
        push: Mapping[str, Any] | None = None,
    ) -> None:
        self._link = link
        self._cutter = network.cutter
        self._exchange = exchange
        self._inbox = inbox
        self._lease = lease
        self._choice = choice
        self._backoff = replace(backoff)
        self._pace = replace(pace)
        self._waker = waker
        self._lines = Lines(
            network, exchange, store, outbox, listener, choice, self._pace, waker, push
        )
        self._quiet_until = 0.0
        self._yielded = self._news = False
        self._retry_in = 0.0

    def _failed(self, error: errors.SyncError) -> Act:
        self._lines.close()
        if isinstance(error, errors.Offline):
            self._link.around.heard(error)
        if isinstance(error, errors.SessionEnded):
            self._lines.forget()
        self._retry_in = self._backoff.failed(error.retry_after)
        return self._link.feed(outcome(error), error, self._retry_in)

    def _ended(self, transport: Transport, error: errors.SyncError) -> Act:
        """A line has ended, or there was none to be had."""
        if not self._link.is_here():
            return Act.END
        problem = self._lines.ended(transport, error)
        if problem is not None:
            return self._failed(problem)
        return self._link.feed(Event.DUE, self._link.problem)

    def _is_woken(self) -> bool:
        """Whether a wake-up asks for an exchange, as its table has it."""
        waking, live = self._link.waking, self._lines.live
        if live is None:
            waking.lost()
        else:
            waking.heard(live.heard_at)
        if (event := waking.take()) is None:
            return False
        fed = live is not None or self._link.transport is Transport.LONG_POLL
        fed = fed or self._lease.is_fed()
        stands = wakeups.stand(self._link.state, self._link.around.state, fed=fed)
        found = wakeups.act(stands, event)
        log.info("A wake-up, %s, %s: %s.", event, stands, found)
        if found is wakeups.Act.TRUST and live is not None:
            waking.trust(self._waker.now())
        return found is wakeups.Act.FETCH

    def _heed(self) -> Act:
        """After an interruption: do what the inbox says, else go on as before."""
        behind = self._link.state is State.CATCHING_UP and self._lines.live is None
        return self._await(0.0, then=Act.EXCHANGE if behind else Act.LISTEN)

    def _await(self, seconds: float | None, then: Act | None = None) -> Act:
        """Wait; return what an event says is next, or ``then``, or what is due in the end.

        A write does not end the wait at once: others may come right behind it. What a
        line brings is heeded meanwhile. A wake-up ends it where its table says so.
        """
        until = None if seconds is None else self._waker.now() + seconds
        wrote = woken = False
        while self._link.is_here():
            due = float("inf")
            if (live := self._lines.live) is not None:
                try:
                    due = live.pump()
                except errors.SyncError as error:
                    return self._ended(live.transport, error)
            if self._is_woken():
                until = self._quiet_until if until is None else min(until, self._quiet_until)
                woken = True
            for event in self._inbox.take():
                if event is not Event.WROTE:
                    if move(self._link.state, event).act is Act.WAIT:
                        return self._failed(errors.Offline("The network is said to be gone."))
                    act = self._link.feed(event, self._link.problem)
                    if act is not Act.GO_ON:
                        return act
                elif not wrote and move(self._link.state, event).act is not Act.GO_ON:
                    by_socket = live is not None and live.transport is Transport.WEBSOCKET
                    soon = self._waker.now() + (MOMENT if by_socket else DEBOUNCE)
                    until = soon if until is None or then is not None else min(until, soon)
                    wrote = True
            now = self._waker.now()
            if until is not None and now >= until:
                if woken:
                    self._quiet_until = now + self._pace.shortest
                    return self._link.feed(Event.DUE, self._link.problem)
                if then is not None and not wrote:
                    return then
                return self._link.feed(Event.WROTE if wrote else Event.DUE, self._link.problem)
            first = due if until is None else min(due, until)
            self._waker.wait(None if first == float("inf") else first - now)
        return Act.END
