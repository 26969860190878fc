"""The link's states, as one table of state x event. Pure: no I/O, no threads, no clock.

``background`` feeds each event that happens, goes to the state that the table names, and
``loop`` does what the table says. The table lists the moves; any other event changes nothing.
``docs/reference/link.md`` is made from this file.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import NamedTuple

from ... import errors


class State(enum.StrEnum):
    """The state of a client's link to its server."""

    STOPPED = "stopped"
    """Nothing happens in the background: ``start()`` was not called, or ``stop()`` was."""
    OFFLINE = "offline"
    """The server cannot be reached; the link tries again after a while, longer each time."""
    CONNECTING = "connecting"
    """The link has asked, and the server has not answered yet."""
    CATCHING_UP = "catching_up"
    """The server answers; missed changes come in."""
    LIVE = "live"
    """In step; changes come as they are made, or at the next poll."""
    BACKING_OFF = "backing_off"
    """The server answers but cannot serve; the link asks again at ``retry_at``, not before."""
    AUTH_REQUIRED = "auth_required"
    """The server refuses the credentials, and they could not be renewed. Waits for others."""
    REFUSED = "refused"
    """This client cannot use this server: it is too old, or the store is another user's."""
    ENDED = "ended"
    """The server has ended the session. ``start()`` opens another."""
    BLOCKED = "blocked"
    """The server has blocked the user or this client. ``start()`` asks again."""


class Event(enum.StrEnum):
    """What may happen to a link."""

    START = "start"
    """``start()`` was called."""
    STOP = "stop"
    """``stop()`` or ``close()`` was called."""
    DUE = "due"
    """A wait has ended."""
    WROTE = "wrote"
    """A local write waits to be sent."""
    REACHABLE = "reachable"
    """The program says that the network is back, or its own ``sync()`` succeeded."""
    ANSWERED = "answered"
    """The server has answered a request."""
    BEHIND = "behind"
    """A page was applied, and more is to come."""
    SYNCED = "synced"
    """A complete exchange has ended, or the catch-up of a socket or stream."""
    UNREACHABLE = "unreachable"
    """No answer, or not the server's; or the program says that the network is gone."""
    BUSY = "busy"
    """The server is too busy, or fails."""
    UNAUTHORIZED = "unauthorized"
    """401, and renewing the credentials did not help."""
    REFUSED = "refused"
    """Upgrade required, another protocol, another user's store."""
    ENDED = "ended"
    """The server says that it has ended the session."""
    BLOCKED = "blocked"
    """The server says that the user or this client is blocked."""


class Act(enum.StrEnum):
    """What is done next."""

    GO_ON = "go on"
    """Go on with the current work or wait."""
    EXCHANGE = "exchange"
    """Send the outbox and pull, at once."""
    SEND = "send"
    """Send the outbox, at once; pull as well, unless a socket or stream brings what is new."""
    LISTEN = "listen"
    """Wait for news: from a socket or stream, a held request, or the time of the next poll."""
    WAIT = "wait"
    """Wait until ``retry_at``."""
    REST = "rest"
    """Wait for an event."""
    END = "end"
    """The thread ends."""


class Move(NamedTuple):
    """Where an event leads, and what is done there."""

    state: State
    act: Act


_FAILURES: Mapping[Event, Move] = {
    Event.UNREACHABLE: Move(State.OFFLINE, Act.WAIT),
    Event.BUSY: Move(State.BACKING_OFF, Act.WAIT),
    Event.UNAUTHORIZED: Move(State.AUTH_REQUIRED, Act.REST),
    Event.REFUSED: Move(State.REFUSED, Act.REST),
    Event.ENDED: Move(State.ENDED, Act.REST),
    Event.BLOCKED: Move(State.BLOCKED, Act.REST),
}
"""Where a failure leads while the link speaks with the server."""

