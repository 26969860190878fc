"""Pages of what exists: a replica's first state, without the log.

A snapshot fetches the pairs of collection and scope that the goal has and the replica has not,
parents first, each in the order of ids. The cursor's position stays the same meanwhile, so the
tail that follows contains all that was written during the snapshot.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from ..drf.caller import Caller
from ..drf.collection import Collection
from ..drf.registry import registry
from ..protocol import Change, ReadyText
from .cursor import Cursor, Pair
from .visibility import Visibility

MOST_SCOPES = 64
"""The most scopes in one query: many small ones cost one query, not one each."""

COUNTED = 5000
"""The most scopes whose records one query counts: SQLite takes some 32,000 values in one."""

Place = tuple[str, uuid.UUID]
"""Scope and id of the last record that was sent."""
Order = Callable[[Pair], tuple[int, str]]


def order(pair: Pair) -> tuple[int, str]:
    """Where a pair comes in a snapshot: its collection's rank, then its scope."""
    return registry.rank(pair[0]), pair[1]


def remaining(cursor: Cursor, done: Visibility, goal: Visibility) -> list[Pair]:
    """The pairs still to be fetched in full, in order, without the one under way."""
    missing = {pair for pair in goal.pairs() if not done.holds(*pair)}
    under_way = cursor.resume[:2] if cursor.resume else None
    passed = order(cursor.after) if cursor.after else None
    return sorted(
        (
            pair
            for pair in missing
            if pair not in (under_way, cursor.skip) and (passed is None or order(pair) > passed)
        ),
        key=order,
    )


def completed(cursor: Cursor, done: Visibility, goal: Visibility) -> Iterator[Pair]:
    """The pairs that the replica holds in full at this place of a snapshot."""
    yield from done.pairs()
    under_way = cursor.resume[:2] if cursor.resume else None
    for pair in goal.pairs():
        if pair == under_way or done.holds(*pair):
            continue
        if pair == cursor.skip or (cursor.after and order(pair) <= order(cursor.after)):
            yield pair


@dataclass
class Pager:
    """Fills one page of a snapshot; afterwards ``cursor`` says where the next one starts."""

    caller: Caller
    cursor: Cursor
    room: int

    def fill(self, pairs: list[Pair]) -> Iterator[Change | ReadyText]:
        """The changes of this page: what is under way first, then pair after pair."""
        if self.cursor.resume is not None:
            name, scope, last = self.cursor.resume
            yield from self._fetch(name, [scope], uuid.UUID(last))
        width = 1
        while pairs and self.room > 0:
            name = pairs[0][0]
            group = [pair for pair in pairs[:width] if pair[0] == name]
            del pairs[: len(group)]
            yield from self._fetch(name, [scope for _, scope in group], None)
            width = min(width * 2, MOST_SCOPES)

    def _fetch(
        self, name: str, scopes: list[str], after: uuid.UUID | None
    ) -> Iterator[Change | ReadyText]:
        """What fits of these scopes of one collection; notes how far it got."""
        collection: Collection = registry.get(name)
        page = collection.page_text(self.caller, scopes, after, self.room)
        if page is not None:
            last = None if page.last_id is None else (page.last_scope, page.last_id)
            self._note(name, scopes, page.count, last, resumed=after is not None)
            if page.count:
                yield ReadyText(page.text, page.count)
            return
        found = collection.page(self.caller, scopes, after, self.room)
        last = (found[-1].scope, found[-1].id) if found else None
        self._note(name, scopes, len(found), last, resumed=after is not None)
        for record in {record.id: record for record in found}.values():
            yield Change.put(record)

    def _note(
        self, name: str, scopes: list[str], count: int, last: Place | None, *, resumed: bool
    ) -> None:
        """Where the page ends after ``count`` more records, the last of them at ``last``."""
        asked, self.room = self.room, self.room - count
        if count < asked or last is None:
            self._finish((name, scopes[-1]), resumed=resumed)
        else:
            self._stop(name, scopes, last)
        self.cursor = replace(self.cursor, sent=self.cursor.sent + count)

    def _finish(self, pair: Pair, *, resumed: bool) -> None:
        if resumed and self.cursor.skip == pair:
            self.cursor = replace(self.cursor, resume=None)
        else:
            self.cursor = replace(self.cursor, resume=None, after=pair)

    def _stop(self, name: str, scopes: list[str], last: Place) -> None:
        """The page is full: scopes before the last one sent are complete."""
        scope, id = last
        resume = (name, scope, str(id))
        place = scopes.index(scope)
        after = self.cursor.after if place == 0 else (name, scopes[place - 1])
        self.cursor = replace(self.cursor, resume=resume, after=after)


def total(caller: Caller, pairs: list[Pair]) -> int:
    """About how many records these pairs hold."""
    by_name: dict[str, list[str]] = {}
    for name, scope in pairs:
        by_name.setdefault(name, []).append(scope)
    return sum(
        registry.get(name).count(caller, scopes[first : first + COUNTED])
        for name, scopes in by_name.items()
        for first in range(0, len(scopes), COUNTED)
    )
