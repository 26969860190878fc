"""What the tests of capture look at: rows, and the entries of an object."""

from typing import Any, NamedTuple

from django.db import connection, models

from django_sync.capture import root_of, spec_for
from django_sync.models import Change, Outbox


class Entry(NamedTuple):
    op: str
    revision: int
    columns: str
    scope: str | None


def log() -> Any:
    """Where triggers write entries on this database."""
    table: Any = Change if connection.vendor == "sqlite" else Outbox
    return table.objects.order_by("pk")


def entries(model: type[models.Model], id: Any) -> list[Entry]:
    """What was written down of an object, in the order of writing."""
    rows = log().filter(model=root_of(model)._meta.label_lower, object_id=id)
    return [Entry(r.op, r.revision, r.columns, r.scope) for r in rows]


def row(obj: Any) -> tuple[int, str | None]:
    """Revision and scope as the database has them."""
    root = root_of(type(obj))
    found: tuple[int, str | None] = root._base_manager.values_list(
        "sync_revision", "sync_scope"
    ).get(pk=obj.pk)
    return found


class Watch:
    """Tells what an act added to the entries of one object."""

    def __init__(self, obj: Any) -> None:
        self.model, self.obj = type(obj), obj
        spec = spec_for(self.model)
        name = "sync_id" if spec.own_id else "pk"
        self.id = root_of(self.model)._base_manager.values_list(name, flat=True).get(pk=obj.pk)
        self.seen = len(entries(self.model, self.id))
        self.revision, self.scope = row(obj)

    def new(self) -> list[Entry]:
        every = entries(self.model, self.id)
        new, self.seen = every[self.seen :], len(every)
        return new

    def updated(self, columns: str, steps: int = 1) -> None:
        """Exactly so many updates of these columns, told alike by row and entries."""
        assert row(self.obj) == (self.revision + steps, self.scope)
        assert self.new() == [
            Entry("u", self.revision + step + 1, columns, self.scope) for step in range(steps)
        ]
        self.revision += steps

    def moved(self, scope: str | None, columns: str = "") -> None:
        """One move: an entry of the scope that was left, then one of the new."""
        next_ = self.revision + 1
        assert row(self.obj) == (next_, scope)
        assert self.new() == [
            Entry("m", next_, "", self.scope),
            Entry("u", next_, columns, scope),
        ]
        self.revision, self.scope = next_, scope

    def deleted(self) -> None:
        assert self.new() == [Entry("d", self.revision + 1, "", self.scope)]

    def idle(self) -> None:
        """Nothing was changed and nothing written down."""
        assert row(self.obj) == (self.revision, self.scope)
        assert self.new() == []
