"""Writes of a synced model against the same model without sync."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from django_sync.feed import sequencer
from django_sync.models import Change, Outbox, Tombstone
from tests.benchmarks.measure import (
    Added,
    Cost,
    Goal,
    Line,
    Work,
    backend,
    in_turn,
    median,
    ran,
    say,
)
from tests.benchmarks.notes.models import Folder, Item, PlainFolder, PlainItem

BODY = "b" * 140


class Side:
    """One of the two models, with a folder to write in."""

    def __init__(self, folders: type[Any], items: type[Any]) -> None:
        self.folders, self.items = folders, items
        self.folder = folders.objects.create(name="bench")

    def make(self, number: int, folder: Any = None) -> list[Any]:
        now = timezone.now()
        return [
            self.items(folder=folder or self.folder, title=f"Item {n}", body=BODY, n=n, at=now)
            for n in range(number)
        ]

    def filled(self, number: int, folder: Any = None) -> list[Any]:
        made: list[Any] = self.items.objects.bulk_create(self.make(number, folder))
        return made

    def clear(self) -> None:
        self.items.objects.all()._raw_delete("default")
        self.folders.objects.exclude(pk=self.folder.pk)._raw_delete("default")
        Tombstone.objects.all()._raw_delete("default")
        vacuum(self.items, self.folders, Tombstone)

    # What is measured; each makes its rows beforehand

    def create(self, number: int) -> Work:
        def work() -> Work:
            for item in self.make(number):
                item.save()
            return self.clear

        return work

    def save(self, number: int) -> Work:
        def work() -> None:
            for item in mine:
                item.n += 1
                item.save()

        mine = self.filled(number)
        return work

    def save_one_field(self, number: int) -> Work:
        def work() -> None:
            for item in mine:
                item.n += 1
                item.save(update_fields=["n"])

        mine = self.filled(number)
        return work

    def delete(self, number: int) -> Work:
        mine: list[Any] = []

        def refill() -> None:
            self.clear()
            mine[:] = self.filled(number)

        def work() -> Work:
            for item in mine:
                item.delete()
            return refill

        refill()
        return work

    def delete_with_children(self, number: int, children: int) -> Work:
        mine: list[Any] = []

        def refill() -> None:
            self.clear()
            mine[:] = [self.folders.objects.create(name="parent") for _ in range(number)]
            for folder in mine:
                self.filled(children, folder)

        def work() -> Work:
            for folder in mine:
                folder.delete()
            return refill

        refill()
        return work

    def bulk_create(self, number: int) -> Work:
        made = self.make(number)

        def work() -> Work:
            for item in made:
                item.pk, item._state.adding = None, True
                if hasattr(item, "sync_id"):
                    item.sync_id = None
            self.items.objects.bulk_create(made)
            return self.clear

        return work

    def update(self, number: int) -> Work:
        self.filled(number)
        turn = iter(range(1_000_000))

        def work() -> Work:
            with transaction.atomic():
                self.items.objects.filter(folder=self.folder).update(title=f"t {next(turn)}")
            return self.tidy

        return work

    def tidy(self) -> None:
        """As autovacuum and readers do between two such statements."""
        vacuum(self.items)


def vacuum(*models: type[Any]) -> None:
    """Sequence, and take away what is dead; what is left to write is written now."""
    swept: list[Any] = [*models, Outbox, Change]
    sequencer.sequence()
    if connection.vendor == "postgresql":
        tables = ", ".join(m._meta.db_table for m in swept)
        with connection.cursor() as cursor:
            cursor.execute(f"VACUUM {tables}")
    else:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            cursor.fetchall()


# What is added to a statement, in CPU of the database alone

SQL = {
    "INSERT": (
        "INSERT INTO {table} (folder_id, title, body, done, n, at) "
        "SELECT {folder}, 'Item ' || n, '{body}', 1 = 0, n, '2026-01-01 00:00:00' "
        "FROM ({numbers}) AS s"
    ),
    "UPDATE": "UPDATE {table} SET title = 't ' || (n + {turn}) WHERE folder_id = {folder}",
    "DELETE": "DELETE FROM {table}",
}
NUMBERS = {
    "postgresql": "SELECT generate_series(1, {rows}) AS n",
    "sqlite": (
        "WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g LIMIT {rows}) "
        "SELECT n FROM g"
    ),
}
MORE: dict[str, dict[str, float]] = {
    "sqlite": {"INSERT": 10, "UPDATE": 7, "DELETE": 7},
    "postgresql": {"INSERT": 14, "UPDATE": 13, "DELETE": 6.5},
}
"""Microseconds of CPU that a row may cost more than without sync: the goals."""


def raw(side: Side, verb: str, rows: int) -> Callable[[], Cost]:
    """One statement over so many rows; its cost is that of the process that carries it out."""
    turn = iter(range(1_000_000))
    numbers = NUMBERS[connection.vendor].format(rows=rows)
    pid = backend() or os.getpid()

    def work() -> Cost:
        side.clear()
        if verb != "INSERT":
            side.filled(rows)
            vacuum(side.items)
        sql = SQL[verb].format(
            table=side.items._meta.db_table,
            folder=side.folder.pk,
            body=BODY,
            numbers=numbers,
            turn=next(turn),
        )
        gc.collect()
        with transaction.atomic(), connection.cursor() as cursor:
            wall, spent = time.perf_counter(), ran(pid)
            cursor.execute(sql)
            spent, wall = ran(pid) - spent, time.perf_counter() - wall
        return Cost(wall, 0.0, spent)

    return work


def added(synced: Side, plain: Side, rows: int, pairs: int) -> Iterator[Line]:
    for verb, bound in MORE[connection.vendor].items():
        name = f"added by an {verb}" if verb != "DELETE" else "added by a DELETE"
        name = f"{name}, raw SQL, {rows:,} rows"
        say(name)
        works = [raw(plain, verb, rows), raw(synced, verb, rows)]
        costs: list[list[Cost]] = [[], []]
        for turn in range(2 * pairs + 1):
            for i in (0, 1) if turn % 2 == 0 else (1, 0):
                costs[i].append(works[i]())
        base, ours = (median(of[1:]) for of in costs)
        goal = Added(bound, n=rows)
        yield Line(connection.vendor, name, rows, "row", "the same without sync", base, ours, goal)
    synced.clear()
    plain.clear()


NAMES = ("create()", "save()", "save(update_fields)", "delete()", "delete() with 50 children")
BULK = ("QuerySet.update()", "bulk_create()", "cascade")


def lines(single: int, bulk: int, pairs: int) -> Iterator[Line]:
    synced, plain = Side(Folder, Item), Side(PlainFolder, PlainItem)
    few = max(2, single // 20)
    call = 1.5 if connection.vendor == "sqlite" else 1.25

    def measured(name: str, number: int, unit: str, goal: float, make: Any, times: int) -> Line:
        say(f"{name}, {number:,}")
        base, ours = in_turn(make(plain), make(synced), times)
        synced.clear()
        plain.clear()
        against = "the same without sync"
        return Line(connection.vendor, name, number, unit, against, base, ours, Goal(goal))

    yield measured(NAMES[0], single, "call", call, lambda side: side.create(single), pairs)
    yield measured(NAMES[1], single, "call", call, lambda side: side.save(single), pairs)
    yield measured(NAMES[2], single, "call", call, lambda side: side.save_one_field(single), pairs)
    yield measured(NAMES[3], single, "call", call, lambda side: side.delete(single), pairs)
    yield measured(
        NAMES[4], few, "call", 1.3, lambda side: side.delete_with_children(few, 50), pairs
    )
    yield measured(BULK[0], bulk, "row", 2.5, lambda side: side.update(bulk), pairs)
    yield measured(BULK[1], bulk, "row", 1.3, lambda side: side.bulk_create(bulk), pairs)
    yield measured(
        BULK[2], bulk, "row", 1.3, lambda side: side.delete_with_children(1, bulk), pairs
    )
    yield from added(synced, plain, bulk, pairs)
