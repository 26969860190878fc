"""Capture: database triggers that let no committed write pass unseen.

This layer writes triggers from models, installs them and looks after them. It knows
nothing of collections, users or HTTP.
"""

from __future__ import annotations

from .adoption import adopt, count, move_generation
from .altering import attend
from .base import QUIET, Spec
from .install import Report, install, uninstall
from .others import has_other_triggers
from .paths import forget_scope_path, root_of, scope_path, set_scope_path
from .specs import spec_for, spec_problems, synced_models
from .survey import (
    installed_models,
    low_revisions,
    outlived,
    raise_revisions,
    wrong_scopes,
)
from .upkeep import Problem, after_migrate, verify

__all__ = [
    "QUIET",
    "Problem",
    "Report",
    "Spec",
    "adopt",
    "after_migrate",
    "attend",
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
    "wrong_scopes",
]
