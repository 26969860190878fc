"""What an HTTP answer says: the JSON in it, or one of ``errors``. Pure.

An answer that is not the server's, such as a captive portal's page, is ``Captive``.
"""

from __future__ import annotations

import datetime
import email.utils
import json
from collections.abc import Mapping
from typing import Any

import httpx2

from ... import errors

LONGEST_RETRY = 86_400.0
"""Seconds; a ``Retry-After`` above that is a wrong clock's, or nobody's meaning."""

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
"""What a status means where no problem of ours comes with it (a proxy's page)."""

_ONLY_OURS = frozenset({410})
"""Statuses that are believed only with our ``code``: acting on them costs a snapshot."""


def error_of(
    response: httpx2.Response, body: dict[str, Any] | None, now: datetime.datetime
) -> errors.SyncError:
    """What an answer says that is not the one hoped for."""
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
    return errors.Captive(f"{detail} This is no answer of a django_sync server.")


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
    raise ValueError(f"{constant} is no JSON.")


def json_of(response: httpx2.Response) -> dict[str, Any] | None:
    """The object that an answer holds, or ``None``."""
    try:
        body = json.loads(response.content, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None
