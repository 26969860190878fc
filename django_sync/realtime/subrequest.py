"""Requests that an open connection makes of the project, through its middleware and views.

A socket authenticates, pulls and mutates as its client would over HTTP. So the same middleware,
authentication, throttles, limits and errors hold, and there is one way in, not two.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from ..http.side_channel import RequestInfo, ResponseInfo
from .routes import TAILS, Scope

_OF_THE_CONNECTION = (
    *(b"accept", b"accept-encoding", b"connection", b"content-length", b"content-type"),
    *(b"if-modified-since", b"if-none-match", b"range", b"transfer-encoding", b"upgrade"),
)
"""Headers of the open connection and of how it is answered. They say nothing of the client."""


@dataclass(slots=True)
class Subrequest(RequestInfo):
    """What the view has to know about a request, and no client can set.

    ``from_page``: the origin was checked when the connection was opened, so no CSRF token is
    needed.
    """

    from_page: bool = False

    def attach_to(self, request: Any, run: int) -> None:
        request.sync = replace(self, run=run)
        if self.from_page:
            request._dont_enforce_csrf_checks = True  # as Django's own test client does


def address(scope: Scope) -> str:
    """The owner of a connection in the ``FairQueue`` until its user is known: its address."""
    return f"at {(scope.get('client') or ('',))[0]}"


def credentials(scope: Scope) -> str:
    """A hash of the credentials: it distinguishes callers and is no secret."""
    found = [pair for pair in scope["headers"] if pair[0] in (b"authorization", b"cookie")]
    return hashlib.sha256(repr(found).encode()).hexdigest()


def granted(response: Any) -> bool:
    """Whether one of our views answered with success; a middleware may have answered instead."""
    return response.status_code == 200 and ResponseInfo.of(response).user is not None


def problem_of(response: Any) -> dict[str, Any] | None:
    """The problem in a response; ``None`` for a page of the project, which is not passed on."""
    data = getattr(response, "data", None)
    return data if isinstance(data, dict) and "code" in data else None


def subrequest_scope(
    scope: Scope,
    name: str,
    path: str,
    query: Mapping[str, str | None],
    body: bytes | None = None,
) -> Scope:
    """The scope of a request to ``path`` by the client of a connection.

    ``path`` is under the root of the protocol, ``name`` is the connection's view. With a ``body``
    the request is a POST of JSON. Parameters that are ``None`` are left out.
    """
    root = scope["path"].removesuffix(TAILS[name])
    headers = [
        (key, value)
        for key, value in scope["headers"]
        if key not in _OF_THE_CONNECTION and not key.startswith(b"sec-websocket")
    ]
    headers.append((b"accept", b"application/json"))
    if body is not None:
        headers += [(b"content-type", b"application/json")]
        headers += [(b"content-length", str(len(body)).encode())]
    given = {key: value for key, value in query.items() if value is not None}
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "GET" if body is None else "POST",
        "scheme": "https" if scope.get("scheme") in ("wss", "https") else "http",
        "root_path": scope.get("root_path", ""),
        "path": root + path,
        "query_string": urlencode(given, errors="replace").encode("ascii"),
        "headers": headers,
        "client": scope.get("client"),
        "server": scope.get("server"),
    }
