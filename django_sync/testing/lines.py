"""``MemoryServer``'s sockets and streams: bytes in memory, frames by the protocol.

    server.transports = ["websocket", "sse", "poll"]
    client.start()
    line = server.lines.wait()          # the client has opened one
    line.send({"type": "switch", "transport": "poll", "retry_after": 60})

By itself a line behaves as a server does. ``server.lines.by_script = True`` leaves what
is said to the test; ``silent`` has it say nothing, ``late_cursors`` keeps cursors back.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import httpcore2
import httpx2
from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection, Ping, TextMessage
from wsproto.utilities import LocalProtocolError, generate_accept_token

from .. import errors
from ..protocol.words import Transport
from .clocks import DEADLINE

if TYPE_CHECKING:
    from .holding import MemoryTransport
    from .server import MemoryServer, User

Json = dict[str, Any]

PREFERENCE = [Transport.WEBSOCKET, Transport.SSE, Transport.LONG_POLL, Transport.POLL]


class MemoryLine:
    """The server's end of one open connection, and the bytes on their way to the client.

    To the client it is httpcore2's network stream.
    """

    def __init__(self, server: MemoryServer, user: User, asked: dict[str, str]) -> None:
        self.server, self.user, self.asked = server, user, asked
        self.received: list[Json] = []
        """The client's frames."""
        self.ended = False
        self._bytes = bytearray()
        self._moved = threading.Condition()
        self._broken = False

    # What a test does.

    def send(self, frame: Json) -> None:
        """Send a frame."""
        raise NotImplementedError

    def raw(self, data: bytes) -> None:
        """Send bytes, whatever they mean."""
        with self._moved:
            self._bytes += data
            self._moved.notify_all()

    def cut(self) -> None:
        """Break the connection; what is on its way still arrives."""
        with self._moved:
            self._broken = self.ended = True
            self._moved.notify_all()

    def wait_for(self, kind: str, count: int = 1) -> list[Json]:
        """Wait until so many frames of a kind have come."""
        with self._moved:
            came = self._moved.wait_for(lambda: len(self._of(kind)) >= count, DEADLINE)
            assert came, f"no {count} of {kind!r}: {self.received}"
            return self._of(kind)

    def _of(self, kind: str) -> list[Json]:
        return [frame for frame in self.received if frame.get("type") == kind]

    # What the server does.

    def page(self) -> bool:
        """Send the next page, where there is one; whether another follows."""
        if self.ended or self.server.lines.by_script:
            return False
        try:
            page = self.server.pull(self.user, self.asked)
        except errors.SyncError as error:
            self.refuse(error)
            return False
        first = "told" not in self.asked
        if page["changes"] or first:
            cursor = page.pop("cursor")
            self.asked |= {"cursor": cursor, "told": "yes"}
            self.send({"type": "changes", **page})
            if not self.server.lines.late_cursors or page["has_more"] or first:
                self.send({"type": "cursor", "cursor": cursor})
        return bool(page["has_more"])

    def refuse(self, error: errors.SyncError) -> None:
        """Say what is wrong, and end."""
        raise NotImplementedError

    def feed(self) -> None:
        """Send all that is new."""
        while self.page():
            pass

    # What the client does.

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with self._moved:
            told = self._moved.wait_for(lambda: self._bytes or self._broken, timeout or DEADLINE)
            if not told:
                raise httpcore2.ReadTimeout("nothing came")
            found = bytes(self._bytes[:max_bytes])
            del self._bytes[:max_bytes]
            return found

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        raise httpcore2.WriteError("A stream takes nothing.")

    def close(self) -> None:
        self.cut()

    def get_extra_info(self, info: str) -> Any:
        return None


