"""What a server says over a socket or a stream, read leniently. Pure.

An unknown kind of frame, of a newer server, is skipped with a log line. A frame
that cannot be read at all is another matter: it may have been changes, and on one
connection none may be missing, so it is ``Offline``, which ends the connection.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ... import errors
from ...protocol import Page

log = logging.getLogger("django_sync.client")


@dataclass(frozen=True)
class Welcome:
    """The server has taken the hello."""

    epoch: str
    heartbeat: float | None = None
    window: int | None = None


@dataclass(frozen=True)
class Changes:
    """A page without its cursor, which follows in a frame of its own."""

    page: Page


@dataclass(frozen=True)
class Cursor:
    """Stands for all changes before it on this connection."""

    cursor: str


@dataclass(frozen=True)
class Results:
    """The answer to the mutations that went out as ``ref``."""

    ref: str
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Pong:
    """The server is there."""


@dataclass(frozen=True)
class Switch:
    """The server orders another transport, for so many seconds."""

    transport: str
    retry_after: float | None


@dataclass(frozen=True)
class Problem:
    """An error: that of the mutations ``ref``, or the reason of the end that follows."""

    ref: str | None
    error: errors.SyncError


Frame = Welcome | Changes | Cursor | Results | Pong | Switch | Problem


def parse(text: str | bytes) -> dict[str, Any]:
    """A frame's JSON."""
    try:
        body = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise errors.Offline(f"A frame is no JSON: {error}") from error
    if not isinstance(body, dict):
        raise errors.Offline("A frame is no JSON object.")
    return body


def read(body: Mapping[str, Any]) -> Frame | None:
    """Read a frame; ``None`` for a kind that this version does not know."""
    match body:
        case {"type": "welcome", "epoch": str(epoch)}:
            return Welcome(epoch, seconds(body.get("heartbeat")), _count(body.get("window")))
        case {"type": "changes"}:
            return Changes(_page(body))
        case {"type": "cursor", "cursor": str(cursor)}:
            return Cursor(cursor)
        case {"type": "results", "ref": ref}:
            return Results(str(ref), body)
        case {"type": "pong"}:
            return Pong()
        case {"type": "switch", "transport": str(transport)}:
            return Switch(transport, seconds(body.get("retry_after")))
        case {"type": "error", "problem": dict(problem)}:
            ref = body.get("ref")
            return Problem(None if ref is None else str(ref), errors.from_problem(problem))
        case {"type": "welcome" | "cursor" | "results" | "switch" | "error" as kind}:
            raise errors.Offline(f"A frame “{kind}” lacks what belongs to it.")
    log.warning("Skipped a frame of a kind that this version does not know: %r", body.get("type"))
    return None


def seconds(value: object) -> float | None:
    """A number of seconds above zero, else ``None``."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        return None
    return float(value)


def _count(value: object) -> int | None:
    """A whole number above zero, else ``None``."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        return None
    return value


def _page(body: Mapping[str, Any]) -> Page:
    try:
        page = Page.from_json({**body, "cursor": ""})
    except errors.Invalid as error:
        raise errors.Offline(f"A frame of changes cannot be read: {error.detail}") from error
    if skipped := len(body["changes"]) - len(page.changes):
        log.warning("Skipped %d changes of a kind that this version does not know.", skipped)
    return page


def ending(code: int, reason: str) -> errors.SyncError:
    """What a socket's close code says, as the error that HTTP would have answered with."""
    said = f"The server closed the socket ({code}{': ' if reason else ''}{reason})."
    match code:
        case 4400:
            return errors.Invalid(said)
        case 4401:
            return errors.NotAuthenticated(said)
        case 4403:
            return errors.PermissionDenied(said)
        case 4410:
            return errors.CursorExpired(said)
        case 4419:
            return errors.SessionEnded(said)
        case 4423:
            return errors.Blocked(said)
        case 4429:
            return errors.Throttled(said)
        case 1001 | 1012 | 1013:
            return errors.Unavailable(said)
    return errors.Offline(said)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON.")
