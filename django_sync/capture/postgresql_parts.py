"""PostgreSQL: how functions and triggers are named, created and found, and how SQL is qualified.

Functions run as their owner, but with the caller's ``search_path``: they may fire triggers of the
project, which need that path. So each function, type, collation and operator in our functions is
qualified. Otherwise a name in the caller's path could run the caller's code as the owner.
``IS DISTINCT FROM``, ``IN``, ``BETWEEN``, ``NULLIF`` and ``CASE x WHEN`` look up ``=`` and are not
used.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .base import Column, Installed, Part, Spec, digest, way_of

LAST = "zz_django_sync_"
"""The prefix of row triggers. Triggers fire in the order of their names, so these fire after most
triggers of a project: a BEFORE trigger then sees the row as it will be written."""

FIRST = "00_django_sync_"
"""The prefix of statement triggers: they fire before a project's own, which may write the same
rows again."""

EQ, NE, LT, LE, GT, GE, PLUS, MINUS, TIMES = (
    f"OPERATOR(pg_catalog.{sign})" for sign in ("=", "<>", "<", "<=", ">", ">=", "+", "-", "*")
)

TEXT = "pg_catalog.text"

UUID7 = (
    "pg_catalog.encode(pg_catalog.set_bit(pg_catalog.set_bit(pg_catalog.overlay("
    "pg_catalog.uuid_send(pg_catalog.gen_random_uuid()), pg_catalog.substring("
    "pg_catalog.int8send(pg_catalog.floor(pg_catalog.date_part('epoch', "
    f"pg_catalog.clock_timestamp()) {TIMES} 1000)::bigint), 3), 1, 6), 52, 1), 53, 1), 'hex')"
    "::pg_catalog.uuid"
)
"""A UUID of version 7: the first 48 bits are the time in milliseconds, the others are random."""

NOW = "pg_catalog.clock_timestamp()"

SNAPSHOT = f"pg_catalog.current_setting('transaction_isolation') {NE} 'read committed'"
"""Whether the transaction keeps one snapshot: later commits are not visible in it."""


def text(value: str) -> str:
    """A string literal."""
    return "'" + value.replace("'", "''") + "'"


def number(value: int) -> str:
    """A bigint literal."""
    return f"'{value}'::bigint"


class Names:
    """Quoted names, each table with the schema in which this connection finds it."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.quote = connection.ops.quote_name
        self._tables: dict[str, tuple[str, bool]] = {}
        self._foreign: dict[str, dict[str, str]] = {}

    def _find(self, table: str) -> tuple[str, bool]:
        if table not in self._tables:
            with self.connection.cursor() as cursor:
                cursor.execute(
                    "SELECT n.nspname, c.relkind = 'p' OR EXISTS (SELECT FROM pg_inherits i "
                    "WHERE c.oid IN (i.inhrelid, i.inhparent)) FROM pg_class c "
                    "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass(%s)",
                    [self.quote(table)],
                )
                row = cursor.fetchone()
            if row is None:
                raise LookupError(f"There is no table {table}.")
            self._tables[table] = row
        return self._tables[table]

    def schema(self, table: str) -> str:
        return self._find(table)[0]

    def has_other_names(self, table: str) -> bool:
        """Whether a statement can write the table's rows under the name of another table.

        True for partitions, for their parents, and for tables with inheritance. A statement fires
        only the statement triggers of the table that it names.
        """
        return self._find(table)[1]

    def table(self, table: str) -> str:
        return f"{self.quote(self.schema(table))}.{self.quote(table)}"

    def function(self, table: str, name: str) -> str:
        return f"{self.quote(self.schema(table))}.{self.quote(name)}"

    def equal(self, table: str, column: str) -> str:
        """The operator that compares a column: for a type of an extension, the extension's."""
        if table not in self._foreign:
            with self.connection.cursor() as cursor:
                cursor.execute(
                    "SELECT a.attname, n.nspname FROM pg_attribute a "
                    "JOIN pg_type t ON t.oid = a.atttypid "
                    "JOIN pg_operator o ON o.oprname = '=' AND o.oprleft = t.oid "
                    "AND o.oprright = t.oid JOIN pg_namespace n ON n.oid = o.oprnamespace "
                    "WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 "
                    "AND t.typnamespace <> 'pg_catalog'::regnamespace",
                    [self.quote(table)],
                )
                self._foreign[table] = dict(cursor.fetchall())
        schema = self._foreign[table].get(column)
        return f"OPERATOR({self.quote(schema)}.=)" if schema else EQ


