"""What a client knows of its network: kind, cost, round trip, and whether the server answers.

Pure: no I/O, no threads, no clock. One table of state x event says how ``Reachability`` changes
when the server answers or the program reports something; every pair is written, and
``docs/reference/wake-ups.md`` is made from it. ``network_monitor`` holds the state of one client.
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
    """Whether the server can be reached."""

    UNKNOWN = "unknown"
    """Nothing was asked yet, or not since the network changed."""
    REACHABLE = "reachable"
    """The server answered the last request, even if it refused it."""
    UNREACHABLE = "unreachable"
    """Nothing answered the last request, or the program says that there is no network."""
    CAPTIVE = "captive"
    """Something else answered: a portal that wants its user to sign in, or a wrong URL."""


class Event(enum.StrEnum):
    """What changes the reachability."""

    ANSWERED = "answered"
    """The server has answered a request."""
    SILENT = "silent"
    """No connection, or no answer in time."""
    STRANGE = "strange"
    """Something that is not a django_sync server answered."""
    ONLINE = "online"
    """The program says that there is a network."""
    GONE = "gone"
    """The program says that there is no network."""
    OTHER = "other"
    """The program says that the network has changed."""


REACHABILITY_TABLE: Mapping[Reachability, Mapping[Event, Reachability]] = {
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


def next_reachability(state: Reachability, event: Event) -> Reachability:
    """The reachability after ``event``."""
    return REACHABILITY_TABLE[state][event]


@dataclass(frozen=True)
class NetworkState:
    """What is known of the network.

    The program reports ``type``, ``metered`` and ``foreground`` (whether its user looks at it).
    ``rtt_ms`` is the smoothed round trip of the client's own requests in milliseconds, ``None``
    before the first.
    """

    type: Kind = Kind.UNKNOWN
    metered: bool = False
    rtt_ms: int | None = None
    reachability: Reachability = Reachability.UNKNOWN
    foreground: bool = True

    @property
    def sparing(self) -> bool:
        """Whether requests should be rare, because each costs money or battery."""
        return self.metered or not self.foreground

    def to_json(self) -> dict[str, object]:
        """The ``network`` of a session."""
        known = None if self.type is Kind.UNKNOWN else str(self.type)
        return {"type": known, "metered": self.metered, "rtt_ms": self.rtt_ms}


LEAST_MS = 100
"""Milliseconds; a smaller difference of the round trip is not reported."""


def differs(reported: NetworkState, now: NetworkState) -> bool:
    """Whether the client should report to the server that ``reported`` has become ``now``.

    A round trip is reported once it is twice as long as the reported one, or half as long, and
    differs by ``LEAST_MS`` at least. So after a few requests it is not reported any more.
    """
    if (reported.type, reported.metered, reported.foreground) != (
        now.type,
        now.metered,
        now.foreground,
    ):
        return True
    if now.rtt_ms is None or reported.rtt_ms is None:
        return now.rtt_ms is not None and now.rtt_ms >= LEAST_MS
    short, long = sorted((reported.rtt_ms, now.rtt_ms))
    return long >= 2 * short and long - short >= LEAST_MS


LONGEST = 60.0
"""Seconds; a longer time is not a round trip: the machine slept, or the clock jumped."""


@dataclass(frozen=True)
class RoundTrip:
    """A round trip in seconds, smoothed as RFC 6298, section 2, smooths those of TCP.

    ``srtt`` is the smoothed time, ``rttvar`` how much it varies; both are ``None`` before the
    first sample. One outlier moves ``srtt`` by an eighth of the difference.
    """

    srtt: float | None = None
    rttvar: float | None = None

    def sampled(self, seconds: float) -> RoundTrip:
        """The round trip with one more sample; an impossible sample changes nothing."""
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
