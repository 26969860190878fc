"""What a line brings, on its way into the store.

Changes are applied as they come; the cursor that stands for them follows. If the
line breaks in between, the next feeder begins again from the older cursor, so a
frame may be applied before its cursor only where that is harmless:

- a ``put`` of a scope that the store holds already, a ``delete``, a ``remove``: what
  brought them is a change behind the older cursor, and is told again as it is then;
- not a ``begin`` or a ``drop``: rights and memberships may turn back before the next
  feeder begins. The older cursor then knows of nothing, and what was forgotten would
  never come again;
- nor the first ``put`` of a scope: if the user is out of it again by then, the older
  cursor does not know that it was ever there to be dropped;
- nor a page of a catch-up: it is a pull's page, whose cursor follows at once.

All these wait for their cursor, with what comes behind them, and are applied with
it in one transaction. While changes flow that is a second at most.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from ... import errors
from ...protocol import Change, Op, Page
from ..listener import Listener
from ..store.database import Store
from ..store.replica import Replica

log = logging.getLogger("django_sync.client")

MOST = 1_000
"""Frames that wait for a cursor; a server that owes one for more has forgotten it."""


class Superseded(Exception):
    """Another feeder has the store. It never leaves the client."""


class Feed:
    """The feeder's turn of one line; it begins when this is made."""

    def __init__(
        self,
        store: Store,
        replica: Replica,
        collections: Sequence[str],
        listener: Listener,
        synced: Callable[[], None],
    ) -> None:
        self._store = store
        self._replica = replica
        self.collections = tuple(collections)
        self._listener = listener
        self._synced = synced
        self._held: list[Page] = []
        self._more = False
        self.place = replica.begin_stream()
        self.frames = 0
        """Frames of changes that were taken, for the server to count."""
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
            if len(self._held) > MOST:
                raise errors.Offline("The cursor for what came does not come.")
        else:
            self._apply([page], None)

    def cursor(self, cursor: str) -> None:
        """All that came is stood for by ``cursor``."""
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
        self._listener.told()

    def _is_harmless(self, page: Page) -> bool:
        """Whether the page may be applied before its cursor is known."""
        if not self.caught_up or self.place.cursor is None:
            return False
        scopes = {(c.collection, c.scope or "") for c in page.changes if c.op is Op.PUT}
        return not any(map(_turns_back, page.changes)) and all(
            self._replica.knows(*scope) for scope in scopes
        )


def _turns_back(change: Change) -> bool:
    return change.op in (Op.BEGIN, Op.DROP)
