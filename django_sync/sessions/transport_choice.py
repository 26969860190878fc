"""Which transport a client should use, and its fallbacks: values in, values out.

The ladder is ``PREFERENCE``. A transport is left out if the server does not offer it, the client
cannot do it, it has failed, or a rule excludes it. The first one that remains is chosen, the others
are the fallback. ``poll`` always remains: every client can pull. This file knows nothing about
Django, the settings or the time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from ..protocol import Network, Transport

__all__ = ["PREFERENCE", "RULES", "SLOW_MS", "Choice", "Rule", "Situation", "choose", "offered"]

PREFERENCE = (Transport.WEBSOCKET, Transport.SSE, Transport.LONG_POLL, Transport.POLL)
"""The transports that can be chosen, best first."""
SLOW_MS = 2000
"""Milliseconds of a round trip from which a network counts as slow."""


@dataclass(frozen=True, slots=True)
class Situation:
    """All that the choice depends on. ``offered`` and ``able`` always include ``poll``."""

    offered: frozenset[Transport]
    able: frozenset[Transport]
    failed: frozenset[Transport] = frozenset()
    network: Network = field(default_factory=Network)
    foreground: bool = True
    poll_interval: int = 30
    upgrade_after: int = 60


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen transport, and why.

    ``fallback``: what to try next, in this order. ``poll_interval``: seconds between polls.
    ``upgrade_after``: seconds after which a better transport may be tried again.
    """

    transport: Transport
    fallback: tuple[Transport, ...]
    reasons: tuple[str, ...]
    poll_interval: int
    upgrade_after: int


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition: the transports that it leaves out, why, and how much rarer polls are."""

    when: str
    applies: Callable[[Situation], bool]
    leaves_out: frozenset[Transport]
    reason: str
    rarer: int = 1


RULES: tuple[Rule, ...] = (
    Rule(
        "`foreground` is false",
        lambda s: not s.foreground,
        frozenset({Transport.WEBSOCKET, Transport.SSE, Transport.LONG_POLL}),
        "Nobody is looking, and an open connection would keep the device awake.",
        rarer=10,
    ),
    Rule(
        "`network.metered` is true",
        lambda s: s.network.metered is True,
        frozenset({Transport.LONG_POLL}),
        "The network is metered, and a held request is sent anew again and again.",
        rarer=4,
    ),
    Rule(
        f"`network.rtt_ms` is {SLOW_MS} or more",
        lambda s: s.network.rtt_ms is not None and s.network.rtt_ms >= SLOW_MS,
        frozenset({Transport.WEBSOCKET}),
        "Round trips are slow, and a socket takes several before its first change.",
    ),
)
"""If several apply, the rarest polls count."""


def offered(named: Iterable[str]) -> tuple[Transport, ...]:
    """The transports that a server with these in its settings offers, best first."""
    names = {*named, Transport.POLL}
    return tuple(transport for transport in PREFERENCE if transport in names)


def choose(situation: Situation) -> Choice:
    """The best transport that is left, its fallbacks, and the reasons."""
    reason_against = {transport: _reason_against(situation, transport) for transport in PREFERENCE}
    first, *rest = (transport for transport, why in reason_against.items() if why is None)
    rarer = max((rule.rarer for rule in RULES if rule.applies(situation)), default=1)
    reasons = [*filter(None, reason_against.values()), *_summary(situation, first, rarer)]
    return Choice(
        transport=first,
        fallback=tuple(rest),
        reasons=tuple(dict.fromkeys(reasons)),
        poll_interval=situation.poll_interval * rarer,
        upgrade_after=situation.upgrade_after * rarer,
    )


def _reason_against(situation: Situation, transport: Transport) -> str | None:
    """Why a transport may not be used; ``None`` if it may."""
    if transport is Transport.POLL:
        return None
    if transport not in situation.offered:
        return f"The server does not offer {transport}."
    if transport not in situation.able:
        return f"The client cannot do {transport}."
    if transport in situation.failed:
        return f"The client says that {transport} failed."
    ruled_out = (r for r in RULES if transport in r.leaves_out and r.applies(situation))
    return next((rule.reason for rule in ruled_out), None)


def _summary(situation: Situation, chosen: Transport, rarer: int) -> Iterator[str]:
    if Transport.PUSH in situation.able:
        yield "Push is not live: it wakes clients that sleep."
    yield f"The best that is left is {chosen}."
    if rarer > 1:
        yield f"Polls are {rarer} times as far apart as usual."
