"""The JSON of each kind of column as SQLite writes it.

``{c}`` is the column, which may hold anything: SQLite's types are advice. A template gives
``'null'`` for NULL, and NULL for what Django itself would not have written: such a page is made
the other way, and comes out, or fails, as it always did. Lengths are those of the bytes, since
``length()`` of a text ends at a NUL.
"""

from __future__ import annotations

import functools
import json
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


def _of_time(form: str, size: int) -> str:
    """Whether a text is a time as Django stores it: real, and with six digits of a fraction."""
    whole, more = f"substr({{c}}, 1, {size})", f"substr({{c}}, {size + 1})"
    return (
        f"typeof({{c}}) = 'text' AND {whole} = strftime('{form}', {whole}) AND ({_BYTES} = {size}"
        f" OR ({_BYTES} = {size + 7} AND {more} GLOB {_FRACTION} AND {more} <> '.000000'))"
    )


_WHEN = "CASE WHEN {c} IS NULL THEN 'null' WHEN "

TEMPLATES: dict[str, str] = {
    "text": "CASE typeof({c}) WHEN 'text' THEN json_quote({c}) WHEN 'null' THEN 'null' END",
    "integer": "CASE typeof({c}) WHEN 'integer' THEN CAST({c} AS TEXT) WHEN 'null' THEN 'null' END",
    "boolean": (
        _WHEN + "typeof({c}) = 'integer' AND {c} IN (0, 1)"
        " THEN CASE {c} WHEN 1 THEN 'true' ELSE 'false' END END"
    ),
    "uuid": f"{_WHEN}{_is_hex('{c}')} THEN '\"' || {_dashed('{c}')} || '\"' END",
    "datetime": (
        f"{_WHEN}{_YEAR} AND {_of_time('%%Y-%%m-%%d %%H:%%M:%%S', 19)}"
        " THEN '\"' || substr({c}, 1, 10) || 'T' || substr({c}, 12) || 'Z\"' END"
    ),
    "date": (
        f"{_WHEN}typeof({{c}}) = 'text' AND {_YEAR} AND {_BYTES} = 10"
        " AND {c} = strftime('%%Y-%%m-%%d', {c}) THEN '\"' || {c} || '\"' END"
    ),
    "time": f"{_WHEN}{_of_time('%%H:%%M:%%S', 8)} THEN '\"' || {{c}} || '\"' END",
}

LITERAL = "%s"

LIST = (
    f"(SELECT CASE WHEN count(*) = count(CASE WHEN {_is_hex('sync_item')} THEN 1 END)"
    f" THEN coalesce('[' || group_concat('\"' || {_dashed('sync_item')} || '\"', ',') || ']', '[]') END"
    " FROM ({rows}) listed)"
)
"""The JSON list of the ids that a subquery gives, in its order, as ``item``."""

_PROBED = "".join(map(chr, range(0x100))) + "\u2028\u2029\ud7ff\ue000\ufeff\uffff\U0001f600"


@functools.cache
def writes_json(database: Any) -> bool:
    """Whether this build of SQLite escapes texts as Python does; ``database`` is its module."""
    link = database.connect(":memory:")
    try:
        (told,) = link.execute("SELECT json_quote(?)", [_PROBED]).fetchone()
    except database.OperationalError:  # built without JSON
        return False
    finally:
        link.close()
    return bool(told == json.dumps(_PROBED, ensure_ascii=False))
