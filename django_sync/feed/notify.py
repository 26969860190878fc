"""Announce that the feed has grown: a hint to hurry, once a transaction, after its commit.

The feed is the truth, and each reader of it looks at it now and then without a hint. A hint that
is lost costs that time and nothing else. So a notifier must not fail or slow down the write that
calls it: it only wakes a thread or loop.

This file looks at statements, not at models. Django runs each through the connection's execute
wrappers, so it sees ``QuerySet.update``, ``bulk_create`` and most raw SQL. It does not see writes
of another program, and writes inside a ``WITH``: readers find those when they look.
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

Notifier = Callable[[str | None], None]
"""Called with ``None`` if the feed grew, with a user's key if their access changed."""

_notifiers: list[Notifier] = []
_WRITE = re.compile(
    r"\s*(?:INSERT\s+(?:OR\s+\w+\s+)?INTO|UPDATE|DELETE\s+FROM|REPLACE\s+INTO|MERGE\s+INTO)"
    r"\s+(?:ONLY\s+)?(?:[\"\w]+\.)?\"?(\w+)",
    re.IGNORECASE,
)
_HEAD = 300
"""The table's name is within so many characters of a statement."""


def listen(notifier: Notifier) -> None:
    """Call ``notifier`` after each commit that may have changed the feed."""
    if notifier not in _notifiers:
        _notifiers.append(notifier)


def unlisten(notifier: Notifier) -> None:
    """Do not call it any more."""
    if notifier in _notifiers:
        _notifiers.remove(notifier)


def notify_all() -> None:
    """Announce that the feed may have grown."""
    _call(None)


def invalidate(user: Any) -> None:
    """Have a user's open connections check at once what the user may see.

    Call it where access depends on tables that are not synced (a membership, a group). Without
    it, an open connection checks at each heartbeat. It waits for the transaction's commit.
    """
    invalidate_key(str(user.pk))


def invalidate_key(key: str) -> None:
    """The same for the user with this key."""
    on_commit(lambda: _call(key))


def _call(key: str | None) -> None:
    for notifier in tuple(_notifiers):
        try:
            notifier(key)
        except Exception:  # the write has happened; readers find it when they look
            log.exception("a hint was lost")


def watch_connection(connection: Any, **kwargs: Any) -> None:
    """Watch a new connection's statements; for ``connection_created``."""
    if connection.alias == conf.DATABASE and _watch_statements not in connection.execute_wrappers:
        connection.execute_wrappers.append(_watch_statements)


def _watch_statements(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
    """Run a statement; if it wrote to a watched table, notify after the commit.

    Django does not report the commit of a transaction that was begun by hand. Readers find what
    that wrote when they look.
    """
    result = execute(sql, params, many, context)
    connection = context["connection"]
    reports_commit = connection.in_atomic_block or connection.get_autocommit()
    if _notifiers and reports_commit and isinstance(sql, str) and is_write(sql):
        hooks = connection.run_on_commit
        if not (hooks and hooks[-1][1] is notify_all):
            transaction.on_commit(notify_all, using=connection.alias, robust=True)
    return result


def is_write(sql: str) -> bool:
    """Whether a statement begins as a write to a watched table."""
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
