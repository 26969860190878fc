"""A service on this machine that receives wake-ups: it keeps requests, and gives chosen answers."""

from __future__ import annotations

import http.server
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

__all__ = ["Received", "Receiver", "Reply", "receiver"]


@dataclass(frozen=True, slots=True)
class Received:
    """One request; the names of ``headers`` are in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. ``drip``: seconds between the bytes of its body, for one that is slow."""

    status: int = 201
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    drip: float = 0.0


class Receiver:
    """The service as a test sees it. ``judge`` may choose the answer; ``None``: the given one."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.replies: deque[Reply] = deque()
        self.judge: Callable[[Received], Reply | None] | None = None
        self.port = 0
        self.scheme = "http"

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    def reply(self, request: Received) -> Reply:
        """The answer to a request, which is kept first."""
        self.received.append(request)
        judged = self.judge(request) if self.judge is not None else None
        if judged is not None:
            return judged
        return self.replies.popleft() if self.replies else Reply()


@contextmanager
def receiver(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A service on a port of its own, with TLS if a context is given."""
    service = Receiver()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 60

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(length)
            if len(body) < length:  # the sender died in the middle: no request has arrived
                self.close_connection = True
                return
            reply = service.reply(Received(self.path, headers, body))
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            try:
                self._answer(reply)
            except OSError:  # the sender has closed the connection
                self.close_connection = True

        def _answer(self, reply: Reply) -> None:
            if not reply.drip:
                self.wfile.write(reply.body)
                return
            for at in range(len(reply.body)):
                self.wfile.write(reply.body[at : at + 1])
                self.wfile.flush()
                time.sleep(reply.drip)

        def log_message(self, *args: object) -> None:
            """Nothing: the test tells what it saw."""

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, *args: object) -> None:
            """A handshake that fails is what some tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        service.scheme = "https"
    service.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.daemon = True
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
