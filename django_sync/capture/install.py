"""Puts the triggers in place, takes rows in that were there before, and looks after both.

``install`` makes the database what the models ask for and no more; ``adopt`` gives
rows an id and a scope; ``after_migrate`` and ``before_migrate`` do it around
``migrate``; ``verify`` tells what is amiss. Where writes may have gone unseen, the model's
generation moves on, so that clients fetch its objects anew.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import connections, models, transaction
from django.db.models import F

from ..conf import conf
from ..models import Change, Generation, Outbox, Tombstone
from . import postgresql, postgresql_around, postgresql_parts, sqlite, sqlite_around
from .base import QUIET, Child, Installed, Part, Spec, Through, Touch, index_name
from .paths import Model
from .specs import spec_for, synced_models

INDEX = re.compile("django_sync_[0-9a-f]{12}")

Progress = Callable[[str, int], None]

FEED_TABLES: tuple[type[models.Model], ...] = (Change, Generation, Outbox, Tombstone)


@dataclass(slots=True)
class Report:
    """What ``install`` did.

    ``bare`` had been without any trigger, ``skipped`` have no tables, or half of them.
    """

    made: list[Part]
    dropped: list[Installed]
    bare: list[str]
    skipped: list[str]


def parts_of(spec: Spec, using: str = "default") -> list[Part]:
    """The triggers that a model needs on this database.

    Raises ``ImproperlyConfigured`` for a database that has no capture.
    """
    connection = connections[using]
    if connection.vendor == "postgresql":
        return list(postgresql_around.parts(connection, spec))
    if connection.vendor == "sqlite":
        return list(sqlite_around.parts(connection, spec))
    raise ImproperlyConfigured(f"django_sync cannot capture writes on {connection.vendor} yet.")


def found(using: str = "default") -> list[Installed]:
    """The triggers of ours that are there."""
    connection = connections[using]
    vendor: Any = {"postgresql": postgresql_parts, "sqlite": sqlite_around}.get(connection.vendor)
    return list(vendor.installed(connection)) if vendor else []


def install(models: Iterable[Model] | None = None, using: str = "default") -> Report:
    """Create and replace triggers where they differ from what the models ask for.

    Without ``models``: for all of them, and triggers that nobody asks for any more go.
    Runs in one transaction; does nothing, and cheaply, where all is well.
    """
    specs = [spec_for(model) for model in (synced_models() if models is None else models)]
    have = _tables(specs, using)
    skipped = [spec.label for spec in specs if not _is_there(spec, have)]
    specs = [spec for spec in specs if spec.label not in skipped]
    there = {(one.table, one.name): one for one in found(using)}
    wanted = [part for spec in specs for part in parts_of(spec, using)]
    make = [
        p for p in wanted if (old := there.get((p.table, p.name))) is None or old.text != p.text
    ]
    own = {(part.table, part.name) for part in wanted}
    drop = [] if models is not None else [one for key, one in there.items() if key not in own]
    present = {part.label for part in wanted if (part.table, part.name) in there}
    bare = [spec.label for spec in specs if spec.label not in present]
    statements = [s for one in drop for s in one.drop] + [s for part in make for s in part.create]
    run(using, statements)
    _index(specs, using)
    return Report(make, drop, bare, skipped)


def uninstall(using: str = "default", keep: Iterable[tuple[str, str]] = ()) -> list[Installed]:
    """Take our triggers away, but for those that ``keep`` names by table and name."""
    kept = set(keep)
    gone = [one for one in found(using) if (one.table, one.name) not in kept]
    run(using, [statement for one in gone for statement in one.drop])
    return gone


def run(using: str, statements: Sequence[str]) -> None:
    """Execute statements, all or none."""
    if not statements:
        return
    with transaction.atomic(using), connections[using].cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _needs(spec: Spec) -> dict[str, set[str]]:
    """Tables and columns that a model's triggers name."""
    needs: dict[str, set[str]] = {model._meta.db_table: set() for model in FEED_TABLES}
    needs[spec.table] = {spec.id, spec.revision, spec.scope, *(c.column for c in spec.columns)}
    around: tuple[Through | Child | Touch, ...] = (*spec.throughs, *spec.children, *spec.touches)
    for other in around:
        needs.setdefault(other.table, set()).update(c.column for c in other.columns)
    for hop in spec.path.hops if spec.path else ():
        needs.setdefault(hop.table, set()).update({hop.key, hop.column})
    return needs


