"""What a client reports about itself when it opens a session or when something changes.

It is read strictly, like everything that a client sends: an unknown member or word is malformed
(``errors.Invalid``). The results are JSON values under the names of the members.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import errors
from .members import (
    Json,
    check_depth,
    check_object,
    read_integer,
    read_list,
    read_member,
    read_optional,
    read_text,
    read_uuid,
    refuse_unknown,
)
from .words import Transport

NAME_LENGTH = 200
PLATFORM_LENGTH = 200
VERSION_LENGTH = 100
TYPE_LENGTH = 30
KIND_LENGTH = 30


@dataclass(frozen=True, slots=True)
class Network:
    """What a client knows about its network; ``None`` for what it does not know."""

    type: str | None = None
    metered: bool | None = None
    rtt_ms: int | None = None

    MEMBERS = frozenset({"type", "metered", "rtt_ms"})

    @classmethod
    def from_json(cls, body: Any) -> Network:
        body = check_object(body, "network")
        refuse_unknown(body, cls.MEMBERS)
        return cls(
            type=read_optional(body, "type", _short, TYPE_LENGTH),
            metered=read_optional(body, "metered", _flag),
            rtt_ms=read_optional(body, "rtt_ms", read_integer, 0),
        )

    def to_json(self) -> Json:
        return {"type": self.type, "metered": self.metered, "rtt_ms": self.rtt_ms}


@dataclass(frozen=True, slots=True)
class Push:
    """How a client wants to be woken: the kind, and what the sender of this kind needs.

    ``target`` is checked by the kind's sender; here it is any JSON.
    """

    kind: str
    target: Json

    @classmethod
    def from_json(cls, body: Any) -> Push:
        body = check_object(body, "push")
        kind = _short(body, "kind", KIND_LENGTH)
        return cls(kind, {name: value for name, value in body.items() if name != "kind"})


@dataclass(frozen=True, slots=True)
class SessionChange:
    """What a client reports anew about its session; what it leaves out stays as it is.

    ``reported`` holds the members that were sent, with their defaults if they were null. ``push``
    says how the client is woken; ``None`` with ``has_push``: not any more.
    """

    reported: Json = field(default_factory=dict)
    push: Push | None = None
    has_push: bool = False

    @classmethod
    def from_json(cls, body: Any) -> SessionChange:
        body = check_object(body, "body")
        refuse_unknown(body, frozenset(MEMBERS) | {"push"})
        check_depth(body.get("push"), "push")
        return cls(
            reported={name: MEMBERS[name](body, name) for name in MEMBERS if name in body},
            push=read_optional(body, "push", lambda body, name: Push.from_json(body[name])),
            has_push="push" in body,
        )


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """What a client reports about itself to open a session."""

    client_id: uuid.UUID
    reported: Json
    push: Push | None = None

    @classmethod
    def from_json(cls, body: Any) -> SessionRequest:
        body = check_object(body, "body")
        client_id = read_uuid(body, "client_id")
        read_member(body, "transports")
        rest = {name: value for name, value in body.items() if name != "client_id"}
        read = SessionChange.from_json(rest)
        return cls(client_id, read.reported, read.push)


def _short(body: Mapping[str, Any], name: str, most: int) -> str:
    """Return a text that any column of this length can hold."""
    text = read_text(body, name)
    if len(text) > most or errors.printable(text) != text:
        raise errors.Invalid(f"“{name}” is not a text of at most {most} characters.")
    return text


def _flag(body: Mapping[str, Any], name: str) -> bool:
    value = read_member(body, name)
    if not isinstance(value, bool):
        raise errors.Invalid(f"“{name}” is not a boolean.")
    return value


def _names(body: Mapping[str, Any], name: str) -> list[str]:
    """Return a list of texts, each once."""
    listed = read_list(body, name)
    if not all(isinstance(entry, str) for entry in listed):
        raise errors.Invalid(f"“{name}” is not a list of strings.")
    return list(dict.fromkeys(listed))


def _transports(body: Mapping[str, Any], name: str) -> list[str]:
    listed = _names(body, name)
    if not set(listed) <= set(Transport):
        raise errors.Invalid(f"“{name}” names others than {', '.join(Transport)}.")
    return listed


def _network(body: Mapping[str, Any], name: str) -> Json:
    return Network.from_json(body[name]).to_json()


def _or(default: Any, read: Callable[..., Any], *more: Any) -> Callable[[Json, str], Any]:
    """Read the member with ``read``; use its default if it is null."""
    return lambda body, name: default if body[name] is None else read(body, name, *more)


MEMBERS: Mapping[str, Callable[[Json, str], Any]] = {
    "name": _or("", _short, NAME_LENGTH),
    "platform": _or("", _short, PLATFORM_LENGTH),
    "version": _or("", _short, VERSION_LENGTH),
    "collections": _or(None, _names),
    "transports": _transports,
    "failed": _or([], _transports),
    "network": _or({}, _network),
    "foreground": _or(True, _flag),
}
"""How each member is read; ``push`` is read apart."""
