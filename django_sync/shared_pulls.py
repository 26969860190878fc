"""Many pulls answered together, in one database snapshot.

What a pull decides is decided here in the same order and by the same code as in ``pulling``: which
orders stand, what the caller may see now, what became of each object. Only the work is shared:
callers whose requests are equal are asked once what they see, the entries come from ``recent``, and
a record is made once for all who see it alike.

Whatever is not the plain case is left to ``pulling``: the answer is then ``None``.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace

from . import errors, feed, heard, orders, pulling
from .caller import Caller
from .cursor import Cursor
from .recent import Class, Recent
from .registry import registry
from .rendering import encoded
from .scopes import View

ATTEMPTS = 3
"""Snapshots that are taken, until one shows nothing in a page's scopes without a position."""


@dataclass(frozen=True, slots=True, eq=False)
class Viewer:
    """Callers whose requests are equal in all that the project's code may look at.

    ``key`` names them, ``caller`` makes one of them, new each time so that nothing is remembered of
    an earlier look. ``names`` are the collections that they ask for (``None``: all that may be
    read). ``language`` is that of their requests (``""``: the site's), ``active`` makes the thread
    as it is while such a request runs.
    """

    key: bytes
    caller: Callable[[], Caller]
    names: tuple[str, ...] | None
    language: str
    active: Callable[[], AbstractContextManager[object]]


@dataclass(frozen=True, slots=True, eq=False)
class Ask:
    """One pull: ``caller`` is who is noted to be there, ``cursor`` the text that they hold."""

    viewer: Viewer
    caller: Caller
    cursor: str
    limit: int


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """A page as it is sent, and what the server has to know of it.

    ``scopes`` are those in which changes concern the caller.
    """

    body: bytes
    cursor: str
    has_changes: bool
    has_more: bool
    scopes: frozenset[str]


