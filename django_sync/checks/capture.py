"""The triggers that are in the database."""

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
    """Each trigger is in place and unaltered: ``check --database default`` asks the database.

    ``migrate`` asks too, before it starts. So this is a warning, for an error would keep
    it from putting things right, and nothing is said while migrations wait to be applied.
    """
    if conf.DATABASE not in (databases or ()) or _migrations_wait(conf.DATABASE):
        return []
    return [
        checks.Warning(
            f"Capture is not whole: {problem.kind} {problem.name} {problem.label} "
            f"({problem.detail}). Writes may go unseen.",
            hint="Run migrate: it puts triggers back, and adopts rows or names sync_adopt.",
            id="django_sync.W006",
        )
        for problem in verify(conf.DATABASE)
    ]


def _migrations_wait(using: str) -> bool:
    executor = MigrationExecutor(connections[using])
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
