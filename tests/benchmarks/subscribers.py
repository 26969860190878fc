"""Raw clients of the bench ``sockets``: many sockets and one HTTP connection in one event loop.

No client library is used, since hundreds of sockets have to fit beside the server on one machine.
They acknowledge as the clients of this project do: at half the server's window.
"""

from __future__ import annotations

import asyncio
import json
import struct
import time
from collections.abc import Sequence

from django_sync.realtime.connection import WINDOW

PATIENCE = 60.0
"""Seconds to wait for an answer."""

AT_ONCE = 50
"""Sockets that open at the same time: fewer than a server lets wait from one address."""

HELLO = '{"type":"hello","protocol":1,"collections":["notes"]}'


class Socket(asyncio.Protocol):
    """One socket. ``syncs``: it speaks our protocol; otherwise every text counts."""

    def __init__(self, port: int, path: str, *, syncs: bool) -> None:
        self._port, self._path, self._syncs = port, path, syncs
        self._buffer = b""
        self._upgraded = False
        self._acknowledged = 0
        self.count = 0
        """Frames of changes, or texts, that came."""
        self.came_at = 0.0
        """When the last of them came, by ``time.monotonic()``."""
        self.ready = asyncio.get_running_loop().create_future()
        """Done when the socket is open and has caught up."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(
            f"GET {self._path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            "Authorization: Token bench\r\n\r\n".encode()
        )

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ready.done():
            self.ready.set_exception(ConnectionError("The server closed the socket."))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._upgraded and not self._upgrade():
            return
        while (frame := self._next()) is not None:
            self._take(frame)

    def _upgrade(self) -> bool:
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return False
        if b" 101 " not in head.split(b"\r\n")[0]:
            self.ready.set_exception(ConnectionError(head.decode("latin-1")))
            return False
        self._buffer, self._upgraded = rest, True
        if self._syncs:
            self.send(HELLO)
        else:
            self.ready.set_result(None)
        return True

    def _next(self) -> bytes | None:
        """The payload of the next whole frame; servers mask nothing."""
        if len(self._buffer) < 2:
            return None
        size, start = self._buffer[1], 2
        if size >= 126:
            start = 4 if size == 126 else 10
            if len(self._buffer) < start:
                return None
            size = int.from_bytes(self._buffer[2:start])
        if len(self._buffer) < start + size:
            return None
        payload, self._buffer = self._buffer[start : start + size], self._buffer[start + size :]
        return payload

    def _take(self, payload: bytes) -> None:
        if not self._syncs or payload.startswith(b'{"type":"changes"'):
            self.count += 1
            self.came_at = time.monotonic()
        if not self._syncs:
            return
        if not self.ready.done():
            if payload.startswith(b'{"type":"cursor"'):
                self.ready.set_result(None)
                self._acknowledge()
        elif self.count - self._acknowledged >= WINDOW // 2:
            self._acknowledge()

    def _acknowledge(self) -> None:
        self._acknowledged = self.count
        self.send(f'{{"type":"ack","frames":{self.count}}}')

    def send(self, text: str) -> None:
        """One frame, by a mask of zeros, which changes nothing."""
        data = text.encode()
        size = struct.pack("!B", 128 + len(data)) if len(data) < 126 else b""
        size = size or struct.pack("!BH", 254, len(data))
        self.transport.write(b"\x81" + size + b"\0\0\0\0" + data)


async def opened(port: int, path: str, number: int, *, syncs: bool) -> list[Socket]:
    """Open sockets that have caught up."""
    loop = asyncio.get_running_loop()
    sockets: list[Socket] = []
    for group in _groups(number):
        made = [
            loop.create_connection(lambda: Socket(port, path, syncs=syncs), "127.0.0.1", port)
            for _ in group
        ]
        new = [protocol for _, protocol in await asyncio.gather(*made)]
        await asyncio.wait_for(asyncio.gather(*(s.ready for s in new)), PATIENCE)
        sockets += new
    return sockets


def _groups(number: int) -> list[range]:
    return [range(at, min(at + AT_ONCE, number)) for at in range(0, number, AT_ONCE)]


async def until_all(sockets: Sequence[Socket], count: int) -> None:
    """Wait until each socket has had this many frames."""
    deadline = time.monotonic() + PATIENCE
    while any(socket.count < count for socket in sockets):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{sum(s.count < count for s in sockets)} sockets lack frames")
        await asyncio.sleep(0.001)


class Writer:
    """One HTTP connection that creates notes over REST."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)

    def close(self) -> None:
        self._writer.close()

    async def create(self, record: dict[str, object]) -> None:
        fields = {name: value for name, value in record.items() if name != "id"}
        body = json.dumps({"id": str(record["id"]), "object": fields}, default=str).encode()
        head = (
            f"POST /sync/notes/ HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n"
            "Authorization: Token bench\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + body)
        answer = await asyncio.wait_for(self._reader.readuntil(b"\r\n\r\n"), PATIENCE)
        lines = answer.decode("latin-1").split("\r\n")
        sizes = [int(n.split(":")[1]) for n in lines if n.lower().startswith("content-length")]
        content = await self._reader.readexactly(sizes[0])
        if " 201 " not in lines[0]:
            raise RuntimeError(f"{lines[0]} {content[:300]!r}")
