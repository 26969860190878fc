"""A line: an open connection that brings frames by itself. What its two kinds share.

A thread of its own reads it into ``arrivals``; who uses the line sends and closes.
The thread is a daemon, so that a program may end without closing anything.
"""

from __future__ import annotations

import logging
import socket
import threading
from abc import ABC, abstractmethod
from typing import Any, ClassVar

import httpx2

from ... import errors
from ...protocol.words import Transport
from ..waker import Waker
from .arrivals import Arrivals
from .cancel import shut

log = logging.getLogger("django_sync.client")

JOIN = 5.0
"""Seconds for which a close waits for the thread at most."""

LONGEST = 64 * 2**20
"""Bytes of one frame: more is nothing that a server sends."""


class Line(ABC):
    """An open connection; ``arrivals`` holds what came, and in the end why it ended."""

    transport: ClassVar[Transport]

    def __init__(self, response: httpx2.Response, waker: Waker) -> None:
        self._response = response
        self._network = response.extensions["network_stream"]
        found = self._network.get_extra_info("socket")
        self._socket = found if isinstance(found, socket.socket) else None
        self.arrivals = Arrivals(waker)
        self._thread = threading.Thread(target=self._run, name="django_sync_line", daemon=True)

    def open(self) -> None:
        """Begin to read."""
        self._thread.start()

    def send(self, text: str) -> None:
        """Send a frame; raises ``Offline``, and then the end arrives as well."""
        raise NotImplementedError

    def close(self) -> None:
        """End it, in the middle of a frame too."""
        self.arrivals.end(errors.Offline("The connection was closed here."))
        self._part()
        if self._socket is not None:
            shut(self._socket)
        else:  # A connection in memory
            self._network.close()
        if self._thread.is_alive():
            self._thread.join(JOIN)
        self._response.close()

    def _run(self) -> None:
        try:
            self._read()
        except errors.SyncError as error:
            self.arrivals.end(error)
        except (httpx2.TransportError, httpx2.StreamError, OSError) as error:
            self.arrivals.end(errors.Offline(f"{type(error).__name__}: {error}"))
        except Exception as error:
            log.exception("Reading a connection failed.")
            self.arrivals.end(errors.SyncError(f"{type(error).__name__}: {error}"))
        else:
            self.arrivals.end(errors.Offline("The server ended the connection."))

    @abstractmethod
    def _read(self) -> None:
        """Read until the end; raise, or return where it ended in order."""

    def _part(self) -> None:  # noqa: B027 - only a socket has a word for it
        """Say goodbye, if that is quickly done."""

    def _arrived(self, frame: dict[str, Any]) -> None:
        if not self.arrivals.put(frame):
            raise errors.Offline("The connection was closed here.")
