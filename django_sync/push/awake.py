"""Whether a session is live, and so hears of changes without being woken."""

from __future__ import annotations

import datetime

from ..models import SyncSession
from ..sessions.state import allowed_silence

__all__ = ["awake_until"]


def awake_until(session: SyncSession) -> datetime.datetime | None:
    """Until when a session counts as live unless it is heard of; ``None`` where it is not.

    As everybody is told: until it is idle (``standing``). One in the background says itself
    that it is not live; whoever is woken by push is not either.
    """
    silence = allowed_silence(session)
    if silence is None or not session.foreground or session.ended_at is not None:
        return None
    return session.seen_at + silence
