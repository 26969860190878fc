"""The signature of a webhook, for its sender and its receiver.

It needs only the standard library, so that a receiver may copy it.
"""

from __future__ import annotations

import hashlib
import hmac
import time

__all__ = ["WINDOW", "Forged", "sign", "verify"]

WINDOW = 300
"""Seconds that a receiver's clock may differ from the sender's; a later webhook is a replay."""


class Forged(ValueError):
    """The webhook was not signed with this secret, or not just now."""


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
    """Check that a webhook comes from the server; raise ``Forged`` if not.

    ``body`` are the bytes as they came, before they were parsed. ``timestamp`` and ``signature``
    are the headers ``Sync-Timestamp`` (Unix seconds) and ``Sync-Signature``, ``None`` if they are
    missing. Within ``window`` seconds the same webhook may come twice.
    """
    sent = timestamp or ""
    if not (sent.isascii() and sent.isdecimal() and len(sent) < 16):
        raise Forged("Sync-Timestamp is missing or no number.")
    expected = sign(secret, int(sent), body)
    found = (signature or "").encode("utf-8", "surrogateescape")
    if not hmac.compare_digest(expected.encode(), found):
        raise Forged("Sync-Signature does not fit.")
    if abs((time.time() if now is None else now) - int(sent)) > window:
        raise Forged(f"It was not signed within {window:.0f} seconds of now; are the clocks right?")
