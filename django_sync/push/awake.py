"""Whether a session is live, and so hears of changes without being woken."""

from __future__ import annotations

import datetime

from ..conf import conf
from ..models import SyncSession
from ..protocol import Transport

__all__ = ["awake_until", "is_awake"]


def awake_until(session: SyncSession) -> datetime.datetime | None:
    """Until when a session counts as live unless it is heard of; ``None`` where it is not.

    One in the background says itself that it is not; whoever is woken by push is not either.
    Of others the time is what their transport may be silent for.
    """
    idle = {
        Transport.WEBSOCKET: 2 * conf.HEARTBEAT,
        Transport.SSE: 2 * conf.HEARTBEAT,
        Transport.LONG_POLL: 2 * conf.WAIT_SECONDS,
        Transport.POLL: 2 * conf.POLL_INTERVAL,
    }
    seconds = idle.get(Transport(session.transport))
    if seconds is None or not session.foreground or session.ended_at is not None:
        return None
    return session.seen_at + datetime.timedelta(seconds=seconds)


def is_awake(session: SyncSession, now: datetime.datetime) -> bool:
    """Whether it was heard of within what its transport may be silent for."""
    until = awake_until(session)
    return until is not None and until > now
