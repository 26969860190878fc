"""What the feed asks of a database in its own way, as one small interface.

Each database has a file with its ``Dialect``; ``dialects`` chooses one. A dialect writes
statements and runs those that only its database knows. It decides nothing about the feed.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from .tables import CHANGE, FEED, GENERATION, OUTBOX

Row = tuple[Any, ...]
"""Epoch, head, floor, the head's mark, the asked position's mark, whether the outbox holds
entries, and the generations as JSON."""


class Dialect(Protocol):
    """One database's way to order and to read the feed."""

    at: str
    """SQL for the column ``at`` of an entry, in UTC."""
    outbox_fills: bool
    """Whether triggers write the outbox; where they write the log, each entry has a position."""

    def id(self, value: uuid.UUID) -> object:
        """A UUID as the parameter of a statement."""

    def among(self, values: Sequence[str] | Sequence[uuid.UUID]) -> tuple[str, object]:
        """SQL for being one of these values, with its one parameter."""

    def lock_feed(self, cursor: Any, wait_ms: int) -> int | None:
        """Lock the feed's row and return its head; ``None`` where there is no row.

        Raises ``OperationalError`` where the lock is not free within ``wait_ms``.
        """

    def move(self, cursor: Any, head: int, limit: int) -> int:
        """Move ``limit`` entries from the outbox to the log behind ``head``; the new head."""

    def is_lock_timeout(self, error: Exception) -> bool:
        """Whether the error says that a lock was not free in time."""

    def one_state(self, db: Any) -> AbstractContextManager[None]:
        """Have a transaction within this context read one state of the database."""

    def check_constraints(self, db: Any) -> None:
        """Check deferred constraints now; raises ``IntegrityError``."""

    def overview(self, *, whole: bool) -> str:
        """The statement that gives a ``Row``, with the position as its one parameter."""

    def quick_overview(self, db: Any, position: int) -> Row | None:
        """A ``Row`` by a shorter way, without the head's mark; ``None`` where there is none."""

    def read(
        self, scopes: Sequence[str], models: Sequence[str], after: int, upto: int, limit: int
    ) -> tuple[str, list[Any]]:
        """The statement for entries of these scopes and models, with its parameters."""


def overview_sql(*, head: str, gather: str, whole: bool, besides: str = "") -> str:
    """The statement of ``Dialect.overview``.

    ``head`` is SQL for the head, ``gather`` for all generations as JSON, ``besides`` one more
    column.
    """
    mark = f"(SELECT mark FROM {CHANGE} WHERE position = h.head)" if whole else "0"
    return (
        f"SELECT h.epoch, h.head, h.floor, {mark},"
        f" (SELECT mark FROM {CHANGE} WHERE position = %s),"
        f" EXISTS (SELECT 1 FROM {OUTBOX}), (SELECT {gather} FROM {GENERATION}){besides}"
        f" FROM (SELECT f.epoch, f.floor, {head} AS head FROM {FEED} f WHERE f.id = 1) h"
    )
