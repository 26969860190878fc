"""The JSON of each kind of column as PostgreSQL writes it.

``{c}`` is the column. A template gives ``'null'`` for NULL, and NULL for a value that Python
would refuse, such as an infinite time: then DRF makes the page.

Functions are named with their schema, since a project may have others of the same name. Times
must be at least a day within Python's limits, so that no time zone exceeds the limits.
"""

from __future__ import annotations

_TIMES = "{c} >= '0001-01-02 00:00:00+00' AND {c} < '9999-12-31 00:00:00+00'"
_UTC = "pg_catalog.timezone('UTC', {c})"

TEMPLATES: dict[str, str] = {
    "text": "coalesce(pg_catalog.to_json({c}::text)::text, 'null')",
    "scope": "pg_catalog.to_json({c}::text)::text",
    "integer": "coalesce({c}::text, 'null')",
    "boolean": "CASE WHEN {c} THEN 'true' WHEN {c} IS NULL THEN 'null' ELSE 'false' END",
    "uuid": "coalesce('\"' || {c}::text || '\"', 'null')",
    "id": "'\"' || {c}::text || '\"'",
    "datetime": (
        f"CASE WHEN {{c}} IS NULL THEN 'null' WHEN {_TIMES} THEN '\"' || pg_catalog.to_char({_UTC},"
        " CASE WHEN {c}::timestamptz(0) = {c} THEN 'YYYY-MM-DD\"T\"HH24:MI:SS'"
        " ELSE 'YYYY-MM-DD\"T\"HH24:MI:SS.US' END) || 'Z\"' END"
    ),
    "date": (
        "CASE WHEN {c} IS NULL THEN 'null' WHEN {c} >= '0001-01-01' AND {c} <= '9999-12-31'"
        " THEN '\"' || pg_catalog.to_char({c}, 'YYYY-MM-DD') || '\"' END"
    ),
    "time": (
        "CASE WHEN {c} IS NULL THEN 'null' WHEN {c} < '24:00' THEN '\"' || pg_catalog.to_char({c},"
        " CASE WHEN pg_catalog.date_trunc('second', {c}::interval) = {c}::interval"
        " THEN 'HH24:MI:SS' ELSE 'HH24:MI:SS.US' END) || '\"' END"
    ),
    "decimal": (
        "CASE WHEN {c} IS NULL THEN 'null' WHEN pg_catalog.scale({c}) = {places}"
        " AND pg_catalog.abs({c}) < 1e{whole} THEN '\"' || {c}::text || '\"' END"
    ),
}

LITERAL = "%s::text"

LIST = (
    "(SELECT"
    " coalesce('[' || pg_catalog.string_agg('\"' || sync_item::text || '\"', ',') || ']', '[]')"
    " FROM ({rows}) listed)"
)
"""The JSON list of the ids that a subquery gives, in its order, as ``item``."""

PAGE = (
    "SELECT count(*), count(t.text), pg_catalog.string_agg(t.text, ','),"
    " (pg_catalog.array_agg(t.id))[count(*)], (pg_catalog.array_agg(t.scope))[count(*)]"
    " FROM ({rows}) t (id, scope, text)"
)
"""One row for a page: how many records, how many of them as text, the texts, the last's place."""