class Broken(Exception):
    """The project's code failed for a viewer; the whole snapshot is worth nothing."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__(viewer.key.hex())
        self.viewer = viewer


def answers(asks: Sequence[Ask], recent: Recent) -> list[Answer | None]:
    """The answer to each pull, in their order; ``None`` for those that ``pulling`` has to answer.

    Raises ``Broken`` where the project's code fails for somebody. Whoever calls leaves these out
    and asks again. Raises ``DatabaseError``.
    """
    found: dict[int, Answer] = {}
    cursors = {id(ask): cursor for ask in asks if (cursor := _opened(ask)) is not None}
    waiting = [ask for ask in asks if id(ask) in cursors]
    for attempt in range(1, ATTEMPTS + 1):
        if not waiting:
            break
        left = feed.advance()
        with feed.snapshot() as committed:
            if not committed:
                break
            is_last = left or attempt == ATTEMPTS
            turn = Turn(recent, recent.catch_up(), is_last=is_last, left=left)
            pages, again = turn.pages([(ask, cursors[id(ask)]) for ask in waiting])
        for ask, page in pages:
            found[id(ask)] = _finished(ask, cursors[id(ask)], page)
        waiting = again
    return [found.get(id(ask)) for ask in asks]


def _opened(ask: Ask) -> Cursor | None:
    """The cursor of a pull that may be answered here."""
    try:
        orders.check(ask.caller)
        if orders.pending_snapshots(ask.caller):
            return None
        cursor = pulling.open_cursor(ask.caller, ask.cursor)
    except errors.SyncError:
        return None
    return cursor if cursor.tails and cursor.noted == pulling.today() else None


@dataclass(slots=True, eq=False)
class Page:
    """One page under way, for all who ask for it."""

    viewer: Viewer
    view: View
    epoch: str
    entries: Sequence[feed.Entry]
    after: Cursor
    more: bool
    changes: list[str] = field(default_factory=list)

    @property
    def scopes(self) -> frozenset[str]:
        return frozenset(scope for _, scope in self.view.pairs())

    def touched(self) -> dict[str, dict[uuid.UUID, None]]:
        """The objects that the entries name, by collection."""
        ids: dict[str, dict[uuid.UUID, None]] = {}
        for entry in self.entries:
            for collection in registry.of_label(entry.model):
                if self.view.holds(collection.name, entry.scope):
                    ids.setdefault(collection.name, {})[entry.object_id] = None
        return ids


Texts = dict[tuple[str, uuid.UUID], str]
"""What became of each object, by collection and id, as text: first those that are there."""


@dataclass(slots=True, eq=False)
class Turn:
    """All that one snapshot is asked for; ``left``: before it more was to be sequenced than was."""

    recent: Recent
    state: feed.State
    is_last: bool
    left: bool = False
    views: dict[bytes, tuple[Caller, View]] = field(default_factory=dict)

    def pages(self, asks: Iterable[tuple[Ask, Cursor]]) -> tuple[list[tuple[Ask, Page]], list[Ask]]:
        """The pages of those who can be answered, and those who have to be asked for again."""
        pages: dict[Hashable, Page | None] = {}
        wanted: list[tuple[Ask, Page]] = []
        for ask, cursor in asks:
            key = (ask.viewer.key, cursor, ask.limit)
            if key not in pages:
                pages[key] = self._page(ask.viewer, cursor, ask.limit)
            page = pages[key]
            if page is not None:
                wanted.append((ask, page))
        again = self._fill([page for page in pages.values() if page is not None])
        done = [(ask, page) for ask, page in wanted if page.viewer.key not in again]
        return done, [ask for ask, page in wanted if page.viewer.key in again]

    def _page(self, viewer: Viewer, cursor: Cursor, limit: int) -> Page | None:
        """The entries of a page; ``None`` where the cursor or the view is not the plain case."""
        if cursor.epoch != self.state.epoch or cursor.position < self.state.floor:
            return None
        behind = self.recent.behind(cursor.position, cursor.mark)
        if behind is None:
            return None
        _, view = self._seen(viewer)
        if view.digest != cursor.goal:
            return None
        scopes = {scope for _, scope in view.pairs()}
        models = {registry.get(name).label for name in view.tags}
        entries = [entry for entry in behind if entry.scope in scopes and entry.model in models]
        more = len(entries) > limit
        position, mark = self.state.head, self.state.mark
        if more:
            entries = entries[:limit]
            position, mark = entries[-1].position, entries[-1].mark
        after = replace(cursor, position=position, mark=mark)
        return Page(viewer, view, self.state.epoch, entries, after, more)

    def _seen(self, viewer: Viewer) -> tuple[Caller, View]:
        """Who asks in this snapshot, and what they see in it."""
        if viewer.key not in self.views:
            with _speaking_for(viewer):
                caller = viewer.caller()
                self.views[viewer.key] = caller, pulling.current_view(caller, viewer.names)
        return self.views[viewer.key]

    def _fill(self, pages: Sequence[Page]) -> set[bytes]:
        """Put the changes into the pages; the viewers whose pages would end too early."""
        by_viewer: dict[bytes, list[Page]] = {}
        for page in pages:
            if page.entries or self.left:
                by_viewer.setdefault(page.viewer.key, []).append(page)
        return {key for key, some in by_viewer.items() if not self._fill_alike(some)}

    def _fill_alike(self, pages: Sequence[Page]) -> bool:
        """The same for the pages of one viewer; whether they are complete.

        Where the snapshot shows something without a position, references may point to what is in
        no page yet. Another snapshot mends that, or, if this is the last, ``has_more``.
        """
        viewer = pages[0].viewer
        touched = [page.touched() for page in pages]
        with _speaking_for(viewer):
            texts = self._texts(viewer, touched)
        unpositioned = (bool(texts) or self.left) and feed.unsequenced(sorted(pages[0].scopes))
        if unpositioned and not self.is_last:
            return False
        for page, named in zip(pages, touched, strict=True):
            page.changes = [text for (name, id), text in texts.items() if id in named.get(name, ())]
            page.more = page.more or (bool(page.changes or self.left) and unpositioned)
        return True

    def _texts(self, viewer: Viewer, touched: Iterable[dict[str, dict[uuid.UUID, None]]]) -> Texts:
        """What became of all these objects, as the viewer sees them now."""
        ids: dict[str, dict[uuid.UUID, None]] = {}
        for named in touched:
            for name, some in named.items():
                ids.setdefault(name, {}).update(some)
        found: Texts = {}
        for name in sorted(ids, key=registry.rank):
            found |= self._texts_of(viewer, name, list(ids[name]))
        return found

    def _texts_of(self, viewer: Viewer, name: str, ids: Sequence[uuid.UUID]) -> Texts:
        collection, (caller, view) = registry.get(name), self._seen(viewer)
        kind: Class = (self.state.epoch, name, view.tags[name], collection.viewer(caller))
        if viewer.language:
            kind = (*kind, viewer.language)
        put = self.recent.texts.put
        records = collection.seen_again(caller, ids, kind)
        found = {(name, record.id): put(kind, record) for record in records}
        hidden = [id for id in ids if (name, id) not in found]
        for id, change in zip(hidden, pulling.gone(collection, view, hidden), strict=True):
            found[(name, id)] = encoded(change.to_json())
        return found


@contextmanager
def _speaking_for(viewer: Viewer) -> Iterator[None]:
    """While the project's code runs for a viewer: in their language, and what fails is theirs."""
    try:
        with viewer.active():
            yield
    except Exception as error:
        raise Broken(viewer) from error


def _finished(ask: Ask, cursor: Cursor, page: Page) -> Answer:
    """The answer, with its place held where there is more, and the session noted."""
    held = pulling.hold(cursor) if page.more else 0
    sealed = pulling.seal_cursor(ask.caller, replace(page.after, held=held))
    if page.changes or page.more:
        heard.note(ask.caller, "behind", position=cursor.position)
    else:
        heard.note(ask.caller, "level", position=page.after.position)
    body = text_of(page.changes, sealed, page.more, page.epoch)
    return Answer(body.encode(), sealed, bool(page.changes), page.more, page.scopes)


def text_of(changes: Sequence[str], cursor: str, has_more: bool, epoch: str) -> str:
    """The text of a page, as DRF's renderer writes it, from changes that are text already."""
    listed = ",".join(changes).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    more = "true" if has_more else "false"
    return f'{{"changes":[{listed}],"cursor":"{cursor}","has_more":{more},"epoch":"{epoch}"}}'
