"""Checks the rows of a synced table for states that triggers should prevent.

It reads in batches by primary key; only ``raise_revisions`` writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.db import connections, transaction

from ..conf import conf
from ..models import Tombstone
from . import postgresql, sqlite
from .adoption import move_generation
from .base import Spec
from .install import found, install, run
from .paths import Model
from .specs import spec_for, synced_models

TOMBSTONE = Tombstone._meta.db_table


class Stray(NamedTuple):
    """A row whose scope is not what its path gives."""

    id: Any
    scope: str | None
    right: str | None


def installed_models(using: str) -> list[Model]:
    """The synced models whose tables exist and have our columns."""
    connection = connections[using]
    there, models = set(connection.introspection.table_names()), []
    with connection.cursor() as cursor:
        for model in synced_models():
            spec = spec_for(model)
            if spec.table in there:
                description = connection.introspection.get_table_description(cursor, spec.table)
                if {spec.id, spec.revision, spec.scope} <= {column.name for column in description}:
                    models.append(model)
    return models


def wrong_scopes(model: Model, using: str, batch: int | None = None) -> Iterator[list[Stray]]:
    """For each batch of rows, those whose scope is not the one that is computed now."""
    spec, q = spec_for(model), connections[using].ops.quote_name
    sqlite_ = connections[using].vendor == "sqlite"
    writer: Any = sqlite.Writer if sqlite_ else postgresql.Writer
    right = writer(connections[using], spec).scope_of("o")
    differs = "IS NOT" if sqlite_ else "IS DISTINCT FROM"
    pk, scope = f"o.{q(spec.pk)}", f"o.{q(spec.scope)}"
    for low, high in _ranges(spec, using, batch or conf.ADOPT_BATCH):
        with connections[using].cursor() as cursor:
            cursor.execute(
                f"SELECT o.{q(spec.id)}, {scope}, {right} FROM {q(spec.table)} AS o "
                f"WHERE {pk} >= %s AND {pk} <= %s AND o.{q(spec.id)} IS NOT NULL "
                f"AND {scope} {differs} {right} ORDER BY {pk}",
                [low, high],
            )
            yield [Stray(*row) for row in cursor.fetchall()]


def _ranges(spec: Spec, using: str, size: int) -> Iterator[tuple[Any, Any]]:
    """The first and last primary key of each batch of rows."""
    q, last = connections[using].ops.quote_name, None
    while True:
        after = "" if last is None else f"WHERE {q(spec.pk)} > %s "
        with connections[using].cursor() as cursor:
            cursor.execute(
                f"SELECT {q(spec.pk)} FROM {q(spec.table)} {after}"
                f"ORDER BY {q(spec.pk)} LIMIT {size}",
                [] if last is None else [last],
            )
            keys = [key for (key,) in cursor.fetchall()]
        if not keys:
            return
        last = keys[-1]
        yield keys[0], last


def low_revisions(model: Model, using: str) -> list[Any]:
    """The ids of rows with a revision below 1."""
    spec, q = spec_for(model), connections[using].ops.quote_name
    return _ids(using, f"SELECT {q(spec.id)} FROM {q(spec.table)} WHERE {q(spec.revision)} < 1", [])


def outlived(model: Model, using: str) -> list[Any]:
    """The ids of objects whose revision is not above that of their tombstone."""
    spec, q = spec_for(model), connections[using].ops.quote_name
    return _ids(
        using,
        f"SELECT o.{q(spec.id)} FROM {q(spec.table)} AS o JOIN {TOMBSTONE} AS t "
        f"ON t.object_id = o.{q(spec.id)} AND t.model = %s AND t.revision >= o.{q(spec.revision)}",
        [spec.label],
    )


def _ids(using: str, select: str, values: list[Any]) -> list[Any]:
    with connections[using].cursor() as cursor:
        cursor.execute(select, values)
        return [id for (id,) in cursor.fetchall()]


def raise_revisions(model: Model, using: str) -> None:
    """Raise each row's revision to at least 1, and above its tombstone's.

    The table's triggers protect the revision, so they are dropped and made again, all in one
    transaction that locks the table.
    """
    spec, q = spec_for(model), connections[using].ops.quote_name
    table, revision = q(spec.table), q(spec.revision)
    grave = (
        f"FROM {TOMBSTONE} AS t WHERE t.object_id = {table}.{q(spec.id)} AND t.model = %s "
        f"AND t.revision >= {table}.{revision}"
    )
    away = [part for one in found(using) if one.table == spec.table for part in one.drop]
    with transaction.atomic(using):
        run(using, away)
        with connections[using].cursor() as cursor:
            cursor.execute(f"UPDATE {table} SET {revision} = 1 WHERE {revision} < 1")
            cursor.execute(
                f"UPDATE {table} SET {revision} = (SELECT t.revision + 1 {grave}) "
                f"WHERE EXISTS (SELECT 1 {grave})",
                [spec.label, spec.label],
            )
        install(using=using)
        move_generation(spec.label, using)
