"""What all endpoints share: authentication, limits, the log, and answers to errors."""

from __future__ import annotations

import codecs
import logging
import time
import uuid
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.db import DEFAULT_DB_ALIAS, DataError, InterfaceError, OperationalError
from django.http import HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from .. import engine, errors, logs
from ..conf import conf
from ..drf.caller import Caller
from ..drf.exceptions import translate
from ..protocol import Json
from ..protocol.ids import canonical_uuid
from .coding import ProblemRenderer, SyncParser, SyncRenderer, too_large
from .problems import problem_response
from .schema import inspector
from .side_channel import RequestInfo, ResponseInfo
from .tickets import TicketAuthentication

log = logging.getLogger("django_sync.http")

CHARSETS = ("utf-8", "ascii")
"""Django would decode query and form with any codec that a request names."""
USUAL_ACCEPT = ("*/*", "application/json")
"""The ``Accept`` headers of almost all clients."""
DIGITS = 15
"""Digits of a number that any database can hold; a longer number is above each limit."""


class SyncView(APIView):
    """What all endpoints share: JSON in and out, a signed-in user, problems for errors.

    ``ATOMIC_REQUESTS`` does not apply: sequencing and reruns need transactions of their own.
    """

    permission_classes = (IsAuthenticated,)
    renderer_classes = (SyncRenderer,)
    parser_classes = (SyncParser,)
    schema = inspector
    of_collection = False
    asker: Caller | None = None
    """The caller, when it is known."""
    mutation_ids: Sequence[str] = ()
    """The valid ids of the mutations in the request."""
    called = "sync_rest"
    """The name under which a project may set a rate for ``ScopedRateThrottle``."""

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        view: Any = super().as_view(**initkwargs)
        view._non_atomic_requests = {DEFAULT_DB_ALIAS, conf.DATABASE}
        return view

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Answer, and log it."""
        began = time.perf_counter()
        try:
            response: Any = super().dispatch(request, *args, **kwargs)
        except Exception:
            self._log(500, None, began)
            raise
        body = getattr(response, "data", None)
        problem = body if response.status_code >= 400 and isinstance(body, dict) else {}
        response.sync = ResponseInfo.of(response)
        response.sync.log = self._log(response.status_code, problem.get("code"), began)
        return response

    def _log(self, status: int, code: Any, began: float) -> dict[str, Any]:
        """Log the request; requests that a connection makes by itself are logged for debugging."""
        asker, ids = self.asker, self.mutation_ids
        facts: dict[str, Any] = {
            "call": self.called,
            "method": self.request.method,
            "status": status,
            "code": code,
            "duration_ms": round((time.perf_counter() - began) * 1000, 1),
        }
        if asker is not None:
            facts |= {"user": asker.key, "client": _text(asker.client_id)}
            facts |= {"session": _text(asker.session_id)}
        if ids:
            facts |= {"mutations": ids[: logs.MOST_MUTATIONS], "mutation_count": len(ids)}
        by_itself = self.sync.run and not self.sync.frame and status < 400
        if not self.sync.held:
            logs.tell(logging.DEBUG if by_itself else logs.level_of(status), facts)
        return facts

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        charset = request._request.encoding
        if charset and codecs.lookup(charset).name not in CHARSETS:
            raise errors.UnsupportedMediaType("Requests are in UTF-8.")
        super().initial(request, *args, **kwargs)
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdecimal() and (len(length) > DIGITS or int(length) > conf.BODY_BYTES):
            raise too_large()

    def check_permissions(self, request: Request) -> None:
        """Check permissions and directives; from here on the caller is known."""
        super().check_permissions(request)
        caller = self.caller
        client: uuid.UUID | None = self.sync.client_id
        session: Any = request.auth if client else None
        caller.session_id = session or self.uuid_in("Sync-Session")
        caller.client_id = client or self.uuid_in("Sync-Client")
        self.asker = caller
        engine.check_directives(caller)

    def uuid_in(self, name: str) -> uuid.UUID | None:
        """Return the UUID in a header; ``None`` without one."""
        text = self.request.META.get(f"HTTP_{name.upper().replace('-', '_')}")
        try:
            return None if text is None else canonical_uuid(text)
        except ValueError:
            raise errors.Invalid(f"“{name}” is not a hyphenated UUID.") from None

    def get_authenticators(self) -> list[Any]:
        """Return the project's; on a socket that a ticket opened, only that of its session."""
        if self.sync.session is not None:
            return [TicketAuthentication()]
        return super().get_authenticators()

    @property
    def throttle_scope(self) -> str | None:
        """The name under which the project has set a rate; ``ScopedRateThrottle`` reads it."""
        rates = SimpleRateThrottle.THROTTLE_RATES
        return next((name for name in (self.called, "sync") if name in rates), None)

    def check_throttles(self, request: Request) -> None:
        """Count each request of a client once, even if ``realtime`` runs it again."""
        if self.sync.run <= 1:
            super().check_throttles(request)

    def get_authenticate_header(self, request: Request) -> str:
        """Return the challenge that RFC 9110 requires in each 401.

        It is the first authenticator's, as with DRF. If that has none (a session), it is that of
        another one which opens no dialogue in a browser.
        """
        headers = [a.authenticate_header(request) for a in self.get_authenticators()]
        if not headers or headers[0]:
            return str(headers[0]) if headers else ""
        quiet = (str(header) for header in headers if header and not header.startswith("Basic"))
        return next(quiet, "Session")

    def perform_authentication(self, request: Request) -> None:
        try:
            super().perform_authentication(request)
        except (DataError, ValueError) as error:  # a NUL, which PostgreSQL cannot look up
            log.warning("credentials could not be looked up: %s", error)
            raise errors.NotAuthenticated from None

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """Do as DRF does, but without a search if the ``Accept`` header is a usual one."""
        named = api_settings.URL_FORMAT_OVERRIDE
        by_drf = self.content_negotiation_class is DefaultContentNegotiation and named
        accepted = request.META.get("HTTP_ACCEPT", "*/*")
        if by_drf and accepted in USUAL_ACCEPT and named not in request.query_params:
            return SyncRenderer(), SyncRenderer.media_type
        try:
            return super().perform_content_negotiation(request, force)
        except (LookupError, ValueError):  # a header that cannot be read
            raise errors.NotAcceptable from None

    def handle_exception(self, exc: Exception) -> Response:
        error = translate(exc)
        if error is None and isinstance(exc, (OperationalError, InterfaceError)):
            log.exception("the database did not serve %s", self.request.path, exc_info=exc)
            error = errors.Unavailable()
        if error is None:
            raise exc
        if self.asker is not None:
            engine.note_refusal(self.asker, error.code)
        response = problem_response(error)
        if isinstance(error, errors.NotAuthenticated):
            header = self.get_authenticate_header(self.request)
            if header:
                response["WWW-Authenticate"] = header
        if isinstance(error, errors.MethodNotAllowed):
            response["Allow"] = ", ".join(self.allowed_methods)
        response.exception = True
        return response

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        final = super().finalize_response(request, response, *args, **kwargs)
        final.setdefault("Cache-Control", "private, no-store")
        if getattr(response, "exception", False):
            final.accepted_renderer = ProblemRenderer()
            final.accepted_media_type = ProblemRenderer.media_type
            final.content_type = ProblemRenderer.media_type
        return final

    @property
    def sync(self) -> RequestInfo:
        """What ``realtime`` knows about a request that it makes; no client can set it."""
        request: Any = self.request  # Django's own, until DRF has wrapped it
        return RequestInfo.of(getattr(request, "_request", request))

    def collections(self) -> list[str] | None:
        """Return the collections that are asked for; ``None``: all that may be read."""
        names = self.request.query_params.get("collections")
        return None if names is None else [name for name in names.split(",") if name]

    @property
    def caller(self) -> Caller:
        return Caller.of(self.request)

    def body(self) -> Json:
        """Return the request's body; raise ``Invalid`` if it is not an object."""
        if not isinstance(self.request.data, dict):
            raise errors.Invalid("The body is not a JSON object.")
        return self.request.data

    def limit(self) -> int | None:
        """Return the parameter ``limit``; raise ``Invalid`` unless it is a positive number."""
        return self.positive("limit")

    def positive(self, name: str) -> int | None:
        """Return a parameter that is a positive number; a very long one is cut above each limit."""
        text = self.request.query_params.get(name)
        if text is None:
            return None
        if not (text.isascii() and text.isdecimal() and text.strip("0")):
            raise errors.Invalid(f"“{name}” is not a positive number.")
        return int(text.lstrip("0")[: DIGITS + 1])

    def root(self, tail: str) -> str:
        """Return the absolute address of the protocol's root; ``tail`` ends the path."""
        return self.request.build_absolute_uri(self.request.path.removesuffix(tail))

    def following(self, after: str | None) -> str | None:
        """Return the address of the list's next page, which begins after ``after``."""
        if after is None:
            return None
        query = {"after": after}
        if self.limit() is not None:
            query["limit"] = str(self.limit())
        return self.request.build_absolute_uri(f"{self.request.path}?{urlencode(query)}")


def _text(id: uuid.UUID | None) -> str | None:
    return None if id is None else str(id)


def is_trusted_origin(request: Any) -> bool:
    """Whether the ``Origin`` of a request is this site, or one in ``CSRF_TRUSTED_ORIGINS``.

    Django's own rule for forms decides.
    """
    guard: Any = CsrfViewMiddleware(lambda _: HttpResponse())
    return bool(guard._origin_verified(request))
