"""Writes of a synced model against the same model without sync."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from django_sync import feed
from django_sync.models import Change, Outbox, Tombstone
from tests.benchmarks.measure import Goal, Line, Work, in_turn, say
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
    """Sequence, and take away what is dead."""
    swept: list[Any] = [*models, Outbox, Change]
    feed.sequence()
    if connection.vendor == "postgresql":
        tables = ", ".join(m._meta.db_table for m in swept)
        with connection.cursor() as cursor:
            cursor.execute(f"VACUUM {tables}")


NAMES = ("create()", "save()", "save(update_fields)", "delete()", "delete() with 50 children")
BULK = ("QuerySet.update()", "bulk_create()", "cascade")


def lines(single: int, bulk: int, pairs: int) -> Iterator[Line]:
    synced, plain = Side(Folder, Item), Side(PlainFolder, PlainItem)
    few = max(2, single // 20)

    def measured(name: str, number: int, unit: str, goal: float, make: Any, times: int) -> Line:
        say(f"{name}, {number:,}")
        base, ours = in_turn(make(plain), make(synced), times)
        synced.clear()
        plain.clear()
        against = "the same without sync"
        return Line(connection.vendor, name, number, unit, against, base, ours, Goal(goal))

    yield measured(NAMES[0], single, "call", 1.25, lambda side: side.create(single), pairs)
    yield measured(NAMES[1], single, "call", 1.25, lambda side: side.save(single), pairs)
    yield measured(NAMES[2], single, "call", 1.25, lambda side: side.save_one_field(single), pairs)
    yield measured(NAMES[3], single, "call", 1.25, lambda side: side.delete(single), pairs)
    yield measured(
        NAMES[4], few, "call", 1.3, lambda side: side.delete_with_children(few, 50), pairs
    )
    yield measured(BULK[0], bulk, "row", 2.5, lambda side: side.update(bulk), pairs)
    yield measured(BULK[1], bulk, "row", 1.3, lambda side: side.bulk_create(bulk), pairs)
    yield measured(
        BULK[2], bulk, "row", 1.3, lambda side: side.delete_with_children(1, bulk), pairs
    )
