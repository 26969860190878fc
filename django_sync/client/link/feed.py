"""Brings the frames of a connection into the store.

Changes are applied as they come; the cursor that covers them follows. If the connection breaks
in between, the next feeder begins again from the older cursor. So a frame may be applied before
its cursor only if that is harmless:

- a ``put`` of a scope that the store holds already, a ``delete`` and a ``remove`` are harmless:
  each belongs to a change after the older cursor, so the server sends it again;
- a ``begin`` and a ``drop`` are not: a right may come back before the next feeder begins. At
  the older cursor nothing has happened then, and what the store forgot would never come again;
- the first ``put`` of a scope is not: if the user has lost the scope again by then, the older
  cursor does not know of it, and nothing would drop it;
- a page of a catch-up is a pull's page, and its cursor follows at once.

These wait for their cursor, together with all frames after them, and are applied with it in one
transaction. While changes flow, that takes a second at most.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from ... import errors
from ...protocol import Change, Op, Page
from .parts import Parts

log = logging.getLogger("django_sync.client")

MAX_HELD = 1_000
"""Frames that wait for a cursor; with more, the server must have forgotten it."""


class Superseded(Exception):
    """Another feeder has taken the store. It never leaves the client."""


class Feed:
    """One connection as the feeder of the store, from the moment this object is made."""

    def __init__(self, parts: Parts, synced: Callable[[], None]) -> None:
        self._store = parts.store
        self._replica = parts.replica
        self._listener = parts.listener
        self._synced = synced
        self.collections = parts.collections
        self._held: list[Page] = []
        self._more = False
        self.place = parts.replica.begin_stream()
        self.frames = 0
        """How many frames of changes were taken."""
        self.caught_up = False

    @property
    def waits_for_cursor(self) -> bool:
        """Whether changes are held back, or the replica is not caught up, until a cursor comes."""
        return bool(self._held) or not self.caught_up

    def end(self) -> None:
        """Let others feed the store."""
        self._replica.end_stream(self.place.stream)

    def changes(self, page: Page) -> None:
        """Apply a frame, or keep it until its cursor comes."""
        self.frames += 1
        self._more = page.has_more
        if page.has_more:
            self.caught_up = False
            self._listener.behind()
        if self._held or not self._is_harmless(page):
            self._held.append(page)
            if len(self._held) > MAX_HELD:
                raise errors.Offline("The server sends no cursor for its changes.")
        else:
            self._apply([page], None)

    def cursor(self, cursor: str) -> None:
        """``cursor`` covers all frames so far."""
        held, self._held = self._held, []
        self._apply(held, cursor)
        if not self.caught_up and not self._more:
            self.caught_up = True
            self._synced()

    def _apply(self, pages: Sequence[Page], cursor: str | None) -> None:
        with self._store.lock:
            changes = self._replica.feed(
                pages, self.place, cursor, self.collections, self._listener.listened()
            )
            if changes is None:
                raise Superseded
            self._listener.pulled(changes)
        epoch = pages[-1].epoch if pages else self.place.epoch
        self.place = replace(self.place, cursor=cursor or self.place.cursor, epoch=epoch)
        self._listener.deliver()

    def _is_harmless(self, page: Page) -> bool:
        """Whether the page may be applied before its cursor is known."""
        if not self.caught_up or self.place.cursor is None:
            return False
        scopes = {(c.collection, c.scope or "") for c in page.changes if c.op is Op.PUT}
        return not any(map(_needs_cursor, page.changes)) and all(
            self._replica.knows(*scope) for scope in scopes
        )


def _needs_cursor(change: Change) -> bool:
    return change.op in (Op.BEGIN, Op.DROP)
