"""One pull: what a replica lacks, from the place that its cursor names.

It decides in this order, within one database snapshot: whether the cursor belongs to the feed's
history, what the user sees now, and what has entered and left that visibility since. Then it
gives either a page of the snapshot or a page of the feed.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from django.conf import settings
from django.utils import timezone

from .. import errors
from ..drf.caller import Caller
from ..drf.collection import Collection
from ..drf.registry import registry
from ..protocol import Change, Op, Page, ReadyChanges, ReadyText, Record
from . import holds, sequencer, snapshot
from . import log as feed_log
from .cursor import Cursor, open_sealed, seal
from .fate import absent_fate
from .visibility import EMPTY, NOTHING, Visibility, current_visibility, keep, recall


@dataclass(frozen=True)
class PullRequest:
    """What a pull asks for; ``collections`` is ``None`` for all that the caller may read.

    ``outbox_not_empty``: one pull sequences a limited number of changes; the outbox may hold more.
    """

    cursor: Cursor | None
    collections: tuple[str, ...] | None
    limit: int
    outbox_not_empty: bool = False


@dataclass
class Answer:
    """What a pull found out, before its cursor is sealed and ``kept`` is stored.

    ``visibility`` is what the caller sees; ``kept`` are those that cursors name from now on.
    """

    changes: list[Change | ReadyText]
    cursor: Cursor
    has_more: bool
    visibility: Visibility
    kept: tuple[Visibility, ...]
    progress: dict[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Pulled:
    """A page, with the cursors that it came from and leads to, and what its caller sees."""

    page: Page
    before: Cursor | None
    cursor: Cursor
    visibility: Visibility


def pull(caller: Caller, text: str | None, collections: Sequence[str] | None, limit: int) -> Pulled:
    """The next page for this caller.

    ``text`` is the cursor that they hold, or ``None``; ``collections`` names what they
    ask for, ``None`` for all that they may read; ``limit`` is the most changes of a page.
    Raises ``InvalidCursor``, ``CursorExpired``, ``UnknownCollection``.
    """
    names = None if collections is None else tuple(dict.fromkeys(collections))
    for name in names or ():
        registry.get(name)
    cursor = None if text is None else open_cursor(caller, text)
    request, is_sequenced = PullRequest(cursor, names, limit), False
    if cursor is not None and cursor.is_tailing:
        before = feed_log.overview(cursor.position, whole=False)
        visibility = _visibility_if_nothing_new(caller, cursor, names, before)
        if visibility is not None:
            page = Page((), _resealed(caller, cursor, str(text)), False, cursor.epoch)
            return Pulled(page, cursor, cursor, visibility)
        more = before.unsequenced and sequencer.catch_up()
        request, is_sequenced = replace(request, outbox_not_empty=more), True
    answer = _checked_answer(caller, request, is_sequenced=is_sequenced)
    for visibility in answer.kept:
        keep(visibility)
    held = holds.hold_cursor(cursor or answer.cursor) if answer.has_more else 0
    moved = replace(answer.cursor, held=held)
    page = Page(
        changes=ReadyChanges(answer.changes),
        cursor=seal_cursor(caller, moved),
        has_more=answer.has_more,
        epoch=moved.epoch,
        snapshot=answer.progress,
    )
    return Pulled(page, cursor, moved, answer.visibility)


def open_cursor(caller: Caller, text: str) -> Cursor:
    """The caller's cursor; raises ``InvalidCursor``."""
    secrets = [str(key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
    return open_sealed(text, user=caller.key, secrets=secrets)


def seal_cursor(caller: Caller, cursor: Cursor) -> str:
    """The string that stands for the cursor, for this caller alone."""
    return seal(cursor, user=caller.key, secret=settings.SECRET_KEY)


def _resealed(caller: Caller, cursor: Cursor, text: str) -> str:
    """The string for a cursor that came as ``text``: another one if its key is being rotated."""
    return seal_cursor(caller, cursor) if settings.SECRET_KEY_FALLBACKS else text


def _checked_answer(caller: Caller, request: PullRequest, *, is_sequenced: bool) -> Answer:
    """The answer, after the feed was sequenced where that was necessary.

    Raises ``CursorExpired``, also where the cursor proves another history.
    """
    try:
        answer = _answer(caller, request, is_sequenced=is_sequenced)
        if answer is None:
            before = feed_log.overview(whole=False)  # creates the feed's row where there is none
            more = before.unsequenced and sequencer.catch_up()
            request = replace(request, outbox_not_empty=more)
            answer = _answer(caller, request, is_sequenced=True)
    except feed_log.Diverged as found:
        feed_log.diverged(found.epoch)
        raise errors.CursorExpired("The server's history is another one now.") from None
    assert answer is not None
    return answer


def _visibility_if_nothing_new(
    caller: Caller, cursor: Cursor, names: Sequence[str] | None, overview: feed_log.Overview
) -> Visibility | None:
    """What the caller sees, where the cursor that came is the whole answer; else ``None``.

    Then nothing is new, and nothing is to be noted. The overview is one moment, at which the
    replica had all that this visibility shows. What the caller may see is asked after it. Where
    that has changed in between, the digests differ, and the pull begins again in a snapshot.
    Where it was changed and changed back, nothing was sent, and the next pull reads on from the
    same entry.
    """
    if overview.unsequenced or not _is_at_head(cursor, overview):
        return None
    if not cursor.is_tailing or cursor.held or cursor.noted < today():
        return None
    visibility = current_visibility(caller, names, overview.generations)
    if visibility.digest == cursor.goal:
        return visibility
    caller.forget()  # a snapshot is read with what may be seen at that moment
    return None


def _is_at_head(cursor: Cursor, overview: feed_log.Overview) -> bool:
    """Whether the cursor is at the last entry of the current history."""
    state = overview.state
    return cursor.place == (state.epoch, state.head, overview.mark) and state.floor <= state.head


def _answer(caller: Caller, request: PullRequest, *, is_sequenced: bool) -> Answer | None:
    """The answer, of one snapshot; ``None`` where the feed has to be sequenced first.

    ``is_sequenced``: that is done. To begin without it saves a page of what exists one statement.
    """
    with feed_log.snapshot() as committed:
        position = request.cursor.position if request.cursor else 0
        look = feed_log.overview if is_sequenced else feed_log.overview_or_none
        overview = look(position)
        if overview is None or (overview.unsequenced and not is_sequenced):
            return None
        if request.cursor is None:
            state = overview.state
            cursor = Cursor(state.epoch, state.head, state.mark, NOTHING, NOTHING)
        else:
            state, cursor = feed_log.checked_state(request.cursor.place, overview), request.cursor
        return Pull(caller, request, replace(overview, state=state), cursor, committed).answer()


@dataclass
class Pull:
    """One pull under way: ``cursor`` moves on while ``changes`` are collected.

    ``overview`` is the feed at its beginning. ``committed``: it reads one snapshot of committed
    data.
    """

    caller: Caller
    request: PullRequest
    overview: feed_log.Overview
    cursor: Cursor
    committed: bool = False
    changes: list[Change | ReadyText] = field(default_factory=list)
    visibilities: tuple[Visibility, ...] = ()

    @property
    def state(self) -> feed_log.State:
        return self.overview.state

    def answer(self) -> Answer:
        """Aim at what the caller sees now, then give a page of the snapshot or of the feed."""
        now = current_visibility(self.caller, self.request.collections, self.overview.generations)
        if self.cursor.goal != now.digest:
            self._set_goal(now)
        elif self.cursor.noted < today():
            self.visibilities = (
                (now,) if self.cursor.is_tailing else (recall(self.cursor.done), now)
            )
        if self.visibilities:
            self.cursor = replace(self.cursor, noted=today())
        return self._tail(now) if self.cursor.is_tailing else self._snapshot(now)

    def _set_goal(self, now: Visibility) -> None:
        """Make ``now`` the goal: decide what to drop, what to begin anew and what to fetch."""
        cursor = self.cursor
        done, goal = recall(cursor.done), recall(cursor.goal)
        fresh = {name for name, tag in now.tags.items() if goal.tags.get(name) != tag}
        held = set(snapshot.completed(cursor, done, goal))
        under_way = cursor.resume[:2] if cursor.resume else None
        kept = {pair for pair in held if pair[0] not in fresh and now.holds(*pair)}
        goes_on = under_way is not None and under_way[0] not in fresh and now.holds(*under_way)
        new_done = EMPTY.with_pairs(kept, now.tags) if kept else EMPTY
        self.cursor = replace(
            cursor,
            done=now.digest if not (set(now.pairs()) - kept) else new_done.digest,
            goal=now.digest,
            after=None,
            resume=cursor.resume if goes_on else None,
            skip=under_way if goes_on else None,
        )
        self.visibilities = (new_done, now)
        if self.request.cursor is not None:
            started = held | ({under_way} if under_way else set())
            self.changes += _removals(self.request, goal, now, fresh, started)
        if not self.cursor.is_tailing:
            pairs = snapshot.remaining(self.cursor, new_done, now)
            pairs += [under_way] if goes_on and under_way else []
            total = self.cursor.sent + snapshot.total(self.caller, pairs)
            self.cursor = replace(self.cursor, total=total)
        else:
            self.cursor = replace(self.cursor, sent=0, total=0)  # what was under way has left

    def _snapshot(self, now: Visibility) -> Answer:
        pairs = snapshot.remaining(self.cursor, self._done(), now)
        pager = snapshot.Pager(self.caller, self.cursor, self.request.limit)
        self.changes.extend(pager.fill(pairs))
        cursor = pager.cursor
        progress = {"done": cursor.sent, "total": max(cursor.total, cursor.sent)}
        if pairs or cursor.resume is not None:
            return Answer(self.changes, cursor, True, now, self.visibilities, progress)
        cursor = replace(cursor, done=cursor.goal, after=None, skip=None, sent=0, total=0)
        behind = self.state.head > cursor.position or self._unsequenced(now)
        return Answer(self.changes, cursor, behind, now, self.visibilities, progress)

    def _done(self) -> Visibility:
        """The visibility that the replica holds: just decided, or stored by an earlier pull."""
        decided = (
            visibility for visibility in self.visibilities if visibility.digest == self.cursor.done
        )
        return next(decided, None) or recall(self.cursor.done)

    def _tail(self, now: Visibility) -> Answer:
        cursor, limit, head = self.cursor, self.request.limit, self.state.head
        if cursor.position == head:
            return Answer(self.changes, cursor, False, now, self.visibilities)
        scopes = sorted({scope for _, scope in now.pairs()})
        models = sorted({registry.get(name).label for name in now.tags})
        entries = feed_log.read(scopes, models, cursor.position, head, limit + 1)
        more = len(entries) > limit
        if more:
            last = entries[limit - 1]
            cursor = replace(cursor, position=last.position, mark=last.mark)
        else:
            cursor = replace(cursor, position=head, mark=self.state.mark)
        found = list(self._changes_of(now, entries[:limit]))
        self.changes += found
        behind = more or ((bool(found) or self.request.outbox_not_empty) and self._unsequenced(now))
        return Answer(self.changes, cursor, behind, now, self.visibilities)

    def _unsequenced(self, now: Visibility) -> bool:
        """Whether this read shows changes without a position, so that references may dangle.

        In a snapshot the outbox cannot have filled since the overview.
        """
        if self.committed and not self.overview.unsequenced:
            return False
        return feed_log.unsequenced(sorted({scope for _, scope in now.pairs()}))

    def _changes_of(self, now: Visibility, entries: Sequence[feed_log.Entry]) -> Iterator[Change]:
        """The changes for this caller in these entries: each object once, as its row is now."""
        ids: dict[str, dict[uuid.UUID, None]] = {}
        for entry in entries:
            for collection in registry.of_label(entry.model):
                if now.holds(collection.name, entry.scope):
                    ids.setdefault(collection.name, {})[entry.object_id] = None
        for name in sorted(ids, key=registry.rank):
            collection = registry.get(name)
            found = self._seen(collection, now, list(ids[name]))
            yield from map(Change.put, found)
            seen = {record.id for record in found}
            yield from gone(collection, now, [id for id in ids[name] if id not in seen])

    def _seen(
        self, collection: Collection, now: Visibility, ids: Sequence[uuid.UUID]
    ) -> list[Record]:
        if not self.committed:
            return collection.seen(self.caller, ids)
        kind = collection.class_of(self.caller, self.state.epoch, now.tags[collection.name])
        return collection.seen_cached(self.caller, ids, kind)


def today() -> int:
    """The day, as an ordinal: a visibility is noted as in use once a day."""
    return timezone.now().date().toordinal()


def _removals(
    request: PullRequest,
    goal: Visibility,
    now: Visibility,
    fresh: set[str],
    started: set[tuple[str, str]],
) -> Iterator[Change]:
    """What the replica has to drop: scopes that are not visible, collections that begin anew."""
    for name in goal.tags:
        if name not in now.tags and request.collections is None:
            yield Change(Op.BEGIN, name)
    for name in now.tags:
        if name in fresh:
            yield Change(Op.BEGIN, name)
    for name, scope in sorted(started):
        if name in now.tags and name not in fresh and not now.holds(name, scope):
            yield Change(Op.DROP, name, scope=scope)


def gone(collection: Collection, now: Visibility, ids: Sequence[uuid.UUID]) -> Iterator[Change]:
    """The changes for objects that are not visible: deleted for all, or removed from this view."""
    fates = absent_fate(collection, ids, partial(now.holds, collection.name))
    for id, fate in fates.items():
        if fate.deletion is not None:
            yield Change(Op.DELETE, collection.name, id, fate.deletion.revision)
        else:
            yield Change(Op.REMOVE, collection.name, id)
