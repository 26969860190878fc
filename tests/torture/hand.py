"""One transaction of a writer: what it draws, where it pauses, and which revisions it makes.

It notes them from the rows, as it sees them while it has them locked. So what was committed is
known from those who committed it, and from nothing that is under test.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterable
from functools import cached_property
from typing import Any

from django.db import connection
from django.db.models import Model, QuerySet

from django_sync.models import Tombstone
from example_project.boards.models import Board, Card

from .journal import Written


class Undone(Exception):
    """A transaction, or a savepoint, is rolled back because its writer wants it."""


class Hand:
    """One transaction as it is being written."""

    def __init__(self, seed: str, counts: Any) -> None:
        self.chance, self.seed, self.counts = random.Random(seed), seed, counts
        self.written: list[Written] = []
        self.longest, self._marks, self._pausing = 0.0, 0, False

    @property
    def mark(self) -> str:
        """A text that no other statement writes."""
        self._marks += 1
        return f"{self.seed}/{self._marks}"

    @cached_property
    def cards(self) -> list[int]:
        """Those that were there when this began; others delete them meanwhile."""
        return list(free().order_by("pk").values_list("pk", flat=True))

    def card(self) -> int:
        """The first few are drawn most, so that writers meet."""
        return self.chance.choice(self.cards[:12] if self.chance.random() < 0.6 else self.cards)

    def board(self) -> Board:
        return self.chance.choice(list(Board.objects.order_by("pk")))

    def note(self, rows: QuerySet[Any]) -> None:
        """Note rows that the last statement has written, each by one revision."""
        label = rows.model._meta.label_lower
        for id, revision, scope in rows.values_list("sync_id", "sync_revision", "sync_scope"):
            self.written.append(Written(label, id, revision, scope))

    def pause(self) -> None:
        """Stay a while in the middle of the transaction, mostly short, and now and then long."""
        if self.chance.random() < 0.4:
            seconds = self.chance.choice([0.001, 0.005, 0.02, 0.02, 0.05, 0.3])
            self._pausing = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(%s)", [seconds])
            self._pausing = False

    def timed(self, execute: Any, *args: Any) -> Any:
        """Stands around each statement."""
        began = time.monotonic()
        try:
            return execute(*args)
        finally:
            if not self._pausing:
                self.longest = max(self.longest, time.monotonic() - began)


def free() -> QuerySet[Card]:
    """Cards but those that the long transaction keeps to itself."""
    return Card.objects.filter(position__gte=0)


def note_steps(hand: Hand, row: Any, upto: int, scope: str | None) -> None:
    name = row._meta.label_lower
    for revision in range(row.sync_revision + 1, upto + 1):
        hand.written.append(Written(name, row.sync_id, revision, scope))


def note_deleted(hand: Hand, rows: Iterable[Model]) -> None:
    """Up to their tombstones; a card's labels leave it before it goes."""
    for row in rows:
        found: Any = row
        trace = Tombstone.objects.get(model=row._meta.label_lower, object_id=found.sync_id)
        note_steps(hand, row, trace.revision, found.sync_scope)
