"""Chooses the ``Dialect`` of the database that sync uses."""

from __future__ import annotations

from django.db import NotSupportedError

from ..models.database import connection
from .dialect import Dialect
from .postgresql import PostgreSQL
from .sqlite import SQLite

DIALECTS: dict[str, Dialect] = {"postgresql": PostgreSQL(), "sqlite": SQLite()}


def dialect() -> Dialect:
    """The dialect of ``conf.DATABASE``."""
    vendor = connection().vendor
    if vendor not in DIALECTS:
        raise NotSupportedError(f"django_sync keeps no feed on {vendor}.")
    return DIALECTS[vendor]
