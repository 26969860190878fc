"""Receives wake-ups by webhook: checks their signature, and passes them to the client.

    from wsgiref.simple_server import make_server
    from django_sync.client.webhooks import Receiver

    make_server("", 8000, Receiver(secret, client.wake)).serve_forever()

It needs only Python's own library. ``Receiver`` is a WSGI application; in another framework
call ``receive()`` with the headers and the unchanged bytes of the body.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..protocol import signing
from ..protocol.signing import WINDOW, Forged

__all__ = ["MOST", "WINDOW", "Forged", "Receiver", "verify"]

log = logging.getLogger("django_sync.client")

MOST = 65_536
"""Bytes of a body; a wake-up has a few hundred."""


def verify(
    secret: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    window: float = WINDOW,
    now: float | None = None,
) -> None:
    """Check that the server signed a webhook; raises ``Forged``.

    ``Sync-Signature`` is the hex HMAC-SHA256 of ``Sync-Timestamp`` (Unix seconds), a dot, and
    the body's bytes. The names of ``headers`` may be in any case; ``now`` is Unix seconds.
    """
    found = {name.lower(): value for name, value in headers.items()}
    signing.verify(
        secret,
        body,
        timestamp=found.get("sync-timestamp"),
        signature=found.get("sync-signature"),
        window=window,
        now=now,
    )


class Receiver:
    """The target of a webhook. It calls ``wake``, that is ``SyncClient.wake``, with the body.

    The same message may come twice within ``window`` seconds; that does no harm, for it carries
    no data. ``now`` returns Unix seconds.
    """

    def __init__(
        self,
        secret: str,
        wake: Callable[[bytes], bool],
        *,
        window: float = WINDOW,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._secret = secret
        self._wake = wake
        self._window = window
        self._now = now

    def receive(self, headers: Mapping[str, str], body: bytes) -> int:
        """Take a webhook; return the status to answer with.

        204: remembered on the disk, or of no concern to the client; 401: not the server's.
        An exception of ``wake`` goes to the caller; after its 500 the server sends it again.
        """
        try:
            verify(self._secret, headers, body, window=self._window, now=self._now())
        except Forged as error:
            log.warning("A webhook was refused: %s", error)
            return 401
        self._wake(body)
        return 204

    def __call__(
        self, environ: Mapping[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer as a WSGI application."""
        start_response(STATUSES[self._answer(environ)], [("Content-Length", "0")])
        return []

    def _answer(self, environ: Mapping[str, Any]) -> int:
        if environ["REQUEST_METHOD"] != "POST":
            return 405
        length = environ.get("CONTENT_LENGTH") or ""
        if not (length.isascii() and length.isdecimal()):
            return 411
        if len(length) > len(str(MOST)) or int(length) > MOST:
            return 413
        headers = {
            name.removeprefix("HTTP_").replace("_", "-"): value
            for name, value in environ.items()
            if name.startswith("HTTP_SYNC_")
        }
        return self.receive(headers, environ["wsgi.input"].read(int(length)))


STATUSES = {
    204: "204 No Content",
    401: "401 Unauthorized",
    405: "405 Method Not Allowed",
    411: "411 Length Required",
    413: "413 Content Too Large",
}
