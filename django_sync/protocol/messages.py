"""The messages of the protocol as plain values, and how they are read and written.

Reading what a client sent (``Batch``, ``Mutation``) is strict: an unknown member
is malformed. Reading what a server sent (``Page``, ``Result``) is lenient: what a
newer server adds is ignored. Both raise ``errors.Invalid``.
"""

from __future__ import annotations

import datetime
import enum
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from .. import errors
from .ids import canonical_uuid
from .words import ConflictKind, Op, Status, Write

Json = dict[str, Any]
Word = TypeVar("Word", bound=enum.StrEnum)
Problem = Mapping[str, Any]
"""An RFC 9457 body as ``errors.SyncError.problem`` makes it."""

MAX_SEQ = 2**53 - 1
"""The largest integer that every JSON reader keeps exact (RFC 8259, section 6)."""
MAX_DEPTH = 100
"""Levels of lists and objects in an object's fields: what some reader could not follow."""


def _member(body: Mapping[str, Any], name: str) -> Any:
    if not isinstance(body, dict):
        raise errors.Invalid(f"What should have “{name}” is not an object.")
    if name not in body:
        raise errors.Invalid(f"“{name}” is missing.")
    return body[name]


def _uuid(body: Mapping[str, Any], name: str) -> uuid.UUID:
    try:
        return canonical_uuid(_member(body, name))
    except ValueError:
        raise errors.Invalid(f"“{name}” is not a hyphenated UUID.") from None


def _integer(body: Mapping[str, Any], name: str, least: int) -> int:
    value = _member(body, name)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= MAX_SEQ:
        raise errors.Invalid(f"“{name}” is not an integer from {least} to {MAX_SEQ}.")
    return value


def _text(body: Mapping[str, Any], name: str) -> str:
    value = _member(body, name)
    if not isinstance(value, str):
        raise errors.Invalid(f"“{name}” is not a string.")
    return value


def _time(body: Mapping[str, Any], name: str) -> str:
    """A time in ISO 8601 with its offset from UTC; one that can be compared with others."""
    told = _text(body, name)
    try:
        read = datetime.datetime.fromisoformat(told)
        read.astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        read = None
    if read is None or read.tzinfo is None:
        raise errors.Invalid(f"“{name}” is not a time with its offset (ISO 8601).")
    return told


def _object(value: Any, name: str) -> Json:
    if not isinstance(value, dict):
        raise errors.Invalid(f"“{name}” is not an object.")
    return value


def check_depth(value: Any, name: str) -> None:
    """Raise ``Invalid`` where a value is nested more deeply than any reader need follow."""
    depth = 0
    level = [value] if isinstance(value, (dict, list)) else []
    while level:
        if depth >= MAX_DEPTH:
            raise errors.Invalid(f"“{name}” is nested more than {MAX_DEPTH} levels deep.")
        inner: list[Any] = []
        for found in level:
            inner.extend(found.values() if isinstance(found, dict) else found)
        level, depth = [v for v in inner if isinstance(v, (dict, list))], depth + 1


def _if_given(body: Mapping[str, Any], name: str, read: Callable[..., Any], *more: Any) -> Any:
    """The member as ``read`` reads it, ``None`` where it is absent or null."""
    return None if body.get(name) is None else read(body, name, *more)


def _objects(body: Mapping[str, Any], name: str) -> Json:
    return _object(_member(body, name), name)


def _list(body: Mapping[str, Any], name: str) -> list[Any]:
    value = _member(body, name)
    if not isinstance(value, list):
        raise errors.Invalid(f"“{name}” is not a list.")
    return value


def _one_of(words: type[Word], body: Mapping[str, Any], name: str) -> Word:
    try:
        return words(_text(body, name))
    except ValueError:
        raise errors.Invalid(f"“{name}” is none of {', '.join(words)}.") from None


def _only(body: Mapping[str, Any], known: frozenset[str]) -> None:
    if not body.keys() <= known:
        unknown = sorted(body.keys() - known)
        raise errors.Invalid(f"Unknown members: {', '.join(unknown)}.")


