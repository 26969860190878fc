"""Capture around ``migrate``, and a look at whether it is whole.

A table that is altered takes its triggers with it (SQLite) or stops them working
(PostgreSQL), so they go before a migration that may touch their tables and come back
after it. What was written between is unknown: those models' generations move on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connections
from django.db.migrations import RunPython

from ..conf import conf
from ..models import Change, Generation, Outbox, Tombstone
from .base import index_name
from .install import (
    Report,
    adopt,
    found,
    index_names,
    install,
    move_generation,
    parts_of,
    run,
    uninstall,
)
from .paths import Model
from .specs import spec_for, synced_models


@dataclass(frozen=True, slots=True)
class Problem:
    """Something amiss: ``missing``, ``altered``, ``stray`` or ``unadopted``."""

    kind: str
    label: str
    name: str
    detail: str


def before_migrate(using: str, plan: Iterable[Any] = (), **kwargs: Any) -> None:
    """Take triggers away if the plan may alter a table that they stand on or read."""
    if using != conf.DATABASE:
        return
    touched = {
        migration.app_label
        for migration, _ in plan
        if any(not isinstance(step, RunPython) for step in migration.operations)
    }
    if not touched:
        return
    homes = {model._meta.db_table: model._meta.app_label for model in apps.get_models(True)}
    specs = [spec_for(model) for model in synced_models()]
    near = [spec for spec in specs if touched & {homes.get(table, "") for table in spec.tables}]
    labels = {spec.label for spec in near}
    kept = {
        (part.table, part.name)
        for spec in specs
        if spec.label not in labels and "django_sync" not in touched
        for part in parts_of_if_there(spec, using)
    }
    uninstall(using, keep=kept)
    if connections[using].vendor == "sqlite":  # which drops no column that an index names
        keep = {index_name(spec) for spec in specs if spec not in near}
        quote = connections[using].ops.quote_name
        run(using, [f"DROP INDEX {quote(name)}" for name in index_names(using) - keep])


def parts_of_if_there(spec: Any, using: str) -> list[Any]:
    """The parts of a spec, or none if its tables are not there yet."""
    try:
        return parts_of(spec, using)
    except LookupError:
        return []


def after_migrate(using: str, **kwargs: Any) -> Report | None:
    """Bring triggers, rows and generations to what the models ask for. Cheap if they are."""
    if using != conf.DATABASE:
        return None
    report = install(using=using)
    changed = {part.label for part in report.made}
    for model in synced_models():
        label = model._meta.label_lower
        if label in report.skipped:
            continue
        lapsed = label in report.bare and _has_history(model, using)
        filled = adopt(model, using) if label in changed or _has_strangers(model, using) else 0
        if lapsed and not filled:
            move_generation(label, using)
    return report


def _has_strangers(model: Model, using: str) -> bool:
    spec = spec_for(model)
    if not spec.own_id:
        return False
    return model._base_manager.using(using).filter(sync_id__isnull=True).exists()


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
    for model in synced_models():
        label = model._meta.label_lower
        if _table_is_there(model, using) and _has_strangers(model, using):
            problems.append(Problem("unadopted", label, "", "rows without an id"))
    return problems


def _table_is_there(model: Model, using: str) -> bool:
    connection = connections[using]
    return model._meta.db_table in connection.introspection.table_names()
