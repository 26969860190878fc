"""What the triggers of a model have to know of it, as plain values.

A ``Spec`` says which columns count as content, which id, revision and scope a row
carries, over which tables its scope is found and which other tables it is made
from. This file knows no SQL and opens no connection; the vendors' files make
triggers of a spec, ``specs`` makes a spec of a model.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

APART = 2**53
"""A revision is hidden, or a touch asked for, as ``-(revision + APART)``.

So far away that nobody writes it by accident; any other value of a user's is undone.
"""

QUIET = -(2**62)
"""Written into ``sync_revision`` by adoption: fill id and scope, and log nothing.

Whoever else writes it achieves nothing: a scope that is right stays as it is.
"""

CONTINUE = 0
"""Written into ``sync_revision`` after an insert: go on from the object's tombstone."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is watched. ``name`` is its field's, as changes name it.

    ``as_text``: compared byte by byte as text, because its type's own equality is
    coarser than a reader's (collations, ``jsonb``) or does not exist (``json``).
    """

    name: str
    column: str
    as_text: bool


@dataclass(frozen=True, slots=True)
class Hop:
    """One table on the way to the scope: where ``key`` is what came before, read ``column``.

    ``fixed``: the column is an id, which once set never changes.
    """

    table: str
    key: str
    column: str
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class Path:
    """How a row's scope is found: own column ``source``, then over ``hops``."""

    source: str
    hops: tuple[Hop, ...] = ()
    is_uuid: bool = False


UNKNOWN = Path("")
"""A path that leads over columns which are not there yet: rows keep the scope that they have."""


@dataclass(frozen=True, slots=True)
class Through:
    """The table of an m2m field: a change there is a change of the row that ``column`` names."""

    name: str
    table: str
    pk: str
    column: str
    target: str
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Child:
    """A table that extends the synced one (multi-table inheritance)."""

    table: str
    link: str
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Touch:
    """A table that records are made from besides their own row.

    Where ``name`` is None the changed columns are the object's own, and named.
    """

    name: str | None
    table: str
    key: str
    link: str
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Spec:
    """All that the triggers of one synced model are made from.

    ``own_id``: the id is a column beside the primary key, which triggers fill and
    hold; else the primary key is the id. ``path`` is None where there are no scopes,
    and ``UNKNOWN`` while a migration has yet to make what it leads over. ``ignored``
    are the table's columns that are no content.
    """

    label: str
    table: str
    pk: str
    id: str
    own_id: bool
    revision: str
    scope: str
    columns: tuple[Column, ...]
    path: Path | None
    ignored: frozenset[str] = frozenset()
    throughs: tuple[Through, ...] = ()
    children: tuple[Child, ...] = ()
    touches: tuple[Touch, ...] = ()

    @property
    def tables(self) -> frozenset[str]:
        """Every table that a trigger of this model stands on or reads."""
        around: tuple[Through | Child | Touch, ...] = (
            *self.throughs,
            *self.children,
            *self.touches,
        )
        hops = self.path.hops if self.path else ()
        return frozenset({self.table, *(a.table for a in around), *(h.table for h in hops)})


@dataclass(frozen=True, slots=True)
class Part:
    """One trigger as it should be.

    ``text`` is what the database must tell of it if it is in place and unaltered;
    ``create`` puts it there, also over an older one of its name. Where no more than
    the text before ``tail`` is another, the first statement will do, which locks no table.
    """

    label: str
    table: str
    name: str
    text: str
    create: tuple[str, ...]
    tail: str = ""

    def over(self, old: Installed | None) -> tuple[str, ...]:
        """The statements that put it in the place of what is there."""
        light = old is not None and self.tail and old.text.endswith(self.tail)
        return self.create[:1] if light else self.create


@dataclass(frozen=True, slots=True)
class Installed:
    """One trigger of ours as it is found: ``text`` as above, ``drop`` takes it away.

    ``label`` is its model's, ``way`` the ``way_of`` the spec that it was made from.
    """

    table: str
    name: str
    text: str
    drop: tuple[str, ...]
    label: str = ""
    way: str = ""


def way_of(spec: Spec) -> str:
    """Tells by which path scopes are found: where it is another, each has to be found anew."""
    return digest(repr(spec.path))


def digest(*words: str) -> str:
    """A short hash that tells texts apart; for names, not for secrets."""
    return hashlib.sha256("\0".join(words).encode()).hexdigest()[:12]


def index_name(spec: Spec) -> str:
    """The name of the index over scope and id by which a scope is read."""
    return f"django_sync_{digest(spec.table, spec.scope, spec.id)}"
