"""What capture does after ``migrate``: it installs triggers and indexes, and adopts rows.

While tables are altered, ``schema_changes`` keeps their triggers up to date. What is left are the
triggers of new models, indexes, and adoption. If a model had no triggers and clients may know it,
its generation is raised: nobody knows what was written meanwhile.
"""

from __future__ import annotations

from typing import Any

from django.db import connections

from ..conf import conf
from ..models import Change, Feed, Generation, Outbox, Tombstone
from .adoption import adopt, has_unadopted, move_generation
from .base import Spec
from .install import Report, has_more_than, install
from .paths import Model
from .schema_changes import forget
from .specs import spec_for, synced_models


def after_migrate(using: str, **kwargs: Any) -> Report | None:
    """Make triggers, rows and generations fit the models. Cheap if they do already.

    A large table that no client can have seen yet is left for ``sync_adopt``: its rows
    have no scope, so no client gets them meanwhile.
    """
    if using != conf.DATABASE:
        return None
    report = install(using=using)
    forget(using)
    every = synced_models()
    if len(report.skipped) < len(every) and not Feed.objects.using(using).exists():
        # Nobody has read from this database yet, or it was flushed: SQLite's DELETE fires
        # triggers, which write tombstones that must not stay.
        Tombstone.objects.using(using).all().delete()
    for model in every:
        spec = spec_for(model)
        if spec.label in report.skipped:
            continue
        bare = spec.label in report.bare
        lapsed = bare and _has_history(model, using)
        shown = (bare or spec.label in report.rerouted) and _is_shown(spec, using)
        filled = 0
        if shown or has_unadopted(model, using):
            if not shown and has_more_than(spec.table, conf.ADOPT_AT_MIGRATE, using):
                report.postponed.append(spec.label)
                continue
            filled = adopt(model, using)
        if lapsed and not filled:
            move_generation(spec.label, using)
    _report_postponed(report, **kwargs)
    return report


def _report_postponed(
    report: Report, verbosity: int = 0, stdout: Any = None, **kwargs: Any
) -> None:
    if not report.postponed or not verbosity or stdout is None:
        return
    names = " ".join(report.postponed)
    stdout.write(
        f"  Sync: too large to be adopted by migrate: {names}\n"
        f"  Their rows are captured from now on, and shown to clients after:\n"
        f"    python manage.py sync_adopt {names}\n"
    )


def _is_shown(spec: Spec, using: str) -> bool:
    """Whether a row has a scope already; the scope may be wrong."""
    q = connections[using].ops.quote_name
    with connections[using].cursor() as cursor:
        cursor.execute(f"SELECT 1 FROM {q(spec.table)} WHERE {q(spec.scope)} IS NOT NULL LIMIT 1")
        return cursor.fetchone() is not None


def _has_history(model: Model, using: str) -> bool:
    """Whether clients may have seen this model before: then they would miss a gap."""
    label = model._meta.label_lower
    known: tuple[Any, ...] = (Generation, Change, Outbox, Tombstone)
    return model._base_manager.using(using).exists() or any(
        kind.objects.using(using).filter(model=label).exists() for kind in known
    )
