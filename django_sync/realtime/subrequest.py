"""Requests that a connection makes of the project's own, through its middleware and views.

A socket authenticates, pulls and mutates as its client would by HTTP: the same middleware,
authentication, throttles, limits and errors hold, and there is one way in, not two.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.urls import Resolver404, resolve

from ..http.side_channel import RequestInfo, ResponseInfo
from .requests import Scope

PULL = "django_sync:live-changes"
SOCKET = "django_sync:live-socket"
STREAM = "django_sync:live-stream"
_ENDS = {SOCKET: "live/ws/", STREAM: "live/stream/"}
_OWN = (
    *(b"accept", b"accept-encoding", b"connection", b"content-length", b"content-type"),
    *(b"if-modified-since", b"if-none-match", b"range", b"transfer-encoding", b"upgrade"),
)
"""Headers that are about the open connection, or about how it is answered, not about the client."""


@dataclass(slots=True)
class Subrequest(RequestInfo):
    """What the view has to know about a request, and no client can set.

    ``from_page``: the origin was checked when the connection was opened, so that no CSRF token is
    needed.
    """

    from_page: bool = False

    def tell(self, request: Any, run: int) -> None:
        request.sync = replace(self, run=run)
        if self.from_page:
            request._dont_enforce_csrf_checks = True  # as Django's own test client says it


def live_view(scope: Scope) -> str | None:
    """The name of the view that a scope's path leads to, where it is under ``live/``."""
    if scope["type"] not in ("http", "websocket"):
        return None
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    try:
        return resolve(path).view_name if "/live/" in path else None
    except Resolver404:
        return None


def address(scope: Scope) -> str:
    """Where a connection comes from: all that is known of who asks, before they are asked."""
    return f"at {(scope.get('client') or ('',))[0]}"


def credentials(scope: Scope) -> str:
    """What tells one who was let in from another, and is no secret."""
    found = [pair for pair in scope["headers"] if pair[0] in (b"authorization", b"cookie")]
    return hashlib.sha256(repr(found).encode()).hexdigest()


def granted(response: Any) -> bool:
    """Whether an answer is a view's of ours, and good; a middleware may have answered itself."""
    return response.status_code == 200 and ResponseInfo.of(response).user is not None


def problem_of(response: Any) -> dict[str, Any] | None:
    """The problem that an answer is; ``None`` for a page of the project's, which nobody is told."""
    data = getattr(response, "data", None)
    return data if isinstance(data, dict) and "code" in data else None


def subrequest_scope(
    scope: Scope,
    name: str,
    path: str,
    query: Mapping[str, str | None],
    body: bytes | None = None,
) -> Scope:
    """The scope of a request to ``path`` beside the view ``name``, as this client's own.

    With a ``body`` it is a POST of JSON. Parameters that are ``None`` are left out.
    """
    root = scope["path"].removesuffix(_ENDS[name])
    headers = [
        (key, value)
        for key, value in scope["headers"]
        if key not in _OWN and not key.startswith(b"sec-websocket")
    ]
    headers.append((b"accept", b"application/json"))
    if body is not None:
        headers += [(b"content-type", b"application/json")]
        headers += [(b"content-length", str(len(body)).encode())]
    asked = {key: value for key, value in query.items() if value is not None}
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "GET" if body is None else "POST",
        "scheme": "https" if scope.get("scheme") in ("wss", "https") else "http",
        "root_path": scope.get("root_path", ""),
        "path": root + path,
        "query_string": urlencode(asked, errors="replace").encode("ascii"),
        "headers": headers,
        "client": scope.get("client"),
        "server": scope.get("server"),
    }
