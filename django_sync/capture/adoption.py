"""Adopts rows that are older than the triggers, and rows that triggers may have missed.

``adopt`` gives rows an id and the scope that they should have. If writes may have been missed,
the model's generation is raised, so that clients fetch its objects again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.db import connections, transaction
from django.db.models import F

from ..conf import conf
from ..models import Generation
from . import postgresql, sqlite
from .base import QUIET, Spec
from .paths import Model
from .specs import spec_for

Progress = Callable[[str, int], None]


def adopt(
    model: Model, using: str = "default", batch: int | None = None, progress: Progress | None = None
) -> int:
    """Give an id to rows without one, and all rows the scope that they should have.

    The triggers must be installed: they do this when ``sync_revision`` is set to a value that
    nobody else writes, and they log nothing. Each batch is a transaction of its own, so
    adoption of a large table can stop and continue later: a mark stays until the last
    batch, which raises the generation. Returns how many rows were filled.
    """
    spec = spec_for(model)
    filled = 0
    size = batch or conf.ADOPT_BATCH
    for nth, (low, high, more) in enumerate(_batches(spec, using, size)):
        with transaction.atomic(using), connections[using].cursor() as cursor:
            cursor.execute(_adoption(spec, using), [low, high])
            filled += cursor.rowcount
            if not more:
                _finish(spec, using)
            elif nth == 0:
                Generation.objects.using(using).get_or_create(model=_mark(spec))
        if progress is not None:
            progress(spec.label, filled)
    if filled:
        _analyze(spec, using)
    elif is_begun(spec, using):
        _finish(spec, using)
    return filled


def count(model: Model, using: str = "default") -> int:
    """How many rows ``adopt`` would fill."""
    spec = spec_for(model)
    table = connections[using].ops.quote_name(spec.table)
    with connections[using].cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table} AS o WHERE {_unadopted(spec, using)}")
        found: int = cursor.fetchone()[0]
    return found


def has_unadopted(model: Model, using: str = "default") -> bool:
    """Whether rows lack their id or scope, or an adoption was not finished."""
    spec = spec_for(model)
    q = connections[using].ops.quote_name
    found = f"SELECT 1 FROM {q(spec.table)} AS o WHERE "
    right = _writer(spec, using).scope_of("o")
    lacking = f"o.{q(spec.scope)} IS NULL AND {right} IS NOT NULL"
    with connections[using].cursor() as cursor:
        for where in (f"o.{q(spec.id)} IS NULL", lacking):
            cursor.execute(f"{found}{where} LIMIT 1")
            if cursor.fetchone():
                return True
    return is_begun(spec, using)


def is_begun(spec: Spec, using: str) -> bool:
    """Whether an adoption was started and not finished."""
    return Generation.objects.using(using).filter(model=_mark(spec)).exists()


def _mark(spec: Spec) -> str:
    return f"{spec.label} adopting"


def _finish(spec: Spec, using: str) -> None:
    with transaction.atomic(using):
        Generation.objects.using(using).filter(model=_mark(spec)).delete()
        move_generation(spec.label, using)


def _analyze(spec: Spec, using: str) -> None:
    """Update the planner's statistics of the filled columns: a first pull may come at once."""
    connection = connections[using]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {connection.ops.quote_name(spec.table)}")


def _batches(spec: Spec, using: str, size: int) -> Iterator[tuple[Any, Any, bool]]:
    """First and last key of each batch, and whether another one comes."""
    q = connections[using].ops.quote_name
    need, last, more = _unadopted(spec, using), None, True
    while more:
        after = "" if last is None else f"o.{q(spec.pk)} > %s AND "
        select = (
            f"SELECT o.{q(spec.pk)} AS pk FROM {q(spec.table)} AS o "
            f"WHERE {after}{need} ORDER BY o.{q(spec.pk)} LIMIT {size + 1}"
        )
        with connections[using].cursor() as cursor:
            cursor.execute(select, [] if last is None else [last])
            keys = [row[0] for row in cursor.fetchall()]
        if not keys:
            return
        more = len(keys) > size
        last = keys[:size][-1]
        yield keys[0], last, more


def _writer(spec: Spec, using: str) -> Any:
    connection = connections[using]
    writer: Any = sqlite.Writer if connection.vendor == "sqlite" else postgresql.Writer
    return writer(connection, spec)


def _unadopted(spec: Spec, using: str) -> str:
    q = connections[using].ops.quote_name
    differs = "IS NOT" if connections[using].vendor == "sqlite" else "IS DISTINCT FROM"
    right = _writer(spec, using).scope_of("o")
    return f"(o.{q(spec.id)} IS NULL OR o.{q(spec.scope)} {differs} {right})"


def _adoption(spec: Spec, using: str) -> str:
    q = connections[using].ops.quote_name
    pk = f"o.{q(spec.pk)}"
    return (
        f"UPDATE {q(spec.table)} AS o SET {q(spec.revision)} = {QUIET} "
        f"WHERE {pk} >= %s AND {pk} <= %s AND {_unadopted(spec, using)}"
    )


def move_generation(label: str, using: str = "default") -> None:
    """Make clients fetch this model's objects again: writes may have been missed."""
    _, made = Generation.objects.using(using).get_or_create(model=label, defaults={"value": 2})
    if not made:
        Generation.objects.using(using).filter(model=label).update(value=F("value") + 1)
