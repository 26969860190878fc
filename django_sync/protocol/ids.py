"""New identifiers. Pure: this file knows neither Django nor the wire."""

from __future__ import annotations

import re
import sys
import uuid

if sys.version_info >= (3, 14):
    from uuid import uuid7
else:
    from uuid_utils.compat import uuid7

__all__ = ["canonical_uuid", "new_id"]


_HYPHENATED = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")


def new_id() -> uuid.UUID:
    """Return a fresh UUID of version 7 (RFC 9562, section 5.7).

    Version 7 starts with the time in milliseconds, so that rows inserted one
    after the other are neighbours in an index.
    """
    return uuid7()


def canonical_uuid(text: object) -> uuid.UUID:
    """Return the UUID that ``text`` spells, as the protocol allows it.

    Only the hyphenated form passes; upper case is understood, braces and URNs
    are not. Raises ``ValueError`` for anything else.
    """
    if not isinstance(text, str) or len(text) != 36:
        raise ValueError("not a hyphenated UUID")
    if _HYPHENATED.match(text) is None:
        raise ValueError("not a hyphenated UUID")
    return uuid.UUID(text)
