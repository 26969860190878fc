"""How long to wait: after a failure (``Backoff``), and between polls (``Pace``).

Pure decisions: nothing here sleeps, looks at a clock or uses the network.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Backoff:
    """Exponential with full jitter, by default from 1 s to 5 min; it counts the failures.

    ``attempts`` is how often one call is tried in all. If a server asks for more than
    ``patience`` seconds, the call fails at once.
    """

    first: float = 1.0
    longest: float = 300.0
    attempts: int = 3
    patience: float = 60.0
    uniform: Callable[[float, float], float] = random.uniform
    failures: int = field(default=0, init=False)

    def failed(self, retry_after: float | None = None) -> float:
        """Count a failure; return the seconds to wait, never less than the server asked for."""
        ceiling = min(self.longest, self.first * 2 ** min(self.failures, 30))
        self.failures += 1
        return max(self.uniform(0, ceiling), retry_after or 0.0)

    def succeeded(self) -> None:
        """Begin again with ``first``."""
        self.failures = 0


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
