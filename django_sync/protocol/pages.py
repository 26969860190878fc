"""Records, changes and pages: what a pull answers.

Both sides read them leniently: a member that a newer server adds is ignored. What cannot be read
raises ``errors.Invalid``.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .. import errors
from .members import Json, check_object, read_integer, read_list, read_member, read_text, read_uuid
from .words import Op


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
            collection=read_text(body, "collection"),
            id=read_uuid(body, "id"),
            revision=read_integer(body, "revision", 0),
            scope=read_text(body, "scope"),
            object=check_object(read_member(body, "object"), "object"),
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
            op = Op(read_text(body, "op"))
        except ValueError:
            return None
        collection = read_text(body, "collection")
        match op:
            case Op.PUT:
                return Record.from_json(body).as_change()
            case Op.DELETE:
                return cls(op, collection, read_uuid(body, "id"), read_integer(body, "revision", 0))
            case Op.REMOVE:
                return cls(op, collection, read_uuid(body, "id"))
            case Op.DROP:
                return cls(op, collection, scope=read_text(body, "scope"))
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
        listed = read_list(body, "changes")
        if not isinstance(body.get("has_more"), bool):
            raise errors.Invalid("This is not a page of changes.")
        read = (Change.from_json(check_object(entry, "changes")) for entry in listed)
        snapshot = body.get("snapshot")
        return cls(
            changes=tuple(change for change in read if change is not None),
            cursor=read_text(body, "cursor"),
            has_more=body["has_more"],
            epoch=read_text(body, "epoch"),
            snapshot=snapshot if isinstance(snapshot, dict) else None,
        )
