"""How often somebody may do something: a bucket that fills with time."""

from __future__ import annotations

from collections.abc import Callable


class Throttle:
    """Lets ``per_second`` through on average, and twice as many at once."""

    __slots__ = ("_at", "_clock", "_left", "_per_second")

    def __init__(self, per_second: float, clock: Callable[[], float]) -> None:
        self._per_second = per_second
        self._clock = clock
        self._left = 2 * per_second
        self._at = clock()

    def allows(self) -> bool:
        """Whether one more is allowed now; if so it is counted."""
        now = self._clock()
        self._left = min(2 * self._per_second, self._left + (now - self._at) * self._per_second)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Pace:
    """How long somebody has to wait with their next large thing: as long as the last one was."""

    def __init__(self, per_second: float, clock: Callable[[], float]) -> None:
        self._per_second = per_second
        self._clock = clock
        self._free_at: dict[str, float] = {}

    def seconds(self, who: str, size: int, most: float) -> float | None:
        """How long to wait before this is taken, which counts it; ``None``: for too long."""
        now = self._clock()
        self._free_at = {who: at for who, at in self._free_at.items() if at > now}
        at = self._free_at.get(who, now)
        if at - now > most:
            return None
        self._free_at[who] = at + size / self._per_second
        return at - now
