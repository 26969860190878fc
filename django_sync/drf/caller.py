"""The caller: one user, and the request that a viewset expects.

Everything that is computed for a user within one call is kept here, so that scopes and permissions
are asked for once. A caller lives no longer than its call.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest
from rest_framework.request import Request

ATTRIBUTE = "_django_sync_caller"
PERMISSIONS = ("_perm_cache", "_user_perm_cache", "_group_perm_cache")
"""The attributes of a user in which ``ModelBackend`` caches permissions."""


class Caller:
    """A user with their request.

    ``cache`` holds what they see and may do, until a write of this call may have changed it;
    ``plans`` how records are made, for the whole call. ``client_id`` and ``session_id`` are what
    the request states: it is not proved that they belong to the user.
    """

    client_id: uuid.UUID | None = None
    session_id: uuid.UUID | None = None

    def __init__(self, request: Request) -> None:
        self.request = request
        self.cache: dict[Any, Any] = {}
        self.plans: dict[Any, Any] = {}

    @classmethod
    def of(cls, request: Request) -> Caller:
        """The caller of this request, the same one for each part of it."""
        found = getattr(request._request, ATTRIBUTE, None)
        if not isinstance(found, cls):
            found = cls(request)
            setattr(request._request, ATTRIBUTE, found)
        return found

    @classmethod
    def for_user(cls, user: Any) -> Caller:
        """A caller outside of HTTP, for sockets, tasks and tests."""
        http = HttpRequest()
        http.method = "GET"
        http.META.update(SERVER_NAME="localhost", SERVER_PORT="80")
        request = Request(http)
        request.user, request.auth = user, None
        return cls.of(request)

    def forget(self) -> None:
        """Forget what was read of permissions and scopes, also what Django caches on the user."""
        self.cache.clear()
        for name in PERMISSIONS:
            if hasattr(self.user, name):
                delattr(self.user, name)

    @property
    def user(self) -> Any:
        return self.request.user

    @property
    def key(self) -> str:
        """The user's primary key as text, to which cursors are bound."""
        return str(self.user.pk)

    def request_as(self, method: str, data: Any = None) -> Request:
        """The request as it would have come over REST, for a mutation or a read within it."""
        http = copied(self.request._request)
        http.method = method
        setattr(http, ATTRIBUTE, self)
        request: Any = Request(http)
        request.authenticators = self.request.authenticators
        request.user, request.auth = self.request.user, self.request.auth
        request.accepted_renderer = getattr(self.request, "accepted_renderer", None)
        request.version = getattr(self.request, "version", None)
        request._full_data = request._data = {} if data is None else data
        asked: Request = request
        return asked


def copied(http: HttpRequest) -> HttpRequest:
    """A shallow copy of a request: the same as ``copy.copy``, three times as fast."""
    made = http.__class__.__new__(http.__class__)
    made.__dict__.update(http.__dict__)
    return made
