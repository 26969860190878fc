"""``MemoryServer``'s long poll: requests that are held until something is new."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import httpx2

from .clocks import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Callable

    from .server import MemoryServer
    from .wires import MemoryConnection

Json = dict[str, Any]


class MemoryTransport(httpx2.BaseTransport):
    """One client's way to a ``MemoryServer``; what it holds can be cut."""

    def __init__(self, server: MemoryServer) -> None:
        self._server = server
        self.cuts = 0
        self.connections: list[MemoryConnection] = []

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        request.read()
        return self._server.handle(request, self)

    def cut(self) -> None:
        """End what is held here."""
        with self._server.held.lock:
            self.cuts += 1
            self._server.held.lock.notify_all()
        for connection in self.connections:
            connection.cut()
        self.connections.clear()


class Held:
    """The held requests of a server. There is no clock: the test ends their time."""

    def __init__(self) -> None:
        self.lock = threading.Condition(threading.RLock())
        self.count = 0
        self.answers_at_once = False
        """As under WSGI, which cannot hold requests."""
        self._released = 0

    def hold(
        self, request: httpx2.Request, wire: MemoryTransport | None, pull: Callable[[], Json]
    ) -> Json:
        """Answer with a page that has changes, or with an empty one when the time is over."""
        released, cuts = self._released, wire.cuts if wire else 0
        trace = request.extensions.get("trace", lambda event, info: None)
        while not ((page := pull())["changes"] or page["has_more"] or self.answers_at_once):
            trace("memory.receive_response_headers.started", {})
            self.count += 1
            self.lock.notify_all()
            notified = self.lock.wait(DEADLINE)
            self.count -= 1
            if wire is not None and wire.cuts > cuts:
                raise httpx2.ReadError("cut")
            if self._released > released or not notified:
                break
        return page

    def news(self) -> None:
        """Something was written: each held request looks for changes."""
        with self.lock:
            self.lock.notify_all()

    def release(self) -> None:
        """End the time of all held requests."""
        with self.lock:
            self._released += 1
            self.lock.notify_all()

    def wait(self, count: int = 1) -> None:
        """Wait until so many requests are held."""
        with self.lock:
            assert self.lock.wait_for(lambda: self.count == count, DEADLINE), "none is held"
