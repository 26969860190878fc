"""One pull: what a replica lacks, from the place that its cursor names.

Decided in this order, all within one database snapshot: does the cursor prove
its history, what does the user see now, what has entered and left that view
since; then either a page of the snapshot or a page of the feed.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from django.conf import settings
from django.utils import timezone

from . import errors, feed, holds, snapshots
from .caller import Caller
from .collection import Collection, digest
from .cursor import Cursor, open_sealed, seal
from .protocol import Change, Op, Page
from .registry import registry
from .scopes import EMPTY, NOTHING, View, keep, recall


class Diverged(Exception):
    """A cursor proved that this history is not the one it was given in."""


@dataclass(frozen=True)
class Asked:
    """A pull as it was asked for: ``collections`` is ``None`` for all that may be read."""

    cursor: Cursor | None
    collections: tuple[str, ...] | None
    limit: int


@dataclass
class Answer:
    """What a pull found out, before its cursor is sealed and its views are kept."""

    changes: list[Change]
    cursor: Cursor
    has_more: bool
    views: tuple[View, ...]
    progress: dict[str, int] | None = None


def open_cursor(caller: Caller, text: str) -> Cursor:
    """The caller's cursor; raises ``InvalidCursor``."""
    secrets = [str(key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
    return open_sealed(text, user=caller.key, secrets=secrets)


def seal_cursor(caller: Caller, cursor: Cursor) -> str:
    """The string that stands for the cursor, for this caller alone."""
    return seal(cursor, user=caller.key, secret=settings.SECRET_KEY)


def check_history(cursor: Cursor) -> feed.State:
    """The feed's state, where the cursor belongs to its history.

    Raises ``CursorExpired`` where it does not, and then moves the epoch if the
    cursor is proof that history diverged.
    """
    try:
        return _proved(cursor)
    except Diverged:
        feed.diverged(cursor.epoch)
        raise errors.CursorExpired("The server's history is another one now.") from None


def _proved(cursor: Cursor) -> feed.State:
    state, mark = feed.state(cursor.position)
    if cursor.epoch != state.epoch or cursor.position < state.floor:
        raise errors.CursorExpired
    if cursor.position > state.head or mark != cursor.mark:
        raise Diverged
    return state


def pull(caller: Caller, text: str | None, collections: Sequence[str] | None, limit: int) -> Page:
    """The next page for this caller.

    ``text`` is the cursor that they hold, or ``None``; ``collections`` names what they
    ask for, ``None`` standing for all that they may read; ``limit`` is the most changes
    of a page. Raises ``InvalidCursor``, ``CursorExpired``, ``UnknownCollection``.
    """
    names = None if collections is None else tuple(dict.fromkeys(collections))
    for name in names or ():
        registry.get(name)
    cursor = None if text is None else open_cursor(caller, text)
    feed.sequence()
    try:
        with feed.snapshot():
            answer = _answer(caller, Asked(cursor, names, limit))
    except Diverged:
        assert cursor is not None
        feed.diverged(cursor.epoch)
        raise errors.CursorExpired("The server's history is another one now.") from None
    for view in answer.views:
        keep(view)
    held = _hold(cursor or answer.cursor) if answer.has_more else 0
    return Page(
        changes=tuple(answer.changes),
        cursor=seal_cursor(caller, replace(answer.cursor, held=held)),
        has_more=answer.has_more,
        epoch=answer.cursor.epoch,
        snapshot=answer.progress,
    )


def _hold(cursor: Cursor) -> int:
    """Keep the floor from passing who has more to fetch; the minute of it, for their cursor.

    It is the place that was asked from which is held, since its answer may be lost.
    """
    now = int(timezone.now().timestamp()) // 60
    if now - cursor.held < holds.MINUTES:
        return cursor.held
    holds.hold(cursor.position)
    return now


def _answer(caller: Caller, asked: Asked) -> Answer:
    if asked.cursor is None:
        state, _ = feed.state()
        cursor = Cursor(state.epoch, state.head, state.mark, NOTHING, NOTHING)
    else:
        state, cursor = _proved(asked.cursor), asked.cursor
    now = current_view(caller, asked.collections)
    changes: list[Change] = []
    views: tuple[View, ...] = ()
    if cursor.goal != now.digest:
        changes, cursor, views = _replan(caller, asked, cursor, now)
    elif cursor.noted < timezone.now().date().toordinal():
        views = (now,) if cursor.tails else (recall(cursor.done), now)
    if views:
        cursor = replace(cursor, noted=timezone.now().date().toordinal())
    if cursor.tails:
        return _tail(caller, state, now, cursor, changes, views, asked.limit)
    return _snapshot(caller, state, now, cursor, changes, views, asked.limit)


def current_view(caller: Caller, names: Sequence[str] | None) -> View:
    """What the caller sees now of these collections, or of all that they may read."""
    if names is None:
        wanted = [c for c in registry if c.may(caller, "read")]
    else:
        wanted = [registry.get(name) for name in names]
    generations = feed.generations()
    return View(
        tags={c.name: _tag(caller, c, generations.get(c.label, 0)) for c in wanted},
        scopes={c.name: c.scopes(caller) for c in wanted},
    )


def _tag(caller: Caller, collection: Collection, generation: int) -> str:
    if not collection.may(caller, "read"):
        return "hidden"
    return digest(str(generation), collection.rights(caller), collection.shape(caller))[:10]


def _replan(
    caller: Caller, asked: Asked, cursor: Cursor, now: View
) -> tuple[list[Change], Cursor, tuple[View, ...]]:
    """Set out for another view: what is to be dropped, begun anew, fetched."""
    done, goal = recall(cursor.done), recall(cursor.goal)
    fresh = {name for name, tag in now.tags.items() if goal.tags.get(name) != tag}
    held = set(snapshots.completed(cursor, done, goal))
    under_way = cursor.resume[:2] if cursor.resume else None
    started = held | ({under_way} if under_way else set())
    kept = {pair for pair in held if pair[0] not in fresh and now.holds(*pair)}
    goes_on = under_way is not None and under_way[0] not in fresh and now.holds(*under_way)
    new_done = EMPTY.with_pairs(kept, now.tags) if kept else EMPTY
    cursor = replace(
        cursor,
        done=now.digest if not (set(now.pairs()) - kept) else new_done.digest,
        goal=now.digest,
        after=None,
        resume=cursor.resume if goes_on else None,
        skip=under_way if goes_on else None,
    )
    changes = [] if asked.cursor is None else list(_farewells(asked, goal, now, fresh, started))
    if not cursor.tails:
        pairs = snapshots.remaining(cursor, new_done, now)
        pairs += [under_way] if goes_on and under_way else []
        cursor = replace(cursor, total=cursor.sent + snapshots.total(caller, pairs))
    return changes, cursor, (new_done, now)


def _farewells(
    asked: Asked, goal: View, now: View, fresh: set[str], started: set[tuple[str, str]]
) -> Iterator[Change]:
    """What the replica has to let go: scopes that left, collections that start anew."""
    for name in goal.tags:
        if name not in now.tags and asked.collections is None:
            yield Change(Op.BEGIN, name)
    for name in now.tags:
        if name in fresh:
            yield Change(Op.BEGIN, name)
    for name, scope in sorted(started):
        if name in now.tags and name not in fresh and not now.holds(name, scope):
            yield Change(Op.DROP, name, scope=scope)


def _snapshot(
    caller: Caller,
    state: feed.State,
    now: View,
    cursor: Cursor,
    changes: list[Change],
    views: tuple[View, ...],
    limit: int,
) -> Answer:
    pairs = snapshots.remaining(cursor, recall_done(cursor, views), now)
    pager = snapshots.Pager(caller, cursor, limit)
    changes.extend(pager.fill(pairs))
    cursor = pager.cursor
    progress = {"done": cursor.sent, "total": max(cursor.total, cursor.sent)}
    if pairs or cursor.resume is not None:
        return Answer(changes, cursor, True, views, progress)
    cursor = replace(cursor, done=cursor.goal, after=None, skip=None, sent=0, total=0)
    behind = state.head > cursor.position or _unsequenced(now)
    return Answer(changes, cursor, behind, views, progress)


def recall_done(cursor: Cursor, views: tuple[View, ...]) -> View:
    """The view that the replica holds: just decided, or kept from an earlier pull."""
    for view in views:
        if view.digest == cursor.done:
            return view
    return recall(cursor.done)


def _tail(
    caller: Caller,
    state: feed.State,
    now: View,
    cursor: Cursor,
    changes: list[Change],
    views: tuple[View, ...],
    limit: int,
) -> Answer:
    if cursor.position == state.head:
        return Answer(changes, cursor, False, views)
    scopes = sorted({scope for _, scope in now.pairs()})
    models = sorted({registry.get(name).label for name in now.tags})
    entries = feed.read(scopes, models, cursor.position, state.head, limit + 1)
    more = len(entries) > limit
    if more:
        last = entries[limit - 1]
        cursor = replace(cursor, position=last.position, mark=last.mark)
    else:
        cursor = replace(cursor, position=state.head, mark=state.mark)
    told = list(_told(caller, now, entries[:limit]))
    changes.extend(told)
    return Answer(changes, cursor, more or (bool(told) and _unsequenced(now)), views)


def _told(caller: Caller, now: View, entries: Sequence[feed.Entry]) -> Iterator[Change]:
    """What these entries come to for this caller: each object once, as its row is now."""
    ids: dict[str, dict[uuid.UUID, None]] = {}
    for entry in entries:
        for collection in registry.of_label(entry.model):
            if now.holds(collection.name, entry.scope):
                ids.setdefault(collection.name, {})[entry.object_id] = None
    for name in sorted(ids, key=registry.rank):
        collection = registry.get(name)
        found = collection.seen(caller, list(ids[name]))
        yield from map(Change.put, found)
        seen = {record.id for record in found}
        yield from _gone(collection, now, [id for id in ids[name] if id not in seen])


def _gone(collection: Collection, now: View, ids: Sequence[uuid.UUID]) -> Iterator[Change]:
    """Objects that are not to be seen: deleted for all, or only out of this view."""
    if not ids:
        return
    traces = feed.tombstones(collection.label, ids)
    there = collection.existing(ids)
    for id in ids:
        trace = traces.get(id)
        if trace is not None and id not in there and now.holds(collection.name, trace.scope):
            yield Change(Op.DELETE, collection.name, id, trace.revision)
        else:
            yield Change(Op.REMOVE, collection.name, id)


def _unsequenced(now: View) -> bool:
    """Whether this snapshot shows what has no position yet, so that references may dangle."""
    return feed.unsequenced(sorted({scope for _, scope in now.pairs()}))
