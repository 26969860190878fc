"""``MemoryServer``'s sessions, sockets and streams, by the protocol and without a network.

    server.transports = ["websocket", "sse", "poll"]
    client.start()
    line = server.lines.wait()          # the client has opened one
    line.send({"type": "switch", "transport": "poll", "retry_after": 60})

By itself a line behaves as a server does. ``server.lines.by_script = True`` leaves what
is said to the test; ``silent`` has it say nothing, ``late_cursors`` keeps cursors back.
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
from .wires import MemoryEvents, MemoryLine, MemorySocket

if TYPE_CHECKING:
    from .holding import MemoryTransport
    from .server import MemoryServer, User

Json = dict[str, Any]

PREFERENCE = [Transport.WEBSOCKET, Transport.SSE, Transport.LONG_POLL, Transport.POLL]


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
