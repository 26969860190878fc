"""How often to poll, and whether a held request is worth trying. Pure decisions.

``background`` asks; neither class looks at a clock or at the network.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ..protocol.words import Transport


@dataclass
class Pace:
    """The interval between polls, in seconds.

    ``shortest`` after a poll that brought something, then longer by ``growth`` each
    time, up to ``longest``; ``sparing`` on a metered network or in the background.
    Each is varied by a tenth, so that many clients do not come at once.
    """

    shortest: float = 2.0
    longest: float = 30.0
    sparing: float = 300.0
    growth: float = 1.5
    uniform: Callable[[float, float], float] = random.uniform
    _interval: float = field(default=0.0, init=False)

    def next(self, *, news: bool, sparing: bool) -> float:
        """Count a poll that brought news or none; return the seconds until the next."""
        grown = max(self._interval * self.growth, self.shortest)
        self._interval = self.shortest if news else min(grown, self.longest)
        wait = self.sparing if sparing else self._interval
        return wait * self.uniform(0.9, 1.1)


@dataclass
class Hints:
    """What the program knows of the network and of itself."""

    metered: bool = False
    foreground: bool = True

    @property
    def sparing(self) -> bool:
        """Whether each request costs somebody something."""
        return self.metered or not self.foreground


@dataclass
class Choice:
    """Which of the transports that the server offers is used.

    A server under WSGI may offer a long poll and answer at once, and a proxy may cut
    what is held. After a few such in a row it is left alone for ``rest`` seconds.
    """

    tries: int = 3
    rest: float = 600.0
    _offered: frozenset[str] = field(default=frozenset(), init=False)
    _failures: int = field(default=0, init=False)
    _again_at: float | None = field(default=None, init=False)

    def offered(self, transports: Iterable[str]) -> None:
        """Learn what the service document lists."""
        self._offered = frozenset(transports)

    def best(self, now: float, *, sparing: bool) -> Transport:
        """The transport to use now. A held request keeps a radio awake: not where sparing."""
        if sparing or Transport.LONG_POLL not in self._offered:
            return Transport.POLL
        if self._again_at is not None and now < self._again_at:
            return Transport.POLL
        return Transport.LONG_POLL

    def held(self) -> None:
        """A request was held, or brought news."""
        self._failures, self._again_at = 0, None

    def failed(self, now: float) -> None:
        """One was cut, or answered at once with nothing new."""
        self._failures += 1
        if self._failures >= self.tries:
            self.lacks(now)

    def lacks(self, now: float) -> None:
        """There is no such thing here, for now."""
        self._failures, self._again_at = 0, now + self.rest
