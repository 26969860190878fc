"""How long to wait after a failure: exponential, with full jitter, from 1 s to 5 min.

Pure: it neither sleeps nor looks at a clock; who uses it does.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Backoff:
    """A policy and where it stands.

    ``attempts`` is how often one call is tried in all; a server that asks for more
    than ``patience`` seconds is not waited for within a call.
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
        """Begin anew from ``first``."""
        self.failures = 0
