"""Outgoing requests: a POST to an address that was looked up once and checked.

A name is resolved when a connection is opened. Each of its addresses is checked, and the connection
goes to one of these, with the name in TLS's SNI and in ``Host``. So a name that resolves to another
address a moment later changes nothing. Redirects are not followed, proxies of the environment are
not used, and at most ``MOST`` bytes of an answer are read. All of it together takes no longer than
the time-out, however slowly the other side answers.
"""

from __future__ import annotations

import ipaddress
import os
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpcore2
from httpcore2 import NetworkBackend, NetworkStream

from ..conf import conf
from .address import Unsafe, Url, parsed, why_not

__all__ = ["Answer", "Outbound", "Unreachable"]

MOST = 2048
"""Bytes of an answer's body that are read."""
CONNECTIONS = 100
IDLE_SECONDS = 30.0

Resolve = Callable[[str, int], list[str]]


class Unreachable(Exception):
    """There was no answer, or not in time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: status, headers in lower case, and the beginning of the body."""

    status: int
    headers: Mapping[str, str]
    text: str


class _Deadlines(threading.local):
    """When the request of this thread has to end, on the monotonic clock."""

    at: float = 0.0

    def left(self, timeout: float | None = None) -> float:
        """Seconds that one step may take; raises ``Unreachable`` if there are none left."""
        left = self.at - time.monotonic()
        if left <= 0:
            raise Unreachable("It took too long.")
        return left if timeout is None else min(left, timeout)


_deadline = _Deadlines()


class _Stream(NetworkStream):
    """A connection whose steps end at the deadline of the request."""

    def __init__(self, stream: NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _deadline.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> NetworkStream:
        left = _deadline.left(timeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def looked_up(host: str, port: int) -> list[str]:
    """The addresses of a name, from the system's resolver; raises ``OSError``."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class _Backend(NetworkBackend):
    """Connects only to addresses that were checked."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._backend = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> NetworkStream:
        refused: Exception | None = None
        for address in self._checked(host, port):
            try:
                left = _deadline.left(timeout)
                return _Stream(self._backend.connect_tcp(address, port, left, local_address))
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                refused = error
        raise Unreachable(f"No connection to {host}: {refused}.")

    def _checked(self, host: str, port: int) -> list[str]:
        """The addresses of a name; raises ``Unsafe`` if one of them is not public."""
        found = self._in_time(host, port)
        if not conf.PUSH_ALLOW_PRIVATE:
            for address in found:
                why = why_not(ipaddress.ip_address(address.partition("%")[0]))
                if why:
                    raise Unsafe(f"{host} has an address that is not public: {why}.")
        return found

    def _in_time(self, host: str, port: int) -> list[str]:
        """Look a name up in a thread, since the system's resolver has no time-out."""
        results: queue.SimpleQueue[list[str] | OSError | UnicodeError] = queue.SimpleQueue()

        def look_up() -> None:
            try:
                results.put(self._resolve(host, port))
            except (OSError, UnicodeError) as error:
                results.put(error)

        threading.Thread(target=look_up, daemon=True).start()
        try:
            found = results.get(timeout=_deadline.left())
        except queue.Empty:
            raise Unreachable(f"Looking up {host} took too long.") from None
        if isinstance(found, Exception) or not found:
            raise Unreachable(f"{host} was not found: {found}.")
        return found


class Outbound:
    """The outgoing connections of one process; some of them stay open.

    Tests pass ``resolve`` and ``trust`` instead of the system's resolver and certificates.
    """

    def __init__(self, resolve: Resolve = looked_up, trust: ssl.SSLContext | None = None) -> None:
        self._resolve, self._trust = resolve, trust
        self._lock = threading.Lock()
        self._pools: dict[int, httpcore2.ConnectionPool] = {}

    def allowed(self, url: object) -> Url:
        """The URL, if the settings allow to send to it; raises ``Unsafe``."""
        return parsed(url, ports=conf.PUSH_PORTS, private=conf.PUSH_ALLOW_PRIVATE)

    def post(self, url: object, headers: Mapping[str, str], body: bytes) -> Answer:
        """POST; return the answer. Raises ``Unsafe`` and ``Unreachable``."""
        to = self.allowed(url)
        _deadline.at = time.monotonic() + conf.PUSH_TIMEOUT
        steps = dict.fromkeys(("connect", "read", "write", "pool"), float(conf.PUSH_TIMEOUT))
        where = httpcore2.URL(
            scheme=to.scheme.encode(),
            host=to.host.encode(),
            port=to.port,
            target=to.target.encode(),
        )
        fields = {"Host": to.authority, "User-Agent": "django-sync", "Accept": "*/*", **headers}
        try:
            with self._pool().stream(
                "POST",
                where,
                headers=[*fields.items(), ("Content-Length", str(len(body)))],
                content=body,
                extensions={"timeout": steps},
            ) as answer:
                text = _beginning(answer)
                named = (
                    (name.decode("latin-1").lower(), value.decode("latin-1"))
                    for name, value in answer.headers
                )
                return Answer(answer.status, dict(named), text)
        except (
            httpcore2.TimeoutException,
            httpcore2.NetworkError,
            httpcore2.ProtocolError,
            OSError,  # TLS errors, for example
        ) as error:
            raise Unreachable(f"{type(error).__name__}: {error}".rstrip(": ")) from error

    def close(self) -> None:
        """Close the open connections."""
        with self._lock:
            for pool in self._pools.values():
                pool.close()
            self._pools = {}

    def _pool(self) -> httpcore2.ConnectionPool:
        """The pool of this process: a fork must not share connections."""
        with self._lock:
            if os.getpid() not in self._pools:
                self._pools = {
                    os.getpid(): httpcore2.ConnectionPool(
                        ssl_context=self._trust,
                        max_connections=CONNECTIONS,
                        max_keepalive_connections=CONNECTIONS,
                        keepalive_expiry=IDLE_SECONDS,
                        network_backend=_Backend(self._resolve),
                    )
                }
            return self._pools[os.getpid()]


def _beginning(answer: httpcore2.Response) -> str:
    """The first bytes of a body; if it is longer, the connection is closed."""
    found = b""
    for part in answer.iter_stream():
        found += part
        if len(found) >= MOST:
            break
    return found[:MOST].decode("utf-8", "replace")
