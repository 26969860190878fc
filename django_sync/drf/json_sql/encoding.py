"""JSON as it is sent, written by Python."""

from __future__ import annotations

import json
import math
from typing import Any

from rest_framework.utils.encoders import JSONEncoder


def encoded(value: Any) -> str:
    """The JSON of what is sent, also of what neither JSON nor UTF-8 can say.

    NaN and infinities, which raw SQL can store, become null; half surrogates are escaped.
    """
    try:
        return strictly_encoded(value)
    except ValueError:
        return _compact(finite(value), escaped=True)


def strictly_encoded(value: Any) -> str:
    """The same; raises ``ValueError`` for what neither JSON nor UTF-8 can say."""
    text = _compact(value, escaped=False)
    if not text.isascii():
        text.encode()
    return text


def _compact(value: Any, *, escaped: bool) -> str:
    return json.dumps(
        value, cls=JSONEncoder, ensure_ascii=escaped, allow_nan=False, separators=(",", ":")
    )


def finite(value: Any) -> Any:
    """The value with ``None`` for each number that JSON does not know."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return value
