"""django_sync's sockets as a peer in a harness that measures fan-out; see ``peers``.

The harness's clients acknowledge nothing and send no header of their own, so both are added
here, as our clients acknowledge: at half of the window. It is part of what the server has to bear.
A socket counts as connected once its catch-up has ended, or five hundred first pulls would be
counted among the writes.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from typing import Any

from common import PEERS, PG_PORT, REDIS_URL, Server, createdb  # type: ignore[import-not-found]  # the harness brings it

from tests.benchmarks.peers import MIGRATE, ROOT

harness: Any = sys.modules["__main__"]
WINDOW = 16
CHANGES = b'{"type":"changes"'
CURSOR = b'{"type":"cursor"'
HELLO = b'{"type":"hello","protocol":1,"collections":["notes"]}'


class DjangoSyncSockets(harness.Rt):  # of the harness, which has no types
    """On PostgreSQL, one uvicorn: a REST create, and its frame on each socket."""

    name, pg, redis = "django-sync-uvicorn", True, ""
    path = "/sync/live/ws/ HTTP/1.1\r\nAuthorization: Token bench\r\nX-Rest: /"
    hello = ((HELLO, 1),)
    min_len = 260  # a note's frame is longer, a cursor's shorter

    def start(self) -> Any:
        dbname = f"djsync_{self.name.replace('-', '_')}"
        createdb(dbname)
        python = os.path.join(PEERS, "drf", "bin", "python")
        env = {
            "DATABASE_URL": f"postgresql://postgres@127.0.0.1:{PG_PORT}/{dbname}",
            "DJANGO_SETTINGS_MODULE": "tests.benchmarks.settings",
            "PYTHONPATH": str(ROOT),
            "BENCH_POOL": "1",
            "BENCH_REDIS": self.redis,
        }
        subprocess.run([python, "-c", MIGRATE], check=True, cwd=ROOT, env={**os.environ, **env})
        argv = [python, "-m", "uvicorn", "tests.benchmarks.asgi:application", "--lifespan", "off"]
        argv += ["--port", self.port, "--log-level", "warning", "--no-access-log"]
        argv += ["--ws-per-message-deflate", "false"]
        return Server(self.name, argv, self.port, env, cwd=ROOT)

    async def write(self, http: Any, rec: dict[str, Any]) -> int:
        fields = {name: value for name, value in rec.items() if name != "id"}
        told = json.dumps({"id": rec["id"], "object": fields}).encode()
        url = f"http://127.0.0.1:{self.port}/sync/notes/"
        headers = {"authorization": "Token bench", "content-type": "application/json"}
        sent = time.monotonic_ns()
        async with http.post(url, data=told, headers=headers) as answer:
            if answer.status != 201:
                raise RuntimeError(f"{answer.status} {await answer.text()}")
            await answer.read()
        return sent


class DjangoSyncRedis(DjangoSyncSockets):
    """The same with the Redis layer, by which processes would tell each other."""

    name, redis = "django-sync-redis-uvicorn", REDIS_URL


def _acknowledging(received: Any) -> Any:
    """The harness's reception, and an ``ack`` at half of the window."""

    def data_received(self: Any, data: bytes) -> None:
        if not self.path.startswith("/sync/"):
            received(self, data)
            return
        _until_in_step(self, received, data)
        seen = getattr(self, "seen", b"") + data
        found = seen.count(CHANGES)
        self.seen = seen[-len(CHANGES) + 1 :]
        self.taken = getattr(self, "taken", 0) + found
        if self.taken - getattr(self, "acked", 0) >= (WINDOW // 2 if self.ready.done() else 1):
            self.acked = self.taken
            self.tr.write(harness.frame(b'{"type":"ack","frames":%d}' % self.acked))

    return data_received


def _until_in_step(self: Any, received: Any, data: bytes) -> None:
    """Receive; ``ready``, which the harness waits for, is done with the first cursor."""
    ready, self.ready = self.ready, asyncio.get_running_loop().create_future()
    received(self, data)
    opening, self.ready = self.ready, ready
    if ready.done():
        return
    if opening.done() and opening.exception() is not None:
        ready.set_exception(opening.exception())
    elif CURSOR in data:
        ready.set_result(None)


harness.Sub.data_received = _acknowledging(harness.Sub.data_received)
