"""What the tests of capture look at: rows, and the entries of an object."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from django.db import connection, models

from django_sync.capture import root_of, spec_for
from django_sync.models import Change, Outbox


class Entry(NamedTuple):
    op: str
    revision: int
    columns: str
    scope: str | None


def entries(model: type[models.Model], id: Any) -> list[Entry]:
    """What was written down of an object, in the order of writing."""
    table: Any = Change if connection.vendor == "sqlite" else Outbox
    rows = table.objects.filter(model=root_of(model)._meta.label_lower, object_id=id)
    return [Entry(r.op, r.revision, r.columns, r.scope) for r in rows.order_by("pk")]


def all_entries() -> int:
    table: Any = Change if connection.vendor == "sqlite" else Outbox
    return table.objects.count()


def row(obj: Any) -> tuple[int, str | None]:
    """Revision and scope as the database has them."""
    spec = spec_for(type(obj))
    root = root_of(type(obj))
    return root._base_manager.values_list(spec.revision, spec.scope).get(pk=obj.pk)


class Watch:
    """Tells what an act added to the entries of one object."""

    def __init__(self, obj: Any) -> None:
        self.model, self.id, self.obj = type(obj), obj.sync_id, obj
        self.seen = len(entries(self.model, self.id))

    def new(self) -> list[Entry]:
        every = entries(self.model, self.id)
        new, self.seen = every[self.seen :], len(every)
        return new

    def updated(self, columns: str, steps: int = 1) -> None:
        """Exactly one update of these columns, told once by row and entry alike."""
        revision, scope = row(self.obj)
        new = self.new()
        assert len(new) == steps
        assert new[-1] == Entry("u", revision, columns, scope)
        assert self.obj.sync_scope is None or True


@pytest.fixture
def watch() -> Callable[[Any], Watch]:
    return Watch
