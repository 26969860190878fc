"""Many pulls answered together, in one database snapshot.

A pull is answered here in the same order and by the same code as in ``feed.pull``: which directives
are pending, what the caller may see now, whether each object is present, deleted or hidden. Only
the work is shared. The scopes are read once for all callers whose requests are equal. The entries
come from ``feed.recent``. A record is rendered once for all callers for whom it looks the same.

Only the usual case is answered here. For all other pulls the answer is ``None``, and ``feed.pull``
has to answer them.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace

from .. import errors
from ..drf.caller import Caller
from ..drf.registry import registry
from ..drf.rendering import encoded
from ..feed import holds, sequencer
from ..feed import log as feed_log
from ..feed import pull as feed_pull
from ..feed.cursor import Cursor
from ..feed.recent import Recent
from ..feed.visibility import Visibility, current_visibility
from ..sessions import directives, presence

ATTEMPTS = 3
"""Snapshots that are taken, until one shows nothing in a page's scopes without a position."""


@dataclass(frozen=True, slots=True, eq=False)
class Viewer:
    """Callers whose requests are equal in all that the project's code may look at.

    ``key`` names them. ``caller`` makes one of them, a new one each time, so that no answer of an
    earlier snapshot is kept. ``names`` are the collections that they ask for (``None``: all that
    they may read). ``active`` is a context in which the thread is set up as it is while such a
    request runs, in its language.
    """

    key: bytes
    caller: Callable[[], Caller]
    names: tuple[str, ...] | None
    active: Callable[[], AbstractContextManager[object]]


@dataclass(frozen=True, slots=True, eq=False)
class Pull:
    """One pull that is to be answered.

    ``caller`` is the client whose presence is noted, ``cursor`` the text of the client's cursor,
    ``limit`` the most entries of the feed that its page covers.
    """

    viewer: Viewer
    caller: Caller
    cursor: str
    limit: int


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """A page as it is sent (JSON in UTF-8), and what the server needs to know about it.

    ``scopes`` are the caller's scopes: a change in one of them concerns the caller.
    """

    body: bytes
    cursor: str
    has_changes: bool
    has_more: bool
    scopes: frozenset[str]


