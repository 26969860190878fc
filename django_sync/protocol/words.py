"""The protocol's closed vocabularies. The values are those of the wire."""

from __future__ import annotations

import enum

PROTOCOL_VERSION = 1


class Op(enum.StrEnum):
    """What a replica does with a change in a pull."""

    PUT = "put"
    DELETE = "delete"
    REMOVE = "remove"
    DROP = "drop"
    BEGIN = "begin"


class Write(enum.StrEnum):
    """What a mutation asks for."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class Status(enum.StrEnum):
    """How a mutation ended."""

    APPLIED = "applied"
    MERGED = "merged"
    CONFLICT = "conflict"
    REJECTED = "rejected"
    ABORTED = "aborted"

    @property
    def took_effect(self) -> bool:
        """Whether the object is now as asked (or as resolved)."""
        return self in (Status.APPLIED, Status.MERGED)


class ConflictKind(enum.StrEnum):
    """How two writes conflict."""

    UPDATE_UPDATE = "update_update"
    UPDATE_DELETE = "update_delete"
    DELETE_UPDATE = "delete_update"
    CREATE_CREATE = "create_create"
    UNKNOWN_BASE = "unknown_base"


class Kept(enum.StrEnum):
    """Whose value a resolver kept."""

    SERVER = "server"
    CLIENT = "client"
    MERGED = "merged"


class Transport(enum.StrEnum):
    """The ways in which changes reach a client, best first."""

    WEBSOCKET = "websocket"
    SSE = "sse"
    PUSH = "push"
    LONG_POLL = "long-poll"
    POLL = "poll"
