"""The line over a WebSocket: wsproto on the connection that httpx2 has upgraded.

Not through httpx2's own session: its threads keep a program from ending, and what
it writes has no time-out. wsproto comes with ``httpx2[ws]``; without it there is no
WebSocket, and nothing else is missed.
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
from .connection import LONGEST, Line
from .http import Network

log = logging.getLogger("django_sync.client")

WRITE = 30.0
"""Seconds after which a write that nobody takes, or a message that stops half-way, is an end."""

PART = 1.0
"""Seconds that a goodbye may take."""

_CHUNK = 65_536


def opened(network: Network, url: str, waker: Waker) -> WebSocket:
    """Open a socket; raises one of ``errors`` where the server, or a proxy, does not."""
    from wsproto.utilities import generate_accept_token

    key = base64.b64encode(os.urandom(16))
    headers = {"Connection": "Upgrade", "Upgrade": "websocket"}
    headers |= {"Sec-WebSocket-Key": key.decode(), "Sec-WebSocket-Version": "13"}
    response = network.upgrade(url, headers)
    told = response.headers.get("Sec-WebSocket-Accept", "").encode()
    if told != generate_accept_token(key):
        response.close()
        raise errors.NotFound("What answered is no WebSocket.")
    line = WebSocket(response, waker)
    line.open()
    return line


class WebSocket(Line):
    """One socket. One thread reads, any may send."""

    transport = Transport.WEBSOCKET

    def __init__(self, response: httpx2.Response, waker: Waker) -> None:
        from wsproto.connection import Connection, ConnectionType

        super().__init__(response, waker)
        self._connection = Connection(ConnectionType.CLIENT)
        self._parts: list[str] = []
        self._size = 0
        self._read_first = True
        # TLS may not be read and written at once: who reads waits without it.
        self._lock = threading.RLock()

    def send(self, text: str) -> None:
        from wsproto.events import TextMessage

        self._write(TextMessage(data=text))

    def _write(self, event: Any, seconds: float = WRITE) -> None:
        import httpcore2
        from wsproto.utilities import LocalProtocolError

        try:
            with self._lock:
                self._network.write(self._connection.send(event), seconds)
        except LocalProtocolError as error:
            raise errors.Offline("The socket is closed.") from error
        except (httpcore2.NetworkError, httpcore2.TimeoutException, OSError) as error:
            if self._socket is not None:
                shut(self._socket)  # Who reads comes to the end, past what is there already.
            raise errors.Offline(f"{type(error).__name__}: {error}") from error

    def _read(self) -> None:
        import httpcore2
        from wsproto.utilities import RemoteProtocolError

        try:
            while data := self._receive():
                self.arrivals.heard()
                with self._lock:
                    self._connection.receive_data(data)
                    events = list(self._connection.events())
                for event in events:
                    self._heed(event)
        except (httpcore2.NetworkError, httpcore2.TimeoutException, RemoteProtocolError) as error:
            raise errors.Offline(f"{type(error).__name__}: {error}") from error

    def _receive(self) -> bytes:
        """Wait without the lock. What came with the answer to the upgrade is read at once."""
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

    def _heed(self, event: Any) -> None:
        from wsproto import events

        match event:
            case events.TextMessage():
                self._text(event)
            case events.Ping():
                self._write(event.response())
            case events.CloseConnection():
                raise frames.ending(int(event.code), event.reason or "")
            case events.BytesMessage():
                raise errors.Offline("A frame is no text.")

    def _text(self, event: Any) -> None:
        self._parts.append(event.data)
        self._size += len(event.data)
        if self._size > LONGEST:
            raise errors.Offline("A frame does not end.")
        if event.message_finished:
            text, self._parts, self._size = "".join(self._parts), [], 0
            self._arrived(frames.parse(text))

    def _part(self) -> None:
        from wsproto.events import CloseConnection

        try:
            self._write(CloseConnection(code=1000), PART)
        except errors.Offline as error:
            log.debug("Nobody was there to say goodbye to: %s", error.detail)


def _pending(network: Any) -> bool:
    """Whether TLS holds bytes that are read already."""
    tls = network.get_extra_info("ssl_object")
    return tls is not None and tls.pending() > 0


def _wait(reading: socket.socket) -> None:
    """Until there is something to read, or the end."""
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(reading, select.POLLIN)
        poll.poll()
    else:  # Windows, whose select takes any number
        select.select([reading], [], [])