class ProjectCodeFailed(Exception):
    """The project's code failed for a viewer, so the whole snapshot cannot be used."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__(viewer.key.hex())
        self.viewer = viewer


def answers(pulls: Sequence[Pull], recent: Recent) -> list[Answer | None]:
    """The answer to each pull, in their order; ``None``: ``feed.pull`` has to answer it.

    Raises ``ProjectCodeFailed`` where the project's code fails for a viewer. Then nothing was
    answered: leave out that viewer's pulls and call again. Raises ``DatabaseError``.
    """
    found: dict[int, Answer] = {}
    cursors = {id(pull): cursor for pull in pulls if (cursor := _open_cursor(pull)) is not None}
    unanswered = [pull for pull in pulls if id(pull) in cursors]
    for attempt in range(1, ATTEMPTS + 1):
        if not unanswered:
            break
        left = sequencer.advance()
        with feed_log.snapshot() as committed:
            if not committed:
                break
            reader = SnapshotReader(
                recent, recent.catch_up(), is_last=left or attempt == ATTEMPTS, left=left
            )
            pages, again = reader.pages([(pull, cursors[id(pull)]) for pull in unanswered])
        for pull, page in pages:
            found[id(pull)] = _answer(pull, cursors[id(pull)], page)
        unanswered = again
    return [found.get(id(pull)) for pull in pulls]


def _open_cursor(pull: Pull) -> Cursor | None:
    """The open cursor of a pull; ``None`` where the pull cannot be answered here."""
    try:
        directives.check(pull.caller)
        if directives.pending_snapshots(pull.caller):
            return None
        cursor = feed_pull.open_cursor(pull.caller, pull.cursor)
    except errors.SyncError:
        return None
    return cursor if cursor.is_tailing and cursor.noted == feed_pull.today() else None


@dataclass(slots=True, eq=False)
class Page:
    """One page that is being built, for all pulls that get the same one."""

    viewer: Viewer
    visibility: Visibility
    epoch: str
    entries: Sequence[feed_log.Entry]
    after: Cursor
    more: bool
    changes: list[str] = field(default_factory=list)

    @property
    def scopes(self) -> frozenset[str]:
        return frozenset(scope for _, scope in self.visibility.pairs())

    def touched(self) -> dict[str, dict[uuid.UUID, None]]:
        """The objects that the entries name, by collection."""
        ids: dict[str, dict[uuid.UUID, None]] = {}
        for entry in self.entries:
            for collection in registry.of_label(entry.model):
                if self.visibility.holds(collection.name, entry.scope):
                    ids.setdefault(collection.name, {})[entry.object_id] = None
        return ids


Texts = dict[tuple[str, uuid.UUID], str]
"""The change of each object as JSON text, by collection and id; present objects come first."""


@dataclass(slots=True, eq=False)
class SnapshotReader:
    """Builds the pages of many pulls from one database snapshot.

    ``left``: the outbox held more than was sequenced before the snapshot.
    """

    recent: Recent
    state: feed_log.State
    is_last: bool
    left: bool = False
    visibilities: dict[bytes, tuple[Caller, Visibility]] = field(default_factory=dict)

    def pages(
        self, pulls: Iterable[tuple[Pull, Cursor]]
    ) -> tuple[list[tuple[Pull, Page]], list[Pull]]:
        """The pages of pulls that are answered, and the pulls that need another snapshot."""
        pages: dict[Hashable, Page | None] = {}
        wanted: list[tuple[Pull, Page]] = []
        for pull, cursor in pulls:
            key = (pull.viewer.key, cursor, pull.limit)
            if key not in pages:
                pages[key] = self._page(pull.viewer, cursor, pull.limit)
            page = pages[key]
            if page is not None:
                wanted.append((pull, page))
        again = self._fill([page for page in pages.values() if page is not None])
        done = [(pull, page) for pull, page in wanted if page.viewer.key not in again]
        return done, [pull for pull, page in wanted if page.viewer.key in again]

    def _page(self, viewer: Viewer, cursor: Cursor, limit: int) -> Page | None:
        """The entries of a page; ``None`` where the cursor or the view is not the usual case."""
        if cursor.epoch != self.state.epoch or cursor.position < self.state.floor:
            return None
        behind = self.recent.after(cursor.position, cursor.mark)
        if behind is None:
            return None
        _, visibility = self._seen(viewer)
        if visibility.digest != cursor.goal:
            return None
        scopes = {scope for _, scope in visibility.pairs()}
        models = {registry.get(name).label for name in visibility.tags}
        entries = [entry for entry in behind if entry.scope in scopes and entry.model in models]
        more = len(entries) > limit
        position, mark = self.state.head, self.state.mark
        if more:
            entries = entries[:limit]
            position, mark = entries[-1].position, entries[-1].mark
        after = replace(cursor, position=position, mark=mark)
        return Page(viewer, visibility, self.state.epoch, entries, after, more)

    def _seen(self, viewer: Viewer) -> tuple[Caller, Visibility]:
        """A viewer's caller and view in this snapshot."""
        if viewer.key not in self.visibilities:
            with _on_behalf_of(viewer):
                caller = viewer.caller()
                self.visibilities[viewer.key] = (
                    caller,
                    current_visibility(caller, viewer.names),
                )
        return self.visibilities[viewer.key]

    def _fill(self, pages: Sequence[Page]) -> set[bytes]:
        """Put the changes into the pages; return the viewers whose pages would be incomplete."""
        by_viewer: dict[bytes, list[Page]] = {}
        for page in pages:
            if page.entries or self.left:
                by_viewer.setdefault(page.viewer.key, []).append(page)
        return {key for key, some in by_viewer.items() if not self._fill_of_viewer(some)}

    def _fill_of_viewer(self, pages: Sequence[Page]) -> bool:
        """Put the changes into the pages of one viewer; return whether they are complete.

        The snapshot may show a write that has no position yet. A record may then refer to an object
        that is on no page. So another snapshot is taken; on the last one ``has_more`` is set.
        """
        viewer = pages[0].viewer
        touched = [page.touched() for page in pages]
        with _on_behalf_of(viewer):
            texts = self._texts(viewer, touched)
        unpositioned = (bool(texts) or self.left) and feed_log.unsequenced(sorted(pages[0].scopes))
        if unpositioned and not self.is_last:
            return False
        for page, named in zip(pages, touched, strict=True):
            page.changes = [text for (name, id), text in texts.items() if id in named.get(name, ())]
            page.more = page.more or (bool(page.changes or self.left) and unpositioned)
        return True

    def _texts(self, viewer: Viewer, touched: Iterable[dict[str, dict[uuid.UUID, None]]]) -> Texts:
        """The changes of all these objects, as the viewer sees them now."""
        ids: dict[str, dict[uuid.UUID, None]] = {}
        for named in touched:
            for name, some in named.items():
                ids.setdefault(name, {}).update(some)
        found: Texts = {}
        for name in sorted(ids, key=registry.rank):
            found |= self._texts_of(viewer, name, list(ids[name]))
        return found

    def _texts_of(self, viewer: Viewer, name: str, ids: Sequence[uuid.UUID]) -> Texts:
        collection, (caller, visibility) = registry.get(name), self._seen(viewer)
        kind = collection.class_of(caller, self.state.epoch, visibility.tags[name])
        put = self.recent.texts.put
        records = collection.seen_cached(caller, ids, kind)
        found = {(name, record.id): put(kind, record) for record in records}
        hidden = [id for id in ids if (name, id) not in found]
        for id, change in zip(hidden, feed_pull.gone(collection, visibility, hidden), strict=True):
            found[(name, id)] = encoded(change.to_json())
        return found


@contextmanager
def _on_behalf_of(viewer: Viewer) -> Iterator[None]:
    """Run the project's code for a viewer: in their language, and with its errors as theirs.

    Raises ``ProjectCodeFailed`` for whatever the project's code raises.
    """
    try:
        with viewer.active():
            yield
    except Exception as error:
        raise ProjectCodeFailed(viewer) from error


def _answer(pull: Pull, cursor: Cursor, page: Page) -> Answer:
    """The answer. Where there is more, its place is held; the client's presence is noted."""
    held = holds.hold_cursor(cursor) if page.more else 0
    sealed = feed_pull.seal_cursor(pull.caller, replace(page.after, held=held))
    if page.changes or page.more:
        presence.note(pull.caller, "behind", position=cursor.position)
    else:
        presence.note(pull.caller, "level", position=page.after.position)
    body = page_text(page.changes, sealed, page.more, page.epoch)
    return Answer(body.encode(), sealed, bool(page.changes), page.more, page.scopes)


def page_text(changes: Sequence[str], cursor: str, has_more: bool, epoch: str) -> str:
    """The text of a page, as DRF's renderer writes it, from changes that are text already."""
    listed = ",".join(changes).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    more = "true" if has_more else "false"
    return f'{{"changes":[{listed}],"cursor":"{cursor}","has_more":{more},"epoch":"{epoch}"}}'
