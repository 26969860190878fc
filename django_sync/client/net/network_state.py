"""What the client knows of the net: its kind, its cost, how far the server is, whether it answers.

Pure: no I/O, no threads, no clock. How the server's answers and the program's word change
``Reachability`` is one table of state x event, and every pair is written;
``docs/reference/wake-ups.md`` is made from it. ``around`` holds the state of one client.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass


class Kind(enum.StrEnum):
    """What the network is, as far as the program tells.

    The words are the browsers' (https://wicg.github.io/netinfo/#connectiontype-enum).
    """

    WIFI = "wifi"
    CELLULAR = "cellular"
    ETHERNET = "ethernet"
    NONE = "none"
    UNKNOWN = "unknown"


class Reachability(enum.StrEnum):
    """Whether the server can be had."""

    UNKNOWN = "unknown"
    """Nothing was asked yet, or not since the network became another."""
    REACHABLE = "reachable"
    """The server answered the last request, if only to refuse it."""
    UNREACHABLE = "unreachable"
    """Nothing answered the last request, or the program says that there is no network."""
    CAPTIVE = "captive"
    """Something else answered: a portal that wants its user to sign in, or a wrong URL."""


class Event(enum.StrEnum):
    """What changes that."""

    ANSWERED = "answered"
    """The server has answered a request."""
    SILENT = "silent"
    """No connection, or no answer in time."""
    STRANGE = "strange"
    """What answered is no django_sync server."""
    ONLINE = "online"
    """The program says that there is a network."""
    GONE = "gone"
    """The program says that there is none."""
    OTHER = "other"
    """The program says that the network is another one than before."""


REACH: Mapping[Reachability, Mapping[Event, Reachability]] = {
    Reachability.UNKNOWN: {
        Event.ANSWERED: Reachability.REACHABLE,
        Event.SILENT: Reachability.UNREACHABLE,
        Event.STRANGE: Reachability.CAPTIVE,
        Event.ONLINE: Reachability.UNKNOWN,
        Event.GONE: Reachability.UNREACHABLE,
        Event.OTHER: Reachability.UNKNOWN,
    },
    Reachability.REACHABLE: {
        Event.ANSWERED: Reachability.REACHABLE,
        Event.SILENT: Reachability.UNREACHABLE,
        Event.STRANGE: Reachability.CAPTIVE,
        Event.ONLINE: Reachability.REACHABLE,
        Event.GONE: Reachability.UNREACHABLE,
        Event.OTHER: Reachability.UNKNOWN,
    },
    Reachability.UNREACHABLE: {
        Event.ANSWERED: Reachability.REACHABLE,
        Event.SILENT: Reachability.UNREACHABLE,
        Event.STRANGE: Reachability.CAPTIVE,
        Event.ONLINE: Reachability.UNKNOWN,
        Event.GONE: Reachability.UNREACHABLE,
        Event.OTHER: Reachability.UNKNOWN,
    },
    Reachability.CAPTIVE: {
        Event.ANSWERED: Reachability.REACHABLE,
        Event.SILENT: Reachability.UNREACHABLE,
        Event.STRANGE: Reachability.CAPTIVE,
        Event.ONLINE: Reachability.UNKNOWN,
        Event.GONE: Reachability.UNREACHABLE,
        Event.OTHER: Reachability.UNKNOWN,
    },
}


def reach(state: Reachability, event: Event) -> Reachability:
    """Where ``event`` leads from ``state``."""
    return REACH[state][event]


@dataclass(frozen=True)
class NetworkState:
    """What is known of the network.

    ``type`` and ``metered`` are as the program told them, ``rtt_ms`` is the smoothed round trip
    of the client's own requests in milliseconds, ``None`` before the first, and ``foreground``
    whether the program says that somebody looks at it.
    """

    type: Kind = Kind.UNKNOWN
    metered: bool = False
    rtt_ms: int | None = None
    reachability: Reachability = Reachability.UNKNOWN
    foreground: bool = True

    @property
    def sparing(self) -> bool:
        """Whether each request costs somebody something."""
        return self.metered or not self.foreground

    def to_json(self) -> dict[str, object]:
        """A session's ``network``."""
        known = None if self.type is Kind.UNKNOWN else str(self.type)
        return {"type": known, "metered": self.metered, "rtt_ms": self.rtt_ms}


LEAST_MS = 100
"""Milliseconds; a round trip that differs by less is none of the server's business."""


def differs(told: NetworkState, now: NetworkState) -> bool:
    """Whether the server should hear that ``told`` has become ``now``.

    A round trip is worth telling once it is twice as long as the one that was told, or half,
    and by ``LEAST_MS`` at least; so it settles after a few requests and then stays untold.
    """
    if (told.type, told.metered, told.foreground) != (now.type, now.metered, now.foreground):
        return True
    if now.rtt_ms is None or told.rtt_ms is None:
        return now.rtt_ms is not None and now.rtt_ms >= LEAST_MS
    short, long = sorted((told.rtt_ms, now.rtt_ms))
    return long >= 2 * short and long - short >= LEAST_MS


LONGEST = 60.0
"""Seconds; what took longer was no round trip: a machine that slept, or a clock that jumped."""


@dataclass(frozen=True)
class RoundTrip:
    """A round trip in seconds, smoothed as RFC 6298, section 2, smooths those of TCP.

    ``srtt`` is the smoothed time, ``rttvar`` how much it varies; both ``None`` before the first
    sample. One outlier moves ``srtt`` by an eighth of what it is off.
    """

    srtt: float | None = None
    rttvar: float | None = None

    def sampled(self, seconds: float) -> RoundTrip:
        """The same with one more sample; one that cannot be a round trip changes nothing."""
        if not (math.isfinite(seconds) and 0 < seconds <= LONGEST):
            return self
        if self.srtt is None or self.rttvar is None:
            return RoundTrip(seconds, seconds / 2)
        rttvar = 3 / 4 * self.rttvar + 1 / 4 * abs(self.srtt - seconds)
        return RoundTrip(7 / 8 * self.srtt + 1 / 8 * seconds, rttvar)

    @property
    def ms(self) -> int | None:
        """``srtt`` in whole milliseconds, 1 at least."""
        return None if self.srtt is None else max(1, math.floor(self.srtt * 1000 + 0.5))
