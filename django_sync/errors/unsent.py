"""The errors that only the client raises; no server sends them."""

from __future__ import annotations

from .base import Retry, SyncError


class ClientError(SyncError):
    """An error of the client library; it never crosses the wire.

    Its subclasses say what the client could not do.
    """

    code = "client_error"
    status = 0


class Offline(ClientError):
    """The server cannot be reached.

    No connection, no answer in time, or an answer that is not the server's
    (a captive portal's page). Nothing is lost: the outbox keeps it.
    """

    code = "offline"
    retry = Retry.LATER
    client_does = "Goes on working on its store and tries again."


class Captive(Offline):
    """Something answers that is no django_sync server.

    A portal that wants its user to sign in, a proxy's page, or a wrong URL. The client treats it as
    ``Offline``, but its user may be able to end it.
    """

    code = "captive"
    client_does = "Goes on as when offline; ``status.network_state`` says which it is."


class NotInStep(ClientError, TimeoutError):
    """The link was not in step in time.

    ``wait_until_synced()`` has reached its timeout. Its cause is the last problem, if there was
    one. The link goes on trying.
    """

    code = "not_in_step"
    retry = Retry.LATER
    client_does = "Waits on, or shows its user ``status``."


class StoreMismatch(ClientError):
    """The store belongs to another user or server.

    One store is one user's replica of one server; mixing them would show one
    user's records to another.
    """

    code = "store_mismatch"
    client_does = "Opens another store, or wipes this one with ``reset(wipe=True)``."
