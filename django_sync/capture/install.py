"""Installs the triggers, and removes those that no model needs any more.

``install`` makes the triggers in the database fit the models. ``schema_changes`` does the same
while tables are altered, ``adoption`` fills rows, and ``migration`` does all of it after
``migrate``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import connections, models, transaction

from ..models import Change, Generation, MutationResult, Outbox, Tombstone
from . import postgresql_parts, postgresql_related, sqlite_related
from .base import Child, Installed, Part, Spec, Through, Touch, index_name, way_of
from .paths import Model
from .specs import spec_for, synced_models

INDEX = re.compile("django_sync_[0-9a-f]{12}")

OWN = re.compile("((00|zz)_)?django_sync_(log|insert)_")
"""The name of a trigger on its model's own table, and on no other."""

SMALL = 10_000
"""Up to so many rows, an index is made at once, and the table is locked for that moment."""

FEED_TABLES: tuple[type[models.Model], ...] = (Change, Generation, Outbox, Tombstone)


@dataclass(slots=True)
class Report:
    """What ``install`` did.

    ``bare`` models had no trigger, ``skipped`` ones have no tables, or only some of them;
    ``rerouted`` ones find their scopes by another path than before. ``postponed`` ones are left
    for ``sync_adopt`` by ``after_migrate``.
    """

    made: list[Part]
    dropped: list[Installed]
    bare: list[str]
    skipped: list[str]
    rerouted: list[str]
    postponed: list[str] = field(default_factory=list)


def parts_of(spec: Spec, using: str = "default") -> list[Part]:
    """The triggers that a model needs on this database.

    Raises ``ImproperlyConfigured`` for a database that has no capture.
    """
    connection = connections[using]
    if connection.vendor == "postgresql":
        return list(postgresql_related.parts(connection, spec))
    if connection.vendor == "sqlite":
        return list(sqlite_related.parts(connection, spec))
    raise ImproperlyConfigured(f"django_sync cannot capture writes on {connection.vendor} yet.")


def found(using: str = "default") -> list[Installed]:
    """Our triggers that are installed."""
    connection = connections[using]
    vendor: Any = {"postgresql": postgresql_parts, "sqlite": sqlite_related}.get(connection.vendor)
    return list(vendor.installed(connection)) if vendor else []


def install(models: Iterable[Model] | None = None, using: str = "default") -> Report:
    """Create and replace triggers that differ from what the models need.

    Without ``models``: for all of them, and triggers that no model needs any more are dropped.
    Each table has a transaction of its own, so that its lock is short, unless a model was renamed
    or the database is SQLite. If there is nothing to change, this is cheap.
    """
    specs = [spec_for(model) for model in (synced_models() if models is None else models)]
    have = columns_of(specs, using)
    skipped = [spec.label for spec in specs if not _is_there(spec, have)]
    specs = [spec for spec in specs if spec.label not in skipped]
    before = found(using)
    renamed = renames(specs, before) if models is None else {}
    at_once = renamed or connections[using].vendor == "sqlite"
    with transaction.atomic(using) if at_once else nullcontext():
        made, dropped = put(specs, before, using, alone=models is None)
        for old, new in renamed.items():
            rename_label(old, new, using)
    index(specs, using, alone=models is None)
    ways: dict[str, str] = {renamed.get(one.label, one.label): one.way for one in before}
    return Report(
        made,
        dropped,
        bare=[spec.label for spec in specs if spec.label not in ways],
        skipped=skipped,
        rerouted=[s.label for s in specs if ways.get(s.label, way_of(s)) != way_of(s)],
    )