class MemorySocket(MemoryLine):
    """A WebSocket."""

    def __init__(self, server: MemoryServer, user: User, asked: dict[str, str]) -> None:
        super().__init__(server, user, asked)
        self._connection = Connection(ConnectionType.SERVER)
        self._is_welcome = False

    def send(self, frame: Json) -> None:
        self._say(TextMessage(data=json.dumps(frame)))

    def shut(self, code: int, reason: str = "") -> None:
        """Close it with a code."""
        self._say(CloseConnection(code=code, reason=reason))
        self.cut()

    def ping(self) -> None:
        """As ASGI servers do, below the protocol."""
        self._say(Ping(payload=b"are you there"))

    def refuse(self, error: errors.SyncError) -> None:
        self.send({"type": "error", "problem": error.problem()})
        self.shut({401: 4401, 403: 4403, 410: 4410, 429: 4429}.get(error.status, 4400))

    def feed(self) -> None:
        if self._is_welcome:
            super().feed()

    def _say(self, event: Any) -> None:
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
                    self._hear(json.loads(event.data))

    def _hear(self, frame: Json) -> None:
        lines = self.server.lines
        with self._moved:
            self.received.append(frame)
            self._moved.notify_all()
        if lines.on_frame is not None and lines.on_frame(self, frame):
            return
        if lines.silent or lines.by_script:
            return
        match frame:
            case {"type": "hello", "cursor": cursor, "collections": names}:
                self.asked = {"collections": ",".join(names)}
                self.asked |= {} if cursor is None else {"cursor": cursor}
                self.send(
                    {"type": "welcome", "epoch": self.server.epoch, "heartbeat": lines.heartbeat}
                )
                self._is_welcome = True
                self.feed()
            case {"type": "ping"}:
                self.send({"type": "pong"})
            case {"type": "mutate", "ref": ref, **envelope}:
                self._mutate(ref, envelope)

    def _mutate(self, ref: str, envelope: Json) -> None:
        self.server.lines.mutated.append(envelope["mutations"])
        try:
            answer = self.server.writes.batch(self.user, envelope)
        except errors.SyncError as error:
            self.send({"type": "error", "ref": ref, "problem": error.problem()})
        else:
            self.send({"type": "results", "ref": ref, **answer})


class MemoryEvents(MemoryLine, httpx2.SyncByteStream):
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


class Lines:
    """The sessions of a server, and the lines that are open."""

    def __init__(self, server: MemoryServer) -> None:
        self._server = server
        self._moved = threading.Condition()
        self._tickets: dict[str, User] = {}
        self.sessions: dict[str, Json] = {}
        self.opened: list[MemoryLine] = []
        """All lines that there ever were, in order."""
        self.mutated: list[list[Json]] = []
        """The mutations that came over sockets, by frame."""
        self.heartbeat = 25
        self.upgrade_after = 60
        self.wanted: Transport | None = None
        """What the server decides, whatever the client can do."""
        self.by_script = self.silent = self.late_cursors = False
        self.on_frame: Callable[[MemorySocket, Json], bool] | None = None
        """Is shown each frame that comes; true says that it has been seen to."""

    def session(self, user: User, id: str | None, told: Json) -> Json:
        """Open a session, or change one."""
        if id is not None and id not in self.sessions:
            raise errors.NotFound()
        id = id or str(uuid.uuid4())
        kept = self.sessions.setdefault(id, {})
        kept.update(told)
        out = set(kept.get("failed") or ())
        able = [t for t in PREFERENCE if t in kept["transports"] and t in self._server.transports]
        best = [self.wanted] if self.wanted else [t for t in able if t not in out]
        ticket = str(uuid.uuid4())
        self._tickets[ticket] = user
        return {
            "id": id,
            "transport": (best or [Transport.POLL])[0],
            "url": f"ws://sync.test/sync/live/ws/?ticket={ticket}",
            "ticket": ticket,
            "heartbeat": self.heartbeat,
            "fallback": best[1:],
            "poll_interval": 30,
            "upgrade_after": self.upgrade_after,
            "reasons": [],
        }

    def socket(
        self, request: httpx2.Request, asked: Json, wire: MemoryTransport
    ) -> httpx2.Response:
        """Answer an upgrade."""
        user = self._tickets.pop(asked.get("ticket", ""), None)
        line = MemorySocket(self._server, user or next(iter(self._server.users.values())), {})
        if user is None:
            line.shut(4401)
        self._open(line, wire)
        accept = generate_accept_token(request.headers["Sec-WebSocket-Key"].encode())
        headers = {"Upgrade": "websocket", "Sec-WebSocket-Accept": accept.decode()}
        return httpx2.Response(101, headers=headers, extensions={"network_stream": line})

    def stream(self, user: User, asked: dict[str, str], wire: MemoryTransport) -> httpx2.Response:
        """Answer with events."""
        self._server.told(user, asked.get("cursor"))  # Raises before the stream opens.
        line = MemoryEvents(self._server, user, asked)
        self._open(line, wire)
        line.feed()
        headers = {"Content-Type": "text/event-stream"}
        extensions = {"network_stream": line}
        return httpx2.Response(200, headers=headers, stream=line, extensions=extensions)

    def _open(self, line: MemoryLine, wire: MemoryTransport) -> None:
        wire.lines.append(line)
        with self._moved:
            self.opened.append(line)
            self._moved.notify_all()

    def news(self) -> None:
        """Something was written."""
        for line in [line for line in self.opened if not line.ended]:
            line.feed()

    def wait(self, count: int = 1) -> MemoryLine:
        """Wait until so many lines have been opened; return the last of these."""
        with self._moved:
            assert self._moved.wait_for(lambda: len(self.opened) >= count, DEADLINE), "none opened"
            return self.opened[count - 1]
