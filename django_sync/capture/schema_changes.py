"""Keeps triggers up to date while tables are altered.

Triggers name columns. An altered table loses them (SQLite makes a new table) or keeps triggers that
name columns which do not exist any more (PostgreSQL). ``watch`` wraps what a connection executes,
so it sees the statements of migrations, of a schema editor used by hand and of ``RunSQL``:

- PostgreSQL: right after such a statement, in its transaction, functions are replaced
  by those for the columns that exist at that moment. No other session ever writes
  a table that its functions do not fit.
- SQLite: triggers that concern the table are dropped before the statement, and made again before
  the next write to rows and before the schema editor commits.

If the statement itself converts content, the generation is raised.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from weakref import WeakKeyDictionary

from django.apps import apps
from django.db import connections, transaction

from ..conf import conf
from .adoption import move_generation
from .base import UNKNOWN, Child, Column, Installed, Spec
from .install import (
    FEED_TABLES,
    OWN,
    columns_of,
    found,
    index,
    index_names,
    put,
    rename_label,
    renames,
    run,
)
from .postgresql_parts import LAST
from .specs import spec_for, synced_models

DDL = re.compile(
    r"\b(?:CREATE|ALTER|DROP)\s+TABLE\b(?!.*\b(?:EN|DIS)ABLE\b.*\bTRIGGER\b)",
    re.IGNORECASE | re.DOTALL,
)
"""To switch a trigger off is allowed; ``verify`` reports it."""
CONVERSION = re.compile(r"\bALTER\s+(?:COLUMN\s+)?\S+\s+(?:SET\s+DATA\s+)?TYPE\s", re.IGNORECASE)
WIDER = re.compile(r"\bTYPE\s+(?:varchar|character varying)\s*\(\d+\)(?!.*\bUSING\b)", re.I | re.S)
"""Only another length: too long values are an error, so no content changes."""
RENAME = re.compile(r'ALTER TABLE "(?!new__)([^"]+)" RENAME TO "([^"]+)"', re.IGNORECASE)
LATE = f"{LAST}late_"
"""The trigger on a table whose scopes may be known only at the commit."""
ROWS = ("INSERT", "UPDATE", "DELETE", "REPLAC", "WITH")

Execute = Callable[[str, Any, bool, Any], Any]


@dataclass(slots=True)
class Dropped:
    """What SQLite has to restore: dropped triggers, and models that may have missed writes."""

    gone: list[Installed] = field(default_factory=list)
    missed: set[str] = field(default_factory=set)


_dropped: WeakKeyDictionary[Any, Dropped] = WeakKeyDictionary()

_former: WeakKeyDictionary[Any, dict[str, Installed]] = WeakKeyDictionary()
"""By table: the model it belonged to, until another one takes the table, or ``migrate`` ends."""


def watch_connection(connection: Any, **kwargs: Any) -> None:
    """Watch a new connection. First in the list, because others remove theirs from its end."""
    if watch not in connection.execute_wrappers:
        connection.execute_wrappers.insert(0, watch)


def watch(execute: Execute, sql: Any, params: Any, many: bool, context: Any) -> Any:
    """Execute a statement, and keep capture complete if it alters a table."""
    connection = context["connection"]
    alters = isinstance(sql, str) and "TABLE" in sql[:10_000].upper() and DDL.search(sql)
    if alters and apps.ready and connection.alias == conf.DATABASE:
        _follow(connection, sql)
        if connection.vendor == "sqlite":
            _before_on_sqlite(connection, sql)
        elif connection.vendor == "postgresql" and _concerned(connection, sql):
            _before_on_postgresql(connection, sql)
            done = execute(sql, params, many, context)
            _after_on_postgresql(connection, sql)
            return done
    elif _dropped and connection in _dropped:
        _meanwhile_on_sqlite(connection, str(sql))
    return execute(sql, params, many, context)


def _follow(connection: Any, sql: str) -> None:
    """Note that a table is renamed."""
    renamed = RENAME.search(sql)
    former = _former.get(connection, {})
    if renamed is not None and renamed[1] in former:
        former[renamed[2]] = replace(former.pop(renamed[1]), table=renamed[2])


def _concerned(connection: Any, sql: str) -> list[str]:
    """The tables in a statement that have triggers or should have; empty if there are none."""
    there = found(connection.alias)
    if not there and connection not in _dropped and connection not in _former:
        return []
    named = {one.table for one in there} | {t for spec in _specs() for t in spec.tables}
    return [table for table in named if table in sql]


def _specs() -> list[Spec]:
    return [spec_for(model) for model in synced_models()]


def refit(using: str, gone: Iterable[Installed] = ()) -> list[Spec]:
    """Make the triggers of models that had some fit the columns that exist now.

    Triggers of models that are not synced any more are dropped, and so are those of a model
    whose own columns are missing; it has to start again.
    """
    specs, there = _specs(), found(using)
    former = _former.setdefault(connections[using], {})
    before = [*former.values(), *gone, *there]
    renamed = renames(specs, before)
    known = {one.label for one in before} | set(renamed.values())
    have = columns_of(specs, using)
    if not all(kind._meta.db_table in have for kind in FEED_TABLES):
        run(using, [statement for one in there for statement in one.drop])
        return []
    fitted = [f for spec in specs if spec.label in known and (f := fit(spec, have)) is not None]
    put(fitted, there, using, alone=True)
    for old, new in renamed.items():
        rename_label(old, new, using)
        if old in {one.label for one in former.values()}:  # it had no triggers for a while
            move_generation(new, using)
    labels = {spec.label for spec in specs} | set(renamed)
    former |= {one.table: one for one in before if OWN.match(one.name)}
    for table in [table for table, one in former.items() if one.label in labels]:
        del former[table]
    return fitted


def forget(using: str) -> None:
    """``migrate`` has ended: a table that belonged to a model belongs to none now."""
    _former.pop(connections[using], None)


def fit(spec: Spec, have: dict[str, dict[str, bool]]) -> Spec | None:
    """A model's spec as far as its columns exist; None if its own do not.

    A column that the model does not know, because it will be renamed or removed,
    is watched too: a change of it counts as a change of every field.
    """
    own = have.get(spec.table, {})
    ours = {spec.pk, spec.id, spec.revision, spec.scope}
    if not ours <= set(own):
        return None
    known = {c.column for c in spec.columns} | spec.ignored | ours
    every = ",".join(c.name for c in spec.columns)
    strange = [
        Column(every, name, as_text=True)
        for name, generated in own.items()
        if name not in known and not generated
    ]

    def there(table: str, columns: Iterable[str]) -> bool:
        return table in have and set(columns) <= set(have[table])

    def kept(table: str, columns: Sequence[Column]) -> tuple[Column, ...]:
        return tuple(c for c in columns if c.column in have[table])

    path = spec.path
    if path and not (
        there(spec.table, [path.source])
        and all(there(hop.table, [hop.key, hop.column]) for hop in path.hops)
    ):
        path = UNKNOWN
    children: list[Child] = [
        replace(c, columns=kept(c.table, c.columns))
        for c in spec.children
        if there(c.table, [c.link])
    ]
    return replace(
        spec,
        columns=(*kept(spec.table, spec.columns), *strange),
        path=path,
        children=tuple(children),
        throughs=tuple(
            replace(t, columns=kept(t.table, t.columns))
            for t in spec.throughs
            if there(t.table, [t.pk, t.column]) and t.target in own
        ),
        touches=tuple(
            replace(t, columns=kept(t.table, t.columns))
            for t in spec.touches
            if there(t.table, [t.key]) and t.link in own
        ),
    )


# PostgreSQL


def _before_on_postgresql(connection: Any, sql: str) -> None:
    """Allow a scope column to be dropped: the trigger with a WHEN names it, and would block it.

    Django 6.1 drops columns without CASCADE. If the column stays, the trigger is made again.
    """
    dropped = [
        spec.table
        for spec in _specs()
        if f"DROP COLUMN {connection.ops.quote_name(spec.scope)}" in sql
    ]
    holding = [
        statement
        for one in found(connection.alias)
        if one.table in dropped and f'"{one.table}"' in sql and one.name.startswith(LATE)
        for statement in one.drop
    ]
    run(connection.alias, holding)


def _after_on_postgresql(connection: Any, sql: str) -> None:
    with transaction.atomic(connection.alias):
        for spec in refit(connection.alias):
            tables = {spec.table, *(child.table for child in spec.children)}
            altered = any(f'"{table}"' in sql for table in tables)
            if altered and CONVERSION.search(sql) and not WIDER.search(sql):
                move_generation(spec.label, connection.alias)


# SQLite


def _before_on_sqlite(connection: Any, sql: str) -> None:
    tables = _concerned(connection, sql)
    if not tables:
        return
    dropped = _dropped.setdefault(connection, Dropped())
    gone = [
        one
        for one in found(connection.alias)
        if one.table in tables or any(table in one.text for table in tables)
    ]
    run(connection.alias, [statement for one in gone for statement in one.drop])
    dropped.gone += gone
    if (renamed := RENAME.search(sql)) is not None:
        old, new = renamed.groups()
        dropped.gone = [
            replace(one, table=new) if one.table == old else one for one in dropped.gone
        ]
    if not connection.in_atomic_block:
        dropped.missed |= {one.label for one in gone}
    if _converts(connection, sql):
        dropped.missed |= {spec.label for spec in _specs() if any(t in sql for t in _content(spec))}
    if "DROP COLUMN" in sql.upper():  # SQLite drops no column that an index names
        quote = connection.ops.quote_name
        ours = [name for name, on in index_names(connection.alias).items() if on in tables]
        run(connection.alias, [f"DROP INDEX {quote(name)}" for name in ours])


def _content(spec: Spec) -> set[str]:
    return {spec.table, *(child.table for child in spec.children)}


def _converts(connection: Any, sql: str) -> bool:
    """Whether the new table has other values than the old one."""
    dropped = re.match(r'DROP TABLE "([^"]+)"', sql)  # as the schema editor writes it
    if dropped is None:
        return False
    table = dropped[1]
    ask = (
        "SELECT 1 FROM pragma_table_info(%s) AS a JOIN pragma_table_info(%s) AS b "
        "ON a.name = b.name AND a.type <> b.type "
        "AND NOT (a.type LIKE 'varchar(%%' AND b.type LIKE 'varchar(%%')"
    )
    with connection.cursor() as cursor:
        cursor.execute(ask, [table, f"new__{table}"])
        return cursor.fetchone() is not None


def _meanwhile_on_sqlite(connection: Any, sql: str) -> None:
    """Make triggers again before rows are written, or before a schema editor commits."""
    text = sql.lstrip()
    if text.startswith('INSERT INTO "new__'):
        if "coalesce(" in text:  # nulls are filled
            named = {spec.label for spec in _specs() if any(t in sql for t in _content(spec))}
            _dropped[connection].missed |= named
    elif text.startswith("PRAGMA foreign_key_check") or (
        text.upper().startswith(ROWS) and _concerned(connection, text)
    ):
        _restore(connection)


def _restore(connection: Any) -> None:
    dropped = _dropped.pop(connection)
    using = connection.alias
    with transaction.atomic(using):
        fitted = refit(using, dropped.gone)
        index(fitted, using)
        for label in dropped.missed & {spec.label for spec in fitted}:
            move_generation(label, using)
