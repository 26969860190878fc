"""The frames that a client sends over a socket, as values; strict, as what clients send is read.

Pure: text in, values out. ``Invalid`` and its kin tell what is wrong with a frame.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .. import errors
from ..ids import canonical_uuid
from ..protocol import PROTOCOL_VERSION, Json


@dataclass(frozen=True, slots=True)
class Hello:
    """Where the client stands, and what it asks for; ``None``: all that may be read."""

    cursor: str | None = None
    collections: tuple[str, ...] | None = None
    session: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Ack:
    """How many frames of changes the client has applied on this connection."""

    frames: int


@dataclass(frozen=True, slots=True)
class Mutate:
    """A batch, as a request for mutations has it; ``ref`` comes back with its results."""

    ref: Any
    body: Json


@dataclass(frozen=True, slots=True)
class Ping:
    """The client is there."""


Sent = Hello | Ack | Mutate | Ping
MEMBERS = {
    "hello": {"protocol", "session", "cursor", "collections"},
    "ack": {"frames"},
    "ping": set[str](),
}


def read(text: str | None, most: int) -> Sent:
    """The frame that a text of at most ``most`` characters is."""
    if text is None:
        raise errors.Invalid("Frames are text.")
    if len(text) > most:
        raise errors.TooLarge(f"A frame holds at most {most} bytes.")
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        raise errors.Invalid("The frame is no JSON.") from None
    kind = frame.pop("type", None) if isinstance(frame, dict) else None
    if kind == "mutate":
        return Mutate(_ref(frame), frame)
    if not (isinstance(kind, str) and kind in MEMBERS):
        raise errors.Invalid("There is no such frame.")
    unknown = sorted(set(frame) - MEMBERS[kind])
    if unknown:
        raise errors.Invalid(f"Unknown members: {', '.join(unknown)[:200]}.")
    if kind == "hello":
        return _hello(frame)
    return Ack(_frames(frame)) if kind == "ack" else Ping()


def _ref(frame: Json) -> Any:
    ref = frame.pop("ref", None)
    if not (ref is None or isinstance(ref, (str, int))):
        raise errors.Invalid("“ref” is a string or an integer.")
    return ref


def _hello(frame: Mapping[str, Any]) -> Hello:
    protocol = frame.get("protocol")
    if protocol != PROTOCOL_VERSION or isinstance(protocol, bool):
        raise errors.UnsupportedProtocol
    cursor, names, session = (frame.get(n) for n in ("cursor", "collections", "session"))
    if not (cursor is None or isinstance(cursor, str)):
        raise errors.Invalid("“cursor” is no string.")
    listed = isinstance(names, list) and all(isinstance(name, str) for name in names)
    if not (names is None or listed):
        raise errors.Invalid("“collections” is no list of names.")
    try:
        id = None if session is None else canonical_uuid(session)
    except ValueError:
        raise errors.Invalid("“session” is not a hyphenated UUID.") from None
    return Hello(cursor, None if names is None else tuple(names), id)


def _frames(frame: Mapping[str, Any]) -> int:
    frames = frame.get("frames")
    if not isinstance(frames, int) or isinstance(frames, bool):
        raise errors.Invalid("“frames” is no integer.")
    return frames
