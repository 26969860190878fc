"""The client's credentials: the headers of each call, and how to renew them.

Any object with ``headers()`` will do; ``refresh()`` and ``identity`` are used if it has them.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Mapping
from typing import Protocol


class Auth(Protocol):
    """What the client needs of credentials.

    It may also have ``refresh()``, called once after a 401 (the call is repeated
    unless it returns ``False``), and ``identity``, a string that stays the same
    for one user and differs from all others, or ``None``.
    """

    def headers(self) -> Mapping[str, str]: ...


class _Token:
    scheme = ""

    def __init__(
        self,
        token: str,
        *,
        user: str | None = None,
        renew: Callable[[], str | None] | None = None,
    ) -> None:
        self.token = token
        self.identity = user
        self._renew = renew
        self._lock = threading.Lock()

    def headers(self) -> Mapping[str, str]:
        return {"Authorization": f"{self.scheme} {self.token}"}

    def refresh(self) -> bool:
        """Ask ``renew`` for another token; ``False`` if there is none."""
        if self._renew is None:
            return False
        with self._lock:
            token = self._renew()
            if not token:
                return False
            self.token = token
        return True


class TokenAuth(_Token):
    """DRF's ``TokenAuthentication``: ``Authorization: Token …``.

    ``renew`` is called after a 401 and returns a new token, or ``None``. ``user`` is a stable
    name of the token's owner. Pass it if several people share a machine: then nobody can open
    another person's store, even offline.
    """

    scheme = "Token"


class BearerAuth(_Token):
    """OAuth 2 and JWT: ``Authorization: Bearer …``. Arguments as for ``TokenAuth``."""

    scheme = "Bearer"


class BasicAuth:
    """User name and password (RFC 7617)."""

    def __init__(self, username: str, password: str) -> None:
        self.identity = username
        self._password = password

    def headers(self) -> Mapping[str, str]:
        pair = f"{self.identity}:{self._password}".encode()
        return {"Authorization": "Basic " + base64.b64encode(pair).decode("ascii")}
