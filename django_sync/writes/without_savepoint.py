"""Runs a single mutation without a savepoint; it needs one only if it fails after a write.

A refusal is stored in the same transaction, so what the mutation wrote before must be undone.
Most refusals come before anything is written: then there is nothing to undo.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from django.db import DatabaseError

from ..models.database import connection
from .cursors import watched_cursors
from .read_only import is_read


class NeedsSavepoint(Exception):
    """The mutation failed after it wrote something; run it again in a savepoint."""


@contextlib.contextmanager
def bare() -> Iterator[None]:
    """Carry out a mutation without a savepoint.

    Raises ``NeedsSavepoint`` in place of an exception that the transaction cannot continue after.
    """
    db = connection()
    hooks, wrote = len(db.run_on_commit), False

    def watch(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        nonlocal wrote
        wrote = wrote or not (isinstance(sql, str) and is_read(sql))
        return execute(sql, params, many, context)

    def note_unseen(name: str) -> None:
        nonlocal wrote
        wrote = True

    try:
        with db.execute_wrapper(watch), watched_cursors(db, note_unseen):
            yield
    except Exception as error:
        broken = isinstance(error, DatabaseError) or isinstance(error.__cause__, DatabaseError)
        if wrote or broken or db.needs_rollback or len(db.run_on_commit) != hooks:
            raise NeedsSavepoint from error
        raise
