"""Chooses the transport: the best that is offered and has not failed lately. Pure decisions.

``loop`` and ``connections`` report what happened; nothing here looks at a clock or the network.
"""

from __future__ import annotations

import importlib.util
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from ...protocol.words import Transport

LADDER = (Transport.WEBSOCKET, Transport.SSE, Transport.LONG_POLL, Transport.POLL)
"""Best first. The last always remains."""

STREAMING = (Transport.WEBSOCKET, Transport.SSE)
"""Those over which the server sends changes by itself, on an open connection."""


def able(names: Sequence[str] | None) -> tuple[Transport, ...]:
    """The transports that this client can use and its program allows; poll is always allowed.

    Without wsproto, a part of ``httpx2[ws]``, there is no WebSocket.
    """
    allowed = LADDER if names is None else [Transport(name) for name in names]
    if unknown := [name for name in allowed if name not in LADDER]:
        raise ValueError(f"The client has no transport {', '.join(unknown)}.")
    lacking = importlib.util.find_spec("wsproto") is None
    return tuple(
        t
        for t in LADDER
        if (t in allowed or t is Transport.POLL) and not (t is Transport.WEBSOCKET and lacking)
    )


@dataclass
class Choice:
    """Falls down the ladder, and climbs up again.

    A transport that the server offers may not work on the way: WSGI answers a long poll at
    once, proxies cut held requests and refuse WebSockets. After ``tries`` early ends in a row a
    transport rests for ``rest`` seconds, and twice as long each time after, up to ``longest``.
    A connection that lived for ``steady`` seconds is no failure. Rests vary by a tenth, so that
    many clients do not come back at once.
    """

    able: Sequence[Transport] = LADDER
    tries: int = 3
    rest: float = 600.0
    longest: float = 3_600.0
    steady: float = 60.0
    uniform: Callable[[float, float], float] = random.uniform
    _offered: frozenset[str] = field(default=frozenset(), init=False)
    _failures: dict[Transport, int] = field(default_factory=dict, init=False)
    _rests: dict[Transport, int] = field(default_factory=dict, init=False)
    _again_at: dict[Transport, float] = field(default_factory=dict, init=False)

    def offered(self, transports: Iterable[str]) -> None:
        """Take the transports that the service document lists."""
        self._offered = frozenset(transports)

    def usable(self) -> list[Transport]:
        """The transports that the server offers and this client can use, best first."""
        names = self._offered | {Transport.POLL}
        return [t for t in LADDER if t in names and (t in self.able or t is Transport.POLL)]

    def best(self, now: float, *, sparing: bool) -> Transport:
        """The transport to use now; poll if ``sparing``, for a connection keeps a radio awake."""
        if sparing:
            return Transport.POLL
        return next(t for t in self.usable() if not self._is_resting(t, now))

    def resting(self, now: float) -> list[Transport]:
        """The transports that rest now."""
        return [t for t in self.usable() if self._is_resting(t, now)]

    def climbs_in(self, transport: Transport, now: float) -> float | None:
        """Seconds until something better than ``transport`` may be tried again."""
        better = self.usable()[: self.usable().index(transport)]
        return min((max(0.0, self._again_at.get(t, now) - now) for t in better), default=None)

    def worked(self, transport: Transport) -> None:
        """It lasted long, or brought news: forget its failures."""
        self._failures.pop(transport, None)
        self._rests.pop(transport, None)
        self._again_at.pop(transport, None)

    def ended(self, transport: Transport, now: float, lived: float) -> None:
        """A connection broke after so many seconds."""
        if lived >= self.steady:
            self.worked(transport)
        else:
            self.failed(transport, now)

    def failed(self, transport: Transport, now: float) -> None:
        """It ended early, or answered at once with nothing new."""
        self._failures[transport] = self._failures.get(transport, 0) + 1
        if self._failures[transport] >= self.tries:
            self.rest_from(transport, now)

    def rest_from(self, transport: Transport, now: float) -> None:
        """It does not work here for now: let it rest."""
        if transport is Transport.POLL:
            return
        times = self._rests.get(transport, 0)
        self._rests[transport] = times + 1
        self._failures.pop(transport, None)
        rest = min(self.longest, self.rest * 2 ** min(times, 30)) * self.uniform(0.9, 1.1)
        self._again_at[transport] = max(now + rest, self._again_at.get(transport, now))

    def switch_to(self, transport: str, now: float, seconds: float | None) -> None:
        """Use this one, as the server wants; a better one may be tried after so many seconds."""
        if transport not in self.usable():
            transport = Transport.POLL
        until = now + (self.rest if seconds is None else seconds)
        for better in self.usable()[: self.usable().index(Transport(transport))]:
            self._again_at[better] = max(until, self._again_at.get(better, now))

    def _is_resting(self, transport: Transport, now: float) -> bool:
        return now < self._again_at.get(transport, now)
