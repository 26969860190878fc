"""Checks whether triggers can maintain the synced models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core import checks

from ..capture import spec_problems, synced_models


def check_models(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """What triggers cannot maintain of a synced model."""
    return [
        checks.Error(
            problem,
            hint="See “Which models can be synced” in the docs.",
            obj=model,
            id="django_sync.E003",
        )
        for model in synced_models()
        for problem in spec_problems(model)
    ]
