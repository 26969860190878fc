"""The owner of a store: the first server and user that it synced with.

The URL and, if the credentials contain it, the user's identity are compared when the store is
opened. If they do not (a bare token), the server decides: a ``client_id`` belongs to the first
user who sent it. So whenever the credentials have changed, the client first sends an empty batch,
and the server answers ``client_mismatch`` if the ``client_id`` is another user's.
"""

from __future__ import annotations

import hashlib

from ... import errors
from ..auth import Auth
from .database import Store
from .encoding import dumps


class Owner:
    """The store's owner, compared with the user who opens it."""

    def __init__(self, store: Store, url: str, auth: Auth | None) -> None:
        self._store = store
        self._url = url
        self._auth = auth

    @property
    def identity(self) -> str | None:
        """The user's identity in the credentials, or ``None``."""
        found = getattr(self._auth, "identity", None)
        return None if found is None else str(found)

    def check(self) -> None:
        """Raise ``StoreMismatch`` if the store is known to be another server's or user's."""
        url, user = self._store.text("url"), self._store.text("user")
        if url is not None and url != self._url:
            raise errors.StoreMismatch(f"The store belongs to {url}, not to {self._url}.")
        if user is not None and self.identity is not None and user != self.identity:
            raise errors.StoreMismatch("The store belongs to another user.")

    def fingerprint(self) -> str:
        """A hash of the credentials, from which they cannot be read."""
        headers = {} if self._auth is None else dict(self._auth.headers())
        salted = dumps([self._store.text("client_id"), sorted(headers.items())])
        return hashlib.sha256(salted.encode()).hexdigest()

    def is_proven(self) -> bool:
        """Whether the server has accepted these credentials for this store before."""
        return self._store.text("fingerprint") == self.fingerprint()

    def prove(self) -> None:
        """The server has accepted the ``client_id``: the store is this user's."""
        with self._store.write():
            self.check()
            self._store.set("url", self._url)
            if self.identity is not None:
                self._store.set("user", self.identity)
            self._store.set("fingerprint", self.fingerprint())
