"""The link's states, as one table of state x event. Pure: no I/O, no threads, no clock.

``background`` acts on it: it feeds each event that happens, goes to the state
that the table names and does what the table says. Every pair is written, those
where nothing is done too; ``docs/reference/link.md`` is made from this file.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import NamedTuple

from ... import errors


class State(enum.StrEnum):
    """How the client stands to its server."""

    STOPPED = "stopped"
    """Nothing goes on by itself: ``start()`` was not called, or ``stop()`` was."""
    OFFLINE = "offline"
    """The server cannot be reached; tried again after a while, longer each time."""
    CONNECTING = "connecting"
    """Asking, and not answered yet."""
    CATCHING_UP = "catching_up"
    """The server answers; what was missed comes in."""
    LIVE = "live"
    """In step; changes come as they are made, or at the next poll."""
    BACKING_OFF = "backing_off"
    """The server is there but cannot serve; asked again at ``retry_at``, not before."""
    AUTH_REQUIRED = "auth_required"
    """The credentials are not taken, and could not be renewed. Waits for others."""
    REFUSED = "refused"
    """This client may not speak with this server: too old, or another user's store."""
    ENDED = "ended"
    """The server has ended the session. Another is opened when its user asks: by ``start()``."""
    BLOCKED = "blocked"
    """The server has blocked the user or this client. Asked again when its user asks."""


class Event(enum.StrEnum):
    """What may happen to a link."""

    START = "start"
    """``start()`` was called."""
    STOP = "stop"
    """``stop()`` or ``close()`` was called."""
    DUE = "due"
    """A wait has ended."""
    WROTE = "wrote"
    """Something local waits to be sent."""
    REACHABLE = "reachable"
    """The program says that the network is back, or a ``sync()`` of its own came through."""
    ANSWERED = "answered"
    """The server has answered a request."""
    BEHIND = "behind"
    """A page was applied, and more is to come."""
    SYNCED = "synced"
    """A complete exchange has ended, or the catch-up of a socket or stream."""
    UNREACHABLE = "unreachable"
    """No answer, or none of the server's; or the program says that the network is gone."""
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
    """With what is being done, or waited for."""
    EXCHANGE = "exchange"
    """Send the outbox and pull, at once."""
    SEND = "send"
    """Send the outbox, at once; pull as well, unless a socket or stream brings what is new."""
    LISTEN = "listen"
    """Wait for news: from a socket or stream, a held request, or the time of the next poll."""
    WAIT = "wait"
    """Wait until ``retry_at``."""
    REST = "rest"
    """Wait until told otherwise."""
    END = "end"
    """The thread ends."""


class Move(NamedTuple):
    """Where an event leads, and what is done there."""

    state: State
    act: Act