def _tables(specs: Iterable[Spec], using: str) -> dict[str, set[str]]:
    """The tables that are named and there, with their columns."""
    connection = connections[using]
    named = {table for spec in specs for table in _needs(spec)}
    with connection.cursor() as cursor:
        there = named & set(connection.introspection.table_names(cursor))
        describe = connection.introspection.get_table_description
        return {table: {c.name for c in describe(cursor, table)} for table in there}


def _is_there(spec: Spec, have: dict[str, set[str]]) -> bool:
    """Whether the database has what the triggers name: not so while half migrated."""
    return all(table in have and columns <= have[table] for table, columns in _needs(spec).items())


def index_names(using: str) -> set[str]:
    """The indexes of ours that are there."""
    found = (
        "SELECT name FROM sqlite_master WHERE type = 'index'"
        if connections[using].vendor == "sqlite"
        else "SELECT indexname FROM pg_indexes WHERE schemaname = ANY(current_schemas(false))"
    )
    with connections[using].cursor() as cursor:
        cursor.execute(found)
        return {name for (name,) in cursor.fetchall() if INDEX.fullmatch(name)}


def _index(specs: Iterable[Spec], using: str) -> None:
    """Make the indexes that are missing; asked first, for CREATE INDEX locks the table."""
    connection = connections[using]
    quote = connection.ops.quote_name
    there = index_names(using)
    create = [
        f"CREATE INDEX {quote(index_name(spec))} "
        f"ON {quote(spec.table)} ({quote(spec.scope)}, {quote(spec.id)})"
        for spec in specs
        if index_name(spec) not in there
    ]
    run(using, create)


# Adoption


def adopt(
    model: Model, using: str = "default", batch: int | None = None, progress: Progress | None = None
) -> int:
    """Give rows that have none an id, and all rows the scope that they should have.

    The triggers must be in place: they do it, asked by a value of
    ``sync_revision`` that nobody else writes, and log nothing. Each batch is a
    transaction of its own, so a large table can be left and taken up again.
    Returns how many rows were filled.
    """
    spec = spec_for(model)
    filled = 0
    for low, high in _batches(spec, using, batch or conf.ADOPT_BATCH):
        with transaction.atomic(using), connections[using].cursor() as cursor:
            cursor.execute(_adoption(spec, using), [low, high])
            filled += cursor.rowcount
        if progress is not None:
            progress(spec.label, filled)
    if filled:
        _analyze(spec, using)
        move_generation(spec.label, using)
    return filled


def _analyze(spec: Spec, using: str) -> None:
    """Tell the planner of the columns that were just filled: a first pull may come at once."""
    connection = connections[using]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {connection.ops.quote_name(spec.table)}")


def _batches(spec: Spec, using: str, size: int) -> Iterator[tuple[Any, Any]]:
    q = connections[using].ops.quote_name
    need, last = _unadopted(spec, using), None
    while True:
        after = "" if last is None else f"o.{q(spec.pk)} > %s AND "
        inner = (
            f"SELECT o.{q(spec.pk)} AS pk FROM {q(spec.table)} AS o "
            f"WHERE {after}{need} ORDER BY o.{q(spec.pk)} LIMIT {size}"
        )
        with connections[using].cursor() as cursor:
            cursor.execute(inner, [] if last is None else [last])
            keys = [row[0] for row in cursor.fetchall()]
        if not keys:
            return
        last = keys[-1]
        yield keys[0], last


def _unadopted(spec: Spec, using: str) -> str:
    connection = connections[using]
    q = connection.ops.quote_name
    writer: Any = sqlite.Writer if connection.vendor == "sqlite" else postgresql.Writer
    differs = "IS NOT" if connection.vendor == "sqlite" else "IS DISTINCT FROM"
    right = writer(connection, spec).scope_of("o")
    return f"(o.{q(spec.id)} IS NULL OR o.{q(spec.scope)} {differs} {right})"


def _adoption(spec: Spec, using: str) -> str:
    q = connections[using].ops.quote_name
    pk = f"o.{q(spec.pk)}"
    return (
        f"UPDATE {q(spec.table)} AS o SET {q(spec.revision)} = {QUIET} "
        f"WHERE {pk} >= %s AND {pk} <= %s AND {_unadopted(spec, using)}"
    )


def move_generation(label: str, using: str = "default") -> None:
    """Tell clients to fetch this model's objects anew: writes may have gone unseen."""
    _, made = Generation.objects.using(using).get_or_create(model=label, defaults={"value": 2})
    if not made:
        Generation.objects.using(using).filter(model=label).update(value=F("value") + 1)
