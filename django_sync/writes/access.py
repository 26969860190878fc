"""What a user may see and write, read once for a run.

This is correct only if the run itself does not change the answer. So the SQL of the answers is
kept. If it names a table that the run writes, or if that is not certain, the run's mutations are
carried out one by one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import EmptyResultSet

from ..capture import has_other_triggers
from ..conf import conf
from ..drf.caller import Caller
from ..drf.collection import Action, Collection
from ..models.database import connection
from .errors import RunSingly
from .statements import Reads, Tables, names_any


class Access:
    """The answers of a collection's viewset about scopes, for one run."""

    def __init__(self, caller: Caller, collection: Collection, action: Action) -> None:
        self.caller, self.collection, self.action = caller, collection, action
        self.reads = Reads()
        self._may: dict[str, bool] = {}
        self._tables = Tables(collection.model)
        with self.reads.kept():
            queryset = collection.queryset(caller, shape=False)
            self.scopes = collection.scopes(caller)
        self._check_reads()
        self._visible = _sql_of(queryset)
        if _looks_beyond_a_row(queryset.query, self._visible, self._tables):
            raise RunSingly(lasting=True)
        if has_other_triggers(connection(), collection.model._meta.db_table):
            raise RunSingly(lasting=True)

    def may_write(self, scope: str) -> bool:
        """What ``may_write_scope`` says, asked once for each scope."""
        if scope not in self._may:
            with self.reads.kept():
                self._may[scope] = self.collection.may_write_scope(self.caller, self.action, scope)
            self._check_reads()
        return self._may[scope]

    def _check_reads(self) -> None:
        if not self.reads.are_plain() or any(map(self._tables.named_in, self.reads.sql)):
            raise RunSingly(lasting=True)

    def check_untouched(self, written: Iterable[str]) -> None:
        """Raise ``RunSingly`` where somebody wrote a table that the answers stand on."""
        others = set(written) - {self._tables.own}
        if names_any([*self.reads.sql, self._visible], others):
            raise RunSingly(lasting=True)

    def check_again(self) -> None:
        """Ask for the scopes after the writes; raise ``RunSingly`` where they are others."""
        if self.collection.scopes(self.caller) != self.scopes:
            raise RunSingly(lasting=True)


def _sql_of(queryset: Any) -> str:
    """The SQL of a query; empty where it can find nothing."""
    try:
        sql, _ = queryset.query.get_compiler(using=conf.DATABASE).as_sql()
    except EmptyResultSet:
        return ""
    return str(sql)


def _looks_beyond_a_row(query: Any, sql: str, tables: Tables) -> bool:
    """Whether a row's visibility may depend on other rows of its table."""
    quote = connection().ops.quote_name
    named = re.findall(rf"\b(?:FROM|JOIN)\s+{re.escape(quote(tables.own))}", sql)
    return len(named) != 1 or " OVER (" in sql or query.is_sliced or bool(query.combinator)
