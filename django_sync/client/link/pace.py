"""How often to poll. Pure decisions: nothing here looks at a clock or at the network."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field


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
