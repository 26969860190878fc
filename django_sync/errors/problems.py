"""The errors that a server sends as problems."""

from __future__ import annotations

from .base import Retry, SyncError


class Invalid(SyncError):
    """The request is malformed.

    A member is missing, unknown or of the wrong kind, or the body is not JSON.
    """

    code = "invalid"
    status = 400
    retry = Retry.AFTER_CHANGE
    client_does = "Reports a fault in the client; nothing was applied."


class InvalidCursor(Invalid):
    """The cursor is not one of this server or of this user.

    It was made for another user, altered, or sealed with a key that the server no longer has.
    """

    code = "invalid_cursor"
    retry = Retry.AFTER_CHANGE
    client_does = "Acts as on cursor_expired: takes a fresh snapshot and keeps its outbox."


class UnknownCollection(Invalid):
    """There is no such collection.

    The server registers none under this name.
    """

    code = "unknown_collection"
    client_does = "Leaves the collection out and reports it to its developer."


class UnsupportedProtocol(Invalid):
    """The server does not speak this version of the protocol.

    Sent if a request names a version that the server does not know.
    """

    code = "unsupported_protocol"
    client_does = "Stops, says so, and keeps its outbox."


class NotAuthenticated(SyncError):
    """Nobody is signed in.

    The credentials are missing, wrong or expired; or a ticket is invented, used or late.
    """

    code = "not_authenticated"
    status = 401
    retry = Retry.AFTER_CHANGE
    client_does = "Pauses, asks for fresh credentials, keeps its outbox."


class PermissionDenied(SyncError):
    """The user may not do this.

    The object is visible, but its permissions forbid the call, or those of the scope that it is in
    or would move to. Or a socket names the session of another user.
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

    An administrator of the server has ended it for now. The client may open another one when its
    user asks, or at its next start. Sent to requests that name the session.
    """

    code = "session_ended"
    status = 403
    client_does = (
        "Closes what is open, says so, keeps its outbox, and opens another session only when its "
        "user asks for it or at its next start."
    )


class Blocked(SyncError):
    """The user or this client is blocked.

    An administrator of the server has excluded them from sync until further notice. What was
    applied before stays applied.
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

    The ``Allow`` header lists those that it knows.
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

    An object with this id exists. The answer says nothing else if the user may not see it.
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

    ``errors`` says for each field what is wrong with it. A reference to an object that the user
    may not see gets the same error as a reference to nothing.
    """

    code = "validation_failed"
    status = 422
    retry = Retry.AFTER_CHANGE
    client_does = "Shows the errors beside the fields and puts the record back."


class FieldNotWritable(SyncError):
    """A field cannot be written.

    The server computes it, or does not show it.
    """

    code = "field_not_writable"
    status = 422
    retry = Retry.AFTER_CHANGE
    client_does = "Leaves the field out."


class MutationIdReused(SyncError):
    """The mutation's id was used for something else.

    An id always stands for the same body.
    """

    code = "mutation_id_reused"
    status = 422
    client_does = "Reports a fault in the client."


class MutationExpired(SyncError):
    """The mutation is older than the server's memory.

    Its result may have been deleted, so it could take effect twice.
    """

    code = "mutation_expired"
    status = 422
    client_does = "Tells its user, who decides whether to do it again."


class DependencyFailed(SyncError):
    """Something that this mutation stands on failed.

    An earlier mutation of the same object was not applied, or the creation of an object that it
    refers to.
    """

    code = "dependency_failed"
    status = 422
    retry = Retry.AFTER_PULL
    client_does = "Resolves what failed, then sends this one again as it is."


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
    client_does = "Waits as long as ``Retry-After`` says."


class Unavailable(SyncError):
    """The server cannot serve this now.

    It is busy or restarting, or its database refused for a reason of its own. Only what was
    answered was applied.
    """

    code = "unavailable"
    status = 503
    retry = Retry.LATER
    client_does = "Waits, backs off, sends the same again."
