"""Sockets and streams that break after some bytes, in the middle of a frame as a rule."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from typing import Any, Protocol

import httpcore2
import httpx2

from ..client.net.cancel import shut

LENGTHS = (0, 200, 1_000, 5_000, 20_000)
"""The most bytes after which a connection breaks; with the first it never breaks."""


class Weather(Protocol):
    """The source of random faults; with ``calm`` there are no more."""

    random: random.Random
    calm: bool


def breaking(response: httpx2.Response, weather: Weather) -> httpx2.Response:
    """The response with a connection that breaks some time; without a connection, as it is."""
    stream = response.extensions.get("network_stream")
    if stream is None:
        return response
    connection = BreakingConnection(stream, response.stream, weather)
    extensions = {**response.extensions, "network_stream": connection}
    options: dict[str, Any] = {"headers": response.headers, "extensions": extensions}
    return httpx2.Response(response.status_code, stream=connection, **options)


class BreakingConnection(httpx2.SyncByteStream):
    """A network stream, or the body of a stream, between a client and its server."""

    def __init__(self, wrapped: Any, body: Any, weather: Weather) -> None:
        self._wrapped = wrapped
        self._body = body
        self._weather = weather
        self._left = {way: self._drawn() for way in ("in", "out")}

    def _drawn(self) -> int | None:
        most = self._weather.random.choice(LENGTHS)
        return self._weather.random.randrange(most) if most else None

    def _passed(self, way: str, data: bytes) -> bytes:
        """As much as gets through."""
        left = self._left[way]
        if left is None or self._weather.calm:
            return data
        self._left[way] = max(0, left - len(data))
        return data[:left]

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data = bytes(self._wrapped.read(max_bytes, timeout))
        passed = self._passed("in", data)
        if data and not passed:
            self._break()
        return passed

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        passed = self._passed("out", buffer)
        if passed:
            self._wrapped.write(passed, timeout)
        if len(passed) < len(buffer):
            self._break()
            raise httpcore2.WriteError("The connection broke.")

    def _break(self) -> None:
        """Break as a network does: a reader comes to the end, and the descriptor stays open.

        If it were closed, a thread that waits for it could wait for another file's descriptor.
        """
        found = self._wrapped.get_extra_info("socket")
        if isinstance(found, socket.socket):
            shut(found)
        else:
            self._wrapped.close()

    def get_extra_info(self, info: str) -> Any:
        return self._wrapped.get_extra_info(info)

    def close(self) -> None:
        self._wrapped.close()
        self._body.close()

    def __iter__(self) -> Iterator[bytes]:
        """The body; over HTTP the network stream reads it in chunks, so their bytes differ."""
        for chunk in self._body:
            passed = self._passed("in", chunk)
            if passed:
                yield passed
            if len(passed) < len(chunk):
                self.close()
                return
