"""The database of sync: ``DJANGO_SYNC["DATABASE"]``, and how everything here reaches it.

A table of django_sync is asked through its ``BoundManager``, and a transaction begins with
``atomic``. So no caller names the database, and no router of the project is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.db import connections, models, transaction

from ..conf import conf

M = TypeVar("M", bound=models.Model)


class BoundManager(models.Manager[M]):
    """A manager whose queries go to ``DJANGO_SYNC["DATABASE"]``."""

    def get_queryset(self) -> models.QuerySet[M]:
        """A new query; ``using`` still chooses another database."""
        return super().get_queryset().using(self._db or conf.DATABASE)


def connection() -> Any:
    """The connection that all of sync uses."""
    return connections[conf.DATABASE]


def atomic() -> transaction.Atomic:
    """A transaction, or a savepoint in one, on the database of sync."""
    return transaction.atomic(using=conf.DATABASE)


def on_commit(function: Callable[[], object]) -> None:
    """Call ``function`` after the commit; its failure is logged and does no harm."""
    transaction.on_commit(function, using=conf.DATABASE, robust=True)
