"""How long to wait after a failure: exponential, with full jitter. Pure."""

from __future__ import annotations

import random

__all__ = ["pause"]


def pause(
    failures: int,
    asked: float | None,
    *,
    first: float,
    most: float,
    chance: random.Random | None = None,
) -> float:
    """Seconds until the next attempt, after so many failures in a row (1 or more).

    Anything between 0 and ``first``, doubled with each failure, ``most`` at most: so those who
    failed together do not come back together. ``asked`` is what the service asks for; it is
    waited at least, up to ``most``, and jitter comes on top.
    """
    roll = (chance or random.SystemRandom()).uniform
    ceiling = min(most, first * 2.0 ** min(failures - 1, 60))
    if asked is None:
        return roll(0, ceiling)
    return min(asked, most) + roll(0, first)
