"""Every error of the project, on one page.

    SyncError
    ├── Invalid ─┬─ InvalidCursor            400
    │            ├─ UnknownCollection
    │            └─ UnsupportedProtocol
    ├── NotAuthenticated                     401
    ├── PermissionDenied ── ClientMismatch   403
    ├── SessionEnded                         403
    ├── Blocked                              403
    ├── NotFound                             404
    ├── MethodNotAllowed                     405
    ├── NotAcceptable                        406
    ├── AlreadyExists                        409
    ├── CursorExpired                        410
    ├── RevisionConflict                     412
    ├── TooLarge                             413
    ├── UnsupportedMediaType                 415
    ├── ValidationFailed                     422
    ├── FieldNotWritable                     422
    ├── MutationIdReused                     422
    ├── MutationExpired                      422
    ├── DependencyFailed                     422
    ├── UpgradeRequired                      426
    ├── PreconditionRequired                 428
    ├── Throttled                            429
    ├── Unavailable                          503
    └── ClientError ─┬─ Offline ── Captive   raised by the client, never sent
                     ├─ NotInStep
                     └─ StoreMismatch

The first paragraph of a class's docstring is the problem's ``title``; the rest,
with ``retry`` and ``client_does``, makes its entry in ``docs/errors.md``.
This file knows no framework and does no I/O.
"""

from __future__ import annotations

import enum
import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

FieldErrors = Mapping[str, Sequence[Mapping[str, str]]]
"""Field name to a list of ``{"code": …, "detail": …}``."""

MOST_TEXT = 500
"""Characters of one text in a problem, at most: texts may repeat what was sent."""


def printable(text: str) -> str:
    """The text as each wire and each database can hold it, and no longer than need be.

    A NUL, which PostgreSQL refuses, and half a surrogate, which UTF-8 has no bytes
    for, become the replacement character.
    """
    sound = text[:MOST_TEXT].replace("\0", "\ufffd")
    sound = "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in sound)
    return sound if len(text) <= MOST_TEXT else f"{sound}…"


class Retry(enum.Enum):
    """Whether sending the same thing again can help."""

    NEVER = "no"
    AFTER_CHANGE = "not as it is: change the request first"
    AFTER_PULL = "after a pull"
    LATER = "yes, later; obey Retry-After"