def put(
    specs: Sequence[Spec], before: Sequence[Installed], using: str, alone: bool
) -> tuple[list[Part], list[Installed]]:
    """Make the triggers of these specs that are missing or differ.

    ``alone``: all other triggers are dropped, and on PostgreSQL functions without a trigger.
    """
    there = {(one.table, one.name): one for one in before}
    wanted = {(p.table, p.name): p for spec in specs for p in parts_of(spec, using)}
    make = [p for key, p in wanted.items() if key not in there or there[key].text != p.text]
    drop = [one for key, one in there.items() if alone and key not in wanted]
    create = {p.name: p.over(there.get((p.table, p.name))) for p in make}
    moved = [one for one in drop if one.name in create]  # its table was renamed
    by_table: dict[str, list[str]] = {one.table: [] for one in drop}
    for one in drop:
        by_table[one.table].extend(one.drop)
    for p in make:
        by_table.setdefault(p.table, []).extend(create[p.name])
    with transaction.atomic(using) if moved else nullcontext():
        run(using, [statement for one in moved for statement in one.drop])
        for table, statements in sorted(by_table.items()):
            left = [s for s in statements if not any(s in one.drop for one in moved)]
            run(using, [*_lock(table, left, using), *left])
    if alone and connections[using].vendor == "postgresql":
        run(using, list(postgresql_parts.orphans(connections[using])))
    return make, drop


def _lock(table: str, statements: Sequence[str], using: str) -> list[str]:
    """The statement that locks a table until its triggers are replaced and committed.

    So no write fires both an old and a new trigger, or neither. To avoid deadlocks, one table is
    locked at a time, and the strongest lock that is needed is taken first. A single statement
    needs no lock.
    """
    if connections[using].vendor != "postgresql" or len(statements) < 2:
        return []
    drops = any(statement.startswith("DROP TRIGGER") for statement in statements)
    kind = "ACCESS" if drops else "SHARE ROW"
    return [f"LOCK TABLE {connections[using].ops.quote_name(table)} IN {kind} EXCLUSIVE MODE"]


def uninstall(using: str = "default") -> list[Installed]:
    """Drop our triggers."""
    gone = found(using)
    run(using, [statement for one in gone for statement in one.drop])
    return gone


def run(using: str, statements: Sequence[str]) -> None:
    """Execute statements, all or none."""
    if not statements:
        return
    with transaction.atomic(using), connections[using].cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


# Models whose label has changed


def renames(specs: Iterable[Spec], before: Iterable[Installed]) -> dict[str, str]:
    """Labels whose table belongs to another model now: it was renamed, or moved to another app."""
    labels = {one.label for one in before}
    old = {one.table: one.label for one in before if OWN.match(one.name) and one.label}
    specs = list(specs)
    current = {spec.label for spec in specs}
    return {
        old[spec.table]: spec.label
        for spec in specs
        if spec.label not in labels and spec.table in old and old[spec.table] not in current
    }


def rename_label(old: str, new: str, using: str = "default") -> None:
    """Move everything that the feed knows of a model to its new label."""
    if Generation.objects.using(using).filter(model=old).exists():
        Generation.objects.using(using).filter(model=new).delete()
    kinds: tuple[Any, ...] = (Generation, Tombstone, Change, Outbox, MutationResult)
    for kind in kinds:
        kind.objects.using(using).filter(model=old).update(model=new)


# Tables


def needs(spec: Spec) -> dict[str, set[str]]:
    """The tables and columns that a model's triggers name."""
    needs: dict[str, set[str]] = {model._meta.db_table: set() for model in FEED_TABLES}
    needs[spec.table] = {spec.id, spec.revision, spec.scope, *(c.column for c in spec.columns)}
    related: tuple[Through | Child | Touch, ...] = (*spec.throughs, *spec.children, *spec.touches)
    for other in related:
        needs.setdefault(other.table, set()).update(c.column for c in other.columns)
    for hop in spec.path.hops if spec.path else ():
        needs.setdefault(hop.table, set()).update({hop.key, hop.column})
    return needs


