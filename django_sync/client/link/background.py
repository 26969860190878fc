"""Stays in step by itself: one daemon thread that acts on ``link``'s table.

Only that thread speaks over the network here. Others put events into its inbox;
where it waits for a held request, the request is cut. So a local write goes out
at once, and ``stop()`` waits for nobody. What a socket or stream brings is read by
a thread of its own and heeded here.

Lock order: the store's, then those here. None is held while a callback runs.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ... import errors
from ...protocol.words import Transport
from ..backoff import Backoff
from ..listener import Listener
from ..net.http import Network
from ..net.network_monitor import Around
from ..store.database import Store
from ..store.lease import Lease
from ..store.outbox import Outbox
from ..waker import Waker
from .exchange import Exchange
from .inbox import Inbox
from .loop import Acting
from .pace import Pace
from .states import RESTING, Act, Event, State, move
from .transports import LADDER, Choice
from .waking import Waking

JOIN = 5.0
"""Seconds for which ``stop()`` waits at most: who looks up a name cannot be interrupted."""

Report = Callable[[errors.SyncError | None, float | None], None]
"""Is told of each change: the problem that led there, the seconds until a retry."""


class Background:
    """One client's link, and the thread behind it.

    It has a network and an exchange that nobody else uses; ``able`` are the transports
    that it may use.
    """

    def __init__(
        self,
        network: Network,
        exchange: Exchange,
        store: Store,
        outbox: Outbox,
        listener: Listener,
        lease: Lease,
        backoff: Backoff,
        pace: Pace,
        waker: Waker,
        report: Report,
        around: Around,
        waking: Waking,
        able: Sequence[Transport] = LADDER,
        push: Mapping[str, Any] | None = None,
    ) -> None:
        self._cutter = network.cutter
        self._lease = lease
        self._waker = waker
        self._report = report
        self._inbox = Inbox(waker, network.cutter, outbox.has_new)
        self._moved = threading.Condition()
        self._thread: threading.Thread | None = None
        self._begun = self._completed = 0
        self.around = around
        self.waking = waking
        self._acting = Acting(
            self,
            network,
            exchange,
            store,
            outbox,
            listener,
            self._inbox,
            lease,
            Choice(able, uniform=pace.uniform),
            backoff,
            pace,
            waker,
            push,
        )
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
                    target=self._acting.run, args=(act,), name="django_sync", daemon=True
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
        self._waker.wake()
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
        if self.is_here():
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
        rests = self.state in RESTING
        return self._thread is None or (rests and self._begun >= wanted)

    # What the network and the exchange tell, in its own thread.

    def heard(self, answered: bool) -> None:
        """The server answered, or did not."""
        if answered:
            self.feed(Event.ANSWERED)

    def behind(self) -> None:
        """A page was applied, and more is to come."""
        self.feed(Event.BEHIND)

    # What its own thread calls.

    def is_here(self) -> bool:
        """Whether this is the thread that runs now, and not one that was stopped."""
        return threading.current_thread() is self._thread

    def begin(self) -> int | None:
        """Begin an exchange: its number, or ``None`` where the thread is to end."""
        with self._moved:
            if not self.is_here():
                return None
            self._cutter.mend()
            self._begun += 1
            return self._begun

    def mend(self) -> bool:
        """Let requests through again; ``False`` where the thread is to end."""
        with self._moved:
            if self.is_here():
                self._cutter.mend()
            return self.is_here()

    def complete(self, number: int) -> None:
        """All of that exchange came through."""
        with self._moved:
            self._completed = number

    def feed(
        self, event: Event, problem: errors.SyncError | None = None, retry_in: float = 0.0
    ) -> Act:
        """Go where the table says, and tell of it."""
        with self._moved:
            if not self.is_here():
                return Act.END
            before = self.state, self.problem
            self.state, act = move(self.state, event)
            if act is not Act.GO_ON:
                self.problem = problem
            if self.state is not State.LIVE:
                self.transport = None
            self._moved.notify_all()
        if act is Act.WAIT:
            self._report(self.problem, retry_in)
        elif before != (self.state, self.problem):
            self._report(self.problem, None)
        return act

    def show(self, transport: Transport | None, problem: errors.SyncError | None) -> None:
        """Tell how changes come in, and what is amiss all the same."""
        with self._moved:
            now = transport if self.state is State.LIVE else None
            if not self.is_here() or (self.transport, self.problem) == (now, problem):
                return
            self.transport, self.problem = now, problem
        self._report(problem, None)
