"""Errors as answers: ``application/problem+json`` (RFC 9457), always with a code."""

from __future__ import annotations

import math

from rest_framework.response import Response

from .. import errors


def problem_response(error: errors.SyncError) -> Response:
    """Return the answer for ``error``."""
    response = Response(error.problem(), status=error.status)
    response["Cache-Control"] = "private, no-store"
    if error.retry_after is not None:
        response["Retry-After"] = str(math.ceil(error.retry_after))
    elif error.status in (429, 503):
        response["Retry-After"] = "1"
    return response
