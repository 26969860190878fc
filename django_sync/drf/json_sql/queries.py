"""For which queries the database makes the texts, and a page of them in one row."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import models
from django.db.models.fields.reverse_related import OneToOneRel
from django.db.models.sql import Query
from django.db.models.sql.datastructures import BaseTable

from ...conf import conf
from ...models.database import connection
from . import sqlite
from .expression import DIALECTS, RecordText

OWN = ("annotate", "values_list", "_annotate", "_values", "_chain", "_clone", "_fetch_all", "db")
"""Methods of a QuerySet that decide which rows it returns; a project may override them."""


@dataclass(frozen=True, slots=True)
class Joined:
    """A page as one text: its records joined by commas, and the place of the last of them."""

    text: str
    count: int
    last_id: uuid.UUID | None = None
    last_scope: str = ""


def rendered_by(queryset: Any) -> str | None:
    """The vendor of the database that makes this query's texts; ``None`` where Python must.

    The query must return the same rows whichever columns are selected.
    """
    query = queryset.query
    is_standard = all(getattr(type(queryset), n) is getattr(models.QuerySet, n) for n in OWN)
    if not is_standard or type(query) is not Query or queryset.db != conf.DATABASE:
        return None
    if query.combinator or query.extra or query.extra_tables or query.group_by is not None:
        return None
    db = connection()
    if db.vendor == "sqlite" and not sqlite.writes_json(db.Database):
        return None
    return db.vendor if db.vendor in DIALECTS else None


def single_rows(query: Any) -> bool:
    """Whether each object comes once: no join leads to many rows, or they are made distinct."""
    if query.distinct and not query.distinct_fields:
        return True
    return all(
        isinstance(join, BaseTable) or isinstance(join.join_field, models.ForeignKey | OneToOneRel)
        for alias, join in query.alias_map.items()
        if query.alias_refcount[alias]
    )


def joined(queryset: Any, id_name: str, text: RecordText) -> Joined | None:
    """A page of a query's rows as one text; ``None`` where a row cannot be written, or comes twice.

    On PostgreSQL the database joins them, so that one row comes instead of a thousand.
    """
    rows = queryset.annotate(sync_text=text).values_list(id_name, "sync_scope", "sync_text")
    if not single_rows(rows.query):
        return None
    db = connection()
    try:
        sql, params = rows.query.get_compiler(conf.DATABASE).as_sql()
    except EmptyResultSet:
        return Joined("", 0)
    with db.cursor() as cursor:
        if db.vendor == "postgresql":
            cursor.execute(DIALECTS["postgresql"].PAGE.replace("{rows}", sql), params)
            count, written, page, id, scope = cursor.fetchone()
            return Joined(page or "", count, id, scope or "") if written == count else None
        cursor.execute(sql, params)
        return _joined_here(cursor.fetchall())


def _joined_here(rows: list[tuple[str, str, str | None]]) -> Joined | None:
    """The same of rows with their raw ids, as SQLite gives them."""
    if not rows:
        return Joined("", 0)
    ids, scopes, texts = zip(*rows, strict=True)
    if not sqlite.are_ids(ids) or None in texts:
        return None
    return Joined(",".join(texts), len(rows), uuid.UUID(ids[-1]), scopes[-1])