def differs(a: str, b: str, equal: str = EQ) -> str:
    """The same as ``a IS DISTINCT FROM b``, with a qualified operator."""
    return f"(({a} {equal} {b}) IS NOT TRUE AND pg_catalog.num_nulls({a}, {b}) {LT} 2)"


class Rows:
    """Comparisons of two rows, column by column."""

    def __init__(self, names: Names) -> None:
        self.q = names.quote

    def differ(self, columns: tuple[Column, ...], a: str = "OLD", b: str = "NEW") -> str:
        return " OR ".join(self.differs(column, a, b) for column in columns) or "false"

    def differs(self, column: Column, a: str = "OLD", b: str = "NEW") -> str:
        as_text = f'::{TEXT} COLLATE pg_catalog."C"' if column.as_text else ""
        name = self.q(column.column)
        return differs(f"{a}.{name}{as_text}", f"{b}.{name}{as_text}")

    def changed_names(self, columns: tuple[Column, ...]) -> str:
        cases = (f"CASE WHEN {self.differs(c)} THEN {text(c.name)} END" for c in columns)
        return f"pg_catalog.concat_ws(',', {', '.join(cases)})" if columns else "''"


def part(
    names: Names,
    spec: Spec,
    table: str,
    kind: str,
    event: str,
    body: str,
    key: str = "",
    options: str = "",
) -> Part:
    """One function and its trigger, under a name by which it is found again.

    ``event`` has the text before and after the table's name, separated by ``@``. ``options`` are
    settings that apply while the function runs.
    """
    whole = "AFTER" in event and "FOR EACH STATEMENT" in event
    name = f"{FIRST if whole else LAST}{kind}_{digest(spec.label, table, kind, key)}"
    function, on, trigger = names.function(table, name), names.table(table), names.quote(name)
    made = "CONSTRAINT TRIGGER" if "DEFERRABLE" in event else "TRIGGER"
    head, tail = event.split("@")
    mark = digest(head, tail, options, way_of(spec))
    note = f"{mark} {way_of(spec)} {spec.label}"
    create = (
        f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql "
        f"SECURITY DEFINER {options} AS $django_sync${body}$django_sync$",
        f"REVOKE ALL ON FUNCTION {function}() FROM PUBLIC",
        f"DROP TRIGGER IF EXISTS {trigger} ON {on}",
        f"CREATE {made} {trigger} {head} ON {on} {tail} EXECUTE FUNCTION {function}()",
        f"COMMENT ON TRIGGER {trigger} ON {on} IS {text(note)}",
    )
    setting = options.removeprefix("SET ").replace(" = ", "=")
    tail = f"|{mark}|O|{True}|{setting}"
    return Part(spec.label, table, name, body + tail, create, tail)


def installed(connection: Any) -> Iterator[Installed]:
    """Each trigger of ours in the schemas that this connection uses.

    Without those that PostgreSQL made on partitions: it adds and removes them itself.
    """
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n.nspname, c.relname, t.tgname, p.prosrc, obj_description(t.oid, 'pg_trigger'),"
            " t.tgenabled::text,"
            " p.prosecdef AND NOT has_function_privilege('public', p.oid, 'EXECUTE'),"
            " coalesce(array_to_string(p.proconfig, ', '), ''),"
            " f.nspname, p.proname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_proc p ON p.oid = t.tgfoid"
            " JOIN pg_namespace f ON f.oid = p.pronamespace WHERE NOT t.tgisinternal"
            " AND t.tgparentid = 0 AND left(t.tgname, %s) = ANY(%s)"
            " AND n.nspname = ANY(current_schemas(false))",
            [len(LAST), [FIRST, LAST]],
        )
        rows = cursor.fetchall()
    for schema, table, name, body, note, enabled, safe, setting, home, function in rows:
        mark, way, label = [*(note or "").split(" "), "", ""][:3]
        drop = (
            f"DROP TRIGGER {quote(name)} ON {quote(schema)}.{quote(table)}",
            f"DROP FUNCTION IF EXISTS {quote(home)}.{quote(function)}()",
        )
        found = f"{body}|{mark}|{enabled}|{safe}|{setting}"
        yield Installed(table, name, found, drop, label, way)


def orphans(connection: Any) -> Iterator[str]:
    """Statements that take away functions of ours whose triggers went with a table or column."""
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n.nspname, p.proname FROM pg_proc p"
            " JOIN pg_namespace n ON n.oid = p.pronamespace"
            " WHERE left(p.proname, %s) = ANY(%s) AND n.nspname = ANY(current_schemas(false))"
            " AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgfoid = p.oid)",
            [len(LAST), [FIRST, LAST]],
        )
        rows = cursor.fetchall()
    for schema, name in rows:
        yield f"DROP FUNCTION {quote(schema)}.{quote(name)}()"
