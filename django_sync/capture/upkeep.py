"""Capture after ``migrate``, and a look at whether it is whole.

While tables are altered, ``altering`` keeps triggers fitting. What is left for the end: the
triggers of models that are new, indexes, adoption. A model that had been without triggers, and
that somebody may know, moves its generation on: what was written meanwhile is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connections

from ..conf import conf
from ..models import Change, Feed, Generation, Outbox, Tombstone
from .adoption import adopt, has_strangers, move_generation
from .altering import forget
from .base import Spec, index_name
from .install import Report, found, has_more_than, index_names, install, parts_of
from .paths import Model
from .specs import spec_for, synced_models


@dataclass(frozen=True, slots=True)
class Problem:
    """Something amiss: ``missing``, ``altered``, ``stray``, ``index`` or ``unadopted``."""

    kind: str
    label: str
    name: str
    detail: str


def parts_of_if_there(spec: Any, using: str) -> list[Any]:
    """The parts of a spec, or none if its tables are not there yet."""
    try:
        return parts_of(spec, using)
    except LookupError:
        return []


def after_migrate(using: str, **kwargs: Any) -> Report | None:
    """Bring triggers, rows and generations to what the models ask for. Cheap if they are.

    A large table that no client can have seen yet is left for ``sync_adopt``: its rows
    have no scope, so nobody is shown them meanwhile.
    """
    if using != conf.DATABASE:
        return None
    report = install(using=using)
    forget(using)
    every = synced_models()
    if len(report.skipped) < len(every) and not Feed.objects.using(using).exists():
        # A database of which nobody has read yet, or one that was flushed: SQLite's DELETE
        # fires triggers, and buries what is to be forgotten.
        Tombstone.objects.using(using).all().delete()
    for model in every:
        spec = spec_for(model)
        if spec.label in report.skipped:
            continue
        bare = spec.label in report.bare
        lapsed = bare and _has_history(model, using)
        shown = (bare or spec.label in report.rerouted) and _is_shown(spec, using)
        filled = 0
        if shown or has_strangers(model, using):
            if not shown and has_more_than(spec.table, conf.ADOPT_AT_MIGRATE, using):
                report.postponed.append(spec.label)
                continue
            filled = adopt(model, using)
        if lapsed and not filled:
            move_generation(spec.label, using)
    _tell(report, **kwargs)
    return report


def _tell(report: Report, verbosity: int = 0, stdout: Any = None, **kwargs: Any) -> None:
    if not report.postponed or not verbosity or stdout is None:
        return
    names = " ".join(report.postponed)
    stdout.write(
        f"  Sync: too large to be adopted by migrate: {names}\n"
        f"  Their rows are captured from now on, and shown to clients after:\n"
        f"    python manage.py sync_adopt {names}\n"
    )


def _is_shown(spec: Spec, using: str) -> bool:
    """Whether a row has a scope already, which may be a wrong one."""
    q = connections[using].ops.quote_name
    with connections[using].cursor() as cursor:
        cursor.execute(f"SELECT 1 FROM {q(spec.table)} WHERE {q(spec.scope)} IS NOT NULL LIMIT 1")
        return cursor.fetchone() is not None


def _has_history(model: Model, using: str) -> bool:
    """Whether anybody can have seen this model before: then a gap would be missed."""
    label = model._meta.label_lower
    known: tuple[Any, ...] = (Generation, Change, Outbox, Tombstone)
    return model._base_manager.using(using).exists() or any(
        kind.objects.using(using).filter(model=label).exists() for kind in known
    )


def verify(using: str = "default") -> list[Problem]:
    """What is amiss with capture on a database; an empty list if nothing is."""
    specs = [spec_for(model) for model in synced_models()]
    wanted = {(p.table, p.name): p for spec in specs for p in parts_of_if_there(spec, using)}
    there = {(one.table, one.name): one for one in found(using)}
    problems = []
    for key, part in wanted.items():
        table, name = key
        if key not in there:
            problems.append(Problem("missing", part.label, name, f"no trigger on {table}"))
        elif there[key].text != part.text:
            problems.append(Problem("altered", part.label, name, f"differs on {table}"))
    for table, name in there.keys() - wanted.keys():
        problems.append(Problem("stray", "", name, f"nobody asks for it on {table}"))
    tables, indexes = set(connections[using].introspection.table_names()), index_names(using)
    for model, spec in zip(synced_models(), specs, strict=True):
        if spec.table not in tables:
            continue
        if index_name(spec) not in indexes:
            detail = f"no index on {spec.table}"
            problems.append(Problem("index", spec.label, index_name(spec), detail))
        if has_strangers(model, using):
            problems.append(Problem("unadopted", spec.label, "", "rows without an id or a scope"))
    return problems