class SyncError(Exception):
    """Something went wrong in the sync.

    The root of all errors here; catching it catches each of them.
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    retry: ClassVar[Retry] = Retry.NEVER
    client_does: ClassVar[str] = "Shows the problem's detail."

    def __init__(
        self,
        detail: str = "",
        *,
        errors: FieldErrors | None = None,
        retry_after: float | None = None,
        record: Mapping[str, Any] | None = None,
    ) -> None:
        self.detail = detail or self.title()
        self.errors = errors
        self.retry_after = retry_after
        self.record = record
        super().__init__(self.detail)

    @classmethod
    def title(cls) -> str:
        """The class's short name in words: its docstring's first line."""
        return (inspect.getdoc(cls) or cls.__name__).splitlines()[0].rstrip(".")

    def problem(self) -> dict[str, Any]:
        """This error as an RFC 9457 body, with our ``code`` beside it."""
        body: dict[str, Any] = {
            "type": f"urn:django-sync:error:{self.code}",
            "title": self.title(),
            "status": self.status,
            "detail": printable(self.detail),
            "code": self.code,
        }
        if self.errors is not None:
            body["errors"] = {
                printable(name): [{k: printable(str(v)) for k, v in e.items()} for e in found]
                for name, found in self.errors.items()
            }
        if self.record is not None:
            body["record"] = dict(self.record)
        return body


class Invalid(SyncError):
    """The request is malformed.

    A member is missing, unknown or of the wrong kind, or the body is no JSON.
    """

    code = "invalid"
    status = 400
    retry = Retry.AFTER_CHANGE
    client_does = "Reports a fault in the client; nothing was applied."


class InvalidCursor(Invalid):
    """The cursor is not one of this server or of this user.

    It was made for somebody else, altered, or sealed with a key that is no
    longer known.
    """

    code = "invalid_cursor"
    retry = Retry.AFTER_CHANGE
    client_does = "Acts as on cursor_expired: takes a fresh snapshot and keeps its outbox."


class UnknownCollection(Invalid):
    """There is no such collection.

    The server registers none under this name.
    """

    code = "unknown_collection"
    client_does = "Leaves the collection out and tells its developer."


class UnsupportedProtocol(Invalid):
    """The server does not speak this version of the protocol.

    Sent where a request names a version that the server does not know.
    """

    code = "unsupported_protocol"
    client_does = "Stops, says so, and keeps its outbox."


class NotAuthenticated(SyncError):
    """Nobody is signed in.

    The credentials are missing, wrong or expired; or a socket's ticket is made up, used or late.
    """

    code = "not_authenticated"
    status = 401
    retry = Retry.AFTER_CHANGE
    client_does = "Pauses, asks for fresh credentials, keeps its outbox."


class PermissionDenied(SyncError):
    """The user may not do this.

    The object is visible, but its permissions, or those of the scope that it
    is in or would move to, forbid the call. Or a socket names a session that is
    not the user's.
    """

    code = "permission_denied"
    status = 403
    client_does = "Puts the record back to the server's state and tells its user."


class ClientMismatch(PermissionDenied):
    """The client belongs to another user.

    A ``client_id`` stays with the first user who used it, for a mutation or a session.
    """

    code = "client_mismatch"
    client_does = "Starts a store of its own for this user."


class SessionEnded(SyncError):
    """The session was ended by the server.

    Somebody who looks after the server has ended it, for now: the client may open another
    when its user asks, or at its next start. Sent to requests that name the session.
    """

    code = "session_ended"
    status = 403
    client_does = (
        "Closes what is open, says so, keeps its outbox, and opens another session only when its "
        "user asks for it or at its next start."
    )


class Blocked(SyncError):
    """The user or this client is blocked.

    Somebody who looks after the server has shut them out of sync until they are let in again;
    what was applied before stays applied.
    """

    code = "blocked"
    status = 403
    client_does = "Stops, says so, keeps its outbox and its replica; tries when its user asks."


class NotFound(SyncError):
    """There is no such thing for this user.

    It does not exist, or the user may not see it; the answer is the same.
    """

    code = "not_found"
    status = 404
    client_does = "Forgets the object."


class MethodNotAllowed(SyncError):
    """The path does not know this method.

    The ``Allow`` header names those that it knows.
    """

    code = "method_not_allowed"
    status = 405
    retry = Retry.AFTER_CHANGE


class NotAcceptable(SyncError):
    """The server cannot answer in the asked-for format.

    It answers in JSON.
    """

    code = "not_acceptable"
    status = 406
    retry = Retry.AFTER_CHANGE


class AlreadyExists(SyncError):
    """The id is taken.

    An object with this id exists. Nothing else is told where the user may not
    see it.
    """

    code = "already_exists"
    status = 409
    client_does = "Chooses another id, or pulls and updates what is there."


class CursorExpired(SyncError):
    """The feed no longer reaches back to this cursor.

    Old changes were pruned, or history diverged: a backup was restored, a
    fail-over lost writes.
    """

    code = "cursor_expired"
    status = 410
    retry = Retry.AFTER_CHANGE
    client_does = (
        "Pulls without a cursor and, at the first complete state, forgets the records that it "
        "did not see. Its outbox stays."
    )


class RevisionConflict(SyncError):
    """The object has moved on.

    ``If-Match`` names a revision that is no longer the newest; ``record`` is
    the one that is.
    """

    code = "revision_conflict"
    status = 412
    retry = Retry.AFTER_PULL
    client_does = "Looks at the record that came with it, decides, and writes anew."


class TooLarge(SyncError):
    """The request is too large.

    Its body or its batch is above the limits in the service document.
    """

    code = "too_large"
    status = 413
    retry = Retry.AFTER_CHANGE
    client_does = "Halves the batch and sends both halves."


class UnsupportedMediaType(SyncError):
    """The server does not read this format.

    Bodies are JSON.
    """

    code = "unsupported_media_type"
    status = 415
    retry = Retry.AFTER_CHANGE


class ValidationFailed(SyncError):
    """The content is not valid.

    ``errors`` tells for each field what is wrong with it. A reference to an
    object that the user may not see reads the same as one to nothing.
    """

    code = "validation_failed"
    status = 422
    retry = Retry.AFTER_CHANGE
    client_does = "Shows the errors beside the fields and puts the record back."


class FieldNotWritable(SyncError):
    """A field cannot be written.

    The server computes it, or keeps it to itself.
    """

    code = "field_not_writable"
    status = 422
    retry = Retry.AFTER_CHANGE
    client_does = "Leaves the field out."


class MutationIdReused(SyncError):
    """The mutation's id was used for something else.

    An id stands for one body for ever.
    """

    code = "mutation_id_reused"
    status = 422
    client_does = "Reports a fault in the client."


class MutationExpired(SyncError):
    """The mutation is older than the server's memory.

    Its result may have been forgotten, so it could take effect twice.
    """

    code = "mutation_expired"
    status = 422
    client_does = "Tells its user, who decides whether to do it again."


class DependencyFailed(SyncError):
    """Something that this mutation stands on failed.

    An earlier mutation of the same object, or the creation of an object that
    it refers to, was not applied.
    """

    code = "dependency_failed"
    status = 422
    retry = Retry.AFTER_PULL
    client_does = "Settles what failed, then sends this one again as it is."


class UpgradeRequired(SyncError):
    """The client is too old.

    The server no longer accepts its schema or its protocol.
    """

    code = "upgrade_required"
    status = 426
    client_does = "Asks its user for an update; the outbox stays."


class PreconditionRequired(SyncError):
    """The call must say which revision it stands on.

    Send ``If-Match`` with the record's ``ETag``.
    """

    code = "precondition_required"
    status = 428
    retry = Retry.AFTER_CHANGE


class Throttled(SyncError):
    """Too many requests.

    ``Retry-After`` says in how many seconds to come again.
    """

    code = "throttled"
    status = 429
    retry = Retry.LATER
    client_does = "Waits as long as it is told."


class Unavailable(SyncError):
    """The server cannot serve this now.

    It is busy, restarting, or its database refused for reasons of its own.
    Nothing was applied that was not answered.
    """

    code = "unavailable"
    status = 503
    retry = Retry.LATER
    client_does = "Waits, backs off, sends the same again."


class ClientError(SyncError):
    """An error of the client library; it never crosses the wire.

    Its subclasses tell what the client could not do.
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

    A portal that wants its user to sign in, a proxy's page, or a URL that is wrong. It is an
    ``Offline`` like any other, but one that somebody may be able to end.
    """

    code = "captive"
    client_does = "Goes on as when offline; ``status.network_state`` says which it is."


class NotInStep(ClientError, TimeoutError):
    """The link was not in step in time.

    ``wait_until_synced()`` waited as long as it was told. Its cause is the last
    problem, if there was one; the link goes on trying.
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


def every_error() -> Iterator[type[SyncError]]:
    """Each class of this page but the root, parents before their children."""
    waiting: list[type[SyncError]] = [SyncError]
    while waiting:
        error = waiting.pop(0)
        if error is not SyncError:
            yield error
        waiting.extend(error.__subclasses__())


BY_CODE: Mapping[str, type[SyncError]] = {error.code: error for error in every_error()}


def from_problem(body: Mapping[str, Any], *, retry_after: float | None = None) -> SyncError:
    """Rebuild the error that a server's problem tells of.

    ``body`` is the decoded RFC 9457 object; an unknown code makes a plain
    ``SyncError``, so that a newer server does not break an older client.
    """
    error = BY_CODE.get(str(body.get("code")), SyncError)
    return error(
        str(body.get("detail") or ""),
        errors=body.get("errors"),
        retry_after=retry_after,
        record=body.get("record"),
    )
