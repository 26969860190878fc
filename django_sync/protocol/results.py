"""The results of mutations, with their conflicts and resolutions.

The client reads them leniently: a member that a newer server adds is ignored. What cannot be read
raises ``errors.Invalid``.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .members import (
    Json,
    read_integer,
    read_list,
    read_object,
    read_optional,
    read_text,
    read_uuid,
    read_word,
)
from .words import ConflictKind, Status

Problem = Mapping[str, Any]
"""An RFC 9457 body as ``errors.SyncError.problem`` makes it."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """All that is known about two writes that overlap and were not resolved."""

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
            kind=read_word(ConflictKind, body, "kind"),
            fields=tuple(map(str, read_list(body, "fields"))),
            base_revision=read_optional(body, "base_revision", read_integer, 0),
            base=read_optional(body, "base", read_object),
            server=read_object(body, "server"),
            client=read_object(body, "client"),
        )


@dataclass(frozen=True, slots=True)
class Resolution:
    """How one overlapping field was resolved: by which resolver, and whose value was kept."""

    field: str
    by: str
    kept: str

    def to_json(self) -> Json:
        return {"field": self.field, "by": self.by, "kept": self.kept}

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Resolution:
        return cls(read_text(body, "field"), read_text(body, "by"), read_text(body, "kept"))


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
        status = read_word(Status, body, "status")
        conflict = read_optional(body, "conflict", read_object)
        return cls(
            id=read_optional(body, "id", read_uuid),
            status=status,
            revision=read_optional(body, "revision", read_integer, 0),
            record=read_optional(body, "record", read_object),
            conflict=None if conflict is None else Conflict.from_json(conflict),
            problem=read_optional(body, "problem", read_object),
            resolved=tuple(
                map(Resolution.from_json, read_optional(body, "resolved", read_list) or ())
            ),
            replayed=bool(body.get("replayed", False)),
        )
