"""The signature of a webhook: for the sender, and for whoever receives one.

Needs Python alone, so that a receiver may copy it.
"""

from __future__ import annotations

import hashlib
import hmac
import time

__all__ = ["WINDOW", "Forged", "sign", "verify"]

WINDOW = 300
"""Seconds that a receiver's clock may differ from the sender's; later it is a replay."""


class Forged(ValueError):
    """What came was not signed with this secret, or not just now."""


def sign(secret: str, timestamp: int, body: bytes) -> str:
    """``Sync-Signature``: hex HMAC-SHA256 of ``Sync-Timestamp``, a dot, and the body."""
    return hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


def verify(
    secret: str,
    body: bytes,
    *,
    timestamp: str | None,
    signature: str | None,
    window: float = WINDOW,
    now: float | None = None,
) -> None:
    """See that a webhook is the server's own; raises ``Forged``.

    ``body`` are the bytes as they came, before anybody parsed them; ``timestamp`` and
    ``signature`` the headers ``Sync-Timestamp`` (Unix seconds) and ``Sync-Signature``, ``None``
    where they are missing. Within ``window`` seconds the same message may come twice.
    """
    told = timestamp or ""
    if not (told.isascii() and told.isdecimal() and len(told) < 16):
        raise Forged("Sync-Timestamp is missing or no number.")
    expected = sign(secret, int(told), body)
    found = (signature or "").encode("utf-8", "surrogateescape")
    if not hmac.compare_digest(expected.encode(), found):
        raise Forged("Sync-Signature does not fit.")
    if abs((time.time() if now is None else now) - int(told)) > window:
        raise Forged(f"It was not signed within {window:.0f} seconds of now; are the clocks right?")
