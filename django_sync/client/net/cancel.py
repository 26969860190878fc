"""Cuts a request that is under way, from another thread.

A thread that waits for a response wakes only when its socket ends. To close a socket does not
wake the thread that reads from it; to shut it down does. A request that has not reached its
socket yet is stopped at httpx2's next trace event, so no request slips through.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Mapping
from typing import Any

import httpx2

_OPENED = ("connect_tcp.complete", "connect_unix_socket.complete", "start_tls.complete")
_STEPS = (
    "connect_tcp.started",
    "connect_unix_socket.started",
    "start_tls.started",
    "send_request_headers.started",
    "receive_response_headers.started",
)


class Interrupted(Exception):
    """The request was cut on purpose. It never leaves the client."""


class Cutter:
    """Knows the sockets of one ``httpx2.Client`` that one thread uses.

    If the caller's transport has a ``cut()`` method, that ends the transport's requests;
    without one, a cut waits for them.
    """

    def __init__(self, transport: httpx2.BaseTransport | None) -> None:
        self._transport = transport
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self.is_cut = False

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Be a request's ``trace`` extension."""
        with self._lock:
            if event.endswith(_OPENED):
                found = info["return_value"].get_extra_info("socket")
                self._sockets = [s for s in self._sockets if s.fileno() != -1]
                if found is not None:
                    self._sockets.append(found)
                    if self.is_cut:
                        shut(found)
            elif self.is_cut and event.endswith(_STEPS):
                raise Interrupted

    def cut(self) -> None:
        """End the requests under way; new ones are cut as well, until ``mend()``."""
        with self._lock:
            self.is_cut = True
            for open_one in self._sockets:
                shut(open_one)
            self._sockets.clear()
        end = getattr(self._transport, "cut", None)
        if end is not None:
            end()

    def mend(self) -> None:
        """Let requests through again."""
        with self._lock:
            self.is_cut = False


def shut(open_one: socket.socket) -> None:
    """Shut a socket down below TLS, whose closing alert would wait for the reading thread."""
    with contextlib.suppress(OSError):  # The socket has ended already.
        socket.socket.shutdown(open_one, socket.SHUT_RDWR)
