"""Checks of the triggers in the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core import checks
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from ..capture import verify
from ..conf import conf


def check_capture(
    app_configs: Sequence[AppConfig] | None = None,
    databases: Sequence[str] | None = None,
    **kwargs: Any,
) -> list[checks.CheckMessage]:
    """Each trigger is in place and unaltered: ``check --database default`` looks at the database.

    ``migrate`` runs it too, before it starts. So this is a warning, because an error would keep
    ``migrate`` from repairing capture, and there is none while migrations are not applied.
    """
    if conf.DATABASE not in (databases or ()) or _migrations_wait(conf.DATABASE):
        return []
    return [
        checks.Warning(
            f"Capture is not complete: {problem.kind} {problem.name} {problem.label} "
            f"({problem.detail}). Writes may be missed.",
            hint="Run migrate: it puts triggers back, and adopts rows or names sync_adopt.",
            id="django_sync.W006",
        )
        for problem in verify(conf.DATABASE)
    ]


def _migrations_wait(using: str) -> bool:
    executor = MigrationExecutor(connections[using])
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
