"""Which values a record can hold: what JSON in UTF-8 can carry, and no number out of range."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

from .. import errors
from ..protocol import Json


@contextlib.contextmanager
def in_range() -> Iterator[None]:
    """A context for validation: raise ``ValidationFailed`` for a value that overflows."""
    try:
        yield
    except (OverflowError, UnicodeError):
        problem = {"code": "invalid", "detail": "A value is out of all range."}
        raise errors.ValidationFailed(errors={"non_field_errors": [problem]}) from None


def refuse_unrepresentable(fields: Json) -> None:
    """Raise ``ValidationFailed`` for values that no record can hold.

    JSON reads 1e999 as an infinity and writes none; it reads half a surrogate and UTF-8
    has no bytes for it. DRF makes numbers of the texts “nan” and “inf”.
    """
    wrong = [name for name, value in fields.items() if not representable(value)]
    if wrong:
        wrong.sort()
        problem = [{"code": "invalid", "detail": "JSON in UTF-8 cannot say this value."}]
        raise errors.ValidationFailed(errors=dict.fromkeys(wrong, problem))


def representable(value: Any) -> bool:
    """Whether JSON in UTF-8 can represent all that is in a value."""
    if isinstance(value, str):
        return value.isascii() or encodable(value)
    if value is None or value is True or value is False:
        return True
    if isinstance(value, (int, float)):
        return abs(value) <= sys.float_info.max  # what a Python float and a JavaScript number hold
    if isinstance(value, dict):
        return all(representable(key) and representable(item) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return all(map(representable, value))
    return True


def encodable(text: str) -> bool:
    """Whether UTF-8 has bytes for a text: it has none for half a surrogate."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
