"""PostgreSQL: how functions and triggers are named, made and found again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .base import Installed, Part, Spec, digest, way_of

PREFIX = "zz_django_sync_"
"""Triggers fire in the order of their names; ours have the last word."""


class Names:
    """Quoted names, each table with the schema in which this connection finds it."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.quote = connection.ops.quote_name
        self._tables: dict[str, str] = {}

    def schema(self, table: str) -> str:
        if table not in self._tables:
            with self.connection.cursor() as cursor:
                cursor.execute(
                    "SELECT n.nspname FROM pg_class c JOIN pg_namespace n "
                    "ON n.oid = c.relnamespace WHERE c.oid = to_regclass(%s)",
                    [self.quote(table)],
                )
                row = cursor.fetchone()
            if row is None:
                raise LookupError(f"There is no table {table}.")
            self._tables[table] = row[0]
        return self._tables[table]

    def table(self, table: str) -> str:
        return f"{self.quote(self.schema(table))}.{self.quote(table)}"

    def function(self, table: str, name: str) -> str:
        return f"{self.quote(self.schema(table))}.{self.quote(name)}"


def text(value: str) -> str:
    """A string literal."""
    return "'" + value.replace("'", "''") + "'"


def part(
    names: Names, spec: Spec, table: str, kind: str, event: str, body: str, key: str = ""
) -> Part:
    """One function with its one trigger, named so that it is found again."""
    name = f"{PREFIX}{kind}_{digest(spec.label, table, kind, key)}"
    function, on, trigger = names.function(table, name), names.table(table), names.quote(name)
    made = "CONSTRAINT TRIGGER" if "DEFERRABLE" in event else "TRIGGER"
    head, tail = event.split("@")
    mark = digest(head, tail, way_of(spec))
    note = f"{mark} {way_of(spec)} {spec.label}"
    create = (
        f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql "
        "SECURITY DEFINER SET search_path = pg_catalog, pg_temp "
        f"AS $django_sync${body}$django_sync$",
        f"DROP TRIGGER IF EXISTS {trigger} ON {on}",
        f"CREATE {made} {trigger} {head} ON {on} {tail} EXECUTE FUNCTION {function}()",
        f"COMMENT ON TRIGGER {trigger} ON {on} IS {text(note)}",
    )
    tail = f"|{mark}|O|{True}"
    return Part(spec.label, table, name, body + tail, create, tail)


def installed(connection: Any) -> Iterator[Installed]:
    """Each trigger of ours in the schemas that this connection looks into."""
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n.nspname, c.relname, t.tgname, p.prosrc, obj_description(t.oid, 'pg_trigger'),"
            " t.tgenabled::text, p.prosecdef AND p.proconfig::text LIKE '%%pg_catalog, pg_temp%%',"
            " f.nspname, p.proname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_proc p ON p.oid = t.tgfoid"
            " JOIN pg_namespace f ON f.oid = p.pronamespace WHERE NOT t.tgisinternal"
            " AND starts_with(t.tgname, %s) AND n.nspname = ANY(current_schemas(false))",
            [PREFIX],
        )
        rows = cursor.fetchall()
    for schema, table, name, body, note, enabled, safe, home, function in rows:
        mark, way, label = [*(note or "").split(" "), "", ""][:3]
        drop = (
            f"DROP TRIGGER {quote(name)} ON {quote(schema)}.{quote(table)}",
            f"DROP FUNCTION IF EXISTS {quote(home)}.{quote(function)}()",
        )
        yield Installed(table, name, f"{body}|{mark}|{enabled}|{safe}", drop, label, way)


def orphans(connection: Any) -> Iterator[str]:
    """Statements that take away functions of ours whose triggers went with a table or column."""
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n.nspname, p.proname FROM pg_proc p"
            " JOIN pg_namespace n ON n.oid = p.pronamespace WHERE starts_with(p.proname, %s)"
            " AND n.nspname = ANY(current_schemas(false))"
            " AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgfoid = p.oid)",
            [PREFIX],
        )
        rows = cursor.fetchall()
    for schema, name in rows:
        yield f"DROP FUNCTION {quote(schema)}.{quote(name)}()"
