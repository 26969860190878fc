"""Throttles of one process: so many frames a second, so many bytes a second."""

from __future__ import annotations

from collections.abc import Callable


class Throttle:
    """A token bucket: allows ``per_second`` on average, and twice as many at once."""

    __slots__ = ("_at", "_clock", "_left", "_per_second")

    def __init__(self, per_second: float, clock: Callable[[], float]) -> None:
        self._per_second = per_second
        self._clock = clock
        self._left = 2 * per_second
        self._at = clock()

    def allows(self) -> bool:
        """Whether one more is allowed now; if so, it is counted."""
        now = self._clock()
        self._left = min(2 * self._per_second, self._left + (now - self._at) * self._per_second)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Pace:
    """Delays the large frames of each user, to ``per_second`` bytes on average."""

    def __init__(self, per_second: float, clock: Callable[[], float]) -> None:
        self._per_second = per_second
        self._clock = clock
        self._free_at: dict[str, float] = {}

    def seconds(self, user: str, size: int, most: float) -> float | None:
        """Count a frame of ``size`` bytes; return the seconds that it has to wait.

        ``None``, and nothing is counted, if these were more than ``most``.
        """
        now = self._clock()
        self._free_at = {user: at for user, at in self._free_at.items() if at > now}
        at = self._free_at.get(user, now)
        if at - now > most:
            return None
        self._free_at[user] = at + size / self._per_second
        return at - now
