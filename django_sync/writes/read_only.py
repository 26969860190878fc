"""Whether a statement can do nothing but read, as far as its text shows.

A ``SELECT`` may call a function that writes. So a statement counts as a read only if each function
in it is one of those below: the databases define them, and they change no row. If in doubt it is no
read, which costs time and nothing else.
"""

from __future__ import annotations

import functools
import re

_READ = re.compile(r"\s*(?:SELECT|WITH)\b.*\bFROM\b", re.IGNORECASE | re.DOTALL)
_CHANGES = re.compile(r"\b(?:INSERT|UPDATE|DELETE|MERGE|CALL)\b(?!\s+OF\b)", re.IGNORECASE)
_LOCKS = re.compile(r"\bFOR (?:NO KEY )?UPDATE\b", re.IGNORECASE)
_CALLED = re.compile(r'("|[A-Za-z_][\w.]*)\s*\(')

_KEYWORDS = """
    all and any array as between by case cast distinct else except exists filter from group
    having in intersect is join lateral like limit materialized not offset on or order over
    partition recursive row select set some then union using values when where with within bit
    char character decimal float interval numeric time timestamp varchar
"""
_FUNCTIONS = """
    abs acos age array_agg array_length array_position array_to_string ascii asin atan atan2 avg
    bit_and bit_or bool_and bool_or btrim cardinality ceil ceiling char_length chr
    clock_timestamp coalesce concat concat_ws corr cos cot count covar_pop covar_samp cume_dist
    current_date current_setting current_timestamp currval date date_part date_trunc datetime
    degrees dense_rank every exp extract first_value floor gen_random_uuid generate_series glob
    greatest group_concat hex ifnull iif initcap instr json json_agg json_array
    json_array_elements json_array_length json_build_array json_build_object json_each
    json_extract json_group_array json_group_object json_object json_object_agg json_quote
    json_tree json_type json_valid jsonb jsonb_agg jsonb_array_elements
    jsonb_array_elements_text jsonb_array_length jsonb_build_array jsonb_build_object jsonb_each
    jsonb_extract_path jsonb_extract_path_text jsonb_object_agg jsonb_typeof julianday lag
    last_value lastval lead least left length ln log lower lpad ltrim max md5 min mod now
    nextval nth_value ntile nullif octet_length percent_rank pg_get_serial_sequence
    percentile_cont percentile_disc pi plainto_tsquery phraseto_tsquery position power printf
    quote radians random rank regexp_replace regr_avgx regr_avgy regr_count regr_intercept
    regr_r2 regr_slope regr_sxx regr_sxy regr_syy repeat replace reverse right round row_number
    row_to_json rpad rtrim setweight sha224 sha256 sha384 sha512 sign similarity sin split_part
    sqrt statement_timestamp stddev stddev_pop stddev_samp strftime string_agg strpos substr
    substring sum tan timezone to_char to_date to_json to_jsonb to_number to_timestamp
    to_tsquery to_tsvector total transaction_timestamp translate trim trunc ts_headline ts_rank
    ts_rank_cd typeof unaccent unicode unixepoch unnest upper var_pop var_samp variance
    websearch_to_tsquery word_similarity
"""
_KNOWN = frozenset((_KEYWORDS + _FUNCTIONS).split())
_KNOWN_PREFIX = "django_"
"""Django's own functions on SQLite, such as ``django_date_trunc``; they are computed in Python."""


@functools.lru_cache(maxsize=2048)
def is_read(sql: str) -> bool:
    """Whether a statement reads rows and cannot change any."""
    return (
        _READ.match(sql) is not None
        and not _CHANGES.search(_LOCKS.sub("", sql))
        and all(_is_known(name) for name in _CALLED.findall(sql))
    )


def _is_known(name: str) -> bool:
    name = name.lower().removeprefix("pg_catalog.")
    return name in _KNOWN or (name.startswith(_KNOWN_PREFIX) and "sync" not in name)
