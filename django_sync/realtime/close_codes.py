"""The codes with which a socket is closed, and what each means."""

from __future__ import annotations

from collections.abc import Mapping

BAD_FRAME, NOT_AUTHENTICATED, NOT_ALLOWED = 4400, 4401, 4403
NO_HEARTBEAT, CURSOR_EXPIRED, TOO_MANY = 4408, 4410, 4429
SESSION_ENDED, BLOCKED = 4419, 4423
FAILED, RESTARTING, TRY_LATER = 1011, 1012, 1013

CODES: Mapping[int, int] = {
    401: NOT_AUTHENTICATED,
    403: NOT_ALLOWED,
    410: CURSOR_EXPIRED,
    429: TOO_MANY,
    500: FAILED,
    503: TRY_LATER,
}
"""How a socket is closed on an error, by its HTTP status; any other is a bad frame."""

OWN: Mapping[str, int] = {"session_ended": SESSION_ENDED, "blocked": BLOCKED}
"""Those that share a status and not what a client does: by the problem's code."""


def code_of(status: int, code: object, otherwise: int = BAD_FRAME) -> int:
    """The close code of a problem's status and code."""
    return OWN.get(str(code)) or CODES.get(status, otherwise)


MEANINGS: Mapping[int, str] = {
    BAD_FRAME: "A frame is malformed or too large, or its cursor is not this user's. A client "
    "reports a fault; with `invalid_cursor` it comes back without a cursor.",
    NOT_AUTHENTICATED: "Nobody is signed in, or not any more, or the ticket is none. A client "
    "renews its credentials or asks for a new ticket.",
    NOT_ALLOWED: "The user, or the page that opened the socket, may not; or the session is not "
    "theirs. A client opens a new session.",
    NO_HEARTBEAT: "Nothing was heard of the client for two heartbeats, or no `hello` within one. "
    "It connects again.",
    CURSOR_EXPIRED: "The feed no longer reaches back to the cursor. A client connects again "
    "without one.",
    SESSION_ENDED: "Whoever looks after the server has ended the session. A client says so, and "
    "opens another only when its user asks or at its next start.",
    BLOCKED: "The user or the client is blocked. A client stops, says so, and keeps its outbox.",
    TOO_MANY: "Too many connections, frames or batches, or the client does not take or acknowledge "
    "what it is sent. It waits before it comes again.",
    FAILED: "The server failed. A client waits, and connects again.",
    RESTARTING: "The server is restarting. A client connects again after a moment.",
    TRY_LATER: "The server is busy. A client waits, and connects again.",
}
