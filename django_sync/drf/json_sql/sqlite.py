"""The JSON of each kind of column as SQLite writes it.

``{c}`` is the column. It may hold any value, since SQLite does not enforce types. A template gives
``'null'`` for NULL, and NULL for a value that Django would not have written: then DRF makes the
page, with the same result or the same error as without this package. Lengths are in bytes, since
``length()`` of a text stops at a NUL.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from typing import Any

_BYTES = "length(CAST({c} AS BLOB))"
_YEAR = "substr({c}, 1, 4) >= '0001'"
_FRACTION = "'.[0-9][0-9][0-9][0-9][0-9][0-9]'"


def _is_hex(value: str) -> str:
    return (
        f"typeof({value}) = 'text' AND length(CAST({value} AS BLOB)) = 32"
        f" AND {value} NOT GLOB '*[^0-9a-f]*'"
    )


def _dashed(value: str) -> str:
    """The hyphenated form of 32 hexadecimal digits."""
    cuts = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
    return " || '-' || ".join(f"substr({value}, {first}, {size})" for first, size in cuts)


def _of_time(function: str, size: int) -> str:
    """Whether a text is a time as Django stores it: real, and with six digits of a fraction."""
    whole, more = f"substr({{c}}, 1, {size})", f"substr({{c}}, {size + 1})"
    return (
        f"{whole} = {function}({whole}, '+0 days') AND ({_BYTES} = {size} OR ({_BYTES} = {size + 7}"
        f" AND {more} GLOB {_FRACTION} AND {more} <> '.000000')) AND typeof({{c}}) = 'text'"
    )


_NULL = "WHEN {c} IS NULL THEN 'null' END"

TEMPLATES: dict[str, str] = {
    "text": "CASE typeof({c}) WHEN 'text' THEN json_quote({c}) WHEN 'null' THEN 'null' END",
    "scope": "CASE typeof({c}) WHEN 'text' THEN json_quote({c}) END",
    "integer": "CASE typeof({c}) WHEN 'integer' THEN CAST({c} AS TEXT) WHEN 'null' THEN 'null' END",
    "boolean": f"CASE WHEN {{c}} = 1 THEN 'true' WHEN {{c}} = 0 THEN 'false' {_NULL}",
    "uuid": f"CASE WHEN {_is_hex('{c}')} THEN '\"' || {_dashed('{c}')} || '\"' {_NULL}",
    "id": f"'\"' || {_dashed('{c}')} || '\"'",
    "datetime": (
        f"CASE WHEN {_of_time('datetime', 19)} AND {_YEAR}"
        f" THEN '\"' || substr({{c}}, 1, 10) || 'T' || substr({{c}}, 12) || 'Z\"' {_NULL}"
    ),
    "date": (
        f"CASE WHEN {{c}} = date({{c}}, '+0 days') AND {_BYTES} = 10 AND typeof({{c}}) = 'text'"
        f" AND {_YEAR} THEN '\"' || {{c}} || '\"' {_NULL}"
    ),
    "time": f"CASE WHEN {_of_time('time', 8)} THEN '\"' || {{c}} || '\"' {_NULL}",
}
"""``id`` is a key that Python looks at itself; see ``are_ids``."""

LITERAL = "%s"

LIST = (
    f"(SELECT CASE WHEN count(*) = count(CASE WHEN {_is_hex('sync_item')} THEN 1 END)"
    " THEN"
    f" coalesce('[' || group_concat('\"' || {_dashed('sync_item')} || '\"', ',') || ']', '[]') END"
    " FROM ({rows}) listed)"
)
"""The JSON list of the ids that a subquery gives, in its order, as ``item``."""


def are_ids(values: Sequence[Any]) -> bool:
    """Whether all of these are ids as Django stores them; the same test costs SQLite far more."""
    if set(map(type, values)) != {str} or set(map(len, values)) != {32}:
        return False
    text = "".join(values)
    return text.isascii() and not text.encode().translate(None, b"0123456789abcdef")


_PROBED = "".join(map(chr, range(0x100))) + "\u2028\u2029\ud7ff\ue000\ufeff\uffff\U0001f600"


@functools.cache
def writes_json(database: Any) -> bool:
    """Whether this build of SQLite escapes texts as Python does; ``database`` is its module."""
    link = database.connect(":memory:")
    try:
        (quoted,) = link.execute("SELECT json_quote(?)", [_PROBED]).fetchone()
    except database.OperationalError:  # built without JSON
        return False
    finally:
        link.close()
    return bool(quoted == json.dumps(_PROBED, ensure_ascii=False))