TABLE: Mapping[State, Mapping[Event, Move]] = {
    State.STOPPED: {
        Event.START: Move(State.CONNECTING, Act.EXCHANGE),
        Event.STOP: Move(State.STOPPED, Act.GO_ON),
        Event.DUE: Move(State.STOPPED, Act.GO_ON),
        Event.WROTE: Move(State.STOPPED, Act.GO_ON),
        Event.REACHABLE: Move(State.STOPPED, Act.GO_ON),
        Event.ANSWERED: Move(State.STOPPED, Act.GO_ON),
        Event.BEHIND: Move(State.STOPPED, Act.GO_ON),
        Event.SYNCED: Move(State.STOPPED, Act.GO_ON),
        Event.UNREACHABLE: Move(State.STOPPED, Act.GO_ON),
        Event.BUSY: Move(State.STOPPED, Act.GO_ON),
        Event.UNAUTHORIZED: Move(State.STOPPED, Act.GO_ON),
        Event.REFUSED: Move(State.STOPPED, Act.GO_ON),
        Event.ENDED: Move(State.STOPPED, Act.GO_ON),
        Event.BLOCKED: Move(State.STOPPED, Act.GO_ON),
    },
    State.OFFLINE: {
        Event.START: Move(State.CONNECTING, Act.EXCHANGE),
        Event.STOP: Move(State.STOPPED, Act.END),
        Event.DUE: Move(State.CONNECTING, Act.EXCHANGE),
        Event.WROTE: Move(State.OFFLINE, Act.GO_ON),
        Event.REACHABLE: Move(State.CONNECTING, Act.EXCHANGE),
        Event.ANSWERED: Move(State.OFFLINE, Act.GO_ON),
        Event.BEHIND: Move(State.OFFLINE, Act.GO_ON),
        Event.SYNCED: Move(State.OFFLINE, Act.GO_ON),
        Event.UNREACHABLE: Move(State.OFFLINE, Act.GO_ON),
        Event.BUSY: Move(State.OFFLINE, Act.GO_ON),
        Event.UNAUTHORIZED: Move(State.OFFLINE, Act.GO_ON),
        Event.REFUSED: Move(State.OFFLINE, Act.GO_ON),
        Event.ENDED: Move(State.OFFLINE, Act.GO_ON),
        Event.BLOCKED: Move(State.OFFLINE, Act.GO_ON),
    },
    State.CONNECTING: {
        Event.START: Move(State.CONNECTING, Act.GO_ON),
        Event.STOP: Move(State.STOPPED, Act.END),
        Event.DUE: Move(State.CONNECTING, Act.EXCHANGE),
        Event.WROTE: Move(State.CONNECTING, Act.GO_ON),
        Event.REACHABLE: Move(State.CONNECTING, Act.GO_ON),
        Event.ANSWERED: Move(State.CATCHING_UP, Act.GO_ON),
        Event.BEHIND: Move(State.CATCHING_UP, Act.GO_ON),
        Event.SYNCED: Move(State.LIVE, Act.LISTEN),
        Event.UNREACHABLE: Move(State.OFFLINE, Act.WAIT),
        Event.BUSY: Move(State.BACKING_OFF, Act.WAIT),
        Event.UNAUTHORIZED: Move(State.AUTH_REQUIRED, Act.REST),
        Event.REFUSED: Move(State.REFUSED, Act.REST),
        Event.ENDED: Move(State.ENDED, Act.REST),
        Event.BLOCKED: Move(State.BLOCKED, Act.REST),
    },
    State.CATCHING_UP: {
        Event.START: Move(State.CATCHING_UP, Act.GO_ON),
        Event.STOP: Move(State.STOPPED, Act.END),
        Event.DUE: Move(State.CATCHING_UP, Act.EXCHANGE),
        Event.WROTE: Move(State.CATCHING_UP, Act.SEND),
        Event.REACHABLE: Move(State.CATCHING_UP, Act.GO_ON),
        Event.ANSWERED: Move(State.CATCHING_UP, Act.GO_ON),
        Event.BEHIND: Move(State.CATCHING_UP, Act.GO_ON),
        Event.SYNCED: Move(State.LIVE, Act.LISTEN),
        Event.UNREACHABLE: Move(State.OFFLINE, Act.WAIT),
        Event.BUSY: Move(State.BACKING_OFF, Act.WAIT),
        Event.UNAUTHORIZED: Move(State.AUTH_REQUIRED, Act.REST),
        Event.REFUSED: Move(State.REFUSED, Act.REST),
        Event.ENDED: Move(State.ENDED, Act.REST),
        Event.BLOCKED: Move(State.BLOCKED, Act.REST),
    },
    State.LIVE: {
        Event.START: Move(State.LIVE, Act.EXCHANGE),
        Event.STOP: Move(State.STOPPED, Act.END),
        Event.DUE: Move(State.LIVE, Act.EXCHANGE),
        Event.WROTE: Move(State.LIVE, Act.SEND),
        Event.REACHABLE: Move(State.LIVE, Act.EXCHANGE),
        Event.ANSWERED: Move(State.LIVE, Act.GO_ON),
        Event.BEHIND: Move(State.CATCHING_UP, Act.GO_ON),
        Event.SYNCED: Move(State.LIVE, Act.LISTEN),
        Event.UNREACHABLE: Move(State.OFFLINE, Act.WAIT),
        Event.BUSY: Move(State.BACKING_OFF, Act.WAIT),
        Event.UNAUTHORIZED: Move(State.AUTH_REQUIRED, Act.REST),
        Event.REFUSED: Move(State.REFUSED, Act.REST),
        Event.ENDED: Move(State.ENDED, Act.REST),
        Event.BLOCKED: Move(State.BLOCKED, Act.REST),
    },
    State.BACKING_OFF: {
        Event.START: Move(State.BACKING_OFF, Act.GO_ON),
        Event.STOP: Move(State.STOPPED, Act.END),
        Event.DUE: Move(State.CONNECTING, Act.EXCHANGE),
        Event.WROTE: Move(State.BACKING_OFF, Act.GO_ON),
        Event.REACHABLE: Move(State.BACKING_OFF, Act.GO_ON),
        Event.ANSWERED: Move(State.BACKING_OFF, Act.GO_ON),
        Event.BEHIND: Move(State.BACKING_OFF, Act.GO_ON),
        Event.SYNCED: Move(State.BACKING_OFF, Act.GO_ON),
        Event.UNREACHABLE: Move(State.BACKING_OFF, Act.GO_ON),
        Event.BUSY: Move(State.BACKING_OFF, Act.GO_ON),
        Event.UNAUTHORIZED: Move(State.BACKING_OFF, Act.GO_ON),
        Event.REFUSED: Move(State.BACKING_OFF, Act.GO_ON),
        Event.ENDED: Move(State.BACKING_OFF, Act.GO_ON),
        Event.BLOCKED: Move(State.BACKING_OFF, Act.GO_ON),
    },
    State.AUTH_REQUIRED: {
        Event.START: Move(State.CONNECTING, Act.EXCHANGE),
        Event.STOP: Move(State.STOPPED, Act.END),
        Event.DUE: Move(State.AUTH_REQUIRED, Act.GO_ON),
        Event.WROTE: Move(State.AUTH_REQUIRED, Act.GO_ON),
        Event.REACHABLE: Move(State.CONNECTING, Act.EXCHANGE),
        Event.ANSWERED: Move(State.AUTH_REQUIRED, Act.GO_ON),
        Event.BEHIND: Move(State.AUTH_REQUIRED, Act.GO_ON),
        Event.SYNCED: Move(State.AUTH_REQUIRED, Act.GO_ON),
        Event.UNREACHABLE: Move(State.AUTH_REQUIRED, Act.GO_ON),
        Event.BUSY: Move(State.AUTH_REQUIRED, Act.GO_ON),
        Event.UNAUTHORIZED: Move(State.AUTH_REQUIRED, Act.GO_ON),
        Event.REFUSED: Move(State.AUTH_REQUIRED, Act.GO_ON),
        Event.ENDED: Move(State.AUTH_REQUIRED, Act.GO_ON),
        Event.BLOCKED: Move(State.AUTH_REQUIRED, Act.GO_ON),
    },
    State.REFUSED: {
        Event.START: Move(State.CONNECTING, Act.EXCHANGE),
        Event.STOP: Move(State.STOPPED, Act.END),
        Event.DUE: Move(State.REFUSED, Act.GO_ON),
        Event.WROTE: Move(State.REFUSED, Act.GO_ON),
        Event.REACHABLE: Move(State.REFUSED, Act.GO_ON),
        Event.ANSWERED: Move(State.REFUSED, Act.GO_ON),
        Event.BEHIND: Move(State.REFUSED, Act.GO_ON),
        Event.SYNCED: Move(State.REFUSED, Act.GO_ON),
        Event.UNREACHABLE: Move(State.REFUSED, Act.GO_ON),
        Event.BUSY: Move(State.REFUSED, Act.GO_ON),
        Event.UNAUTHORIZED: Move(State.REFUSED, Act.GO_ON),
        Event.REFUSED: Move(State.REFUSED, Act.GO_ON),
        Event.ENDED: Move(State.REFUSED, Act.GO_ON),
        Event.BLOCKED: Move(State.REFUSED, Act.GO_ON),
    },
    State.ENDED: {
        Event.START: Move(State.CONNECTING, Act.EXCHANGE),
        Event.STOP: Move(State.STOPPED, Act.END),
        Event.DUE: Move(State.ENDED, Act.GO_ON),
        Event.WROTE: Move(State.ENDED, Act.GO_ON),
        Event.REACHABLE: Move(State.ENDED, Act.GO_ON),
        Event.ANSWERED: Move(State.ENDED, Act.GO_ON),
        Event.BEHIND: Move(State.ENDED, Act.GO_ON),
        Event.SYNCED: Move(State.ENDED, Act.GO_ON),
        Event.UNREACHABLE: Move(State.ENDED, Act.GO_ON),
        Event.BUSY: Move(State.ENDED, Act.GO_ON),
        Event.UNAUTHORIZED: Move(State.ENDED, Act.GO_ON),
        Event.REFUSED: Move(State.ENDED, Act.GO_ON),
        Event.ENDED: Move(State.ENDED, Act.GO_ON),
        Event.BLOCKED: Move(State.ENDED, Act.GO_ON),
    },
    State.BLOCKED: {
        Event.START: Move(State.CONNECTING, Act.EXCHANGE),
        Event.STOP: Move(State.STOPPED, Act.END),
        Event.DUE: Move(State.BLOCKED, Act.GO_ON),
        Event.WROTE: Move(State.BLOCKED, Act.GO_ON),
        Event.REACHABLE: Move(State.BLOCKED, Act.GO_ON),
        Event.ANSWERED: Move(State.BLOCKED, Act.GO_ON),
        Event.BEHIND: Move(State.BLOCKED, Act.GO_ON),
        Event.SYNCED: Move(State.BLOCKED, Act.GO_ON),
        Event.UNREACHABLE: Move(State.BLOCKED, Act.GO_ON),
        Event.BUSY: Move(State.BLOCKED, Act.GO_ON),
        Event.UNAUTHORIZED: Move(State.BLOCKED, Act.GO_ON),
        Event.REFUSED: Move(State.BLOCKED, Act.GO_ON),
        Event.ENDED: Move(State.BLOCKED, Act.GO_ON),
        Event.BLOCKED: Move(State.BLOCKED, Act.GO_ON),
    },
}


RESTING = (State.AUTH_REQUIRED, State.REFUSED, State.ENDED, State.BLOCKED)
"""Where it waits for its user."""


def move(state: State, event: Event) -> Move:
    """Where ``event`` leads from ``state``."""
    return TABLE[state][event]


def outcome(error: errors.SyncError) -> Event:
    """The event that an exchange's failure is.

    What an update of the program or other credentials must mend rests until then, and what the
    server has ended or blocked until its user asks;
    all else may pass by itself, so it is tried again, at last every few minutes.
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
