"""Reads the members of a JSON object. Each function raises ``errors.Invalid``."""

from __future__ import annotations

import datetime
import enum
import uuid
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from .. import errors
from .ids import canonical_uuid

Json = dict[str, Any]
Word = TypeVar("Word", bound=enum.StrEnum)

MAX_SEQ = 2**53 - 1
"""The largest integer that every JSON reader keeps exact (RFC 8259, section 6)."""
MAX_DEPTH = 100
"""Levels of lists and objects in an object's fields, at most: some readers could not go deeper."""


def read_member(body: Mapping[str, Any], name: str) -> Any:
    """Return the member; raise if it is missing or ``body`` is no object."""
    if not isinstance(body, dict):
        raise errors.Invalid(f"What should have “{name}” is not an object.")
    if name not in body:
        raise errors.Invalid(f"“{name}” is missing.")
    return body[name]


def read_uuid(body: Mapping[str, Any], name: str) -> uuid.UUID:
    """Return a UUID in its hyphenated form."""
    try:
        return canonical_uuid(read_member(body, name))
    except ValueError:
        raise errors.Invalid(f"“{name}” is not a hyphenated UUID.") from None


def read_integer(body: Mapping[str, Any], name: str, least: int) -> int:
    """Return an integer from ``least`` to ``MAX_SEQ``."""
    value = read_member(body, name)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= MAX_SEQ:
        raise errors.Invalid(f"“{name}” is not an integer from {least} to {MAX_SEQ}.")
    return value


def read_text(body: Mapping[str, Any], name: str) -> str:
    """Return a string."""
    value = read_member(body, name)
    if not isinstance(value, str):
        raise errors.Invalid(f"“{name}” is not a string.")
    return value


def read_time(body: Mapping[str, Any], name: str) -> str:
    """Return a time in ISO 8601 with its offset from UTC, so that it can be compared."""
    text = read_text(body, name)
    try:
        read = datetime.datetime.fromisoformat(text)
        read.astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        read = None
    if read is None or read.tzinfo is None:
        raise errors.Invalid(f"“{name}” is not a time with its offset (ISO 8601).")
    return text


def check_object(value: Any, name: str) -> Json:
    """Return a value that is an object."""
    if not isinstance(value, dict):
        raise errors.Invalid(f"“{name}” is not an object.")
    return value


def check_depth(value: Any, name: str) -> None:
    """Raise ``Invalid`` if a value is nested more than ``MAX_DEPTH`` levels deep."""
    depth = 0
    level = [value] if isinstance(value, (dict, list)) else []
    while level:
        if depth >= MAX_DEPTH:
            raise errors.Invalid(f"“{name}” is nested more than {MAX_DEPTH} levels deep.")
        below: list[Any] = []
        for found in level:
            below.extend(found.values() if isinstance(found, dict) else found)
        level, depth = [v for v in below if isinstance(v, (dict, list))], depth + 1


def read_optional(body: Mapping[str, Any], name: str, read: Callable[..., Any], *more: Any) -> Any:
    """Return the member as ``read`` reads it; ``None`` if it is absent or null."""
    return None if body.get(name) is None else read(body, name, *more)


def read_object(body: Mapping[str, Any], name: str) -> Json:
    """Return a member that is an object."""
    return check_object(read_member(body, name), name)


def read_list(body: Mapping[str, Any], name: str) -> list[Any]:
    """Return a member that is a list."""
    value = read_member(body, name)
    if not isinstance(value, list):
        raise errors.Invalid(f"“{name}” is not a list.")
    return value


def read_word(words: type[Word], body: Mapping[str, Any], name: str) -> Word:
    """Return one of the words of an enumeration."""
    try:
        return words(read_text(body, name))
    except ValueError:
        raise errors.Invalid(f"“{name}” is none of {', '.join(words)}.") from None


def refuse_unknown(body: Mapping[str, Any], known: frozenset[str]) -> None:
    """Raise if the object has other members than the known ones."""
    if not body.keys() <= known:
        unknown = sorted(body.keys() - known)
        raise errors.Invalid(f"Unknown members: {', '.join(unknown)}.")
