"""Cuts a request that is under way, from another thread.

A thread that waits for an answer wakes only when its socket ends. Closing a
socket does not wake who reads from it, shutting it down does. What was cut
before it reached the socket is stopped at the next of httpx2's trace events, so
that no request slips through in between.
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

    A transport that was handed in, and has a ``cut()`` of its own, is asked to
    end what it holds; a request of one that has none is waited for.
    """

    def __init__(self, transport: httpx2.BaseTransport | None) -> None:
        self._transport = transport
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self.is_cut = False

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Stand in a request's ``trace`` extension."""
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
        """End what is under way; all that begins is cut as well, until ``mend()``."""
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
    """Shut a socket down past TLS, whose goodbye would wait for the thread that reads."""
    with contextlib.suppress(OSError):  # It has ended by itself.
        socket.socket.shutdown(open_one, socket.SHUT_RDWR)
