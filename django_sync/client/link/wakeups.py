"""What a wake-up does, as one table of state x event. Pure: no I/O, no threads, no clock.

A wake-up says that something is new and carries no data; it may come twice, late, or never. How
the link stands and what is known of the net make the state in which one comes: ``stand()`` says
which. ``waking`` acts on the table, ``wakes`` remembers until something was fetched, and
``docs/reference/wake-ups.md`` is made from this file. The JavaScript client has the same table;
``tests/vectors/wakeups.json`` holds both to it.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ..net.network_state import Kind, NetworkState, Reachability
from . import states


class State(enum.StrEnum):
    """How things stand when a wake-up comes, or while one is remembered."""

    STOPPED = "stopped"
    """The link is stopped: nothing is fetched unless the program calls ``sync()``."""
    BARRED = "barred"
    """The link waits for its user: other credentials, another program."""
    GONE = "gone"
    """The program says that there is no network."""
    CAPTIVE = "captive"
    """A portal answers in the server's place. It may let a push service through all the same."""
    UNREACHABLE = "unreachable"
    """The server did not answer when it was asked last."""
    PUT_OFF = "put_off"
    """The server is busy and has said when to come again, or is given time."""
    UNDER_WAY = "under_way"
    """An exchange is under way."""
    FED = "fed"
    """News comes by itself: over a socket or stream, a held request, or through another process."""
    DEAR = "dear"
    """It polls rarely: each request is paid for, and nobody looks."""
    ASKING = "asking"
    """It polls."""


class Event(enum.StrEnum):
    """What happens."""

    WOKEN = "woken"
    """A wake-up comes, and no other is remembered."""
    AGAIN = "again"
    """A wake-up comes while another is remembered."""
    WAITS = "waits"
    """One is remembered, and the link looks what to do next: after an exchange, before a poll."""


class Act(enum.StrEnum):
    """What is done. In each case the wake-up has been remembered on the disk before."""

    FETCH = "fetch"
    """Make an exchange; those that wake-ups ask for begin ``Pace.shortest`` apart at least."""
    REMEMBER = "remember"
    """Nothing now: the next exchange, whatever it is made for, sees to it."""
    AFTER = "after"
    """Let the exchange go on; if it asked too early, another one follows."""
    TRUST = "trust"
    """Nothing: what is new comes by itself. Remembered until something is heard that way, for the
    connection may be dead and not know it."""
    LATER = "later"
    """At the next poll; or at once when somebody looks, or the network costs nothing."""


TABLE: Mapping[State, Mapping[Event, Act]] = {
    State.STOPPED: {
        Event.WOKEN: Act.REMEMBER,
        Event.AGAIN: Act.REMEMBER,
        Event.WAITS: Act.REMEMBER,
    },
    State.BARRED: {
        Event.WOKEN: Act.REMEMBER,
        Event.AGAIN: Act.REMEMBER,
        Event.WAITS: Act.REMEMBER,
    },
    State.GONE: {
        Event.WOKEN: Act.REMEMBER,
        Event.AGAIN: Act.REMEMBER,
        Event.WAITS: Act.REMEMBER,
    },
    State.CAPTIVE: {
        Event.WOKEN: Act.REMEMBER,
        Event.AGAIN: Act.REMEMBER,
        Event.WAITS: Act.REMEMBER,
    },
    State.UNREACHABLE: {
        Event.WOKEN: Act.FETCH,  # What came through shows that there is a way again: once.
        Event.AGAIN: Act.REMEMBER,
        Event.WAITS: Act.REMEMBER,
    },
    State.PUT_OFF: {
        Event.WOKEN: Act.REMEMBER,
        Event.AGAIN: Act.REMEMBER,
        Event.WAITS: Act.REMEMBER,
    },
    State.UNDER_WAY: {
        Event.WOKEN: Act.AFTER,
        Event.AGAIN: Act.AFTER,
        Event.WAITS: Act.AFTER,
    },
    State.FED: {
        Event.WOKEN: Act.TRUST,
        Event.AGAIN: Act.TRUST,
        Event.WAITS: Act.TRUST,
    },
    State.DEAR: {
        Event.WOKEN: Act.LATER,
        Event.AGAIN: Act.LATER,
        Event.WAITS: Act.LATER,
    },
    State.ASKING: {
        Event.WOKEN: Act.FETCH,
        Event.AGAIN: Act.FETCH,
        Event.WAITS: Act.FETCH,
    },
}


def act(state: State, event: Event) -> Act:
    """What is done for ``event`` where things stand so."""
    return TABLE[state][event]


_BY_LINK: Mapping[str, State] = {
    states.State.STOPPED: State.STOPPED,
    states.State.CONNECTING: State.UNDER_WAY,
    states.State.CATCHING_UP: State.UNDER_WAY,
    states.State.BACKING_OFF: State.PUT_OFF,
}


def stand(state: states.State, network: NetworkState, *, fed: bool) -> State:
    """How things stand. ``fed``: while live, news comes by itself."""
    if state in _BY_LINK:
        return _BY_LINK[state]
    if state not in (states.State.LIVE, states.State.OFFLINE):
        return State.BARRED
    if network.type is Kind.NONE:
        return State.GONE
    if state is states.State.OFFLINE:
        captive = network.reachability is Reachability.CAPTIVE
        return State.CAPTIVE if captive else State.UNREACHABLE
    if fed:
        return State.FED
    return State.DEAR if network.metered and not network.foreground else State.ASKING


@dataclass(frozen=True)
class WakeUp:
    """What a wake-up says: of which session, and in which collections something is new.

    Both are hints, and empty where it does not say.
    """

    session: str = ""
    collections: tuple[str, ...] = ()

    def concerns(self, collections: Collection[str]) -> bool:
        """Whether one of these may have become another; of whichever session it is.

        A client is given another session each time that its program starts, so a late wake-up
        names one that has ended; it costs one request to heed it, and may cost a change not to.
        """
        return not self.collections or not set(self.collections).isdisjoint(collections)


def read(payload: object) -> WakeUp | None:
    """Read a wake-up, as JSON or already decoded; ``None`` where it is none, whatever it is."""
    if isinstance(payload, str | bytes | bytearray):
        try:
            payload = json.loads(payload)
        except (ValueError, RecursionError):
            return None
    if not isinstance(payload, Mapping) or payload.get("type") != "sync":
        return None
    session, told = payload.get("session"), payload.get("collections")
    names = told if isinstance(told, list | tuple) else []
    return WakeUp(
        session if isinstance(session, str) else "",
        tuple(name for name in names if isinstance(name, str)),
    )
