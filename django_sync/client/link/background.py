"""Keeps a client in sync by itself: one daemon thread, which runs ``loop``.

Only that thread uses the network here. Other threads put events into its inbox, which cuts a
held request. So a local write goes out at once, and ``stop()`` does not wait for the server. A
thread of its own reads a socket or stream; the frames are handled here.

Lock order: the store's, then those here. None is held while a callback runs.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from ... import errors
from ...protocol.words import Transport
from ..net.http import Network
from .exchange import Exchange
from .inbox import Inbox
from .loop import Loop
from .parts import Parts
from .states import RESTING, Act, Event, State, move

JOIN = 5.0
"""Seconds for which ``stop()`` waits at most: a name lookup cannot be interrupted."""

Report = Callable[[errors.SyncError | None, float | None], None]
"""Called after each change with the problem that led to it and the seconds until a retry."""


class Background:
    """One client's link, and the thread behind it.

    Nothing else uses its network and its exchange.
    """

    def __init__(self, parts: Parts, network: Network, report: Report) -> None:
        self._cutter = network.cutter
        self._lease = parts.lease
        self._waker = parts.waker
        self._report = report
        self._inbox = Inbox(parts.waker, network.cutter, parts.outbox.has_new)
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._begun = self._completed = 0
        self._loop = Loop(self, parts, network, Exchange(parts, network), self._inbox)
        self.state = State.STOPPED
        self.transport: Transport | None = None
        self.problem: errors.SyncError | None = None

    # For other threads

    def start(self) -> None:
        """Start; if it runs already, try at once what waits for its user."""
        with self._changed:
            runs = self._thread is not None
            if not runs:
                self.state, act = move(self.state, Event.START)
                self._inbox.take()
                self._thread = threading.Thread(
                    target=self._loop.run, args=(act,), name="django_sync", daemon=True
                )
                self._thread.start()
        if runs:
            self._inbox.post(Event.START)
        else:
            self._report(None, None)

    def stop(self) -> None:
        """End the thread, even in the middle of a request, and wait for its end."""
        with self._changed:
            thread, self._thread = self._thread, None
            if thread is None:
                return
            self.state = move(self.state, Event.STOP).state
            self.transport = self.problem = None
            self._cutter.cut()
            self._changed.notify_all()
        self._waker.wake()
        if thread is not threading.current_thread():
            thread.join(JOIN)
        self._lease.give_up()
        self._report(None, None)

    def post(self, event: Event) -> None:
        """Give the thread, if it runs, an event from elsewhere."""
        if self._thread is not None:
            self._inbox.post(event)

    def wait_until_synced(self, timeout: float | None) -> None:
        """Return after a complete exchange that began after this call.

        Raises what keeps the link from trying, or ``NotInStep`` after ``timeout`` seconds.
        """
        if self.is_here():
            raise RuntimeError("A callback in the link's thread cannot wait for the link.")
        with self._changed:
            wanted = self._begun + 1
        self.post(Event.START)
        with self._changed:
            self._changed.wait_for(
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

    # For the network and the exchange, in the link's thread or another

    def note_call(self, answered: bool) -> None:
        """The server answered a request, or did not."""
        if answered:
            self.feed(Event.ANSWERED)

    def behind(self) -> None:
        """A page was applied, and more is to come."""
        self.feed(Event.BEHIND)

    # For the loop, in the link's thread

    def is_here(self) -> bool:
        """Whether this is the thread that runs now, and not one that was stopped."""
        return threading.current_thread() is self._thread

    def begin(self) -> int | None:
        """Begin an exchange: its number, or ``None`` if the thread must end."""
        with self._changed:
            if not self.is_here():
                return None
            self._cutter.mend()
            self._begun += 1
            return self._begun

    def mend(self) -> bool:
        """Let requests through again; ``False`` if the thread must end."""
        with self._changed:
            if self.is_here():
                self._cutter.mend()
            return self.is_here()

    def complete(self, number: int) -> None:
        """All of that exchange succeeded."""
        with self._changed:
            self._completed = number

    def feed(
        self, event: Event, problem: errors.SyncError | None = None, retry_in: float = 0.0
    ) -> Act:
        """Change the state as the table says, and report it; return what to do."""
        with self._changed:
            if not self.is_here():
                return Act.END
            before = self.state, self.problem
            self.state, act = move(self.state, event)
            if act is not Act.GO_ON:
                self.problem = problem
            if self.state is not State.LIVE:
                self.transport = None
            self._changed.notify_all()
        if act is Act.WAIT:
            self._report(self.problem, retry_in)
        elif before != (self.state, self.problem):
            self._report(self.problem, None)
        return act

    def show(self, transport: Transport | None, problem: errors.SyncError | None) -> None:
        """Report how changes come in, and a problem that does not stop them."""
        with self._changed:
            now = transport if self.state is State.LIVE else None
            if not self.is_here() or (self.transport, self.problem) == (now, problem):
                return
            self.transport, self.problem = now, problem
        self._report(problem, None)
