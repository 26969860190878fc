"""The connection over a WebSocket: wsproto on the connection that httpx2 has upgraded.

httpx2's own session is not used: its threads keep a program from ending, and its writes have
no time-out. wsproto comes with ``httpx2[ws]``; without it only the WebSocket is missing.
"""

from __future__ import annotations

import base64
import contextlib
import logging
import os
import select
import socket
import threading
from typing import Any

import httpx2

from ... import errors
from ...protocol.words import Transport
from ..waker import Waker
from . import frames
from .cancel import shut
from .connection import MAX_FRAME_BYTES, Connection
from .http import Network

log = logging.getLogger("django_sync.client")

WRITE = 30.0
"""Seconds after which a write that is not taken, or a message that stops half-way, is an end."""

CLOSE = 1.0
"""Seconds that sending the closing frame may take."""

_CHUNK = 65_536


def connect(network: Network, url: str, waker: Waker) -> WebSocket:
    """Open a socket; raises one of ``errors`` where the server, or a proxy, does not."""
    from wsproto.utilities import generate_accept_token

    key = base64.b64encode(os.urandom(16))
    headers = {"Connection": "Upgrade", "Upgrade": "websocket"}
    headers |= {"Sec-WebSocket-Key": key.decode(), "Sec-WebSocket-Version": "13"}
    response = network.upgrade(url, headers)
    accept = response.headers.get("Sec-WebSocket-Accept", "").encode()
    if accept != generate_accept_token(key):
        response.close()
        raise errors.NotFound("The answer is not that of a WebSocket server.")
    connection = WebSocket(response, waker)
    connection.open()
    return connection


class WebSocket(Connection):
    """One socket. One thread reads, any thread may send."""

    transport = Transport.WEBSOCKET

    def __init__(self, response: httpx2.Response, waker: Waker) -> None:
        from wsproto.connection import Connection as Protocol
        from wsproto.connection import ConnectionType

        super().__init__(response, waker)
        self._protocol = Protocol(ConnectionType.CLIENT)
        self._parts: list[str] = []
        self._size = 0
        self._read_first = True
        # TLS may not be read and written at once; the reader waits for bytes without the lock.
        self._lock = threading.RLock()

    def send(self, text: str) -> None:
        from wsproto.events import TextMessage

        self._write(TextMessage(data=text))

    def _write(self, event: Any, seconds: float = WRITE) -> None:
        import httpcore2
        from wsproto.utilities import LocalProtocolError

        try:
            with self._lock:
                self._network.write(self._protocol.send(event), seconds)
        except LocalProtocolError as error:
            raise errors.Offline("The socket is closed.") from error
        except (httpcore2.NetworkError, httpcore2.TimeoutException, OSError) as error:
            if self._socket is not None:
                shut(self._socket)  # The reader still gets what has arrived, then the end.
            raise errors.Offline(f"{type(error).__name__}: {error}") from error

    def _read(self) -> None:
        import httpcore2
        from wsproto.utilities import RemoteProtocolError

        try:
            while data := self._receive():
                self.queue.note_bytes()
                with self._lock:
                    self._protocol.receive_data(data)
                    events = list(self._protocol.events())
                for event in events:
                    self._handle(event)
        except (httpcore2.NetworkError, httpcore2.TimeoutException, RemoteProtocolError) as error:
            raise errors.Offline(f"{type(error).__name__}: {error}") from error

    def _receive(self) -> bytes:
        """Wait without the lock. Bytes that came with the upgrade's answer are read at once."""
        import httpcore2

        if self._socket is None:
            return bytes(self._network.read(_CHUNK, None))
        if self._read_first:
            self._read_first = False
            with contextlib.suppress(httpcore2.ReadTimeout), self._lock:
                return bytes(self._network.read(_CHUNK, 0.001))
        if not _pending(self._network):
            _wait(self._socket)
        with self._lock:
            return bytes(self._network.read(_CHUNK, WRITE))

    def _handle(self, event: Any) -> None:
        from wsproto import events

        match event:
            case events.TextMessage():
                self._text(event)
            case events.Ping():
                self._write(event.response())
            case events.CloseConnection():
                raise frames.close_error(int(event.code), event.reason or "")
            case events.BytesMessage():
                raise errors.Offline("A frame is not text.")

    def _text(self, event: Any) -> None:
        self._parts.append(event.data)
        self._size += len(event.data)
        if self._size > MAX_FRAME_BYTES:
            raise errors.Offline("A frame is too long.")
        if event.message_finished:
            text, self._parts, self._size = "".join(self._parts), [], 0
            self._put(frames.parse(text))

    def _send_close(self) -> None:
        from wsproto.events import CloseConnection

        try:
            self._write(CloseConnection(code=1000), CLOSE)
        except errors.Offline as error:
            log.debug("The closing frame was not sent: %s", error.detail)


def _pending(network: Any) -> bool:
    """Whether TLS holds bytes that were read from the socket already."""
    tls = network.get_extra_info("ssl_object")
    return tls is not None and tls.pending() > 0


def _wait(reading: socket.socket) -> None:
    """Wait until there is something to read, or the end."""
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(reading, select.POLLIN)
        poll.poll()
    else:  # Windows, whose select takes any number
        select.select([reading], [], [])
