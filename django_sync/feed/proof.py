"""A caller's cursors, and the proof that each belongs to the feed's history.

A cursor names an entry by position and mark. Where the feed has another entry there, its history
is another one: a backup was restored. Then a new epoch begins, and replicas start again.
"""

from __future__ import annotations

from django.conf import settings

from .. import errors
from ..drf.caller import Caller
from . import log as feed_log
from .cursor import Cursor, open_sealed, seal


class Diverged(Exception):
    """A cursor proved that it was given in another history than this one, of ``epoch``."""

    def __init__(self, epoch: str) -> None:
        super().__init__(epoch)
        self.epoch = epoch


def open_cursor(caller: Caller, text: str) -> Cursor:
    """The caller's cursor; raises ``InvalidCursor``."""
    secrets = [str(key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
    return open_sealed(text, user=caller.key, secrets=secrets)


def seal_cursor(caller: Caller, cursor: Cursor) -> str:
    """The string that stands for the cursor, for this caller alone."""
    return seal(cursor, user=caller.key, secret=settings.SECRET_KEY)


def resealed(caller: Caller, cursor: Cursor, text: str) -> str:
    """The string for a cursor that came as ``text``: another one if its key is being rotated."""
    return seal_cursor(caller, cursor) if settings.SECRET_KEY_FALLBACKS else text


def check_history(cursor: Cursor) -> feed_log.State:
    """The feed's state, where the cursor belongs to its history.

    Raises ``CursorExpired`` where it does not. If the cursor proves that history diverged, a new
    epoch begins.
    """
    try:
        return proved(cursor)
    except Diverged as found:
        feed_log.diverged(found.epoch)
        raise errors.CursorExpired("The server's history is another one now.") from None


def proved(cursor: Cursor, seen: feed_log.Overview | None = None) -> feed_log.State:
    """The feed's state in this snapshot, where the cursor belongs to its history.

    ``seen`` is the overview at the cursor's position, where it was read in this snapshot.
    Raises ``CursorExpired`` where it is too old, ``Diverged`` where it proves another history.
    """
    seen = seen or feed_log.overview(cursor.position)
    state, mark = seen.state, seen.mark
    if feed_log.is_later(cursor.epoch, than=state.epoch):
        raise Diverged(state.epoch)
    if cursor.epoch != state.epoch or cursor.position < state.floor:
        raise errors.CursorExpired
    if cursor.position > state.head or mark != cursor.mark:
        raise Diverged(state.epoch)
    return state
