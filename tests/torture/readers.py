"""Readers: processes that follow the feed, and new ones that begin snapshots all the while.

What must never arrive is asserted where it would arrive, in the reader.
"""

from __future__ import annotations

import random
import time
import uuid
from collections import Counter
from typing import Any

from django.contrib.auth.models import User

from django_sync.protocol import Change, Op, Page
from example_project.boards.models import Board, Card, Comment, Label
from tests import processes as p
from tests.replica import MODELS, Replica, board_of

from .journal import Arrival, Key, Pull, Reading

ALL = frozenset({"*"})
"""In place of scopes: the reader sees each board, those too that come later."""


class Tail(Replica):
    """A replica that keeps watch: over revisions, over scopes, and over when things come."""

    def __init__(self, user: str, limit: int, scopes: frozenset[str]) -> None:
        super().__init__(User.objects.get(username=user), limit=limit)
        self.scopes, self.reading = scopes, Reading(user)
        self.last: dict[Key, tuple[int, Any]] = {}

    def read(self) -> None:
        """Pull to the last page, and note it. No cursor expires here: nothing is pruned."""
        began = time.monotonic()
        while self.page().has_more:
            pass
        self.reading.pulls.append(Pull(began, time.monotonic()))

    def page(self) -> Page:
        page = super().page()
        self.log.clear()
        at, pull = time.monotonic(), len(self.reading.pulls)
        for change in page.changes:
            if change.id is not None and change.revision is not None:
                arrived = Arrival(pull, at, change.revision)
                self.reading.arrivals.setdefault(change.id, []).append(arrived)
        self.reading.counts["pages"] += 1
        self.reading.counts["changes"] += len(page.changes)
        return page

    def apply(self, change: Change, *, same_epoch: bool) -> None:
        assert same_epoch or not self.epoch, "the epoch moved, and nothing was restored"
        if change.scope is not None and self.scopes is not ALL:
            assert change.scope in self.scopes, "G7: told of a scope that the user does not see"
        if change.op is Op.PUT:
            self._check_content(change)
        if change.id is not None and change.revision is not None:
            self._check_revision(change, (change.collection, change.id))
        super().apply(change, same_epoch=same_epoch)

    def _check_revision(self, change: Change, key: Key) -> None:
        """Nor does one fall behind what was let go of meanwhile."""
        assert change.revision is not None
        revision, content = self.last.get(key, (0, None))
        assert change.revision >= revision, "G2: a revision fell"
        if change.revision == revision:
            assert change.object == content, "one revision, two contents"
        self.last[key] = change.revision, change.object

    def _check_content(self, change: Change) -> None:
        """A card says itself which board it is on; another scope would be another's."""
        assert change.object is not None
        match change.collection:
            case "boards":
                assert change.scope == str(change.id)
            case "cards" | "labels":
                assert change.scope == str(change.object["board"]), "in a wrong scope"

    def close(self) -> Reading:
        """All that is there by now, and how this one came to it."""
        self.read()
        held = {key: (r.revision, r.scope, r.object) for key, r in self.records.items()}
        self.reading.held = held
        return self.reading


# ── What processes run ───────────────────────────────────────────────────────────────────────────


def follow(user: str, limit: int, scopes: frozenset[str] | None, every: float) -> Reading:
    """Pull again and again until the test says so, with ``every`` so many seconds between."""
    tail = Tail(user, limit, ALL if scopes is None else scopes)
    tail.read()
    p.HERE.stop("begun")
    while not p.HERE.may_go.acquire(timeout=every):
        tail.read()
    return tail.close()


def come_and_go(seed: str, scopes: dict[str, frozenset[str] | None]) -> list[Reading]:
    """New clients: some leave in the middle of their snapshot, others go on to follow."""
    chance = random.Random(seed)
    staying: list[Tail] = []
    counts: Counter[str] = Counter()
    p.HERE.stop("begun")
    while not p.HERE.may_go.acquire(timeout=0.1):
        user = chance.choice(sorted(scopes))
        tail = Tail(user, chance.randrange(10, 100), scopes[user] or ALL)
        if chance.random() < 0.5:
            for _ in range(chance.randrange(1, 5)):
                tail.page()
            counts["abandoned"] += 1
            continue
        tail.read()
        counts["snapshots finished"] += 1
        staying = [*staying[-2:], tail]
        for one in staying:
            one.read()
    if staying:
        staying[0].reading.counts += counts
    return [tail.close() for tail in staying]


# ── The truth ────────────────────────────────────────────────────────────────────────────────────

FIELDS = {
    "boards": ("name", "color"),
    "labels": ("name", "color", "board"),
    "cards": ("title", "body", "column", "position", "votes", "board", "labels"),
    "comments": ("text", "card", "author"),
}


def truth(user: str) -> dict[Key, tuple[int, str, dict[str, Any]]]:
    """What the tables have for this user: revision, scope and fields, by plain ORM."""
    visible = Board.objects.visible_to(User.objects.get(username=user))
    boards = set(visible.values_list("pk", flat=True))
    rows: dict[str, Any] = {
        "boards": Board.objects.filter(pk__in=boards),
        "labels": Label.objects.filter(board__in=boards).select_related("board"),
        "cards": Card.objects.filter(board__in=boards)
        .select_related("board")
        .prefetch_related("labels"),
        "comments": Comment.objects.filter(card__board__in=boards).select_related(
            "card__board", "author"
        ),
    }
    assert rows.keys() == MODELS.keys()
    return {
        (name, row.sync_id): (row.sync_revision, str(board_of(row).sync_id), fields(name, row))
        for name, found in rows.items()
        for row in found
    }


def fields(collection: str, row: Any) -> dict[str, Any]:
    """As a record shows them, of a row or of a record's own object."""
    found = {}
    for name in FIELDS[collection]:
        value = row[name] if isinstance(row, dict) else getattr(row, name)
        if name == "labels":
            value = sorted(str(getattr(one, "sync_id", one)) for one in _each(value))
        elif name in {"board", "card"}:
            value = str(getattr(value, "sync_id", value))
        elif name == "author":
            value = str(value)
        found[name] = value
    return found


def _each(value: Any) -> list[uuid.UUID]:
    return list(value.all() if hasattr(value, "all") else value)