TABLE: Mapping[State, Mapping[Event, Move]] = {
    State.STOPPED: {
        Event.START: Move(State.CONNECTING, Act.EXCHANGE),
    },
    State.OFFLINE: {
        Event.START: Move(State.CONNECTING, Act.EXCHANGE),
        Event.STOP: Move(State.STOPPED, Act.END),
        Event.DUE: Move(State.CONNECTING, Act.EXCHANGE),
        Event.REACHABLE: Move(State.CONNECTING, Act.EXCHANGE),
    },
    State.CONNECTING: {
        Event.STOP: Move(State.STOPPED, Act.END),
        Event.DUE: Move(State.CONNECTING, Act.EXCHANGE),
        Event.ANSWERED: Move(State.CATCHING_UP, Act.GO_ON),
        Event.BEHIND: Move(State.CATCHING_UP, Act.GO_ON),
        Event.SYNCED: Move(State.LIVE, Act.LISTEN),
        **_FAILURES,
    },
    State.CATCHING_UP: {
        Event.STOP: Move(State.STOPPED, Act.END),
        Event.DUE: Move(State.CATCHING_UP, Act.EXCHANGE),
        Event.WROTE: Move(State.CATCHING_UP, Act.SEND),
        Event.SYNCED: Move(State.LIVE, Act.LISTEN),
        **_FAILURES,
    },
    State.LIVE: {
        Event.START: Move(State.LIVE, Act.EXCHANGE),
        Event.STOP: Move(State.STOPPED, Act.END),
        Event.DUE: Move(State.LIVE, Act.EXCHANGE),
        Event.WROTE: Move(State.LIVE, Act.SEND),
        Event.REACHABLE: Move(State.LIVE, Act.EXCHANGE),
        Event.BEHIND: Move(State.CATCHING_UP, Act.GO_ON),
        Event.SYNCED: Move(State.LIVE, Act.LISTEN),
        **_FAILURES,
    },
    State.BACKING_OFF: {
        Event.STOP: Move(State.STOPPED, Act.END),
        Event.DUE: Move(State.CONNECTING, Act.EXCHANGE),
    },
    State.AUTH_REQUIRED: {
        Event.START: Move(State.CONNECTING, Act.EXCHANGE),
        Event.STOP: Move(State.STOPPED, Act.END),
        Event.REACHABLE: Move(State.CONNECTING, Act.EXCHANGE),
    },
    State.REFUSED: {
        Event.START: Move(State.CONNECTING, Act.EXCHANGE),
        Event.STOP: Move(State.STOPPED, Act.END),
    },
    State.ENDED: {
        Event.START: Move(State.CONNECTING, Act.EXCHANGE),
        Event.STOP: Move(State.STOPPED, Act.END),
    },
    State.BLOCKED: {
        Event.START: Move(State.CONNECTING, Act.EXCHANGE),
        Event.STOP: Move(State.STOPPED, Act.END),
    },
}
"""The moves. Any other event leaves the state as it is, and the link goes on."""


RESTING = (State.AUTH_REQUIRED, State.REFUSED, State.ENDED, State.BLOCKED)
"""Where the link waits for its user."""


def move(state: State, event: Event) -> Move:
    """Where ``event`` leads from ``state``, and what the link does there."""
    return TABLE[state].get(event) or Move(state, Act.GO_ON)


def outcome(error: errors.SyncError) -> Event:
    """The event for an exchange's failure.

    If only an update of the program or other credentials can help, the link rests until then; if
    the server has ended or blocked the session, until its user asks. Any other failure may pass
    by itself, so the link tries again, in the end every few minutes.
    """
    match error:
        case errors.Offline():
            return Event.UNREACHABLE
        case errors.NotAuthenticated():
            return Event.UNAUTHORIZED
        case errors.UpgradeRequired() | errors.UnsupportedProtocol() | errors.StoreMismatch():
            return Event.REFUSED
        case errors.SessionEnded():
            return Event.ENDED
        case errors.Blocked():
            return Event.BLOCKED
    return Event.BUSY
