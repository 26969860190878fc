"""The server's end of ``MemoryServer``'s sockets and streams: bytes in memory."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import httpcore2
import httpx2
from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection, Ping, TextMessage
from wsproto.utilities import LocalProtocolError

from .. import errors
from .clocks import DEADLINE

if TYPE_CHECKING:
    from .server import MemoryServer, User

Json = dict[str, Any]


class MemoryConnection:
    """The server's end of one open connection, and the bytes on their way to the client.

    To the client it is httpcore2's network stream.
    """

    def __init__(self, server: MemoryServer, user: User, asked: dict[str, str]) -> None:
        self.server, self.user, self.asked = server, user, asked
        self.received: list[Json] = []
        """The client's frames."""
        self.ended = False
        self._bytes = bytearray()
        self._changed = threading.Condition()
        self._broken = self._handling = False

    # What a test does.

    def send(self, frame: Json) -> None:
        """Send a frame."""
        raise NotImplementedError

    def raw(self, data: bytes) -> None:
        """Send these bytes."""
        with self._changed:
            self._bytes += data
            self._changed.notify_all()

    def cut(self) -> None:
        """Break the connection; what is on its way still arrives."""
        with self._changed:
            self._broken = self.ended = True
            self._changed.notify_all()

    def wait_for(self, kind: str, count: int = 1) -> list[Json]:
        """Wait until so many frames of a kind have come."""
        with self._changed:
            came = self._changed.wait_for(lambda: len(self._of(kind)) >= count, DEADLINE)
            assert came, f"no {count} of {kind!r}: {self.received}"
            return self._of(kind)

    @property
    def is_idle(self) -> bool:
        """Whether the client has read all bytes and handled them, or the connection has ended."""
        with self._changed:
            return self.ended or not (self._bytes or self._handling)

    def _of(self, kind: str) -> list[Json]:
        return [frame for frame in self.received if frame.get("type") == kind]

    # What the server does.

    def page(self) -> bool:
        """Send the next page, where there is one; whether another follows."""
        if self.ended or self.server.connections.by_script:
            return False
        try:
            page = self.server.pull(self.user, self.asked)
        except errors.SyncError as error:
            self.refuse(error)
            return False
        first = "fed" not in self.asked
        if page["changes"] or first:
            cursor = page.pop("cursor")
            self.asked |= {"cursor": cursor, "fed": "yes"}
            self.send({"type": "changes", **page})
            if not self.server.connections.late_cursors or page["has_more"] or first:
                self.send({"type": "cursor", "cursor": cursor})
        return bool(page["has_more"])

    def refuse(self, error: errors.SyncError) -> None:
        """Send the error, and end."""
        raise NotImplementedError

    def feed(self) -> None:
        """Send all that is new."""
        while self.page():
            pass

    # What the client does.

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with self._changed:
            self._handling = False
            ready = self._changed.wait_for(lambda: self._bytes or self._broken, timeout or DEADLINE)
            if not ready:
                raise httpcore2.ReadTimeout("nothing came")
            found = bytes(self._bytes[:max_bytes])
            del self._bytes[:max_bytes]
            self._handling = bool(found)
            return found

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        raise httpcore2.WriteError("A stream takes nothing.")

    def close(self) -> None:
        self.cut()

    def get_extra_info(self, info: str) -> Any:
        return None


class MemorySocket(MemoryConnection):
    """A WebSocket."""

    def __init__(self, server: MemoryServer, user: User, asked: dict[str, str]) -> None:
        super().__init__(server, user, asked)
        self._connection = Connection(ConnectionType.SERVER)
        self._is_welcome = False

    def send(self, frame: Json) -> None:
        self._send_event(TextMessage(data=json.dumps(frame)))

    def shut(self, code: int, reason: str = "") -> None:
        """Close it with a code."""
        self._send_event(CloseConnection(code=code, reason=reason))
        self.cut()

    def ping(self) -> None:
        """As ASGI servers do, below the protocol."""
        self._send_event(Ping(payload=b"are you there"))

    def refuse(self, error: errors.SyncError) -> None:
        self.send({"type": "error", "problem": error.problem()})
        own = {"session_ended": 4419, "blocked": 4423}.get(error.code)
        self.shut(own or {401: 4401, 403: 4403, 410: 4410, 429: 4429}.get(error.status, 4400))

    def feed(self) -> None:
        if self._is_welcome:
            super().feed()

    def _send_event(self, event: Any) -> None:
        try:
            self.raw(self._connection.send(event))
        except LocalProtocolError:
            self.cut()  # The client has closed it.

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if self.ended:
            raise httpcore2.WriteError("The connection is broken.")
        with self.server.held.lock:
            self._connection.receive_data(buffer)
            for event in list(self._connection.events()):
                if isinstance(event, CloseConnection):
                    self.cut()
                elif isinstance(event, TextMessage):
                    self._handle(json.loads(event.data))

    def _handle(self, frame: Json) -> None:
        connections = self.server.connections
        with self._changed:
            self.received.append(frame)
            self._changed.notify_all()
        if connections.on_frame is not None and connections.on_frame(self, frame):
            return
        if connections.silent or connections.by_script:
            return
        match frame:
            case {"type": "hello", "cursor": cursor, "collections": names}:
                self.asked = {"collections": ",".join(names)}
                self.asked |= {} if cursor is None else {"cursor": cursor}
                self.send(
                    {
                        "type": "welcome",
                        "epoch": self.server.epoch,
                        "heartbeat": connections.heartbeat,
                    }
                )
                self._is_welcome = True
                self.feed()
            case {"type": "ping"}:
                self.send({"type": "pong"})
            case {"type": "mutate", "ref": ref, **envelope}:
                self._mutate(ref, envelope)

    def _mutate(self, ref: str, envelope: Json) -> None:
        self.server.connections.mutated.append(envelope["mutations"])
        try:
            answer = self.server.writes.batch(self.user, envelope)
        except errors.SyncError as error:
            self.send({"type": "error", "ref": ref, "problem": error.problem()})
        else:
            self.send({"type": "results", "ref": ref, **answer})


class MemoryEvents(MemoryConnection, httpx2.SyncByteStream):
    """Server-sent events."""

    def send(self, frame: Json) -> None:
        id = f"id: {frame['cursor']}\n" if frame["type"] == "cursor" else ""
        self.raw(f"event: {frame['type']}\n{id}data: {json.dumps(frame)}\n\n".encode())

    def refuse(self, error: errors.SyncError) -> None:
        self.send({"type": "error", "problem": error.problem()})
        self.cut()

    def __iter__(self) -> Iterator[bytes]:
        while chunk := self.read(65_536):
            yield chunk
