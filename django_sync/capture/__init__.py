"""Capture: database triggers that let no committed write pass unseen.

This layer writes triggers from models, installs them and looks after them. It knows
nothing of collections, users or HTTP.
"""

from __future__ import annotations

from .base import QUIET, Spec
from .install import Report, adopt, install, move_generation, uninstall
from .paths import forget_scope_path, root_of, scope_path, set_scope_path
from .specs import spec_for, spec_problems, synced_models
from .survey import (
    installed_models,
    low_revisions,
    outlived,
    raise_revisions,
    without_index,
    wrong_scopes,
)
from .upkeep import Problem, after_migrate, before_migrate, verify

__all__ = [
    "QUIET",
    "Problem",
    "Report",
    "Spec",
    "adopt",
    "after_migrate",
    "before_migrate",
    "forget_scope_path",
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
    "without_index",
    "wrong_scopes",
]
