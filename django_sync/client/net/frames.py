"""Reads the frames that a server sends over a socket or a stream. Pure.

A frame of an unknown type, which a newer server may send, is skipped and logged. A frame that
cannot be read at all may have held changes, and no change may be missing on a connection: it
raises ``Offline``, which ends the connection.
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
    """Covers all changes before it on this connection."""

    cursor: str


@dataclass(frozen=True)
class Results:
    """The answer to the mutations that went out as ``ref``."""

    ref: str
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Pong:
    """The answer to a ping."""


@dataclass(frozen=True)
class Switch:
    """The server wants another transport, for so many seconds."""

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
        raise errors.Offline(f"A frame is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise errors.Offline("A frame is not a JSON object.")
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
            raise errors.Offline(f"A frame “{kind}” lacks a member.")
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


def close_error(code: int, reason: str) -> errors.SyncError:
    """The error for a socket's close code: the one that HTTP would have answered with."""
    detail = f"The server closed the socket ({code}{': ' if reason else ''}{reason})."
    match code:
        case 4400:
            return errors.Invalid(detail)
        case 4401:
            return errors.NotAuthenticated(detail)
        case 4403:
            return errors.PermissionDenied(detail)
        case 4410:
            return errors.CursorExpired(detail)
        case 4419:
            return errors.SessionEnded(detail)
        case 4423:
            return errors.Blocked(detail)
        case 4429:
            return errors.Throttled(detail)
        case 1001 | 1012 | 1013:
            return errors.Unavailable(detail)
    return errors.Offline(detail)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON.")
