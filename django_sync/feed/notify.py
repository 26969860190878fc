"""Say that the feed has grown: a hint to hurry, once a transaction, after its commit.

The feed is the truth, and whoever reads it looks by itself now and then; a hint that is lost
costs that time and nothing else. So a bell must not fail or slow the write that rings it: it
only wakes somebody who acts in a thread or loop of their own.

Statements are looked at, not models: Django runs each through the connection's execute wrappers,
so ``QuerySet.update``, ``bulk_create`` and most raw SQL are heard. What is not (another program, a
write inside a ``WITH``) is found by those who look.
"""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Callable
from typing import Any

from django.db import transaction

from ..capture import spec_for, spec_problems, synced_models
from ..conf import conf
from ..models.database import on_commit

log = logging.getLogger("django_sync.announce")

Bell = Callable[[str | None], None]
"""Called with ``None`` where the feed grew, with a user's key where their access changed."""

_bells: list[Bell] = []
_WRITE = re.compile(
    r"\s*(?:INSERT\s+(?:OR\s+\w+\s+)?INTO|UPDATE|DELETE\s+FROM|REPLACE\s+INTO|MERGE\s+INTO)"
    r"\s+(?:ONLY\s+)?(?:[\"\w]+\.)?\"?(\w+)",
    re.IGNORECASE,
)
_HEAD = 300
"""Characters of a statement in which its table stands."""


def listen(bell: Bell) -> None:
    """Have ``bell`` called after each commit that may have changed the feed."""
    if bell not in _bells:
        _bells.append(bell)


def unlisten(bell: Bell) -> None:
    """Have it called no more."""
    if bell in _bells:
        _bells.remove(bell)


def ring() -> None:
    """Tell all that the feed may have grown."""
    _tell(None)


def invalidate(user: Any) -> None:
    """Have a user's open connections look again at what they may, at once.

    For access that hangs on tables which are not synced (a membership, a group); without it an
    open connection looks at each heartbeat. Waits for the transaction's commit.
    """
    invalidate_key(str(user.pk))


def invalidate_key(key: str) -> None:
    """The same of the user with this key."""
    on_commit(lambda: _tell(key))


def _tell(key: str | None) -> None:
    for bell in tuple(_bells):
        try:
            bell(key)
        except Exception:  # the write has happened, and is told of later by whoever looks
            log.exception("a hint was lost")


def attend(connection: Any, **kwargs: Any) -> None:
    """Listen to a new connection's statements; for ``connection_created``."""
    if connection.alias == conf.DATABASE and _heard not in connection.execute_wrappers:
        connection.execute_wrappers.append(_heard)


def _heard(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
    """Run a statement; where it wrote to a table that is watched, ring after the commit.

    Of a transaction that was begun by hand nobody tells when it commits; who waits finds what it
    wrote at the next look of their own.
    """
    result = execute(sql, params, many, context)
    connection = context["connection"]
    told = connection.in_atomic_block or connection.get_autocommit()
    if _bells and told and isinstance(sql, str) and is_write(sql):
        waiting = connection.run_on_commit
        if not (waiting and waiting[-1][1] is ring):
            transaction.on_commit(ring, using=connection.alias, robust=True)
    return result


def is_write(sql: str) -> bool:
    """Whether a statement begins as a write to a table that a record is made from."""
    found = _WRITE.match(sql, 0, _HEAD)
    return found is not None and found[1] in watched_tables()


@functools.cache
def watched_tables() -> frozenset[str]:
    """The tables on which triggers write down changes."""
    tables: set[str] = set()
    for model in synced_models():
        if not spec_problems(model):
            spec = spec_for(model)
            tables |= {spec.table}
            tables |= {part.table for part in spec.throughs}
            tables |= {part.table for part in spec.children}
            tables |= {part.table for part in spec.touches}
    return frozenset(tables)
