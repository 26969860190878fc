"""Watches the statements of the project's code while a run is carried out.

A run may share what it read only as long as no other code has changed it. So each statement of the
project's code is examined before it is executed: which table it writes, and whether it reads the
table that the run writes. A statement that is not understood ends the run, and its mutations are
carried out one by one.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ..models.database import connection
from .cursors import watched_cursors
from .read_only import is_read

_WRITE = re.compile(
    r'\s*(INSERT|UPDATE|DELETE FROM)(?: OR IGNORE)?(?: INTO)?\s+"?([^\s"(]+)"?', re.IGNORECASE
)
_HARMLESS = re.compile(r"\s*(?:SAVEPOINT|RELEASE SAVEPOINT)\b", re.IGNORECASE)
_UPSERT_NOTHING = re.compile(r"\bDO NOTHING\s*$", re.IGNORECASE)
_UPSERT = re.compile(
    r"\bON (?:CONFLICT|DUPLICATE)\b(?!.*\bDO NOTHING\b)", re.IGNORECASE | re.DOTALL
)


class Tables:
    """A model's own table and those of its many-to-many fields, as they are named in SQL."""

    def __init__(self, model: Any) -> None:
        names = [model._meta.db_table]
        names += [f.remote_field.through._meta.db_table for f in model._meta.local_many_to_many]
        self.own: str = names[0]
        self._named = re.compile("|".join(rf"\b{re.escape(name)}\b" for name in names))

    def named_in(self, sql: str) -> bool:
        return self._named.search(sql) is not None


class Statements:
    """An execute wrapper: it flushes what is delayed, and notes what the project's code does.

    ``wrote`` and ``reads_own`` are about the current mutation, the rest about the whole run.
    ``before_write`` is called before a write of the project's code.
    """

    def __init__(self, model: Any, flush: Callable[[], None]) -> None:
        self.tables = Tables(model)
        self.key = model._meta.pk.column
        self.flush = flush
        self.before_write: Callable[[], None] = lambda: None
        self.own_key: Any = None
        self.spoilt = ""
        self.wrote = False
        self.reads_own = False
        self.written: set[str] = set()
        self.reads: set[str] = set()
        self._ours = False

    def begin(self, own_key: Any) -> None:
        """A mutation begins; it may write the row with this primary key."""
        self.own_key, self.wrote, self.reads_own = own_key, False, False

    @contextlib.contextmanager
    def ours(self) -> Iterator[None]:
        """What is executed within is sync's own."""
        before, self._ours = self._ours, True
        try:
            yield
        finally:
            self._ours = before

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        db = connection()
        with db.execute_wrapper(self), watched_cursors(db, self._note_unseen):
            yield

    def _note_unseen(self, name: str) -> None:
        """The project's code does something whose SQL is not seen, such as ``COPY``."""
        with self.ours():
            self.flush()
        self.spoilt = f"a call of cursor.{name}()"

    def __call__(self, execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        if not self._ours:
            with self.ours():
                self.flush()
                self._note(sql, params, many)
        return execute(sql, params, many, context)

    def _note(self, sql: Any, params: Any, many: bool) -> None:
        text = sql if isinstance(sql, str) else ""
        found = _WRITE.match(text)
        if found is not None:
            self.before_write()
            self.wrote = True
            self._note_write(found, text, params, many)
        elif is_read(text):
            self.reads.add(text)
            self.reads_own = self.reads_own or self.tables.named_in(text)
        elif not _HARMLESS.match(text):
            self.spoilt = f"a statement that is not understood: {text[:60]}"

    def _note_write(self, found: Any, sql: str, params: Any, many: bool) -> None:
        verb, table = found[1].upper(), found[2]
        self.written.add(table)
        if verb == "INSERT":
            if _UPSERT.search(sql) and not _UPSERT_NOTHING.search(sql):
                self.spoilt = f"an upsert of {table}"
        elif table == self.tables.own and not (
            verb == "UPDATE" and not many and self._is_own_row(sql, params)
        ):
            self.spoilt = f"a write of other rows of {table}"

    def _is_own_row(self, sql: str, params: Any) -> bool:
        """Whether it is what Django says to save the mutation's own row."""
        tail = f' WHERE "{self.tables.own}"."{self.key}" = %s'
        sql, _, _ = sql.partition(" RETURNING ")  # Django 6 reads generated columns back
        return bool(params) and sql.endswith(tail) and params[-1] == self.own_key


class Reads:
    """An execute wrapper that keeps the SQL of what is read, to see what an answer stands on."""

    def __init__(self) -> None:
        self.sql: list[str] = []

    def __call__(self, execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        self.sql.append(sql if isinstance(sql, str) else "")
        return execute(sql, params, many, context)

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        with connection().execute_wrapper(self):
            yield

    def are_plain(self) -> bool:
        """Whether there are only reads."""
        return all(map(is_read, self.sql))

    def name(self, tables: set[str]) -> bool:
        """Whether any of these tables is named."""
        return names_any(self.sql, tables)


def names_any(statements: Iterable[str], tables: Iterable[str]) -> bool:
    """Whether any of these tables is named in any of the statements."""
    among = "|".join(rf"\b{re.escape(name)}\b" for name in tables)
    return bool(among) and any(re.search(among, sql) for sql in statements)
