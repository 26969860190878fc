"""Every error of the project.

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

The first line of a class's docstring is the problem's ``title``. ``docs/errors.md`` is made from
the rest, ``retry`` and ``client_does``. This package knows no framework and does no I/O.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .base import MOST_TEXT, FieldErrors, Retry, SyncError, printable
from .problems import (
    AlreadyExists,
    Blocked,
    ClientMismatch,
    CursorExpired,
    DependencyFailed,
    FieldNotWritable,
    Invalid,
    InvalidCursor,
    MethodNotAllowed,
    MutationExpired,
    MutationIdReused,
    NotAcceptable,
    NotAuthenticated,
    NotFound,
    PermissionDenied,
    PreconditionRequired,
    RevisionConflict,
    SessionEnded,
    Throttled,
    TooLarge,
    Unavailable,
    UnknownCollection,
    UnsupportedMediaType,
    UnsupportedProtocol,
    UpgradeRequired,
    ValidationFailed,
)
from .unsent import (
    Captive,
    ClientError,
    NotInStep,
    Offline,
    StoreMismatch,
)

__all__ = [
    "BY_CODE",
    "MOST_TEXT",
    "AlreadyExists",
    "Blocked",
    "Captive",
    "ClientError",
    "ClientMismatch",
    "CursorExpired",
    "DependencyFailed",
    "FieldErrors",
    "FieldNotWritable",
    "Invalid",
    "InvalidCursor",
    "MethodNotAllowed",
    "MutationExpired",
    "MutationIdReused",
    "NotAcceptable",
    "NotAuthenticated",
    "NotFound",
    "NotInStep",
    "Offline",
    "PermissionDenied",
    "PreconditionRequired",
    "Retry",
    "RevisionConflict",
    "SessionEnded",
    "StoreMismatch",
    "SyncError",
    "Throttled",
    "TooLarge",
    "Unavailable",
    "UnknownCollection",
    "UnsupportedMediaType",
    "UnsupportedProtocol",
    "UpgradeRequired",
    "ValidationFailed",
    "every_error",
    "from_problem",
    "printable",
]


def every_error() -> Iterator[type[SyncError]]:
    """Yield each error class but the root, parents before their children."""
    queue: list[type[SyncError]] = [SyncError]
    while queue:
        error = queue.pop(0)
        if error is not SyncError:
            yield error
        queue.extend(error.__subclasses__())


BY_CODE: Mapping[str, type[SyncError]] = {error.code: error for error in every_error()}


def from_problem(body: Mapping[str, Any], *, retry_after: float | None = None) -> SyncError:
    """Rebuild the error from the problem that a server sent.

    ``body`` is the decoded RFC 9457 object. An unknown code makes a ``SyncError`` itself, so that a
    newer server does not break an older client.
    """
    error = BY_CODE.get(str(body.get("code")), SyncError)
    return error(
        str(body.get("detail") or ""),
        errors=body.get("errors"),
        retry_after=retry_after,
        record=body.get("record"),
    )
