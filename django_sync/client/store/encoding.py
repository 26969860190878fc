"""JSON as the client writes it: compact, always in the same form, so that texts can be compared.

This file knows nothing of the store or the wire.
"""

from __future__ import annotations

import datetime
import decimal
import json
import uuid
from collections.abc import Mapping
from typing import Any

from ... import errors
from ...protocol.ids import canonical_uuid

Json = dict[str, Any]


def _default(value: object) -> str:
    match value:
        case uuid.UUID() | decimal.Decimal():
            return str(value)
        case datetime.datetime() if value.tzinfo is not None:
            return value.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")
        case datetime.date() | datetime.time():
            return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not a JSON value, and a record holds only these.")


_encoder = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_default
)
_ascii = json.JSONEncoder(allow_nan=False, separators=(",", ":"), default=_default)


def dumps(value: object) -> str:
    """Write JSON; UUIDs, dates, times and decimals become strings."""
    text = _encoder.encode(value)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:  # Half of a surrogate pair: a server may hold such, SQLite not.
            return _ascii.encode(value)
    return text


def loads(text: str) -> Any:
    """Read JSON that ``dumps`` wrote."""
    return json.loads(text)


def normalized(fields: Mapping[str, Any]) -> Json:
    """Return ``fields`` as they are after encoding to JSON and back.

    Raises ``errors.Invalid`` for values that JSON does not have.
    """
    try:
        text = _encoder.encode(dict(fields))
        text.encode()
        value = loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise errors.Invalid(str(error)) from error
    if not all(isinstance(name, str) for name in fields):
        raise errors.Invalid("A field's name is a string.")
    return dict(value)


def same(left: object, right: object) -> bool:
    """Whether two JSON values are the same; unlike ``==``, ``1`` is not ``True``."""
    return left == right and json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


def object_id(value: str | uuid.UUID) -> str:
    """An object's id as the protocol writes it; raises ``errors.Invalid``."""
    try:
        return str(value if isinstance(value, uuid.UUID) else canonical_uuid(value))
    except ValueError as error:
        raise errors.Invalid(f"“{value}” is not the id of an object.") from error