@dataclass(frozen=True, slots=True)
class Record:
    """An object with its metadata; ``object`` is what the collection's serializer made."""

    collection: str
    id: uuid.UUID
    revision: int
    scope: str
    object: Json

    def to_json(self) -> Json:
        return {
            "collection": self.collection,
            "id": str(self.id),
            "revision": self.revision,
            "scope": self.scope,
            "object": self.object,
        }

    def as_change(self) -> Change:
        """The ``put`` of this record."""
        return Change(Op.PUT, self.collection, self.id, self.revision, self.scope, self.object)

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Record:
        return cls(
            collection=_text(body, "collection"),
            id=_uuid(body, "id"),
            revision=_integer(body, "revision", 0),
            scope=_text(body, "scope"),
            object=_object(_member(body, "object"), "object"),
        )


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of a page. Which members are set depends on ``op``."""

    op: Op
    collection: str
    id: uuid.UUID | None = None
    revision: int | None = None
    scope: str | None = None
    object: Json | None = None

    @classmethod
    def put(cls, record: Record) -> Change:
        return record.as_change()

    @property
    def record(self) -> Record:
        """The record of a ``put``."""
        assert self.id is not None and self.revision is not None
        assert self.scope is not None and self.object is not None
        return Record(self.collection, self.id, self.revision, self.scope, self.object)

    def to_json(self) -> Json:
        body: Json = {"op": str(self.op), "collection": self.collection}
        if self.id is not None:
            body["id"] = str(self.id)
        if self.revision is not None:
            body["revision"] = self.revision
        if self.scope is not None:
            body["scope"] = self.scope
        if self.object is not None:
            body["object"] = self.object
        return body

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Change | None:
        """Read a change; ``None`` for an op that this version does not know."""
        try:
            op = Op(_text(body, "op"))
        except ValueError:
            return None
        collection = _text(body, "collection")
        match op:
            case Op.PUT:
                return Record.from_json(body).as_change()
            case Op.DELETE:
                return cls(op, collection, _uuid(body, "id"), _integer(body, "revision", 0))
            case Op.REMOVE:
                return cls(op, collection, _uuid(body, "id"))
            case Op.DROP:
                return cls(op, collection, scope=_text(body, "scope"))
            case Op.BEGIN:
                return cls(op, collection)


@dataclass(frozen=True, slots=True)
class Page:
    """The answer to one pull."""

    changes: Sequence[Change]
    cursor: str
    has_more: bool
    epoch: str
    snapshot: Mapping[str, int] | None = None

    def to_json(self) -> Json:
        body: Json = {
            "changes": [change.to_json() for change in self.changes],
            "cursor": self.cursor,
            "has_more": self.has_more,
            "epoch": self.epoch,
        }
        if self.snapshot is not None:
            body["snapshot"] = dict(self.snapshot)
        return body

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Page:
        listed = _list(body, "changes")
        if not isinstance(body.get("has_more"), bool):
            raise errors.Invalid("This is not a page of changes.")
        read = (Change.from_json(_object(entry, "changes")) for entry in listed)
        snapshot = body.get("snapshot")
        return cls(
            changes=tuple(change for change in read if change is not None),
            cursor=_text(body, "cursor"),
            has_more=body["has_more"],
            epoch=_text(body, "epoch"),
            snapshot=snapshot if isinstance(snapshot, dict) else None,
        )


@dataclass(frozen=True, slots=True)
class Mutation:
    """One change that a client asks for."""

    id: uuid.UUID
    seq: int
    op: Write
    collection: str
    object_id: uuid.UUID
    base_revision: int | None = None
    epoch: str | None = None
    fields: Json = field(default_factory=dict)
    base: Json | None = None
    at: str | None = None

    MEMBERS = frozenset(
        {
            "id",
            "seq",
            "op",
            "collection",
            "object_id",
            "base_revision",
            "epoch",
            "fields",
            "base",
            "at",
        }
    )

    def to_json(self) -> Json:
        body: Json = {
            "id": str(self.id),
            "seq": self.seq,
            "op": str(self.op),
            "collection": self.collection,
            "object_id": str(self.object_id),
            "base_revision": self.base_revision,
            "fields": self.fields,
        }
        for name in ("epoch", "base", "at"):
            if (value := getattr(self, name)) is not None:
                body[name] = value
        return body

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Mutation:
        _only(body, cls.MEMBERS)
        op = _one_of(Write, body, "op")
        _if_given(body, "epoch", _text)
        _if_given(body, "at", _time)
        if op is Write.CREATE and body.get("base_revision") is not None:
            raise errors.Invalid("A create has no “base_revision”.")
        check_depth(body.get("fields"), "fields")
        check_depth(body.get("base"), "base")
        return cls(
            id=_uuid(body, "id"),
            seq=_integer(body, "seq", 0),
            op=op,
            collection=_text(body, "collection"),
            object_id=_uuid(body, "object_id"),
            base_revision=None if op is Write.CREATE else _integer(body, "base_revision", 0),
            epoch=body.get("epoch"),
            fields={} if op is Write.DELETE else _object(body.get("fields", {}), "fields"),
            base=_if_given(body, "base", _objects),
            at=body.get("at"),
        )


@dataclass(frozen=True, slots=True)
class Batch:
    """The envelope of a mutation request; its mutations are still as they came."""

    client_id: uuid.UUID
    mutations: tuple[Json, ...]
    cursor: str | None = None
    atomic: bool = False

    MEMBERS = frozenset({"client_id", "cursor", "atomic", "mutations"})

    @classmethod
    def from_json(cls, body: Any) -> Batch:
        body = _object(body, "body")
        _only(body, cls.MEMBERS)
        listed = _list(body, "mutations")
        atomic = body.get("atomic", False)
        if not isinstance(atomic, bool):
            raise errors.Invalid("“atomic” is not a boolean.")
        return cls(
            client_id=_uuid(body, "client_id"),
            mutations=tuple(_object(entry, "mutations") for entry in listed),
            cursor=_if_given(body, "cursor", _text),
            atomic=atomic,
        )

    def __iter__(self) -> Iterator[Json]:
        return iter(self.mutations)


@dataclass(frozen=True, slots=True)
class Conflict:
    """All that is known of two writes that met and were not settled."""

    kind: ConflictKind
    fields: tuple[str, ...]
    base_revision: int | None
    base: Json | None
    server: Json
    client: Json

    def to_json(self) -> Json:
        return {
            "kind": str(self.kind),
            "fields": list(self.fields),
            "base_revision": self.base_revision,
            "base": self.base,
            "server": self.server,
            "client": self.client,
        }

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Conflict:
        return cls(
            kind=_one_of(ConflictKind, body, "kind"),
            fields=tuple(map(str, _list(body, "fields"))),
            base_revision=_if_given(body, "base_revision", _integer, 0),
            base=_if_given(body, "base", _objects),
            server=_objects(body, "server"),
            client=_objects(body, "client"),
        )


@dataclass(frozen=True, slots=True)
class Resolution:
    """How one overlapping field was settled: by which resolver, and whose value was kept."""

    field: str
    by: str
    kept: str

    def to_json(self) -> Json:
        return {"field": self.field, "by": self.by, "kept": self.kept}

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Resolution:
        return cls(_text(body, "field"), _text(body, "by"), _text(body, "kept"))


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to one mutation. ``record`` is a record, or a tombstone after a delete."""

    id: uuid.UUID | None
    status: Status
    revision: int | None = None
    record: Json | None = None
    conflict: Conflict | None = None
    problem: Problem | None = None
    resolved: tuple[Resolution, ...] = ()
    replayed: bool = False

    def to_json(self) -> Json:
        body: Json = {
            "id": None if self.id is None else str(self.id),
            "status": str(self.status),
            "replayed": self.replayed,
        }
        if self.revision is not None:
            body["revision"] = self.revision
        if self.record is not None:
            body["record"] = self.record
        if self.conflict is not None:
            body["conflict"] = self.conflict.to_json()
        if self.problem is not None:
            body["problem"] = dict(self.problem)
        if self.resolved:
            body["resolved"] = [resolution.to_json() for resolution in self.resolved]
        return body

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Result:
        status = _one_of(Status, body, "status")
        conflict = _if_given(body, "conflict", _objects)
        return cls(
            id=_if_given(body, "id", _uuid),
            status=status,
            revision=_if_given(body, "revision", _integer, 0),
            record=_if_given(body, "record", _objects),
            conflict=None if conflict is None else Conflict.from_json(conflict),
            problem=_if_given(body, "problem", _objects),
            resolved=tuple(map(Resolution.from_json, _if_given(body, "resolved", _list) or ())),
            replayed=bool(body.get("replayed", False)),
        )
