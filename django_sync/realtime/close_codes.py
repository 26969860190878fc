"""The close codes of sockets, and their meanings."""

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
"""The close code of an error, by its HTTP status; for any other status ``BAD_FRAME``."""

BY_CODE: Mapping[str, int] = {"session_ended": SESSION_ENDED, "blocked": BLOCKED}
"""Problems for which a client acts differently than for others with the same status."""


def code_of(status: int, code: object, otherwise: int = BAD_FRAME) -> int:
    """The close code of a problem's status and code."""
    return BY_CODE.get(str(code)) or CODES.get(status, otherwise)


MEANINGS: Mapping[int, str] = {
    BAD_FRAME: "A frame is malformed or too large, or its cursor is not this user's. A client "
    "reports a fault; after `invalid_cursor` it connects again without a cursor.",
    NOT_AUTHENTICATED: "The user is not signed in, or no longer, or the ticket is not valid. "
    "A client renews its credentials or asks for a new ticket.",
    NOT_ALLOWED: "The user, or the page that opened the socket, has no permission, or the "
    "session is not the user's. A client opens a new session.",
    NO_HEARTBEAT: "No frame of the client came for two heartbeats, or no `hello` within one. The "
    "client connects again.",
    CURSOR_EXPIRED: "The feed no longer reaches back to the cursor. A client connects again "
    "without one.",
    SESSION_ENDED: "The server's staff have ended the session. A client shows that, and "
    "opens another session only when its user asks or at its next start.",
    BLOCKED: "The user or the client is blocked. A client stops, shows that, and keeps its outbox.",
    TOO_MANY: "Too many connections, frames or batches, or the client does not read or acknowledge "
    "its frames. It waits before it connects again.",
    FAILED: "The server failed. A client waits, and connects again.",
    RESTARTING: "The server is restarting. A client connects again after a moment.",
    TRY_LATER: "The server is busy. A client waits, and connects again.",
}
