"""The replica: the server's records, as the last applied page or frame left them.

Only pages and frames write here, and one feeder at a time. A page is applied with its cursor in
one transaction, and only if the store still has the cursor that was sent for it. So of several
pulls at once, in threads or processes, one page is applied and the others are discarded; all go
on from the store's new cursor.

A socket or a stream takes the store for itself: the store has its number as ``stream``. Pages
are discarded then, and its frames are discarded once the number is another one. A pull that
begins takes the store back. This needs no lease, so a process that was killed leaves none.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...protocol import Page
from ..conflicts import Conflicts
from ..types import Change
from .apply import Applying
from .database import Store
from .outbox import Outbox
from .overlay import Watch

log = logging.getLogger("django_sync.client")


@dataclass(frozen=True)
class Place:
    """The store's cursor, epoch and feeder when a request was made."""

    client_id: str
    cursor: str | None
    epoch: str | None
    stream: int = 0
    """The socket or stream that feeds the store; 0 for none."""


class Replica:
    """The server's state in one store."""

    def __init__(self, store: Store, outbox: Outbox, conflicts: Conflicts) -> None:
        self._store = store
        self._outbox = outbox
        self._conflicts = conflicts

    def place(self) -> Place:
        """The store's place now."""
        with self._store.read():
            return Place(
                self._store.text("client_id") or "",
                self._store.text("cursor"),
                self._store.text("epoch"),
                self._store.number("stream"),
            )

    def begin_pull(self) -> int:
        """Number a pull, to know which results came before it.

        It takes the store from a socket or stream, whose frames are discarded from now on.
        """
        with self._store.write():
            self._store.set("stream", 0)
            return self._store.count_up("pulls")

    def begin_stream(self) -> Place:
        """Take the store for a socket or stream, which counts as a pull that does not end."""
        with self._store.write():
            self._store.set("stream", self._store.count_up("pulls"))
            return self.place()

    def end_stream(self, stream: int) -> None:
        """Let pulls write again, if this stream still has the store."""
        with self._store.write():
            if self._store.number("stream") == stream:
                self._store.set("stream", 0)

    def apply(
        self,
        page: Page,
        place: Place,
        collections: Sequence[str],
        pull: int,
        listened: Iterable[str] | None = (),
    ) -> list[Change] | None:
        """Apply a page; ``None`` if the store has another cursor by now: the page is discarded."""
        if place.stream:
            return None
        return self._apply([page], place, page.cursor, collections, pull, listened)

    def feed(
        self,
        frames: Sequence[Page],
        place: Place,
        cursor: str | None,
        collections: Sequence[str],
        listened: Iterable[str] | None = (),
    ) -> list[Change] | None:
        """Apply frames of a socket or stream; ``None`` if it is no longer the feeder.

        ``cursor`` covers all of these frames; while it is ``None``, it has not come yet, and the
        store keeps its own.
        """
        return self._apply(frames, place, cursor, collections, place.stream, listened)

    def _apply(
        self,
        pages: Sequence[Page],
        place: Place,
        cursor: str | None,
        collections: Sequence[str],
        pull: int,
        listened: Iterable[str] | None,
    ) -> list[Change] | None:
        forgot = False
        with self._store.write() as db:
            if self.place() != place:
                return None
            epoch = place.epoch
            watch = Watch(db, listened, "remote")
            for page in pages:
                if place.cursor is not None and place.epoch != page.epoch:
                    log.warning("The server has another epoch: taking a fresh snapshot.")
                    self._start_over()
                    return None
                doing = Applying(
                    db, self._outbox, self._conflicts, watch, page, live=bool(place.stream)
                )
                doing.run(collections, pull, replaces=page.epoch != epoch)
                forgot, epoch = forgot or doing.forgot, page.epoch
                self._store.set("snapshot", None if page.snapshot is None else dict(page.snapshot))
            self._store.set("epoch", epoch)
            if cursor is not None:
                self._store.set("cursor", cursor)
            changes = watch.changes()
        if forgot:
            self._store.scrub()
        return changes

    def knows(self, collection: str, scope: str) -> bool:
        """Whether the store holds anything of a scope; an unscoped collection's is always known."""
        with self._store.read() as db:
            found = db.execute(
                "SELECT 1 FROM records WHERE collection = ? AND scope = ? LIMIT 1",
                (collection, scope),
            ).fetchone()
        return not scope or found is not None

    def start_over(self, place: Place) -> None:
        """The cursor is void: the next pull is a snapshot; records that are not in it go.

        Nothing happens if the store has another place by now.
        """
        with self._store.write():
            if self.place() == place:
                self._start_over()

    def _start_over(self) -> None:
        with self._store.write() as db:
            self._store.set("cursor", None)
            self._store.set("snapshot", None)
            self._store.set("stream", 0)
            db.execute("UPDATE collections SET generation = generation + 1, sweeping = 1")

    def forget(self) -> None:
        """Forget all server state; outbox and open conflicts stay."""
        with self._store.write() as db:
            self._start_over()
            db.execute("DELETE FROM records")
            self._store.set("epoch", None)
        self._store.scrub()
