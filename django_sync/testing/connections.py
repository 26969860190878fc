"""``MemoryServer``'s sessions, sockets and streams, by the protocol and without a network.

    server.transports = ["websocket", "sse", "poll"]
    client.start()
    connection = server.connections.wait()          # the client has opened one
    connection.send({"type": "switch", "transport": "poll", "retry_after": 60})

By default a connection behaves like a server's. With ``server.connections.by_script = True``
only the test sends; ``silent`` sends nothing, ``late_cursors`` keeps cursors back.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx2
from wsproto.utilities import generate_accept_token

from .. import errors
from ..protocol.words import Transport
from .clocks import DEADLINE
from .wires import MemoryConnection, MemoryEvents, MemorySocket

if TYPE_CHECKING:
    from .holding import MemoryTransport
    from .server import MemoryServer, User

Json = dict[str, Any]

PREFERENCE = [Transport.WEBSOCKET, Transport.SSE, Transport.LONG_POLL, Transport.POLL]


class MemoryConnections:
    """The sessions of a server, and its open connections."""

    def __init__(self, server: MemoryServer) -> None:
        self._server = server
        self._changed = threading.Condition()
        self._tickets: dict[str, User] = {}
        self.sessions: dict[str, Json] = {}
        self.opened: list[MemoryConnection] = []
        """All connections, closed ones too, in order."""
        self.mutated: list[list[Json]] = []
        """The mutations that came over sockets, by frame."""
        self.heartbeat = 25
        self.upgrade_after = 60
        self.wanted: Transport | None = None
        """The transport that the server decides for, whatever the client can use."""
        self.by_script = self.silent = self.late_cursors = False
        self.on_frame: Callable[[MemorySocket, Json], bool] | None = None
        """Called with each frame that comes; true means that the frame is handled."""

    def session(self, user: User, id: str | None, report: Json) -> Json:
        """Open a session, or change one."""
        if id is not None and id not in self.sessions:
            raise errors.NotFound()
        id = id or str(uuid.uuid4())
        kept = self.sessions.setdefault(id, {})
        kept.update(report)
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
        connection = MemorySocket(self._server, user or next(iter(self._server.users.values())), {})
        if user is None:
            connection.shut(4401)
        self._open(connection, wire)
        accept = generate_accept_token(request.headers["Sec-WebSocket-Key"].encode())
        headers = {"Upgrade": "websocket", "Sec-WebSocket-Accept": accept.decode()}
        return httpx2.Response(101, headers=headers, extensions={"network_stream": connection})

    def stream(self, user: User, asked: dict[str, str], wire: MemoryTransport) -> httpx2.Response:
        """Answer with events."""
        self._server.check_cursor(user, asked.get("cursor"))  # Raises before the stream opens.
        connection = MemoryEvents(self._server, user, asked)
        self._open(connection, wire)
        connection.feed()
        headers = {"Content-Type": "text/event-stream"}
        extensions = {"network_stream": connection}
        return httpx2.Response(200, headers=headers, stream=connection, extensions=extensions)

    def _open(self, connection: MemoryConnection, wire: MemoryTransport) -> None:
        wire.connections.append(connection)
        with self._changed:
            self.opened.append(connection)
            self._changed.notify_all()

    def news(self) -> None:
        """Something was written."""
        for connection in [connection for connection in self.opened if not connection.ended]:
            connection.feed()

    def are_idle(self) -> bool:
        """Whether the client has handled all that was sent over them."""
        return all(connection.is_idle for connection in self.opened)

    def wait(self, count: int = 1) -> MemoryConnection:
        """Wait until so many connections have been opened; return the last of these."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.opened) >= count, DEADLINE), (
                "none opened"
            )
            return self.opened[count - 1]
