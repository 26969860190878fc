"""A whole record as one text, put together by the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import models
from django.db.models.expressions import Expression, Subquery

from . import postgresql, sqlite
from .kinds import Kind

DIALECTS: dict[str, Any] = {"postgresql": postgresql, "sqlite": sqlite}
"""What knows the SQL, by a connection's ``vendor``."""

Part = str | tuple[Kind, str] | Subquery
"""JSON text as it stands, a column by its lookup with its kind, or a list of ids."""


class RecordText(Expression):
    """The parts one behind the other; NULL where one of them is nothing the database can write."""

    def __init__(self, parts: Sequence[Part]) -> None:
        super().__init__(output_field=models.TextField())
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

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """The parts' SQL in their order, with the texts as parameters."""
        dialect = DIALECTS[connection.vendor]
        sources = iter(self.sources)
        pieces: list[str] = []
        params: list[Any] = []
        for text in self.texts:
            if isinstance(text, str):
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
