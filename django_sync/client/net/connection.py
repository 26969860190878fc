"""An open connection over which the server sends frames by itself: what its two kinds share.

A thread of its own reads the connection into a ``FrameQueue``; the link's thread takes the
frames from there, and sends and closes. The reading thread is a daemon, so that a program may
end without closing anything.
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
from .cancel import shut

log = logging.getLogger("django_sync.client")

JOIN = 5.0
"""Seconds for which a close waits for the thread at most."""

MAX_FRAME_BYTES = 64 * 2**20
"""No server sends a longer frame."""

MAX_QUEUED = 16
"""Frames in the queue; the server sends about as many without an acknowledgement."""


class FrameQueue:
    """Frames in the order of arrival, then the reason of the end. Each wakes ``waker``."""

    def __init__(self, waker: Waker, most: int = MAX_QUEUED) -> None:
        self._waker = waker
        self._most = most
        self._changed = threading.Condition()
        self._frames: list[dict[str, Any]] = []
        self._end: errors.SyncError | None = None
        self.received_at = waker.now()
        """When bytes came last, by the waker's clock."""

    def note_bytes(self) -> None:
        """Bytes came, perhaps only half a frame."""
        self.received_at = self._waker.now()

    def put(self, frame: dict[str, Any]) -> bool:
        """Add a frame; wait while the queue is full. ``False``: the connection was closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._end is not None or len(self._frames) < self._most)
            if self._end is not None:
                return False
            self._frames.append(frame)
        self._waker.wake()
        return True

    def end(self, error: errors.SyncError) -> None:
        """Nothing more comes. The first reason counts."""
        with self._changed:
            self._end = self._end or error
            self._changed.notify_all()
        self._waker.wake()

    def next(self) -> dict[str, Any] | None:
        """The next frame, or ``None``; raises the reason of the end once all are taken."""
        with self._changed:
            if self._frames:
                self._changed.notify_all()
                return self._frames.pop(0)
            if self._end is not None:
                raise self._end
            return None


class Connection(ABC):
    """An open connection; ``queue`` holds what came, and finally why the connection ended."""

    transport: ClassVar[Transport]

    def __init__(self, response: httpx2.Response, waker: Waker) -> None:
        self._response = response
        self._network = response.extensions["network_stream"]
        found = self._network.get_extra_info("socket")
        self._socket = found if isinstance(found, socket.socket) else None
        self.queue = FrameQueue(waker)
        name = "django_sync_connection"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def open(self) -> None:
        """Begin to read."""
        self._thread.start()

    def send(self, text: str) -> None:
        """Send a frame; raises ``Offline``, and then the queue ends as well."""
        raise NotImplementedError

    def close(self) -> None:
        """End it, even in the middle of a frame."""
        self.queue.end(errors.Offline("The connection was closed here."))
        self._send_close()
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
            self.queue.end(error)
        except (httpx2.TransportError, httpx2.StreamError, OSError) as error:
            self.queue.end(errors.Offline(f"{type(error).__name__}: {error}"))
        except Exception as error:
            log.exception("Reading a connection failed.")
            self.queue.end(errors.SyncError(f"{type(error).__name__}: {error}"))
        else:
            self.queue.end(errors.Offline("The server ended the connection."))

    @abstractmethod
    def _read(self) -> None:
        """Read until the end; return after a regular end, raise otherwise."""

    def _send_close(self) -> None:  # noqa: B027 - only a socket has a frame for it
        """Send the closing frame, if the connection has one and that is quickly done."""

    def _put(self, frame: dict[str, Any]) -> None:
        if not self.queue.put(frame):
            raise errors.Offline("The connection was closed here.")
