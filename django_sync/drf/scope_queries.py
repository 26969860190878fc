"""Runs a query for scopes once in a call, also if several collections use the same query.

Collections of one project mostly share their scopes: who sees a board sees its cards, its labels
and its comments. Then each viewset's ``get_scopes`` returns the same query.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, cast

from django.core.exceptions import EmptyResultSet
from django.db.models import QuerySet

__all__ = ["ScopeQueries"]

COMPARABLE = frozenset(
    {str, bytes, int, float, bool, Decimal, uuid.UUID, date, datetime, time, timedelta}
)
"""Types of parameters of which two are equal where their ``repr`` is."""


def as_scopes(listed: Iterable[object]) -> frozenset[str]:
    """Ids and numbers as text; ``None`` is no scope."""
    return frozenset(str(scope) for scope in listed if scope is not None)


class ScopeQueries:
    """The queries for scopes that ran in one call, with the scopes that they found.

    Two queries are the same if their SQL and its parameters are the same. They are compared only if
    the same function returned both: a query that is used once is not compiled twice.
    """

    def __init__(self) -> None:
        self._known: dict[Any, list[_Known]] = {}

    def read(self, function: Any, listed: Iterable[object]) -> frozenset[str]:
        """The scopes in ``listed``, which ``function`` returned."""
        if not isinstance(listed, QuerySet):
            return as_scopes(listed)
        known = self._known.setdefault(function, [])
        statement = _statement(listed) if known else None
        for one in known:
            if statement is not None and one.statement == statement:
                return one.scopes
        known.append(_Known(listed, as_scopes(listed)))
        return known[-1].scopes


class _Known:
    """A query that was run."""

    def __init__(self, query: QuerySet[Any], scopes: frozenset[str]) -> None:
        self.query, self.scopes = query, scopes
        self._statement: tuple[object, ...] | None = None

    @property
    def statement(self) -> tuple[object, ...] | None:
        if self._statement is None:
            self._statement = _statement(self.query)
        return self._statement


def _statement(query: QuerySet[Any]) -> tuple[object, ...] | None:
    """A query's SQL, database and kind of result; ``None`` for a query that finds nothing."""
    try:
        sql, params = query.query.sql_with_params()
    except EmptyResultSet:
        return None
    if not all(map(_is_comparable, params)):
        return None
    # ``repr`` distinguishes 1 from True, and takes parameters that have no hash.
    return query.db, type(query), query._iterable_class, sql, repr(params)


def _is_comparable(value: object) -> bool:
    """Whether ``repr`` shows all of a parameter: psycopg's JSON is cut after 35 characters."""
    if type(value) in (list, tuple):
        return all(map(_is_comparable, cast("Sequence[object]", value)))
    return value is None or type(value) in COMPARABLE
