"""Capture: database triggers that record every committed write.

This package makes triggers from models, installs them and keeps them up to date. It knows
nothing of collections, users or HTTP.
"""

from __future__ import annotations

from .adoption import adopt, count, move_generation
from .base import QUIET, Spec
from .install import Report, install, uninstall
from .migration import after_migrate
from .other_triggers import has_other_triggers
from .paths import forget_scope_path, root_of, scope_path, set_scope_path
from .row_checks import (
    installed_models,
    low_revisions,
    outlived,
    raise_revisions,
    wrong_scopes,
)
from .schema_changes import watch_connection
from .specs import spec_for, spec_problems, synced_models
from .verification import Problem, verify

__all__ = [
    "QUIET",
    "Problem",
    "Report",
    "Spec",
    "adopt",
    "after_migrate",
    "count",
    "forget_scope_path",
    "has_other_triggers",
    "install",
    "installed_models",
    "low_revisions",
    "move_generation",
    "outlived",
    "raise_revisions",
    "root_of",
    "scope_path",
    "set_scope_path",
    "spec_for",
    "spec_problems",
    "synced_models",
    "uninstall",
    "verify",
    "watch_connection",
    "wrong_scopes",
]
