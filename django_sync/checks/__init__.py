"""System checks: set-up mistakes, each with an id and a hint of what to write instead."""

from __future__ import annotations

from django.core import checks

from .capture import check_capture
from .models import check_models
from .push import check_push
from .settings import check_settings
from .viewsets import check_collections


def enlist() -> None:
    """Register the checks with Django."""
    checks.register(check_settings, "django_sync")
    checks.register(check_push, "django_sync")
    checks.register(check_models, checks.Tags.models)
    checks.register(check_collections, "django_sync")
    checks.register(check_capture, checks.Tags.database)


__all__ = [
    "check_capture",
    "check_collections",
    "check_models",
    "check_push",
    "check_settings",
    "enlist",
]
