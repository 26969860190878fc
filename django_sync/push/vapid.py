"""The public half of the key by which push services know this server; browsers subscribe with it.

It is computed from the private key, the setting ``PUSH_VAPID_KEY`` (RFC 8292): 32 bytes in
base64url. Without that setting, or without ``cryptography``, no browser can subscribe.
"""

from __future__ import annotations

import base64
import functools
import logging

from ..conf import conf

log = logging.getLogger("django_sync")


def public_key() -> str | None:
    """The uncompressed point in base64url, as ``PushManager.subscribe()`` takes it, or ``None``."""
    private = conf.PUSH_VAPID_KEY
    return _public(private) if private else None


@functools.lru_cache(maxsize=4)
def _public(private: str) -> str | None:
    try:
        from cryptography.hazmat.primitives.asymmetric import ec

        raw = base64.urlsafe_b64decode(private + "=" * (-len(private) % 4))  # TypeError: no text
        if len(raw) != 32:
            raise ValueError("it is not 32 bytes long")
        key = ec.derive_private_key(int.from_bytes(raw, "big"), ec.SECP256R1())
    except (ImportError, TypeError, ValueError) as problem:
        log.warning("Browsers cannot subscribe to wake-ups. PUSH_VAPID_KEY: %s", problem)
        return None
    point = key.public_key().public_numbers()
    uncompressed = b"\x04" + point.x.to_bytes(32, "big") + point.y.to_bytes(32, "big")
    return base64.urlsafe_b64encode(uncompressed).rstrip(b"=").decode()
