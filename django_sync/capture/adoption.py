"""Takes rows in that were there before the triggers, and those that may have been missed.

``adopt`` gives rows an id and the scope that they should have. Where writes may have gone
unseen, the model's generation moves on, so that clients fetch its objects anew.
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
    """Give rows that have none an id, and all rows the scope that they should have.

    The triggers must be in place: they do it, asked by a value of
    ``sync_revision`` that nobody else writes, and log nothing. Each batch is a
    transaction of its own, so a large table can be left and taken up again: a mark
    stays until the last batch, which moves the generation on.
    Returns how many rows were filled.
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


def has_strangers(model: Model, using: str = "default") -> bool:
    """Whether rows have no id, or lack the scope that they should have, or adoption was left."""
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
    """Whether an adoption was begun and not finished."""
    return Generation.objects.using(using).filter(model=_mark(spec)).exists()


def _mark(spec: Spec) -> str:
    return f"{spec.label} adopting"


def _finish(spec: Spec, using: str) -> None:
    with transaction.atomic(using):
        Generation.objects.using(using).filter(model=_mark(spec)).delete()
        move_generation(spec.label, using)


def _analyze(spec: Spec, using: str) -> None:
    """Tell the planner of the columns that were just filled: a first pull may come at once."""
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
        inner = (
            f"SELECT o.{q(spec.pk)} AS pk FROM {q(spec.table)} AS o "
            f"WHERE {after}{need} ORDER BY o.{q(spec.pk)} LIMIT {size + 1}"
        )
        with connections[using].cursor() as cursor:
            cursor.execute(inner, [] if last is None else [last])
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
    """Tell clients to fetch this model's objects anew: writes may have gone unseen."""
    _, made = Generation.objects.using(using).get_or_create(model=label, defaults={"value": 2})
    if not made:
        Generation.objects.using(using).filter(model=label).update(value=F("value") + 1)
