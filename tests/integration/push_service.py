"""A push service and a browser in one: what RFC 8030, 8291 and 8292 ask of the other side.

Written from the RFCs and not from the packages that the sender uses, so that both cannot be wrong
in the same way.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from django_sync.testing.receiver import Received, Reply


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )


def hkdf(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869, of one block."""
    extracted = hmac.new(salt, secret, hashlib.sha256).digest()
    return hmac.new(extracted, info + b"\x01", hashlib.sha256).digest()[:length]


class Browser:
    """Whoever subscribed: a key pair and a secret."""

    def __init__(self, key: ec.EllipticCurvePrivateKey | None = None, auth: bytes = b"") -> None:
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        self.auth = auth or hashlib.sha256(b"a browser").digest()[:16]

    def subscription(self, url: str) -> dict[str, Any]:
        keys = {"p256dh": b64(point(self.key.public_key())), "auth": b64(self.auth)}
        return {"endpoint": url, "expirationTime": None, "keys": keys}

    def opened(self, body: bytes) -> bytes:
        """What was encrypted for this browser (RFC 8291, section 4, and RFC 8188)."""
        salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
        theirs, record = body[21 : 21 + length], body[21 + length :]
        assert len(record) <= size, "one record"
        shared = self.key.exchange(
            ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), theirs)
        )
        own = point(self.key.public_key())
        ikm = hkdf(self.auth, shared, b"WebPush: info\0" + own + theirs, 32)
        key = hkdf(salt, ikm, b"Content-Encoding: aes128gcm\0", 16)
        nonce = hkdf(salt, ikm, b"Content-Encoding: nonce\0", 12)
        plain = AESGCM(key).decrypt(nonce, record, None).rstrip(b"\0")
        assert plain.endswith(b"\x02"), "the last record ends with its delimiter"
        return plain[:-1]


class PushService:
    """Judges what comes as a push service does: headers, and the sender's token."""

    def __init__(self, audience: str, subject: str) -> None:
        self.audience, self.subject = audience, subject
        self.problems: list[str] = []

    def judge(self, request: Received) -> Reply | None:
        try:
            self._check(request)
        except (AssertionError, KeyError, ValueError, jwt.PyJWTError) as error:
            self.problems.append(repr(error))
            return Reply(403, body=repr(error).encode())
        return None

    def _check(self, request: Received) -> None:
        headers = request.headers
        assert headers["content-encoding"] == "aes128gcm"
        assert int(headers["ttl"]) >= 0, "RFC 8030, 5.2"
        assert headers["urgency"] in ("very-low", "low", "normal", "high"), "RFC 8030, 5.3"
        assert 0 < len(headers["topic"]) <= 32, "RFC 8030, 5.4"
        unb64(headers["topic"])
        assert len(request.body) <= 4096, "RFC 8030, 7.2"
        scheme, _, rest = headers["authorization"].partition(" ")
        assert scheme == "vapid"
        parts = dict(part.strip().split("=", 1) for part in rest.split(","))
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), unb64(parts["k"]))
        claims = jwt.decode(parts["t"], key, algorithms=["ES256"], audience=self.audience)
        assert claims["exp"] <= time.time() + 24 * 3600, "RFC 8292, 2"
        assert claims["sub"] == self.subject
