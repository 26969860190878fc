"""What sync adds to writes of models as applications have them, beyond the simplest one.

These are costs to know, and to see whether they grow; none has a goal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from django_sync.models import Tombstone
from tests.benchmarks.measure import Line, Work, in_turn, say
from tests.benchmarks.notes import models as m
from tests.benchmarks.works_write import vacuum


@dataclass(frozen=True)
class Kind:
    """The models of one side, synced or not."""

    folder: Any
    wide: Any
    node: Any
    labelled: Any
    shelf: Any
    box: Any
    thing: Any

    def clear(self) -> None:
        links = self.labelled.labels.through
        written = (self.wide, self.node, links, self.labelled, self.thing, self.box, self.shelf)
        for model in written:
            model.objects.all()._raw_delete("default")
        self.folder.objects.all()._raw_delete("default")
        Tombstone.objects.all()._raw_delete("default")
        vacuum(*written, self.folder, Tombstone)


SYNCED = Kind(m.Folder, m.WideRow, m.Node, m.Labelled, m.Shelf, m.Box, m.Thing)
PLAIN = Kind(
    m.PlainFolder,
    m.PlainWideRow,
    m.PlainNode,
    m.PlainLabelled,
    m.PlainShelf,
    m.PlainBox,
    m.PlainThing,
)


@dataclass(frozen=True)
class Unit:
    """What is done in a round, and how many units of it."""

    work: Work
    n: int
    unit: str = "call"


def wide(kind: Kind, number: int) -> dict[str, Unit]:
    folder = kind.folder.objects.create(name="wide")
    rows = [kind.wide(folder=folder) for _ in range(number)]
    serial = iter(range(1_000_000))

    def save() -> None:
        for row in rows:
            row.c1 += 1
            row.save()

    def update() -> None:
        with transaction.atomic():
            kind.wide.objects.update(c0=f"text {next(serial)}")

    def create() -> None:
        for _ in range(number):
            kind.wide(folder=folder).save()

    for row in rows:
        row.save()
    return {
        "save()": Unit(save, number),
        "QuerySet.update()": Unit(update, number, "row"),
        "create()": Unit(create, number),
    }


def tree(kind: Kind, number: int) -> dict[str, Unit]:
    """A root with branches of ten; renaming a node also changes the nodes below it."""
    folder = kind.folder.objects.create(name="tree")
    root = kind.node.objects.create(folder=folder, name="root")
    branches = [
        kind.node.objects.create(folder=folder, parent=root, name=str(i)) for i in range(number)
    ]
    for branch in branches:
        kind.node.objects.bulk_create(
            kind.node(folder=folder, parent=branch, name=str(i)) for i in range(10)
        )
    serial = iter(range(1_000_000))

    def rename() -> None:
        for branch in branches:
            branch.name = f"branch {next(serial)}"
            branch.save()

    def move() -> None:
        at = next(serial)
        for i, branch in enumerate(branches[1:]):
            branch.parent = root if (at + i) % 2 else branches[0]
            branch.save()

    return {
        "rename of a node with 10 below": Unit(rename, number),
        "another node above": Unit(move, number - 1),
    }


def many_to_many(kind: Kind, number: int) -> dict[str, Unit]:
    folder = kind.folder.objects.create(name="labels")
    labels = [m.Label.objects.create(name=str(i)) for i in range(10)]
    rows = [kind.labelled.objects.create(folder=folder) for _ in range(number)]

    def add_and_clear() -> None:
        for row in rows:
            row.labels.add(*labels)
            row.labels.clear()

    return {"add() of 10 and clear()": Unit(add_and_clear, number)}


def three_hops(kind: Kind, number: int) -> dict[str, Unit]:
    folders = [kind.folder.objects.create(name=str(i)) for i in range(2)]
    shelf = kind.shelf.objects.create(folder=folders[0])
    box = kind.box.objects.create(shelf=shelf)
    serial = iter(range(1_000_000))

    def create() -> None:
        for i in range(number):
            kind.thing.objects.create(box=box, name=str(i))

    def bulk() -> None:
        kind.thing.objects.bulk_create(kind.thing(box=box, name=str(i)) for i in range(10 * number))

    def move() -> None:
        shelf.folder = folders[next(serial) % 2]
        shelf.save()

    create()
    return {
        "create()": Unit(create, number),
        "bulk_create()": Unit(bulk, 10 * number, "row"),
        "a move of all below": Unit(move, 1),
    }


Make = Callable[[Kind, int], dict[str, Unit]]
WORKS: dict[str, Make] = {
    "60 columns": wide,
    "tree": tree,
    "many-to-many": many_to_many,
    "scope three hops away": three_hops,
}


def lines(single: int, pairs: int) -> Iterator[Line]:
    for name, make in WORKS.items():
        plain, synced = make(PLAIN, single), make(SYNCED, single)
        for what, ours in synced.items():
            full = f"{name}: {what}"
            say(full)
            base, cost = in_turn(plain[what].work, ours.work, pairs)
            against = "the same without sync"
            yield Line(connection.vendor, full, ours.n, ours.unit, against, base, cost, None)
        SYNCED.clear()
        PLAIN.clear()
