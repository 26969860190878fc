"""Reads HTTP responses: the JSON, the error, the service document. Pure.

A response that is not the server's, such as a captive portal's page, is ``Captive``.
"""

from __future__ import annotations

import datetime
import email.utils
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2

from ... import errors
from ...protocol import PROTOCOL_VERSION
from ...protocol.words import Transport

LONGEST_RETRY = 86_400.0
"""Seconds; a longer ``Retry-After`` comes from a wrong clock or by mistake."""

_BY_STATUS: Mapping[int, type[errors.SyncError]] = {
    400: errors.Invalid,
    401: errors.NotAuthenticated,
    403: errors.PermissionDenied,
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    406: errors.NotAcceptable,
    410: errors.CursorExpired,
    413: errors.TooLarge,
    415: errors.UnsupportedMediaType,
    426: errors.UpgradeRequired,
    429: errors.Throttled,
    502: errors.Unavailable,
    503: errors.Unavailable,
    504: errors.Unavailable,
}
"""What a status means without a problem document of django_sync, as on a proxy's page."""

_ONLY_OURS = frozenset({410})
"""Statuses that count only with a ``code`` of django_sync: to act on them costs a snapshot."""


def error_of(
    response: httpx2.Response, body: dict[str, Any] | None, now: datetime.datetime
) -> errors.SyncError:
    """The error that a response without success stands for."""
    status = response.status_code
    retry_after = _seconds(response.headers, now)
    if body is not None and str(body.get("code")) in errors.BY_CODE:
        return errors.from_problem(body, retry_after=retry_after)
    detail = f"{response.request.method} {response.request.url.path} answered {status}."
    if body is not None and isinstance(body.get("detail"), str):
        detail = f"{detail} {body['detail']}"
    known = _BY_STATUS.get(status)
    if known is not None and status not in _ONLY_OURS:
        return known(detail, retry_after=retry_after)
    if status >= 500 and status != 511:
        return errors.SyncError(detail, retry_after=retry_after)
    if body is not None and status >= 400:
        return errors.SyncError(detail, retry_after=retry_after)
    if response.is_redirect:
        detail += f" It points to {response.headers.get('Location')}; is the URL right?"
    return errors.Captive(f"{detail} This is not the answer of a django_sync server.")


def _seconds(headers: Mapping[str, str], now: datetime.datetime) -> float | None:
    """Read ``Retry-After``: seconds, or a date, which counts from the server's own."""
    header = headers.get("Retry-After")
    if header is None:
        return None
    try:
        seconds = float(int(header))
    except ValueError:
        when = _date(header)
        if when is None:
            return None
        seconds = (when - (_date(headers.get("Date", "")) or now)).total_seconds()
    return min(max(0.0, seconds), LONGEST_RETRY)


def _date(header: str) -> datetime.datetime | None:
    """A date as HTTP writes it."""
    try:
        when = email.utils.parsedate_to_datetime(header)
    except ValueError:
        return None
    return when.replace(tzinfo=datetime.UTC) if when.tzinfo is None else when


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON.")


def json_of(response: httpx2.Response) -> dict[str, Any] | None:
    """The JSON object that a response holds, or ``None``."""
    try:
        body = json.loads(response.content, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


@dataclass(frozen=True)
class Service:
    """A server's limits and transports; the protocol's defaults until the server answers."""

    epoch: str | None = None
    batch_size: int = 500
    body_bytes: int = 5_242_880
    wait_seconds: int = 25
    transports: frozenset[str] = frozenset({Transport.POLL})


def read_service(document: Mapping[str, Any]) -> Service:
    """Read a service document; raise an error if it is none, or has another protocol."""
    if document.get("protocol") != PROTOCOL_VERSION:
        if "protocol" not in document:
            raise errors.Captive("This is not the service document of a django_sync server.")
        raise errors.UnsupportedProtocol(
            f"The server speaks protocol {document['protocol']}, this client {PROTOCOL_VERSION}."
        )
    limits = document.get("limits")
    limits = limits if isinstance(limits, dict) else {}
    epoch, transports = document.get("epoch"), document.get("transports")
    listed = transports if isinstance(transports, list) else []
    return Service(
        epoch=epoch if isinstance(epoch, str) else None,
        batch_size=_positive(limits.get("batch_size"), Service.batch_size),
        body_bytes=_positive(limits.get("body_bytes"), Service.body_bytes),
        wait_seconds=min(
            _positive(limits.get("wait_seconds"), Service.wait_seconds), Service.wait_seconds
        ),
        transports=frozenset(name for name in listed if isinstance(name, str)),
    )


def _positive(value: object, default: int) -> int:
    return value if isinstance(value, int) and value > 0 else default
