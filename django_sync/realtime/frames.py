"""The frames that a client sends over a socket, as values; read strictly, as all its input.

Pure: text in, values out. ``Invalid`` and other errors say what is wrong with a frame.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from .. import errors
from ..feed.cursor import MAX_LENGTH
from ..protocol import PROTOCOL_VERSION, Json
from ..protocol.ids import canonical_uuid


@dataclass(frozen=True, slots=True)
class Hello:
    """The first frame. ``collections``: what the client asks for; ``None``: all it may read."""

    cursor: str | None = None
    collections: tuple[str, ...] | None = None
    session: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Ack:
    """How many frames of changes the client has applied on this connection."""

    frames: int


@dataclass(frozen=True, slots=True)
class Mutate:
    """A batch, which the view for mutations reads; its results have the same ``ref``."""

    ref: Any
    text: str


@dataclass(frozen=True, slots=True)
class Ping:
    """The client is there."""


ClientFrame = Hello | Ack | Mutate | Ping
MEMBERS = {
    "hello": {"protocol", "session", "cursor", "collections"},
    "ack": {"frames"},
    "ping": set[str](),
}
MOST_NAMES = 1000
"""Collections that a client may name, and characters of one name."""
MOST_REF = 200
"""Characters of a ``ref`` that is a string."""
MAX_REF = 2**53 - 1


def size(text: str | None) -> int:
    """Bytes of a text, in UTF-8."""
    if text is None or text.isascii():
        return len(text or "")
    return len(text.encode("utf-8", "surrogatepass"))


def read(text: str | None, most: int) -> ClientFrame:
    """The frame that a text of at most ``most`` bytes is."""
    if text is None:
        raise errors.Invalid("Frames are text.")
    if size(text) > most:
        raise errors.TooLarge(f"A frame holds at most {most} bytes.")
    try:
        frame = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise errors.Invalid("The frame is not JSON.") from None
    kind = frame.pop("type", None) if isinstance(frame, dict) else None
    if kind == "mutate":
        return Mutate(_ref(frame), text)
    if not (isinstance(kind, str) and kind in MEMBERS):
        raise errors.Invalid("There is no such frame.")
    unknown = sorted(set(frame) - MEMBERS[kind])
    if unknown:
        raise errors.Invalid(f"Unknown members: {', '.join(unknown)[:200]}.")
    if kind == "hello":
        return _hello(frame)
    return Ack(_frames(frame)) if kind == "ack" else Ping()


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _ref(frame: Json) -> Any:
    ref = frame.get("ref")
    if isinstance(ref, bool) or not (ref is None or isinstance(ref, (str, int))):
        raise errors.Invalid("“ref” is a string or an integer.")
    if len(ref) > MOST_REF if isinstance(ref, str) else abs(ref or 0) > MAX_REF:
        raise errors.Invalid("“ref” is too long.")
    return ref


def _hello(frame: Mapping[str, Any]) -> Hello:
    protocol = frame.get("protocol")
    if protocol != PROTOCOL_VERSION or isinstance(protocol, bool):
        raise errors.UnsupportedProtocol
    cursor, names, session = (frame.get(n) for n in ("cursor", "collections", "session"))
    if not (cursor is None or isinstance(cursor, str)):
        raise errors.Invalid("“cursor” is not a string.")
    if cursor is not None and len(cursor) > MAX_LENGTH:
        raise errors.InvalidCursor
    listed = isinstance(names, list) and all(isinstance(name, str) for name in names)
    if not (names is None or listed):
        raise errors.Invalid("“collections” is not a list of names.")
    try:
        id = None if session is None else canonical_uuid(session)
    except ValueError:
        raise errors.Invalid("“session” is not a hyphenated UUID.") from None
    return Hello(cursor, None if names is None else _names(names), id)


def _names(names: list[str]) -> tuple[str, ...]:
    """Each name once, in order; they are put into a URL with commas between them."""
    once = tuple(dict.fromkeys(names))
    if len(once) > MOST_NAMES:
        raise errors.Invalid("“collections” names too many.")
    if any(not name or "," in name or len(name) > MOST_NAMES for name in once):
        raise errors.UnknownCollection
    return once


def _frames(frame: Mapping[str, Any]) -> int:
    frames = frame.get("frames")
    if not isinstance(frames, int) or isinstance(frames, bool):
        raise errors.Invalid("“frames” is not an integer.")
    if frames < 1:
        raise errors.Invalid("“frames” is less than 1.")
    return frames
