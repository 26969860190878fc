"""Webhooks: wake-ups as signed POSTs to a URL that the client names.

The target is ``{"url": …, "secret": …}``. The receiver checks ``Sync-Signature`` with
``django_sync.protocol.signing.verify``.
"""

from __future__ import annotations

import time

from .. import errors
from ..protocol import Json
from ..protocol.signing import sign
from .http import HttpSender
from .sender import Receipt, Wake

__all__ = ["Webhook"]

SECRET_LEAST, SECRET_MOST = 16, 200
"""Characters of a secret."""


class Webhook(HttpSender):
    """POSTs the message as JSON, with ``Sync-Timestamp`` and ``Sync-Signature``."""

    def check(self, target: Json) -> str:
        if set(target) != {"url", "secret"}:
            raise errors.Invalid("“push” of a webhook has “url” and “secret”.")
        secret = target["secret"]
        if not isinstance(secret, str) or not SECRET_LEAST <= len(secret) <= SECRET_MOST:
            raise errors.Invalid(
                f"“push.secret” is not a text of {SECRET_LEAST} to {SECRET_MOST} characters."
            )
        if errors.printable(secret) != secret:
            raise errors.Invalid("“push.secret” has characters that no text can have.")
        return self.allowed(target["url"]).authority

    def send(self, target: Json, wake: Wake) -> Receipt:
        now, body = int(time.time()), wake.body
        headers = {
            "Content-Type": "application/json",
            "Sync-Timestamp": str(now),
            "Sync-Signature": sign(target["secret"], now, body),
        }
        return self.post(target["url"], headers, body)
