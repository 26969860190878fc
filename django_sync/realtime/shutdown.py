"""Closes connections when the process gets SIGTERM, before its server waits for them.

A server that shuts down waits for its requests, and a stream is a request that does not end by
itself. ASGI's lifespan event comes only after that wait. So the signal is handled here first, and
then by the server's own handler as before. If nothing handles the signal, no server waits, and
there is nothing to do.
"""

from __future__ import annotations

import signal
import threading
from typing import Any, Protocol
from weakref import WeakSet


class ShutdownListener(Protocol):
    """An object that has open connections."""

    def shut_down(self) -> None:
        """The process will end. Called in a signal handler, between any two instructions."""


_listeners: WeakSet[ShutdownListener] = WeakSet()
_handler: Any = None


def register(listener: ShutdownListener) -> None:
    """Have ``shut_down`` called at SIGTERM, if this is the thread that handles signals."""
    global _handler  # noqa: PLW0603  # a process has one handler of a signal
    _listeners.add(listener)
    if threading.current_thread() is not threading.main_thread():
        return
    before = signal.getsignal(signal.SIGTERM)
    if before is _handler or not callable(before):
        return

    def handle(number: int, frame: Any) -> None:
        for one in tuple(_listeners):
            one.shut_down()
        before(number, frame)

    _handler = handle
    signal.signal(signal.SIGTERM, handle)
    signal.siginterrupt(signal.SIGTERM, False)  # as event loops set it
