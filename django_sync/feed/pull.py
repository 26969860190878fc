"""One pull: what a replica lacks, from the place that its cursor names.

Decided in this order, all within one database snapshot: does the cursor prove
its history, what does the user see now, what has entered and left that view
since; then either a page of the snapshot or a page of the feed.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from django.conf import settings
from django.utils import timezone

from .. import errors
from ..drf.caller import Caller
from ..drf.collection import Collection
from ..drf.registry import registry
from ..drf.schema_hash import digest
from ..protocol import Change, Op, Page, ReadyChanges, ReadyText, Record
from . import holds, sequencer, snapshot
from . import log as feed_log
from .cursor import Cursor, open_sealed, seal
from .visibility import EMPTY, NOTHING, Visibility, keep, recall


class Diverged(Exception):
    """A cursor proved that this history, of ``epoch``, is not the one it was given in."""

    def __init__(self, epoch: str) -> None:
        super().__init__(epoch)
        self.epoch = epoch


@dataclass(frozen=True)
class Asked:
    """A pull as it was asked for: ``collections`` is ``None`` for all that may be read.

    ``left``: before it begins it has sequenced as much as one pull does, and there is more.
    """

    cursor: Cursor | None
    collections: tuple[str, ...] | None
    limit: int
    left: bool = False


@dataclass
class Answer:
    """What a pull found out, before its cursor is sealed and its views are kept."""

    changes: list[Change | ReadyText]
    cursor: Cursor
    has_more: bool
    visibilities: tuple[Visibility, ...]
    progress: dict[str, int] | None = None


def open_cursor(caller: Caller, text: str) -> Cursor:
    """The caller's cursor; raises ``InvalidCursor``."""
    secrets = [str(key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
    return open_sealed(text, user=caller.key, secrets=secrets)


def seal_cursor(caller: Caller, cursor: Cursor) -> str:
    """The string that stands for the cursor, for this caller alone."""
    return seal(cursor, user=caller.key, secret=settings.SECRET_KEY)


def _unmoved(caller: Caller, cursor: Cursor, text: str) -> str:
    """The string for the cursor that came as ``text``: the same, but under a key that goes."""
    return seal_cursor(caller, cursor) if settings.SECRET_KEY_FALLBACKS else text


def check_history(cursor: Cursor) -> feed_log.State:
    """The feed's state, where the cursor belongs to its history.

    Raises ``CursorExpired`` where it does not, and then moves the epoch if the
    cursor is proof that history diverged.
    """
    try:
        return proved(cursor)
    except Diverged as found:
        feed_log.diverged(found.epoch)
        raise errors.CursorExpired("The server's history is another one now.") from None


def proved(cursor: Cursor, seen: feed_log.Overview | None = None) -> feed_log.State:
    """The feed's state in this snapshot, where the cursor belongs to its history.

    ``seen`` is the overview at the cursor's position, where the snapshot has been asked for it.
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
    asked, settled = Asked(cursor, names, limit), False
    if cursor is not None and cursor.tails:
        before = feed_log.overview(cursor.position, whole=False)
        if _is_up_to_date(caller, cursor, names, before):
            return Page((), _unmoved(caller, cursor, str(text)), False, cursor.epoch)
        asked, settled = replace(asked, left=before.waiting and sequencer.catch_up()), True
    try:
        answer = _answer(caller, asked, settled=settled)
        if answer is None:
            before = feed_log.overview(whole=False)  # makes the feed's row where there is none yet
            asked = replace(asked, left=before.waiting and sequencer.catch_up())
            answer = _answer(caller, asked, settled=True)
        assert answer is not None
    except Diverged as found:
        feed_log.diverged(found.epoch)
        raise errors.CursorExpired("The server's history is another one now.") from None
    for visibility in answer.visibilities:
        keep(visibility)
    held = hold(cursor or answer.cursor) if answer.has_more else 0
    return Page(
        changes=ReadyChanges(answer.changes),
        cursor=seal_cursor(caller, replace(answer.cursor, held=held)),
        has_more=answer.has_more,
        epoch=answer.cursor.epoch,
        snapshot=answer.progress,
    )


def _is_up_to_date(
    caller: Caller, cursor: Cursor, names: Sequence[str] | None, seen: feed_log.Overview
) -> bool:
    """Whether the answer is the cursor that came: nothing is new, and nothing is to be noted.

    The overview is one moment, at which the replica had all that this view shows. What the caller
    may see is asked after it. Where that has changed in between, the digests differ, and the
    pull begins again in a snapshot; where it was changed and changed back, nothing was sent, and
    the next pull reads on from the same entry.
    """
    if seen.waiting or not _is_at_head(cursor, seen):
        return False
    if not cursor.tails or cursor.held or cursor.noted < today():
        return False
    if current_visibility(caller, names, seen.generations).digest == cursor.goal:
        return True
    caller.forget()  # a snapshot is to be read with what may be seen at that moment
    return False


def _is_at_head(cursor: Cursor, seen: feed_log.Overview) -> bool:
    """Whether the cursor stands on the last entry of this very history."""
    state = seen.state
    place = (state.epoch, state.head, seen.mark)
    return place == (cursor.epoch, cursor.position, cursor.mark) and state.floor <= state.head


def hold(cursor: Cursor) -> int:
    """Keep the floor from passing who has more to fetch; the minute of it, for their cursor.

    It is the place that was asked from which is held, since its answer may be lost.
    """
    now = int(timezone.now().timestamp()) // 60
    if now - cursor.held < holds.MINUTES:
        return cursor.held
    holds.hold(cursor.position)
    return now


def _answer(caller: Caller, asked: Asked, *, settled: bool) -> Answer | None:
    """The answer, of one snapshot; ``None`` where the feed has to be brought up to date before.

    ``settled``: it has been. A page of what exists costs one statement less than if the feed were
    asked before the snapshot begins.
    """
    with feed_log.snapshot() as committed:
        position = asked.cursor.position if asked.cursor else 0
        seen = feed_log.overview(position) if settled else feed_log.seen(position)
        if seen is None or (seen.waiting and not settled):
            return None
        if asked.cursor is None:
            state = seen.state
            cursor = Cursor(state.epoch, state.head, state.mark, NOTHING, NOTHING)
        else:
            state, cursor = proved(asked.cursor, seen), asked.cursor
        return Pull(caller, asked, replace(seen, state=state), cursor, committed).answer()


@dataclass
class Pull:
    """One pull under way: ``cursor`` moves on while ``changes`` gather.

    ``seen`` is the feed at its beginning. ``committed``: it reads one snapshot, of what cannot be
    rolled back any more.
    """

    caller: Caller
    asked: Asked
    seen: feed_log.Overview
    cursor: Cursor
    committed: bool = False
    changes: list[Change | ReadyText] = field(default_factory=list)
    visibilities: tuple[Visibility, ...] = ()

    @property
    def state(self) -> feed_log.State:
        return self.seen.state

    def answer(self) -> Answer:
        """Set out for what the caller sees now, then a page of the snapshot or of the feed."""
        now = current_visibility(self.caller, self.asked.collections, self.seen.generations)
        if self.cursor.goal != now.digest:
            self._set_out(now)
        elif self.cursor.noted < today():
            self.visibilities = (now,) if self.cursor.tails else (recall(self.cursor.done), now)
        if self.visibilities:
            self.cursor = replace(self.cursor, noted=today())
        return self._tail(now) if self.cursor.tails else self._snapshot(now)

    def _set_out(self, now: Visibility) -> None:
        """Make ``now`` the goal: what is to be dropped, begun anew, fetched."""
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
        if self.asked.cursor is not None:
            started = held | ({under_way} if under_way else set())
            self.changes += _farewells(self.asked, goal, now, fresh, started)
        if not self.cursor.tails:
            pairs = snapshot.remaining(self.cursor, new_done, now)
            pairs += [under_way] if goes_on and under_way else []
            total = self.cursor.sent + snapshot.total(self.caller, pairs)
            self.cursor = replace(self.cursor, total=total)
        else:
            self.cursor = replace(self.cursor, sent=0, total=0)  # what was under way has left

    def _snapshot(self, now: Visibility) -> Answer:
        pairs = snapshot.remaining(self.cursor, self._done(), now)
        pager = snapshot.Pager(self.caller, self.cursor, self.asked.limit)
        self.changes.extend(pager.fill(pairs))
        cursor = pager.cursor
        progress = {"done": cursor.sent, "total": max(cursor.total, cursor.sent)}
        if pairs or cursor.resume is not None:
            return Answer(self.changes, cursor, True, self.visibilities, progress)
        cursor = replace(cursor, done=cursor.goal, after=None, skip=None, sent=0, total=0)
        behind = self.state.head > cursor.position or self._unsequenced(now)
        return Answer(self.changes, cursor, behind, self.visibilities, progress)

    def _done(self) -> Visibility:
        """The view that the replica holds: just decided, or kept from an earlier pull."""
        decided = (
            visibility for visibility in self.visibilities if visibility.digest == self.cursor.done
        )
        return next(decided, None) or recall(self.cursor.done)

    def _tail(self, now: Visibility) -> Answer:
        cursor, limit, head = self.cursor, self.asked.limit, self.state.head
        if cursor.position == head:
            return Answer(self.changes, cursor, False, self.visibilities)
        scopes = sorted({scope for _, scope in now.pairs()})
        models = sorted({registry.get(name).label for name in now.tags})
        entries = feed_log.read(scopes, models, cursor.position, head, limit + 1)
        more = len(entries) > limit
        if more:
            last = entries[limit - 1]
            cursor = replace(cursor, position=last.position, mark=last.mark)
        else:
            cursor = replace(cursor, position=head, mark=self.state.mark)
        told = list(self._told(now, entries[:limit]))
        self.changes += told
        behind = more or ((bool(told) or self.asked.left) and self._unsequenced(now))
        return Answer(self.changes, cursor, behind, self.visibilities)

    def _unsequenced(self, now: Visibility) -> bool:
        """Whether what was read shows what has no position yet, so that references may dangle.

        In a snapshot the outbox cannot have filled since the overview.
        """
        if self.committed and not self.seen.waiting:
            return False
        return feed_log.unsequenced(sorted({scope for _, scope in now.pairs()}))

    def _told(self, now: Visibility, entries: Sequence[feed_log.Entry]) -> Iterator[Change]:
        """What these entries come to for this caller: each object once, as its row is now."""
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
        return collection.seen_again(self.caller, ids, kind)


def today() -> int:
    """The day, as an ordinal: once in it a view is noted as being in use."""
    return timezone.now().date().toordinal()


def current_visibility(
    caller: Caller, names: Sequence[str] | None, generations: Mapping[str, int] | None = None
) -> Visibility:
    """What the caller sees now of these collections, or of all that they may read.

    ``generations`` are the feed's, where it has been asked for them.
    """
    if names is None:
        wanted = [c for c in registry if c.may(caller, "read")]
    else:
        wanted = [registry.get(name) for name in names]
    if generations is None:
        generations = feed_log.generations()
    return Visibility(
        tags={c.name: _tag(caller, c, generations.get(c.label, 0)) for c in wanted},
        scopes={c.name: c.scopes(caller) for c in wanted},
    )


def _tag(caller: Caller, collection: Collection, generation: int) -> str:
    if not collection.may(caller, "read"):
        return "hidden"
    return digest(str(generation), collection.visibility_tag(caller), collection.shape(caller))[:10]


def _farewells(
    asked: Asked, goal: Visibility, now: Visibility, fresh: set[str], started: set[tuple[str, str]]
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


def gone(collection: Collection, now: Visibility, ids: Sequence[uuid.UUID]) -> Iterator[Change]:
    """Objects that are not to be seen: deleted for all, or only out of this view."""
    if not ids:
        return
    traces = feed_log.tombstones(collection.label, ids)
    there = collection.existing(ids)
    for id in ids:
        trace = traces.get(id)
        if trace is not None and id not in there and now.holds(collection.name, trace.scope):
            yield Change(Op.DELETE, collection.name, id, trace.revision)
        else:
            yield Change(Op.REMOVE, collection.name, id)
