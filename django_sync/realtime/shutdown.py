"""Hear that this process is told to end, while its connections can still be told so.

A server that is told to stop waits for its requests, and a stream is one that does not end by
itself; ASGI's lifespan speaks only after that wait. So the signal is heard here, before the
server's own handler, which is called as ever. Where nobody handles the signal there is no
waiting, and nothing to be heard.
"""

from __future__ import annotations

import signal
import threading
from typing import Any, Protocol
from weakref import WeakSet


class ShutdownListener(Protocol):
    """Somebody who has connections."""

    def shut_down(self) -> None:
        """The process will end. Called in a signal handler, between any two instructions."""


_attending: WeakSet[ShutdownListener] = WeakSet()
_ours: Any = None


def attend(ends: ShutdownListener) -> None:
    """Have somebody told of SIGTERM, where this is the thread that can hear of it."""
    global _ours  # noqa: PLW0603  # a process has one handler of a signal
    _attending.add(ends)
    if threading.current_thread() is not threading.main_thread():
        return
    before = signal.getsignal(signal.SIGTERM)
    if before is _ours or not callable(before):
        return

    def heard(number: int, frame: Any) -> None:
        for one in tuple(_attending):
            one.shut_down()
        before(number, frame)

    _ours = heard
    signal.signal(signal.SIGTERM, heard)
    signal.siginterrupt(signal.SIGTERM, False)  # as event loops have it
