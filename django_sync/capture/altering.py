"""Capture while tables are altered: every statement that alters one passes here.

Triggers name columns. An altered table takes them with it (SQLite makes it anew) or leaves
them naming what is gone (PostgreSQL). ``watch`` wraps what a connection executes, so it
sees the statements of migrations, of a schema editor used by hand and of ``RunSQL`` alike:

- PostgreSQL: right after such a statement, in its transaction, functions are replaced
  by those for the columns that exist at that moment. No other session ever writes
  a table that its functions do not fit.
- SQLite: triggers that have to do with the table go before it, and are back before the next
  write to rows and before the schema editor commits.

Where content was converted, rather than written by somebody, the generation moves on.
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
"""Whoever switches a trigger off means it; ``verify`` tells of it."""
CONVERSION = re.compile(r"\bALTER\s+(?:COLUMN\s+)?\S+\s+(?:SET\s+DATA\s+)?TYPE\s", re.IGNORECASE)
WIDER = re.compile(r"\bTYPE\s+(?:varchar|character varying)\s*\(\d+\)(?!.*\bUSING\b)", re.I | re.S)
"""Another length alone: what does not fit is an error, so no content becomes another."""
RENAME = re.compile(r'ALTER TABLE "(?!new__)([^"]+)" RENAME TO "([^"]+)"', re.IGNORECASE)
LATE = f"{LAST}late_"
"""The trigger on a table of which the scope may be known only at the commit."""
ROWS = ("INSERT", "UPDATE", "DELETE", "REPLAC", "WITH")

Execute = Callable[[str, Any, bool, Any], Any]


@dataclass(slots=True)
class Away:
    """What SQLite has to put back: triggers that went, and models that may have missed writes."""

    gone: list[Installed] = field(default_factory=list)
    missed: set[str] = field(default_factory=set)


_away: WeakKeyDictionary[Any, Away] = WeakKeyDictionary()

_former: WeakKeyDictionary[Any, dict[str, Installed]] = WeakKeyDictionary()
"""By table: of what model it was, until one by another name takes it, or ``migrate`` ends."""


def attend(connection: Any, **kwargs: Any) -> None:
    """Have a new connection watched. First in the list: others take theirs off its end."""
    if watch not in connection.execute_wrappers:
        connection.execute_wrappers.insert(0, watch)


def watch(execute: Execute, sql: Any, params: Any, many: bool, context: Any) -> Any:
    """Pass a statement on, and keep capture whole if it alters a table."""
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
    elif _away and connection in _away:
        _meanwhile_on_sqlite(connection, str(sql))
    return execute(sql, params, many, context)


def _follow(connection: Any, sql: str) -> None:
    """Note that a table has another name."""
    renamed = RENAME.search(sql)
    former = _former.get(connection, {})
    if renamed is not None and renamed[1] in former:
        former[renamed[2]] = replace(former.pop(renamed[1]), table=renamed[2])


def _concerned(connection: Any, sql: str) -> list[str]:
    """The tables in a statement that triggers stand on or ought to; none if there are none."""
    there = found(connection.alias)
    if not there and connection not in _away and connection not in _former:
        return []
    named = {one.table for one in there} | {t for spec in _specs() for t in spec.tables}
    return [table for table in named if table in sql]


def _specs() -> list[Spec]:
    return [spec_for(model) for model in synced_models()]


def refit(using: str, gone: Iterable[Installed] = ()) -> list[Spec]:
    """Make the triggers of models that had some fit the columns that there are now.

    Those of models that are synced no more go, and so do those of a model
    whose own columns are missing; it has to begin anew.
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
        if old in {one.label for one in former.values()}:  # it had none for a while
            move_generation(new, using)
    labels = {spec.label for spec in specs} | set(renamed)
    former |= {one.table: one for one in before if OWN.match(one.name)}
    for table in [table for table, one in former.items() if one.label in labels]:
        del former[table]
    return fitted


def forget(using: str) -> None:
    """``migrate`` is over: a table that was a model's is no model's now."""
    _former.pop(connections[using], None)


def fit(spec: Spec, have: dict[str, dict[str, bool]]) -> Spec | None:
    """A model's spec as far as its columns are there; None if its own are not.

    A column that the model does not know, because it has yet to be renamed or removed,
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
    """Let a scope column go: the one trigger with a WHEN, which names it, would hold it.

    Django 6.1 drops columns without CASCADE. Where the column stays, the trigger comes back.
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
    away = _away.setdefault(connection, Away())
    gone = [
        one
        for one in found(connection.alias)
        if one.table in tables or any(table in one.text for table in tables)
    ]
    run(connection.alias, [statement for one in gone for statement in one.drop])
    away.gone += gone
    if (renamed := RENAME.search(sql)) is not None:
        old, new = renamed.groups()
        away.gone = [replace(one, table=new) if one.table == old else one for one in away.gone]
    if not connection.in_atomic_block:
        away.missed |= {one.label for one in gone}
    if _converts(connection, sql):
        away.missed |= {spec.label for spec in _specs() if any(t in sql for t in _content(spec))}
    if "DROP COLUMN" in sql.upper():  # SQLite drops none that an index names
        quote = connection.ops.quote_name
        ours = [name for name, on in index_names(connection.alias).items() if on in tables]
        run(connection.alias, [f"DROP INDEX {quote(name)}" for name in ours])


def _content(spec: Spec) -> set[str]:
    return {spec.table, *(child.table for child in spec.children)}


def _converts(connection: Any, sql: str) -> bool:
    """Whether a table that is made anew holds other values than before."""
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
    """Put triggers back if rows are about to be written, or a schema editor to commit."""
    text = sql.lstrip()
    if text.startswith('INSERT INTO "new__'):
        if "coalesce(" in text:  # nulls are filled
            named = {spec.label for spec in _specs() if any(t in sql for t in _content(spec))}
            _away[connection].missed |= named
    elif text.startswith("PRAGMA foreign_key_check") or (
        text.upper().startswith(ROWS) and _concerned(connection, text)
    ):
        _put_back(connection)


def _put_back(connection: Any) -> None:
    away = _away.pop(connection)
    using = connection.alias
    with transaction.atomic(using):
        fitted = refit(using, away.gone)
        index(fitted, using)
        for label in away.missed & {spec.label for spec in fitted}:
            move_generation(label, using)
