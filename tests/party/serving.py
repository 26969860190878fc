"""The real server of a lively party: one process of uvicorn, restarted, and with faults put in."""

from __future__ import annotations

import random
import socket
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from django_sync.models import MutationResult
from tests import processes as p

SETTINGS: dict[str, Any] = {
    "TRANSPORTS": ["websocket", "sse", "long-poll", "poll"],
    "WATCH_MS": 20,
    "HEARTBEAT": 0.5,
    "UPGRADE_AFTER": 1,
    "POLL_INTERVAL": 1,
    "WAIT_SECONDS": 1,
}
"""Quick, so that what is felt at a heartbeat only is felt soon."""

PutIn = Callable[[], None]


def serve(
    listener: socket.socket, settings: dict[str, Any], log: str, put_in: PutIn | None
) -> None:
    """Serve with a fault in it; what is logged goes to a file."""
    import logging

    logging.basicConfig(filename=log, level=logging.WARNING)
    if put_in is not None:
        put_in()
    p.serve(listener, settings)


class House:
    """The server, one process after the other at one address."""

    def __init__(
        self, processes: p.Processes, settings: Mapping[str, Any], log: str, put_in: PutIn | None
    ) -> None:
        self.processes = processes
        self._told = (processes.listener, dict(settings), log, put_in)
        self._leaving: list[p.Process] = []
        self._open()

    @property
    def url(self) -> str:
        return self.processes.url

    def _open(self) -> None:
        self.process = self.processes.start(serve, *self._told)

    def is_killed(self) -> None:
        """Power fails."""
        self.process.kill()
        self._open()

    def is_relieved(self) -> None:
        """The next stands ready, then the old one is asked to go, as where one deploys."""
        before = self.process
        self._open()
        before.terminate()
        self._leaving.append(before)

    def restarts(self, drawn: random.Random) -> None:
        drawn.choice([self.is_killed, self.is_relieved])()


def statuses(client_id: str) -> dict[str, str]:
    """What the server keeps of a client's mutations."""
    found = MutationResult.objects.filter(client=uuid.UUID(client_id))
    return {str(id): status for id, status in found.values_list("mutation_id", "status")}
