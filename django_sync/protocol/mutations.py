"""Mutations and their batches: what a client asks for.

The server reads them strictly: an unknown member is malformed (``errors.Invalid``).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import errors
from .members import (
    Json,
    check_depth,
    check_object,
    read_integer,
    read_list,
    read_object,
    read_optional,
    read_text,
    read_time,
    read_uuid,
    read_word,
    refuse_unknown,
)
from .words import Write


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
        refuse_unknown(body, cls.MEMBERS)
        op = read_word(Write, body, "op")
        read_optional(body, "epoch", read_text)
        read_optional(body, "at", read_time)
        if op is Write.CREATE and body.get("base_revision") is not None:
            raise errors.Invalid("A create has no “base_revision”.")
        check_depth(body.get("fields"), "fields")
        check_depth(body.get("base"), "base")
        return cls(
            id=read_uuid(body, "id"),
            seq=read_integer(body, "seq", 0),
            op=op,
            collection=read_text(body, "collection"),
            object_id=read_uuid(body, "object_id"),
            base_revision=None if op is Write.CREATE else read_integer(body, "base_revision", 0),
            epoch=body.get("epoch"),
            fields={} if op is Write.DELETE else check_object(body.get("fields", {}), "fields"),
            base=read_optional(body, "base", read_object),
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
        body = check_object(body, "body")
        refuse_unknown(body, cls.MEMBERS)
        listed = read_list(body, "mutations")
        atomic = body.get("atomic", False)
        if not isinstance(atomic, bool):
            raise errors.Invalid("“atomic” is not a boolean.")
        return cls(
            client_id=read_uuid(body, "client_id"),
            mutations=tuple(check_object(entry, "mutations") for entry in listed),
            cursor=read_optional(body, "cursor", read_text),
            atomic=atomic,
        )

    def __iter__(self) -> Iterator[Json]:
        return iter(self.mutations)
