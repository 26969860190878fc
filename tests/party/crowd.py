"""A party whose guests stay in step by themselves: threads, sockets, streams, a real clock.

    crowd = Crowd(host, people, seed=7, folder=tmp_path, transport=transport, url=url,
                  ways={"ada": "websocket", "grace": "sse"}, ended=statuses)
    crowd.arrive()
    crowd.run({act: 3, another_act: 1}, steps=80)
    crowd.converge()

A seed decides what is written, and how the network of each guest is; when what happens is for
threads and processes to say. So a seed that fails may have to be held more than once.

What is looked at while it runs is G2 alone: nobody can tell here since when a guest knows what
they may see. When writing has stopped each store must come to hold the truth, all of it and no
more, on its disk too (G6, G7), and each mutation must have ended in one way.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx2

from django_sync.client import Auth, Backoff, Pace, SyncClient
from django_sync.testing.faults import FAIR, Fate, FaultyTransport

from .guest import Guest
from .party import Party
from .truth import Answers

WEATHER: Mapping[Fate, float] = {**FAIR, Fate.BUSY: 0.0, Fate.THROTTLED: 0.0}
"""Without the answers that ask for half a minute, which a guest here would wait for."""

PATIENCE = 40.0
"""Seconds within which all must be in step; a busy machine needs a few."""


class Lively(Guest):
    """A guest whose client stays in step by itself, by one transport or by polling."""

    way = "poll"

    def open(self) -> SyncClient:
        client = SyncClient(
            self._url,
            store=self.path,
            auth=self._auth,
            collections=self._collections,
            transport=self.network,
            transports=[self.way],
            timeout=5.0,
            backoff=Backoff(first=0.02, longest=0.1, attempts=2),
            pace=Pace(shortest=0.05, longest=0.2),
        )
        client.on_rejected(self.rejections.append)
        client.on_conflict(self._asked)
        client.on_change()(lambda change: None)
        return client

    def reopen(self) -> None:
        """The program ends, in the middle of whatever it does, and is started again."""
        super().reopen()
        self.client.start()


class Crowd(Party):
    """Guests who each come by a way of their own: ``ways``, by name.

    ``ended`` tells the statuses that the server keeps of a client's mutations.
    """

    def __init__(
        self,
        *args: Any,
        ways: Mapping[str, str],
        ended: Callable[[str], Mapping[str, str]],
        **more: Any,
    ) -> None:
        self.ways = ways
        self._ended = ended
        super().__init__(*args, **more)

    def invite(
        self, name: str, auth: Auth, path: Path, url: str, transport: httpx2.BaseTransport
    ) -> Guest:
        drawn = random.Random(f"{self.seed}/{name}")
        network = FaultyTransport(transport, drawn, weights=WEATHER)
        kind = type("Guest", (Lively,), {"way": self.ways[name]})
        guest: Guest = kind(name, auth, path, url, self.host.collections, network)
        return guest

    def arrive(self) -> None:
        """All begin to stay in step."""
        for guest in self.guests.values():
            guest.client.start()

    def leave(self) -> None:
        for guest in self.guests.values():
            guest.client.close()

    def changed(self) -> None:
        """Nobody can tell since when a guest has known: see ``converge``."""

    def look(self) -> None:
        """No record falls to a lower revision (G2)."""
        for guest in self.guests.values():
            guest.allowed = _Any()
            guest.look()

    def heal(self) -> None:
        """From now on no network does harm, and all try at once."""
        for guest in self.guests.values():
            guest.network.heal()
            guest.client.start()

    def sit_down(self, within: float = PATIENCE) -> None:
        """Wait until each listens by the way they came."""
        self.until(self._sits, within)

    def converge(self, within: float = PATIENCE) -> None:
        """Writing stops and the network is calm: all come to the truth by themselves (G6)."""
        self.random.seed(f"{self.seed}/converge")
        self.heal()
        self.until(self._settled, within)

    def _settled(self) -> None:
        for guest in self.guests.values():
            guest.settle_all(self.random)
            client_id = guest.client.client_id
            self.answers[client_id] = Answers(status=dict(self._ended(client_id)))
        self.assert_converged()

    def _sits(self) -> None:
        for guest in self.guests.values():
            status = guest.client.status
            assert status.transport == self.ways[guest.name], f"{guest.name}: {status}"

    def until(self, held: Callable[[], object], within: float) -> None:
        """Wait until it raises no ``AssertionError`` any more; after too long raise its last."""
        end = time.monotonic() + within
        while True:
            try:
                held()
            except AssertionError:
                if time.monotonic() > end:
                    self.note(self._where())
                    raise
                time.sleep(0.05)
            else:
                return

    def _where(self) -> str:
        return "\n".join(
            f"{name}: {guest.client.status}, {guest.network.fates}, refused: {guest.refused()}"
            for name, guest in self.guests.items()
        )


class _Any(set[str]):
    """Every scope there may ever be."""

    def __contains__(self, scope: object) -> bool:
        return True
