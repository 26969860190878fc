"""What the triggers of a model need to know about it, as values.

A ``Spec`` says which columns count as content, which id, revision and scope a row
carries, over which tables its scope is found and which other tables it is made
from. This file knows no SQL and opens no connection. The vendors' files make
triggers from a spec; ``specs`` makes a spec from a model.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

APART = 2**53
"""A hidden revision, or a request for a touch, is ``-(revision + APART)``.

It is so large that nobody writes it by accident. Triggers undo any other value that a user writes.
"""

QUIET = -(2**62)
"""Written into ``sync_revision`` by adoption: fill id and scope, and log nothing.

If a user writes it, nothing happens: a correct scope stays as it is.
"""

CONTINUE = 0
"""Written into ``sync_revision`` after an insert: continue from the object's tombstone."""


@dataclass(frozen=True, slots=True)
class Column:
    """A watched column. ``name`` is the name of its field, as in changes.

    ``as_text``: compared byte by byte as text, because its type's own equality is
    coarser than a reader's (collations, ``jsonb``) or does not exist (``json``).
    """

    name: str
    column: str
    as_text: bool


@dataclass(frozen=True, slots=True)
class Hop:
    """One table on the path to the scope: read ``column`` where ``key`` is the value before.

    ``fixed``: the column is an id, which never changes once it is set.
    """

    table: str
    key: str
    column: str
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class Path:
    """How a row's scope is found: its own column ``source``, then ``hops``.

    Installed triggers carry a digest of the ``repr`` of this class and of ``Hop``, so a change of
    their names or fields would have every scope computed again.
    """

    source: str
    hops: tuple[Hop, ...] = ()
    is_uuid: bool = False


UNKNOWN = Path("")
"""A path over columns that do not exist yet: rows keep the scope that they have."""


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

    If ``name`` is None, the changed columns belong to the object and are named.
    """

    name: str | None
    table: str
    key: str
    link: str
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Spec:
    """Everything that the triggers of one synced model are made from.

    ``own_id``: the id is a column beside the primary key, which triggers fill and
    hold; else the primary key is the id. ``path`` is None if there are no scopes,
    and ``UNKNOWN`` before a migration has made its columns. ``ignored`` are the
    table's columns that are not content.
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
        """Every table that has a trigger of this model, or that one reads."""
        related: tuple[Through | Child | Touch, ...] = (
            *self.throughs,
            *self.children,
            *self.touches,
        )
        hops = self.path.hops if self.path else ()
        return frozenset({self.table, *(a.table for a in related), *(h.table for h in hops)})


@dataclass(frozen=True, slots=True)
class Part:
    """One trigger as it should be.

    ``text`` is what the database reports of it if it is installed and unaltered.
    ``create`` installs it, also over an older one with its name. If only the text before
    ``tail`` differs, the first statement is enough; it locks no table.
    """

    label: str
    table: str
    name: str
    text: str
    create: tuple[str, ...]
    tail: str = ""

    def over(self, old: Installed | None) -> tuple[str, ...]:
        """The statements that replace the installed trigger with this one."""
        light = old is not None and self.tail and old.text.endswith(self.tail)
        return self.create[:1] if light else self.create


@dataclass(frozen=True, slots=True)
class Installed:
    """One trigger of ours as it is installed: ``text`` as above, ``drop`` removes it.

    ``label`` is the label of its model, ``way`` the ``way_of`` of the spec that it was made from.
    """

    table: str
    name: str
    text: str
    drop: tuple[str, ...]
    label: str = ""
    way: str = ""


def way_of(spec: Spec) -> str:
    """A digest of the path to scopes: if it changes, every scope has to be computed again."""
    return digest(repr(spec.path))


def digest(*words: str) -> str:
    """A short hash that distinguishes texts; for names, not for secrets."""
    return hashlib.sha256("\0".join(words).encode()).hexdigest()[:12]


def index_name(spec: Spec) -> str:
    """The name of the index over scope and id by which a scope is read."""
    return f"django_sync_{digest(spec.table, spec.scope, spec.id)}"
