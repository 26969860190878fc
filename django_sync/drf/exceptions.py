"""What DRF and Django raise, as errors of ``errors``.

Foreign exceptions are translated here and nowhere else. Unknown ones pass through: they are
faults that must be seen.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from django.core import exceptions as django
from django.db.models import ProtectedError, RestrictedError
from django.http import Http404, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from rest_framework import exceptions as drf
from rest_framework.fields import get_error_detail

from .. import errors

BY_TYPE: Mapping[type[Exception], type[errors.SyncError]] = {
    django.RequestDataTooBig: errors.TooLarge,
    drf.ParseError: errors.Invalid,
    django.BadRequest: errors.Invalid,
    django.SuspiciousOperation: errors.Invalid,
    MultiPartParserError: errors.Invalid,
    UnreadablePostError: errors.Invalid,
    drf.AuthenticationFailed: errors.NotAuthenticated,
    drf.NotAuthenticated: errors.NotAuthenticated,
    drf.PermissionDenied: errors.PermissionDenied,
    django.PermissionDenied: errors.PermissionDenied,
    drf.NotFound: errors.NotFound,
    Http404: errors.NotFound,
    drf.MethodNotAllowed: errors.MethodNotAllowed,
    drf.NotAcceptable: errors.NotAcceptable,
    drf.UnsupportedMediaType: errors.UnsupportedMediaType,
}
HIDDEN_DETAILS = (Http404, drf.NotFound)
"""Their texts may name what the user must not know; ours are sent instead."""


def flatten(detail: Any, name: str = "non_field_errors") -> dict[str, list[dict[str, str]]]:
    """DRF's nested error detail as field name to a list of code and text."""
    if isinstance(detail, Mapping):
        found: dict[str, list[dict[str, str]]] = {}
        for key, value in detail.items():
            path = str(key) if name == "non_field_errors" else f"{name}.{key}"
            for field, listed in flatten(value, path).items():
                found.setdefault(field, []).extend(listed)
        return found
    if isinstance(detail, list):
        found = {}
        for value in detail:
            for field, listed in flatten(value, name).items():
                found.setdefault(field, []).extend(listed)
        return found
    return {name: [{"code": str(getattr(detail, "code", "invalid")), "detail": str(detail)}]}


def translate(error: Exception) -> errors.SyncError | None:
    """Our error for a foreign one; ``None`` where there is none."""
    if isinstance(error, errors.SyncError):
        return error
    if isinstance(error, drf.ValidationError):
        return errors.ValidationFailed(errors=flatten(error.detail))
    if isinstance(error, django.ValidationError):
        return errors.ValidationFailed(errors=flatten(get_error_detail(error)))
    if isinstance(error, (ProtectedError, RestrictedError)):
        problem = {"code": "protected", "detail": "Other objects still refer to this one."}
        return errors.ValidationFailed(errors={"non_field_errors": [problem]})
    if isinstance(error, drf.Throttled):
        return errors.Throttled(retry_after=getattr(error, "wait", None))
    for known, ours in BY_TYPE.items():
        if isinstance(error, known):
            detail = str(getattr(error, "detail", "") or "")
            return ours("" if isinstance(error, HIDDEN_DETAILS) else detail)
    return None


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Run the project's DRF code; raise our errors for those that it raises."""
    try:
        yield
    except Exception as error:
        ours = translate(error)
        if ours is None:
            raise
        raise ours from error
