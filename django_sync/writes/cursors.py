"""Calls of a cursor that Django's ``execute_wrapper`` does not see.

Stored procedures, ``COPY`` and scripts go to the database driver directly. Code that takes the
driver's own connection (``connection.connection``) is not noticed here either.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

UNSEEN = frozenset(
    {"callproc", "copy", "copy_expert", "copy_from", "copy_to", "executescript", "stream"}
)
"""Methods of drivers' cursors that run SQL and are no ``execute`` or ``executemany``."""


MAKERS = ("make_cursor", "make_debug_cursor")


@contextlib.contextmanager
def watched_cursors(db: Any, before: Callable[[str], None]) -> Iterator[None]:
    """Call ``before`` with the method's name before a cursor made within runs unseen SQL."""
    own = {name: vars(db).get(name) for name in MAKERS}
    for name in MAKERS:
        setattr(db, name, _watching(getattr(db, name), before))
    try:
        yield
    finally:
        for name, maker in own.items():
            if maker is None:
                delattr(db, name)
            else:
                setattr(db, name, maker)


def _watching(make: Callable[[Any], Any], before: Callable[[str], None]) -> Callable[[Any], Any]:
    """A function like ``make`` whose cursors call ``before``."""

    def make_watched(cursor: Any) -> Any:
        made = make(cursor)
        kind: Any = type(made)
        made.__class__ = _watched_class(kind)
        made.before_unseen = before
        return made

    return make_watched


@functools.cache
def _watched_class(kind: Any) -> type[Any]:
    """The subclass of a cursor wrapper that reports its unseen calls."""
    return type(kind.__name__, (kind,), {name: _reporting(kind, name) for name in UNSEEN})


def _reporting(kind: type[Any], name: str) -> property:
    def method(self: Any) -> Any:
        self.before_unseen(name)
        own = getattr(kind, name, None)
        return getattr(self.cursor, name) if own is None else own.__get__(self)

    return property(method)
