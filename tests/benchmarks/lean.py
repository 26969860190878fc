"""An HTTP client that costs a bench next to nothing: one kept connection, GET alone.

A bench's clients share the machine with the server. A full client takes more CPU for a poll than
the server does, so that the figures would be its own.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any


class Refused(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, retry_after: int) -> None:
        super().__init__(str(status))
        self.status, self.retry_after = status, retry_after


class Lean:
    """GET requests to one server, one after the other, over one connection."""

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._headers = (
            f" HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nauthorization: Token {token}\r\n"
            "accept: application/json\r\n\r\n"
        )
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str) -> Any:
        """The JSON at a path; raises ``Refused``, and ``OSError`` or ``EOFError`` of a network."""
        try:
            return await self._get(path)
        except (OSError, EOFError, asyncio.CancelledError):
            self.close()
            raise

    async def _get(self, path: str) -> Any:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=2**20)
        reader, writer = self._streams
        writer.write(f"GET {path}{self._headers}".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        start, *lines = head.split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines if ": " in line)
        body = await reader.readexactly(int(headers["content-length"]))
        if not start.startswith("http/1.1 200"):
            raise Refused(int(start.split()[1]), int(headers.get("retry-after", 1)))
        return json.loads(body)

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None
