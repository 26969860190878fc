"""Finds serializers that make pulls slow: how many statements each record of a page needs.

It reads a page of each collection, as a user who sees some records of it. Then it renders the rows
of that page once more, with all prefetched rows in memory. The statements that run now are those
that each record needs. Nothing is written: the database refuses writes meanwhile.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connections
from rest_framework.fields import SkipField

from ..conf import conf
from ..drf.caller import Caller
from ..drf.collection import Collection
from ..drf.registry import registry
from ..drf.rendering import obstacles
from ..models.database import atomic, connection

__all__ = ["Slowness", "measure", "users_to_try"]

SAMPLE = 25
"""Records of each collection that are measured, at most."""
USERS = 25
"""Users who are tried for each collection, until one sees some of it."""

Users = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Slowness:
    """How many statements a collection's records need.

    ``records`` were measured, as ``user`` sees them. A page of ``page_size`` records needs
    ``statements`` statements; ``per_record`` of them run for each record. ``fields`` are the fields
    that run them: name and statements per record. ``made_by_drf`` are the fields because of which
    DRF makes each record in Python; if it is empty, the database makes the records or their values.
    ``error`` says why the collection was not measured.
    """

    collection: str
    user: str = ""
    records: int = 0
    page_size: int = 0
    statements: int = 0
    per_record: float = 0.0
    fields: tuple[tuple[str, float], ...] = ()
    made_by_drf: tuple[str, ...] = ()
    error: str = ""

    @property
    def is_slow(self) -> bool:
        """Whether each record needs statements of its own."""
        return self.per_record > 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"is_slow": self.is_slow}


def users_to_try(username: str | None = None) -> list[Any]:
    """The users to read collections as: the named one, or those who signed in last.

    Raises ``LookupError`` if no user has this name.
    """
    model: Any = get_user_model()
    if username is None:
        active = model._default_manager.using(conf.DATABASE).filter(is_active=True)
        return list(active.order_by("-is_superuser", "-last_login", "pk")[:USERS])
    found = model._default_manager.filter(**{model.USERNAME_FIELD: username}).first()
    if found is None:
        raise LookupError(username)
    return [found]


def measure(users: Users) -> list[Slowness]:
    """What each collection costs, in the order of the collections' names."""
    with _read_only():
        return [_of(registry.get(name), users) for name in sorted(registry.names())]


def _of(collection: Collection, users: Users) -> Slowness:
    error = "none of the users who were tried sees any of it"
    for user in users:
        try:
            with atomic():
                found = _measured(collection, Caller.for_user(user), str(user))
        except Exception as failure:  # noqa: BLE001 - the project's code; its error is reported
            error = f"as {user}: {type(failure).__name__}: {failure}"
            continue
        if found is not None:
            return found
    return Slowness(collection.name, error=error)


def _measured(collection: Collection, caller: Caller, user: str) -> Slowness | None:
    """What the collection's records cost; ``None`` if the user sees none of them."""
    scopes = sorted(collection.scopes(caller))
    if not scopes or not collection.page(caller, scopes, None, 1):
        return None  # the one record also loads what is read once a process
    page, statements = _counted(lambda: collection.page(caller, scopes, None, SAMPLE))
    found = Slowness(collection.name, user, len(page), conf.PAGE_SIZE, statements)
    if collection.has_plan(caller):
        return found
    instances = collection.find_many(caller, [record.id for record in page])
    _, of_rows = _counted(lambda: collection.render(caller, instances))
    per_record = of_rows / max(len(instances), 1)
    return replace(
        found,
        statements=round(statements - of_rows + per_record * conf.PAGE_SIZE),
        per_record=round(per_record, 2),
        fields=_by_field(collection, caller, [record.id for record in page]) if of_rows else (),
        made_by_drf=_drf(collection, caller),
    )


def _drf(collection: Collection, caller: Caller) -> tuple[str, ...]:
    serializer = collection.serializer(caller)
    return tuple(obstacles(collection.model, serializer)) or (type(serializer).__name__,)


def _by_field(
    collection: Collection, caller: Caller, ids: Sequence[Any]
) -> tuple[tuple[str, float], ...]:
    """The fields that run statements, and how many for each record."""
    instances = collection.find_many(caller, ids)
    found = []
    for name, field in collection.serializer(caller).fields.items():
        if field.write_only:
            continue
        _, statements = _counted(lambda: _shown(field, instances))  # noqa: B023 - called at once
        if statements:
            found.append((name, round(statements / len(instances), 2)))
    return tuple(found)


def _shown(field: Any, instances: Iterable[Any]) -> None:
    for instance in instances:
        with contextlib.suppress(SkipField):
            value = field.get_attribute(instance)
            if value is not None:
                field.to_representation(value)


def _counted(act: Callable[[], Any]) -> tuple[Any, int]:
    """The result of ``act``, and the number of statements that it ran on any database."""
    statements = 0

    def count(execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        nonlocal statements
        statements += 1
        return execute(sql, params, many, context)

    with contextlib.ExitStack() as watched:
        for db in connections.all():
            watched.enter_context(db.execute_wrapper(count))
        result = act()
        return result, statements


@contextlib.contextmanager
def _read_only() -> Iterator[None]:
    """A transaction in which the database refuses each write."""
    db = connection()
    on, off = {
        "postgresql": ("SET TRANSACTION READ ONLY", None),
        "sqlite": ("PRAGMA query_only = ON", "PRAGMA query_only = OFF"),
    }.get(db.vendor, (None, None))
    with atomic(), db.cursor() as cursor:
        if on is not None:
            cursor.execute(on)
        try:
            yield
        finally:
            if off is not None:
                cursor.execute(off)
