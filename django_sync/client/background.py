"""Stays in step by itself: one daemon thread that acts on ``link``'s table.

Only that thread speaks over the network here. Others put events into its inbox;
where it waits for a held request, the request is cut. So a local write goes out
at once, and ``stop()`` waits for nobody.

Lock order: the store's, then those here. None is held while a callback runs.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace

from .. import errors
from ..protocol.words import Transport
from .alarm import Alarm
from .backoff import Backoff
from .cutting import Interrupted
from .exchange import Exchange
from .inbox import Inbox
from .lease import Lease
from .link import Act, Event, State, move, outcome
from .network import Network
from .outbox import Outbox
from .pace import Choice, Hints, Pace

log = logging.getLogger("django_sync.client")

DEBOUNCE = 0.1
"""Seconds in which the writes after a first one are waited for, to go out together."""

JOIN = 5.0
"""Seconds for which ``stop()`` waits at most: who looks up a name cannot be interrupted."""

_MARGIN = 30.0
"""Seconds by which a lease outlives a poll that is late."""

Report = Callable[[errors.SyncError | None, float | None], None]
"""Is told of each change: the problem that led there, the seconds until a retry."""


class Background:
    """One client's thread, with a network and an exchange that nobody else uses."""

    def __init__(
        self,
        network: Network,
        exchange: Exchange,
        outbox: Outbox,
        lease: Lease,
        backoff: Backoff,
        pace: Pace,
        alarm: Alarm,
        report: Report,
    ) -> None:
        self._cutter = network.cutter
        self._exchange = exchange
        self._lease = lease
        self._backoff = replace(backoff)
        self._pace = replace(pace)
        self._alarm = alarm
        self._report = report
        self._inbox = Inbox(alarm, network.cutter, outbox.has_new)
        self._choice = Choice()
        self._moved = threading.Condition()
        self._thread: threading.Thread | None = None
        self._yielded = self._news = False
        self._retry_in = 0.0
        self._begun = self._completed = 0
        self.hints = Hints()
        self.state = State.STOPPED
        self.transport: Transport | None = None
        self.problem: errors.SyncError | None = None

    # What other threads call.

    def start(self) -> None:
        """Begin, or where it runs, try at once what waits for its user."""
        with self._moved:
            runs = self._thread is not None
            if not runs:
                self.state, act = move(self.state, Event.START)
                self._inbox.take()
                self._thread = threading.Thread(
                    target=self._run, args=(act,), name="django_sync", daemon=True
                )
                self._thread.start()
        if runs:
            self._inbox.post(Event.START)
        else:
            self._report(None, None)

    def stop(self) -> None:
        """End the thread, in the middle of a request too, and wait for its end."""
        with self._moved:
            thread, self._thread = self._thread, None
            if thread is None:
                return
            self.state = move(self.state, Event.STOP).state
            self.transport = self.problem = None
            self._cutter.cut()
            self._moved.notify_all()
        self._alarm.ring()
        if thread is not threading.current_thread():
            thread.join(JOIN)
        self._lease.give_up()
        self._report(None, None)

    def post(self, event: Event) -> None:
        """Tell the thread, if there is one, what happened elsewhere."""
        if self._thread is not None:
            self._inbox.post(event)

    def wait_until_synced(self, timeout: float | None) -> None:
        """Return after a complete exchange that began after this call.

        Raises what keeps the link from trying, or ``NotInStep`` after ``timeout`` seconds.
        """
        if self._is_here():
            raise RuntimeError("A callback that the link itself calls cannot wait for it.")
        with self._moved:
            wanted = self._begun + 1
        self.post(Event.START)
        with self._moved:
            self._moved.wait_for(
                lambda: self._completed >= wanted or self._gave_up(wanted), timeout
            )
            if self._completed >= wanted:
                return
            stopped, problem = self._thread is None, self.problem
            gave_up = self._gave_up(wanted)
        if stopped:
            raise RuntimeError("The link is stopped; call start() first.")
        if gave_up and problem is not None:
            raise problem
        raise errors.NotInStep(f"Not in step after {timeout} s.") from problem

    def _gave_up(self, wanted: int) -> bool:
        rests = self.state in (State.AUTH_REQUIRED, State.REFUSED)
        return self._thread is None or (rests and self._begun >= wanted)

    # What the network and the exchange tell, in its own thread.

    def heard(self, answered: bool) -> None:
        """The server answered, or did not."""
        if answered:
            self._feed(Event.ANSWERED)

    def behind(self) -> None:
        """A page was applied, and more is to come."""
        self._feed(Event.BEHIND)

    # What its own thread does.

    def _is_here(self) -> bool:
        """Whether this is the thread that runs now, and not one that was stopped."""
        return threading.current_thread() is self._thread

    def _run(self, act: Act) -> None:
        while act is not Act.END:
            try:
                act = self._do(act)
            except Interrupted:
                act = self._heed()
            except Exception as error:
                if self._is_here():  # Else the store may have been closed under it.
                    log.exception("The link failed.")
                act = self._failed(errors.SyncError(f"{type(error).__name__}: {error}"))

    def _do(self, act: Act) -> Act:
        match act:
            case Act.EXCHANGE:
                return self._exchanged()
            case Act.LISTEN:
                return self._listen()
            case Act.WAIT:
                return self._await(self._retry_in)
        return self._await(None)

    def _feed(self, event: Event, problem: errors.SyncError | None = None) -> Act:
        """Go where the table says, and tell of it."""
        with self._moved:
            if not self._is_here():
                return Act.END
            before = self.state, self.problem
            self.state, act = move(self.state, event)
            if act is not Act.GO_ON:
                self.problem = problem
            if self.state is not State.LIVE:
                self.transport = None
            self._moved.notify_all()
        if act is Act.WAIT:
            self._report(self.problem, self._retry_in)
        elif before != (self.state, self.problem):
            self._report(self.problem, None)
        return act

    def _exchanged(self) -> Act:
        with self._moved:
            if not self._is_here():
                return Act.END
            self._cutter.mend()
            self._begun += 1
            number = self._begun
        try:
            counts, failure = self._exchange.go(anew=self.state is State.CONNECTING)
        except errors.SyncError as error:
            return self._failed(error)
        self._news = counts.changes > 0 or counts.sent > 0
        self._choice.offered(self._exchange.service.transports)
        self._backoff.succeeded()
        with self._moved:
            if failure is None:
                self._completed = number
        return self._feed(Event.SYNCED, failure)

    def _failed(self, error: errors.SyncError) -> Act:
        self._retry_in = self._backoff.failed(error.retry_after)
        return self._feed(outcome(error), error)

    def _listen(self) -> Act:
        """Wait for news, where no other process on this store does."""
        sparing, now = self.hints.sparing, self._alarm.now()
        transport = self._choice.best(now, sparing=sparing)
        seconds = float(self._exchange.service.wait_seconds)
        if transport is Transport.POLL:
            seconds = self._pace.next(news=self._news, sparing=sparing)
        self._news = False
        if taken_for := self._lease.take(seconds + _MARGIN):
            self._yielded = True
            return self._await(min(taken_for, self._pace.longest), then=Act.LISTEN)
        if self._yielded:
            self._yielded = False
            return self._feed(Event.DUE, self.problem)
        if self._is_here() and self.transport is not transport:
            self.transport = transport
            self._report(self.problem, None)
        return self._await(seconds) if transport is Transport.POLL else self._hold(now, seconds)

    def _hold(self, began: float, seconds: float) -> Act:
        """Ask, and have the server hold the request until something is new."""
        try:
            with self._inbox.holding():
                if not self._is_here():
                    return Act.END
                news = self._exchange.listen()
        except (errors.NotFound, errors.MethodNotAllowed):
            self._choice.lacks(self._alarm.now())
            return self._feed(Event.SYNCED, self.problem)
        except errors.SyncError as error:
            self._choice.failed(self._alarm.now())
            return self._failed(error)
        now = self._alarm.now()
        if news or now - began >= seconds / 2:
            self._choice.held()
        else:
            self._choice.failed(now)
        self._news = news
        return self._feed(Event.SYNCED, self.problem)

    def _heed(self) -> Act:
        """After an interruption: do what the inbox says, else go on as before."""
        behind = self.state is State.CATCHING_UP
        return self._await(0.0, then=Act.EXCHANGE if behind else Act.LISTEN)

    def _await(self, seconds: float | None, then: Act | None = None) -> Act:
        """Wait; return what an event says is next, or ``then``, or what is due in the end.

        A write does not end the wait at once: others may come right behind it.
        """
        until = None if seconds is None else self._alarm.now() + seconds
        wrote = False
        while self._is_here():
            for event in self._inbox.take():
                if event is not Event.WROTE:
                    if move(self.state, event).act is Act.WAIT:
                        return self._failed(errors.Offline("The network is said to be gone."))
                    act = self._feed(event, self.problem)
                    if act is not Act.GO_ON:
                        return act
                elif not wrote and move(self.state, event).act is not Act.GO_ON:
                    soon = self._alarm.now() + DEBOUNCE
                    until = soon if until is None or then is not None else min(until, soon)
                    wrote = True
            left = None if until is None else until - self._alarm.now()
            if left is not None and left <= 0:
                if then is not None and not wrote:
                    return then
                return self._feed(Event.WROTE if wrote else Event.DUE, self.problem)
            self._alarm.wait(left)
        return Act.END