def columns_of(specs: Iterable[Spec], using: str) -> dict[str, dict[str, bool]]:
    """The existing tables that triggers name: their columns, and which are generated."""
    named = {table for spec in specs for table in needs(spec)}
    connection = connections[using]
    if connection.vendor == "sqlite":
        ask = (
            "SELECT m.name, p.name, p.hidden IN (2, 3) FROM sqlite_master AS m, "
            "pragma_table_xinfo(m.name) AS p WHERE m.type = 'table'"
        )
    else:
        ask = (
            "SELECT c.relname, a.attname, a.attgenerated <> '' FROM pg_class c JOIN pg_attribute a "
            "ON a.attrelid = c.oid WHERE c.relkind IN ('r', 'p') AND pg_table_is_visible(c.oid) "
            "AND a.attnum > 0 AND NOT a.attisdropped"
        )
    have: dict[str, dict[str, bool]] = {}
    with connection.cursor() as cursor:
        cursor.execute(ask)
        for table, column, generated in cursor.fetchall():
            if table in named:
                have.setdefault(table, {})[column] = bool(generated)
    return have


def _is_there(spec: Spec, have: dict[str, dict[str, bool]]) -> bool:
    """Whether the database has what the triggers name; in the middle of migrations it may not."""
    return all(
        table in have and columns <= set(have[table]) for table, columns in needs(spec).items()
    )


# The index over scope and id


def index_names(using: str) -> dict[str, str]:
    """Our indexes that exist and are valid, with their tables."""
    ask = (
        "SELECT name, tbl_name FROM sqlite_master WHERE type = 'index'"
        if connections[using].vendor == "sqlite"
        else "SELECT i.relname, t.relname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid "
        "JOIN pg_class t ON t.oid = x.indrelid JOIN pg_namespace n ON n.oid = i.relnamespace "
        "WHERE n.nspname = ANY(current_schemas(false)) AND x.indisvalid"
    )
    with connections[using].cursor() as cursor:
        cursor.execute(ask)
        return {name: table for name, table in cursor.fetchall() if INDEX.fullmatch(name)}


def index(specs: Sequence[Spec], using: str, alone: bool = False) -> None:
    """Make the indexes that are missing; checked first, because CREATE INDEX locks the table.

    On PostgreSQL outside a transaction, the index of a large table is made without a lock.
    ``alone``: indexes that no model needs are dropped; that of a renamed table is renamed.
    """
    quote = connections[using].ops.quote_name
    there = index_names(using)
    wanted = {index_name(spec): spec for spec in specs}
    spare = {table: name for name, table in there.items() if name not in wanted} if alone else {}
    for name, spec in wanted.items():
        if name in there:
            continue
        old = spare.get(spec.table)
        if old is not None and connections[using].vendor == "postgresql":
            run(using, [f"ALTER INDEX {quote(spare.pop(spec.table))} RENAME TO {quote(name)}"])
            continue
        on = f"{quote(name)} ON {quote(spec.table)} ({quote(spec.scope)}, {quote(spec.id)})"
        if _may_be_concurrent(spec, using):
            with connections[using].cursor() as cursor:  # the rest of an interrupted attempt
                cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {quote(name)}")
                cursor.execute(f"CREATE INDEX CONCURRENTLY {on}")
        else:
            run(using, [f"DROP INDEX IF EXISTS {quote(name)}", f"CREATE INDEX {on}"])
    run(using, [f"DROP INDEX {quote(name)}" for name in spare.values()])


def _may_be_concurrent(spec: Spec, using: str) -> bool:
    connection = connections[using]
    if connection.vendor != "postgresql" or connection.in_atomic_block:
        return False
    return has_more_than(spec.table, SMALL, using)


def has_more_than(table: str, rows: int, using: str) -> bool:
    """Whether a table has more rows than that; it counts no further."""
    quote = connections[using].ops.quote_name
    with connections[using].cursor() as cursor:
        cursor.execute(f"SELECT 1 FROM {quote(table)} LIMIT 1 OFFSET {int(rows)}")
        return cursor.fetchone() is not None
