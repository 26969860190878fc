"""ASGI's types, and which view of ours a scope leads to.

The URLs are the project's: it includes ours under any path. So a scope is resolved as Django
resolves a request.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from django.urls import Resolver404, ResolverMatch, resolve

from ..protocol import paths

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

APP = "django_sync"
PULL = f"{APP}:live-changes"
SOCKET = f"{APP}:live-socket"
STREAM = f"{APP}:live-stream"
HEALTH_LIVE = f"{APP}:health-live"
HEALTH_READY = f"{APP}:health-ready"
TAILS = {SOCKET: paths.SOCKET, STREAM: paths.STREAM}
"""How the path of an open connection ends, by the name of its view."""
_PROBES = (f"/{paths.HEALTH_LIVE}", f"/{paths.HEALTH_READY}")


def is_ours(scope: Scope) -> bool:
    """Whether an HTTP request leads to one of our views."""
    if scope["type"] != "http":
        return False
    match = _match(_path(scope))
    return match is not None and APP in match.app_names


def live_view(scope: Scope) -> str | None:
    """The name of the view that a scope leads to, if its path is under ``live/``."""
    if scope["type"] not in ("http", "websocket"):
        return None
    path = _path(scope)
    match = _match(path) if f"/{paths.LIVE}" in path else None
    return None if match is None else match.view_name


def health_view(scope: Scope) -> str | None:
    """``HEALTH_LIVE`` or ``HEALTH_READY``, if a request asks one of these."""
    if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
        return None
    path = _path(scope)
    match = _match(path) if path.removesuffix("/").endswith(_PROBES) else None
    name = None if match is None else match.view_name
    return name if name in (HEALTH_LIVE, HEALTH_READY) else None


def _path(scope: Scope) -> str:
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def _match(path: str) -> ResolverMatch | None:
    try:
        return resolve(path)
    except Resolver404:
        return None
