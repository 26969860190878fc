"""What a client tells of itself when it opens a session or when something changes.

Reading is strict, as of all that a client sends: an unknown member or word is malformed
(``errors.Invalid``). What is read are plain JSON values, under the names of the members.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import errors
from .messages import (
    Json,
    _if_given,
    _integer,
    _list,
    _member,
    _object,
    _only,
    _text,
    _uuid,
    check_depth,
)
from .words import Transport

NAME_LENGTH = 200
PLATFORM_LENGTH = 200
VERSION_LENGTH = 100
TYPE_LENGTH = 30
KIND_LENGTH = 30


@dataclass(frozen=True, slots=True)
class Network:
    """What a client knows of its network; ``None`` where it does not know."""

    type: str | None = None
    metered: bool | None = None
    rtt_ms: int | None = None

    MEMBERS = frozenset({"type", "metered", "rtt_ms"})

    @classmethod
    def from_json(cls, body: Any) -> Network:
        body = _object(body, "network")
        _only(body, cls.MEMBERS)
        return cls(
            type=_if_given(body, "type", _short, TYPE_LENGTH),
            metered=_if_given(body, "metered", _flag),
            rtt_ms=_if_given(body, "rtt_ms", _integer, 0),
        )

    def to_json(self) -> Json:
        return {"type": self.type, "metered": self.metered, "rtt_ms": self.rtt_ms}


@dataclass(frozen=True, slots=True)
class Push:
    """How a client wants to be woken: the kind, and what its sender needs to know besides.

    ``target`` is checked by the kind's sender; here it is any JSON.
    """

    kind: str
    target: Json

    @classmethod
    def from_json(cls, body: Any) -> Push:
        body = _object(body, "push")
        kind = _short(body, "kind", KIND_LENGTH)
        return cls(kind, {name: value for name, value in body.items() if name != "kind"})


@dataclass(frozen=True, slots=True)
class SessionChange:
    """What a client tells anew of its session; what it leaves out stays as it is.

    ``told`` holds the members that were given, with their defaults where they were null.
    ``push`` says how it is woken; ``None`` where ``tells_push`` is true: not any more.
    """

    told: Json = field(default_factory=dict)
    push: Push | None = None
    tells_push: bool = False

    @classmethod
    def from_json(cls, body: Any) -> SessionChange:
        body = _object(body, "body")
        _only(body, frozenset(MEMBERS) | {"push"})
        check_depth(body.get("push"), "push")
        return cls(
            told={name: MEMBERS[name](body, name) for name in MEMBERS if name in body},
            push=_if_given(body, "push", lambda body, name: Push.from_json(body[name])),
            tells_push="push" in body,
        )


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """What a client tells of itself to open a session."""

    client_id: uuid.UUID
    told: Json
    push: Push | None = None

    @classmethod
    def from_json(cls, body: Any) -> SessionRequest:
        body = _object(body, "body")
        client_id = _uuid(body, "client_id")
        _member(body, "transports")
        rest = {name: value for name, value in body.items() if name != "client_id"}
        read = SessionChange.from_json(rest)
        return cls(client_id, read.told, read.push)


def _short(body: Mapping[str, Any], name: str, most: int) -> str:
    """A text that any column of this length can hold."""
    text = _text(body, name)
    if len(text) > most or errors.printable(text) != text:
        raise errors.Invalid(f"“{name}” is not a text of at most {most} characters.")
    return text


def _flag(body: Mapping[str, Any], name: str) -> bool:
    value = _member(body, name)
    if not isinstance(value, bool):
        raise errors.Invalid(f"“{name}” is not a boolean.")
    return value


def _names(body: Mapping[str, Any], name: str) -> list[str]:
    """A list of texts, each once."""
    listed = _list(body, name)
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
    """The member as ``read`` reads it, its default where it is null."""
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
"""How each member is read; ``push`` is another."""
