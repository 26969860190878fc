"""A whole record as one text, put together by the database."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.db import models
from django.db.models.expressions import Expression, Subquery

from . import postgresql, sqlite
from .kinds import Kind

DIALECTS: dict[str, Any] = {"postgresql": postgresql, "sqlite": sqlite}
"""What knows the SQL, by a connection's ``vendor``."""

Part = str | tuple[Kind, str] | Subquery
"""JSON text as it is, a column by its lookup with its kind, or a list of ids."""


UNESCAPED = re.compile(r"""[A-Za-z0-9_{}\[\]:,." -]*""")
"""Texts that are the same within the quotes of SQL, whatever the server's settings."""


class RecordText(Expression):
    """The parts one behind the other; NULL where one of them is nothing the database can write.

    A plan keeps one for all its queries. Where all columns are the table's own, its SQL depends on
    nothing but the vendor and the table's name, so it is written once.
    """

    def __init__(self, parts: Sequence[Part]) -> None:
        super().__init__(output_field=models.TextField())
        self.names = [part[1] for part in parts if isinstance(part, tuple)]
        self.are_names = not any(isinstance(part, Subquery) for part in parts)
        self.is_own = False
        self.written: dict[tuple[str, str], tuple[str, tuple[Any, ...]]] = {}
        self.texts: list[str | Kind | None] = []
        self.sources: list[Any] = []
        for part in parts:
            if isinstance(part, tuple):
                self.texts.append(part[0])
                self.sources.append(models.F(part[1]))
            elif isinstance(part, str):
                self.texts.append(part)
            else:
                self.texts.append(None)
                self.sources.append(part)

    def get_source_expressions(self) -> list[Any]:
        return self.sources

    def set_source_expressions(self, exprs: Any) -> None:
        self.sources = list(exprs)

    def resolve_expression(
        self,
        query: Any = None,
        allow_joins: bool = True,
        reuse: Any = None,
        summarize: bool = False,
        for_save: bool = False,
    ) -> Any:
        """A copy for this query; Django's way for what may lead to another table."""
        own = self._own_columns(query)
        if own is None:
            return super().resolve_expression(query, allow_joins, reuse, summarize, for_save)
        found = self.copy()
        found.sources, found.is_own = own, True
        return found

    def _own_columns(self, query: Any) -> list[Any] | None:
        """What ``F`` would come to for each name, where all are columns of the query's table."""
        options, alias = query.get_meta(), query.get_initial_alias()
        if not self.are_names or alias != options.db_table or query.annotations:
            return None
        known = {field.name: field for field in options.concrete_fields}
        fields = [known.get(name) for name in self.names]
        if not all(f and f.model._meta.db_table == alias and not f.is_relation for f in fields):
            return None
        return [field.get_col(alias) for field in fields if field]

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """The SQL, and its parameters."""
        if not self.is_own:
            return self._sql(compiler, connection)
        key = (connection.vendor, self.sources[0].alias)
        if key not in self.written:
            self.written[key] = self._sql(compiler, connection)
        return self.written[key]

    def _sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """The parts' SQL in their order; texts are parameters, or literals where no doubt is."""
        dialect = DIALECTS[connection.vendor]
        sources = iter(self.sources)
        pieces: list[str] = []
        params: list[Any] = []
        for text in self.texts:
            if isinstance(text, str):
                if UNESCAPED.fullmatch(text):
                    pieces.append(dialect.LITERAL.replace("%s", f"'{text}'"))
                else:
                    pieces.append(dialect.LITERAL)
                    params.append(text)
                continue
            sql, own = compiler.compile(next(sources))
            if text is not None:
                template = dialect.TEMPLATES[text.name]
                own = [*own] * template.count("{c}")
                for name, number in text.numbers:
                    template = template.replace(f"{{{name}}}", str(number))
                sql = template.replace("{c}", sql)
            pieces.append(f"({sql})")
            params += own
        return " || ".join(pieces), tuple(params)


class IdList(Subquery):
    """The JSON list of the ids that a query gives as ``item``, in its order."""

    output_field = models.TextField()

    def as_sql(self, compiler: Any, connection: Any, *args: Any, **kwargs: Any) -> tuple[str, Any]:
        """The query within the dialect's list."""
        sql, params = super().as_sql(compiler, connection, *args, **kwargs)
        return DIALECTS[connection.vendor].LIST.replace("{rows}", sql[1:-1]), params
