"""What a wake-up does, as one table of state x event. Pure: no I/O, no threads, no clock.

A wake-up says that something is new and carries no data; it may come twice, late, or never.
``state_of()`` derives the state from the link and the network. ``loop`` acts on the table,
``wakeup_store`` remembers a wake-up until an exchange has served it, and
``docs/reference/wake-ups.md`` is made from this file. The JavaScript client has the same table;
``tests/vectors/wakeups.json`` tests both.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ..net.network_state import Kind, NetworkState, Reachability
from . import states


class State(enum.StrEnum):
    """The client's situation when a wake-up comes, or while one is remembered."""

    STOPPED = "stopped"
    """The link is stopped: the client fetches only when the program calls ``sync()``."""
    BARRED = "barred"
    """The link waits for its user: for other credentials, or a newer program."""
    GONE = "gone"
    """The program says that there is no network."""
    CAPTIVE = "captive"
    """A captive portal answers instead of the server; a push service may still get through."""
    UNREACHABLE = "unreachable"
    """The server did not answer the last request."""
    PUT_OFF = "put_off"
    """The server is busy, and the link waits before it asks again."""
    UNDER_WAY = "under_way"
    """An exchange is under way."""
    FED = "fed"
    """Changes come by themselves: by a socket, a stream, a held request, or another process."""
    DEAR = "dear"
    """It polls rarely: requests cost money, and the user does not look."""
    ASKING = "asking"
    """It polls."""


class Event(enum.StrEnum):
    """What happens."""

    WOKEN = "woken"
    """A wake-up comes, and no other is remembered."""
    AGAIN = "again"
    """A wake-up comes while another is remembered."""
    WAITS = "waits"
    """One is remembered when the link decides what to do next: after an exchange, before a poll."""


class Act(enum.StrEnum):
    """What the client does. In each case it has remembered the wake-up on the disk before."""

    FETCH = "fetch"
    """Make an exchange; two exchanges for wake-ups begin at least ``Pace.shortest`` apart."""
    REMEMBER = "remember"
    """Do nothing now: the next exchange serves the wake-up."""
    AFTER = "after"
    """Let the current exchange go on; if it asked too early, another one follows."""
    TRUST = "trust"
    """Do nothing: changes come by themselves. The wake-up is remembered until the next bytes come,
    for the connection may be dead."""
    LATER = "later"
    """Fetch at the next poll, or as soon as the user looks or the network costs nothing."""


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
        Event.WOKEN: Act.FETCH,  # The wake-up shows that the network may be back: try once.
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
    """What the client does for ``event`` in this state."""
    return TABLE[state][event]


_BY_LINK: Mapping[str, State] = {
    states.State.STOPPED: State.STOPPED,
    states.State.CONNECTING: State.UNDER_WAY,
    states.State.CATCHING_UP: State.UNDER_WAY,
    states.State.BACKING_OFF: State.PUT_OFF,
}


def state_of(state: states.State, network: NetworkState, *, fed: bool) -> State:
    """The state for a link and a network. ``fed``: while live, changes come by themselves."""
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
    """The content of a wake-up: the session, and the collections in which something is new.

    Both are hints, and may be empty.
    """

    session: str = ""
    collections: tuple[str, ...] = ()

    def concerns(self, collections: Collection[str]) -> bool:
        """Whether something may be new in one of these collections, whatever the session.

        A client gets another session each time that its program starts, so a late wake-up names
        a session that has ended. To serve it costs one request; to ignore it may lose a change.
        """
        return not self.collections or not set(self.collections).isdisjoint(collections)


def read(payload: object) -> WakeUp | None:
    """Read a wake-up, as JSON or already decoded; ``None`` for anything else."""
    if isinstance(payload, str | bytes | bytearray):
        try:
            payload = json.loads(payload)
        except (ValueError, RecursionError):
            return None
    if not isinstance(payload, Mapping) or payload.get("type") != "sync":
        return None
    session, collections = payload.get("session"), payload.get("collections")
    names = collections if isinstance(collections, list | tuple) else []
    return WakeUp(
        session if isinstance(session, str) else "",
        tuple(name for name in names if isinstance(name, str)),
    )
