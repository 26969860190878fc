"""Inserts or updates many rows in one statement, from one list of values for each column.

Django's own ``bulk_create`` and ``bulk_update`` cost as much time for each row as a single
``save()``. Here PostgreSQL gets one array for each column, SQLite one prepared statement.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from typing import Any

from django.db import models

UNCHANGED: dict[type[Any], type] = {
    models.CharField: str,
    models.TextField: str,
    models.IntegerField: int,
    models.BigIntegerField: int,
    models.BooleanField: bool,
}
"""Field classes that hand values of this type to the database as they are."""
SIZE = re.compile(r"\([^)]*\)")


def insert(db: Any, model: Any, fields: Sequence[Any], columns: Sequence[list[Any]]) -> None:
    """Insert rows into the model's table; ``columns`` has one list of values for each field."""
    quote = db.ops.quote_name
    table, names = quote(model._meta.db_table), ", ".join(quote(f.column) for f in fields)
    values = [for_database(f, column, db) for f, column in zip(fields, columns, strict=True)]
    with db.cursor() as cursor:
        if len(columns[0]) == 1:  # arrays cost more to write than they save
            marks = ", ".join(["%s"] * len(fields))
            sql = f"INSERT INTO {table} ({names}) VALUES ({marks})"
            cursor.execute(sql, [column[0] for column in values])
        elif db.vendor == "postgresql":
            arrays = ", ".join(f"%s::{array_type(f, db)}" for f in fields)
            sql = f"INSERT INTO {table} ({names}) SELECT * FROM unnest({arrays})"
            cursor.execute(sql, values)
        else:
            marks = ", ".join(["%s"] * len(fields))
            rows = list(zip(*values, strict=True))
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)


def update(
    db: Any, model: Any, fields: Sequence[Any], columns: Sequence[list[Any]], keys: list[Any]
) -> int:
    """Write these columns of the rows with these primary keys; return how many were found."""
    quote, pk = db.ops.quote_name, model._meta.pk
    table, key = quote(model._meta.db_table), quote(pk.column)
    values = [for_database(f, column, db) for f, column in zip(fields, columns, strict=True)]
    values.append(for_database(pk, keys, db))
    with db.cursor() as cursor:
        if db.vendor == "postgresql":
            arrays = ", ".join(f"%s::{array_type(f, db)}" for f in (*fields, pk))
            new = [f"v{n}" for n in range(len(fields) + 1)]
            sets = ", ".join(
                f"{quote(f.column)} = v.{name}" for f, name in zip(fields, new[:-1], strict=True)
            )
            cursor.execute(
                f"UPDATE {table} AS t SET {sets} FROM unnest({arrays}) AS v ({', '.join(new)})"
                f" WHERE t.{key} = v.{new[-1]}",
                values,
            )
        else:
            sets = ", ".join(f"{quote(f.column)} = %s" for f in fields)
            rows = list(zip(*values, strict=True))
            cursor.executemany(f"UPDATE {table} SET {sets} WHERE {key} = %s", rows)
        return int(cursor.rowcount)


def for_database(field: Any, column: list[Any], db: Any) -> list[Any]:
    """The values of one column as the database driver takes them."""
    first = column[0]
    if all(value is first for value in column):
        return [field.get_db_prep_save(first, db)] * len(column)
    kind = UNCHANGED.get(type(field))
    if kind is not None and all(type(v) is kind or v is None for v in column):
        return column
    if type(field) is models.UUIDField and all(type(v) is uuid.UUID for v in column):
        return column if db.features.has_native_uuid_field else [v.hex for v in column]
    return [field.get_db_prep_save(v, db) for v in column]


def array_type(field: Any, db: Any) -> str:
    """PostgreSQL's array type for a column.

    It has no length, because a cast to ``varchar(5)`` would cut off a longer text silently.
    """
    kind = field.rel_db_type(db) if field.primary_key else field.db_type(db)
    return f"{SIZE.sub('', str(kind))}[]"
