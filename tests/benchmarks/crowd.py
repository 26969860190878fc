"""Clients for the bench of failures: each keeps what it got, and comes back when it is cut off.

No client of ours is used: hundreds have to fit into one process, which measures. What many get
in the same bytes is parsed once.
"""

from __future__ import annotations

import asyncio
import functools
import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import quote

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

TOKEN = {"Authorization": "Token bench"}
LONGEST = 5.0
"""Seconds between two tries at most; each waits some part of that, by chance."""

Told = tuple[str, tuple[tuple[str, str, int], ...], bool, str]
"""Kind of a frame; its changes as (op, id, revision); whether more is to come; a cursor."""


class Cut(Exception):
    """The connection is over."""


@functools.lru_cache(maxsize=4096)
def parsed(text: str) -> Told:
    told = json.loads(text)
    changes = tuple(
        (c["op"], c.get("id", ""), c.get("revision", 0)) for c in told.get("changes", ())
    )
    return told["type"], changes, bool(told.get("has_more")), told.get("cursor", "")


@dataclass
class Crowd:
    """What all clients have in common: where servers are, and what was noticed."""

    ports: list[int]
    heard: list[tuple[tuple[str, int], float, bool]] = field(default_factory=list)
    """Object and revision, when they came to one who had caught up, and whether down a socket."""
    counts: Counter[str] = field(default_factory=Counter)
    came_back: list[float] = field(default_factory=list)
    """Seconds from a cut, or from the beginning, to the end of the catch-up."""


class Client:
    """One replica; ``held`` is the revision of each object that it has."""

    def __init__(self, crowd: Crowd, cursor: str = "", held: dict[str, int] | None = None) -> None:
        self.crowd, self.cursor = crowd, cursor
        self.held: dict[str, int] = {} if held is None else dict(held)
        self.current = False
        self._cut_at = 0.0

    async def run(self) -> None:
        """Stay connected, to whichever server, until cancelled."""
        tries = 0
        self._cut_at = time.monotonic()
        while True:
            try:
                await self._connected(random.choice(self.crowd.ports))
            except (OSError, Cut, ConnectionClosed, InvalidHandshake, EOFError) as problem:
                if self.current:
                    tries, self._cut_at = 0, time.monotonic()
                    self.crowd.counts["cut"] += 1
                else:
                    self.crowd.counts[f"refused: {type(problem).__name__} {problem}"[:60]] += 1
                self.current = False
            await asyncio.sleep(random.uniform(0, min(LONGEST, 0.5 * 2**tries)))
            tries += 1

    async def _connected(self, port: int) -> None:
        raise NotImplementedError

    def take(self, told: Told, *, socket: bool) -> bool:
        """Apply a frame; whether it was one of changes."""
        kind, changes, more, cursor = told
        if kind == "cursor":
            self.cursor = cursor
        elif kind == "error":
            self.crowd.counts["errors told"] += 1
        if kind != "changes":
            return False
        now, heard = time.monotonic(), self.crowd.heard
        for op, id, revision in changes:
            if op == "put":
                before = self.held.get(id, 0)
                if revision > before:
                    self.held[id] = revision
                    if self.current:  # else it is part of coming back
                        heard.append(((id, revision), now, socket))
                else:
                    self.crowd.counts["again" if revision == before else "older"] += 1
            elif op == "begin":
                self.held.clear()
                self.crowd.counts["begun anew"] += 1
            elif self.held.pop(id, None) is None:
                self.crowd.counts["again"] += 1
        if not more and not self.current:
            self.current = True
            self.crowd.came_back.append(now - self._cut_at)
        return True


class Socket(Client):
    async def _connected(self, port: int) -> None:
        async with connect(
            f"ws://127.0.0.1:{port}/sync/live/ws/",
            additional_headers=TOKEN,
            compression=None,
            open_timeout=60,
            close_timeout=1,
            ping_interval=None,
            max_size=2**24,
        ) as socket:
            hello = {"type": "hello", "protocol": 1, "cursor": self.cursor or None}
            await socket.send(json.dumps(hello))
            frames = 0
            async for text in socket:
                if self.take(parsed(str(text)), socket=True):
                    frames += 1
                    await socket.send(f'{{"type":"ack","frames":{frames}}}')
        raise Cut(f"closed with {socket.close_code}")


class Stream(Client):
    async def _connected(self, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
        try:
            path = f"/sync/live/stream/?cursor={quote(self.cursor)}"
            head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Token bench\r\n\r\n"
            writer.write(head.encode())
            answer = await reader.readuntil(b"\r\n\r\n")
            if b" 200 " not in answer.split(b"\r\n")[0]:
                raise Cut(answer.split(b"\r\n")[0].decode())
            while size := int(await reader.readline() or b"0", 16):
                event = (await reader.readexactly(size + 2)).decode()
                if (at := event.find("data: ")) >= 0:
                    self.take(parsed(event[at + 6 :].strip()), socket=False)
            raise Cut("the stream ended")
        finally:
            writer.close()
