"""Web Push: to browsers, through the push service that each of them names.

RFC 8030 defines the delivery, RFC 8291 the encryption to the browser's own key, RFC 8292 (VAPID)
the authentication of this server. The target is ``{"subscription": {"endpoint", "keys": {"p256dh",
"auth"}}}``, as ``PushManager.subscribe()`` gives it.
"""

from __future__ import annotations

import base64
import binascii
import functools
import re
import time
from typing import Any

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02

from .. import errors
from ..conf import conf
from ..protocol import Json
from .address import Url
from .http import HttpSender
from .sender import Outcome, Receipt, Wake

__all__ = ["WebPush", "private_key"]

PASS_SECONDS = 12 * 3600
"""The lifetime of a VAPID token; RFC 8292 allows a day."""
TOPIC = "sync"
"""With one topic, the next wake-up replaces one that the service still keeps."""
PADDED = 512
"""The smallest length of a message before encryption, so it does not reveal collections."""
MOST = 3993
"""The longest message before encryption that each push service takes (RFC 8291, 4)."""
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*={0,2}")


class WebPush(HttpSender):
    """Encrypts the message to the subscription's key and POSTs it to its push service."""

    def check(self, target: Json) -> str:
        subscription = target.get("subscription")
        if set(target) != {"subscription"} or not isinstance(subscription, dict):
            raise errors.Invalid("“push” of a browser has a “subscription”.")
        try:
            keys_of(subscription)
        except ValueError as error:
            raise errors.Invalid(f"“push.subscription” cannot be used: {error}.") from None
        return self.allowed(subscription.get("endpoint")).authority

    def send(self, target: Json, wake: Wake) -> Receipt:
        subscription = target["subscription"]
        try:
            key, secret = keys_of(subscription)
            to = self.allowed(subscription.get("endpoint"))
            headers = {
                "Authorization": authorization(to),
                "Content-Encoding": "aes128gcm",
                "Content-Type": "application/octet-stream",
                "TTL": str(conf.PUSH_TTL),
                "Topic": TOPIC,
                "Urgency": "normal",
            }
        except (ValueError, errors.Invalid) as error:
            return Receipt(Outcome.REFUSED, problem=str(error))
        body = encrypted(wake.body_within(MOST), key, secret)
        return self.post(subscription["endpoint"], headers, body)


def keys_of(subscription: Json) -> tuple[bytes, bytes]:
    """The browser's public key and its secret; raises ``ValueError``."""
    keys = subscription.get("keys")
    if not isinstance(keys, dict):
        raise ValueError("it has no keys")
    key, secret = decoded(keys.get("p256dh")), decoded(keys.get("auth"))
    if len(secret) != 16:
        raise ValueError("its auth is not 16 bytes long")
    ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key)  # raises if it is no point
    if len(key) != 65:
        raise ValueError("its p256dh is compressed")
    return key, secret


def decoded(text: Any) -> bytes:
    """Base64url, padded or not; raises ``ValueError``."""
    if not isinstance(text, str) or not _BASE64URL.fullmatch(text):
        raise ValueError("a key is not base64url")
    bare = text.rstrip("=")
    try:
        return base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
    except binascii.Error as error:
        raise ValueError(str(error)) from None


def encrypted(body: bytes, key: bytes, secret: bytes) -> bytes:
    """The body, encrypted as RFC 8291 says, with a key pair that is made for this message.

    Spaces at the end, which JSON allows, make it ``PADDED`` bytes long.
    """
    padded = body.ljust(PADDED)
    own = ec.generate_private_key(ec.SECP256R1())
    made: bytes = http_ece.encrypt(
        padded, private_key=own, dh=key, auth_secret=secret, version="aes128gcm"
    )
    return made


def authorization(to: Url) -> str:
    """The header that authenticates this server (RFC 8292); ``ValueError`` without a key."""
    claims = {
        "aud": to.origin,
        "exp": int(time.time()) + PASS_SECONDS,
        "sub": conf.PUSH_VAPID_SUBJECT,
    }
    key = private_key(conf.PUSH_VAPID_KEY)
    try:
        return str(key.sign(claims)["Authorization"])
    except Exception as error:  # py_vapid raises its own and many others
        raise ValueError(f"VAPID: {error}") from error


@functools.lru_cache(maxsize=4)
def private_key(text: str) -> Any:
    """The key that ``sync_vapid`` printed; raises ``ValueError``."""
    try:
        if len(decoded(text)) != 32:
            raise ValueError("it is not 32 bytes long")
        return Vapid02.from_raw(text.encode())
    except ValueError as error:
        raise ValueError(f"DJANGO_SYNC[“PUSH_VAPID_KEY”] is no key: {error}") from None
