"""The values that the client returns: records, mutations, rejections, status.

None of them knows the store.
"""

from __future__ import annotations

import builtins
import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import errors
from .net.network_state import NetworkState
from .store.encoding import Json, dumps, loads


class Record(Mapping[str, Any]):
    """A record as the user sees it: the server's, with local mutations on top.

    Its fields are items (``card["title"]``); ``object`` holds all of them. ``revision`` is that
    of the server's record beneath. Until the server has sent one, ``revision`` is 0 and
    ``scope`` is ``None``. A record is a value: it does not change when the store does.
    """

    __slots__ = ("_object", "_text", "collection", "id", "revision", "scope")

    def __init__(
        self,
        collection: str,
        id: str,
        revision: int,
        scope: str | None,
        content: Json | str,
    ) -> None:
        self.collection = collection
        self.id = id
        self.revision = revision
        self.scope = scope
        self._text = content if isinstance(content, str) else None
        self._object = None if isinstance(content, str) else content

    @property
    def object(self) -> Json:
        """All fields, by name."""
        if self._object is None:
            assert self._text is not None
            self._object = dict(loads(self._text))
        return self._object

    def __getitem__(self, name: str) -> Any:
        return self.object[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.object)

    def __len__(self) -> int:
        return len(self.object)

    def __eq__(self, other: builtins.object) -> bool:
        if not isinstance(other, Record):
            return NotImplemented
        return bool(
            self.collection == other.collection
            and self.id == other.id
            and self.revision == other.revision
            and self.scope == other.scope
            and self.object == other.object
        )

    def __hash__(self) -> int:
        return hash((self.collection, self.id, self.revision))

    def __repr__(self) -> str:
        return f"<Record {self.collection} {self.id} revision={self.revision} {self.object!r}>"

    def looks_like(self, other: Record) -> bool:
        """Whether a user sees no difference: the same fields, and no other scope."""
        if self._text is not None and self._text == other._text:
            same = True
        else:
            same = dumps(self.object) == dumps(other.object) or self.object == other.object
        return same and (self.scope == other.scope or None in (self.scope, other.scope))


@dataclass(frozen=True)
class Mutation:
    """A local change on its way to the server.

    ``state`` is ``new`` (never sent; compaction may still merge it with a later one),
    ``sent`` (under way, or its result was lost: it is sent again as it is),
    ``aborted`` (not applied because another one failed; sent again as it is),
    ``conflict`` or ``settled``.
    """

    id: str
    seq: int
    op: str
    collection: str
    object_id: str
    fields: Json
    base_revision: int | None
    epoch: str | None
    base: Json | None
    at: str
    state: str


@dataclass(frozen=True)
class Rejection:
    """A mutation that the server refused for good; the record is back at the server's state.

    ``problem`` is the server's RFC 9457 body; ``error`` the same as an exception
    of ``django_sync.errors``.
    """

    mutation: Mutation
    problem: Mapping[str, Any]

    @property
    def error(self) -> errors.SyncError:
        return errors.from_problem(self.problem)


@dataclass(frozen=True)
class Change:
    """One change of what the user sees, reported after its commit to the store.

    ``kind`` is ``created``, ``updated`` or ``deleted``. ``record`` is the record now (``None``
    when deleted), ``before`` the one before. ``origin`` is ``local`` for the user's own calls
    and ``remote`` for what came from the server.
    """

    kind: str
    collection: str
    id: str
    record: Record | None
    before: Record | None
    origin: str


@dataclass(frozen=True)
class Progress:
    """How far a snapshot is; ``total`` may be an estimate."""

    done: int
    total: int


@dataclass(frozen=True)
class Status:
    """What the client knows about its sync.

    ``pending`` counts mutations without a final result, ``conflicts`` those that wait for a
    decision. ``network`` is ``unknown`` before the first call, then ``online`` or ``offline``;
    ``network_state`` says more of the network. ``problem`` is the error that ended the last
    exchange, and before ``retry_at`` another makes no sense. ``progress`` is set during a
    snapshot. ``link`` is the background's state, as in ``docs/reference/link.md``, and
    ``transport`` how changes come in while it is live.
    """

    pending: int = 0
    conflicts: int = 0
    network: str = "unknown"
    progress: Progress | None = None
    retry_at: datetime.datetime | None = None
    problem: errors.SyncError | None = field(default=None, compare=True)
    link: str = "stopped"
    transport: str | None = None
    network_state: NetworkState = field(default_factory=NetworkState)


@dataclass
class Counts:
    """What one exchange did.

    ``sent`` counts mutations that were answered, and the next five fields count the answers;
    ``changes`` counts the changes in the pulled ``pages``.
    """

    sent: int = 0
    applied: int = 0
    merged: int = 0
    conflicts: int = 0
    rejected: int = 0
    aborted: int = 0
    pages: int = 0
    changes: int = 0
