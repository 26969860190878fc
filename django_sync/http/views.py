"""The views. Each reads its request, calls ``engine`` once, and writes the answer."""

from __future__ import annotations

import codecs
import logging
import uuid
from typing import Any
from urllib.parse import urlencode

from django.db import DEFAULT_DB_ALIAS, DataError, InterfaceError, OperationalError
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from .. import engine, errors
from ..caller import Caller
from ..conf import conf
from ..ids import canonical_uuid
from ..problems import translate
from ..protocol import Json, check_depth
from .coding import ProblemRenderer, SyncParser, SyncRenderer, too_large
from .problems import problem_response
from .schema import inspector

log = logging.getLogger("django_sync.http")

CHARSETS = ("utf-8", "ascii")
"""Django would decode query and form by whichever codec a request names, of texts or not."""
DIGITS = 15
"""Digits of a number that any database holds; a longer one is above each limit."""


class SyncView(APIView):
    """What all endpoints share: JSON in and out, a signed-in user, problems for errors.

    Never within a transaction of the request's own, whatever ``ATOMIC_REQUESTS`` says:
    sequencing and reruns need their own.
    """

    permission_classes = (IsAuthenticated,)
    renderer_classes = (SyncRenderer,)
    parser_classes = (SyncParser,)
    schema = inspector
    of_collection = False
    called = "sync_rest"
    """The name under which a project may set a rate for ``ScopedRateThrottle``."""

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        view: Any = super().as_view(**initkwargs)
        view._non_atomic_requests = {DEFAULT_DB_ALIAS, conf.DATABASE}
        return view

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        charset = request._request.encoding
        if charset and codecs.lookup(charset).name not in CHARSETS:
            raise errors.UnsupportedMediaType("Requests are in UTF-8.")
        super().initial(request, *args, **kwargs)
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdecimal() and (len(length) > DIGITS or int(length) > conf.BODY_BYTES):
            raise too_large()

    @property
    def throttle_scope(self) -> str | None:
        """What ``ScopedRateThrottle`` asks for: a name for which the project has set a rate."""
        rates = SimpleRateThrottle.THROTTLE_RATES
        return next((name for name in (self.called, "sync") if name in rates), None)

    def check_throttles(self, request: Request) -> None:
        """Once for each request of a client, however often ``realtime`` runs it."""
        if getattr(request._request, "sync_live", 0) <= 1:
            super().check_throttles(request)

    def get_authenticate_header(self, request: Request) -> str:
        """The challenge of a 401, which RFC 9110 wants in each.

        The first authenticator's, as with DRF; where that has none (a session) another's that
        opens no dialogue in a browser.
        """
        told = [a.authenticate_header(request) for a in self.get_authenticators()]
        if not told or told[0]:
            return str(told[0]) if told else ""
        quiet = (str(header) for header in told if header and not header.startswith("Basic"))
        return next(quiet, "Session")

    def perform_authentication(self, request: Request) -> None:
        try:
            super().perform_authentication(request)
        except (DataError, ValueError) as error:  # a NUL, which PostgreSQL cannot look up
            log.warning("credentials could not be looked up: %s", error)
            raise errors.NotAuthenticated from None

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
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
    def caller(self) -> Caller:
        return Caller.of(self.request)

    def body(self) -> Json:
        """The request's body, which is an object."""
        if not isinstance(self.request.data, dict):
            raise errors.Invalid("The body is not a JSON object.")
        return self.request.data

    def limit(self) -> int | None:
        """``limit`` as it was asked for; raises ``Invalid`` unless a positive number."""
        return self.positive("limit")

    def positive(self, name: str) -> int | None:
        """A parameter that is a positive number; one of many digits is above each limit."""
        text = self.request.query_params.get(name)
        if text is None:
            return None
        if not (text.isascii() and text.isdecimal() and text.strip("0")):
            raise errors.Invalid(f"“{name}” is not a positive number.")
        return int(text.lstrip("0")[: DIGITS + 1])

    def following(self, after: str | None) -> str | None:
        """The address of the list's next page, which begins behind ``after``."""
        if after is None:
            return None
        query = {"after": after}
        if self.limit() is not None:
            query["limit"] = str(self.limit())
        return self.request.build_absolute_uri(f"{self.request.path}?{urlencode(query)}")


class ServiceView(SyncView):
    """The service document."""

    def get(self, request: Request) -> Response:
        return Response(engine.describe(self.caller, request.path))


class ChangesView(SyncView):
    """Pull. Where ``realtime`` holds it, it is told whose changes the caller waits for."""

    called = "sync_pull"

    def get(self, request: Request) -> Response:
        asked = request.query_params
        self.positive("wait")  # it answers at once, but what is malformed is said to be
        names = asked.get("collections")
        asked_for = None if names is None else [name for name in names.split(",") if name]
        page = engine.pull(
            self.caller,
            cursor=asked.get("cursor") or None,
            collections=asked_for,
            limit=self.limit(),
        )
        response = Response(page.to_json())
        if getattr(request._request, "sync_live", False):
            told: Any = response
            told.sync_scopes = engine.scopes_of(self.caller, asked_for)
        return response


class LiveChangesView(ChangesView):
    """Pull, and wait where nothing is new; ``realtime`` does the waiting."""

    called = "sync_live"


class MutationsView(SyncView):
    """A batch of mutations."""

    called = "sync_mutations"

    def post(self, request: Request) -> Response:
        results = engine.mutate(self.caller, self.body())
        return Response({"results": [result.to_json() for result in results]})


class CallView(SyncView):
    """Under a collection; reads what makes a REST write conditional and repeatable."""

    of_collection = True

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        engine.known(kwargs["collection"])

    def call(self) -> engine.Call:
        headers = self.request.headers
        key, client = headers.get("Idempotency-Key"), headers.get("Sync-Client")
        if key is not None and client is None:
            raise errors.Invalid("“Idempotency-Key” goes with “Sync-Client”.")
        return engine.Call(
            client_id=self._uuid("Sync-Client", client),
            key=self._uuid("Idempotency-Key", key),
            etag=headers.get("If-Match"),
        )

    def _uuid(self, name: str, text: str | None) -> uuid.UUID | None:
        if text is None:
            return None
        try:
            return canonical_uuid(text)
        except ValueError:
            raise errors.Invalid(f"“{name}” is not a hyphenated UUID.") from None

    def fields(self, body: Json, *allowed: str) -> Json:
        unknown = sorted(set(body) - set(allowed))
        if unknown:
            raise errors.Invalid(f"Unknown members: {', '.join(unknown)}.")
        fields = body.get("object")
        if not isinstance(fields, dict):
            raise errors.Invalid("“object” is not an object.")
        check_depth(fields, "object")
        return fields


class RecordsView(CallView):
    """The records of a collection."""

    def get(self, request: Request, collection: str) -> Response:
        records, place = engine.page(self.caller, collection, self._after(), self.limit())
        following = self.following(None if place is None else f"{place[1]}{place[0]}")
        return Response({"results": [record.to_json() for record in records], "next": following})

    def _after(self) -> tuple[str, uuid.UUID] | None:
        text = self.request.query_params.get("after")
        if text is None:
            return None
        try:
            return text[36:], canonical_uuid(text[:36])
        except ValueError:
            raise errors.Invalid("“after” is not a place in this list.") from None

    def post(self, request: Request, collection: str) -> Response:
        body, call = self.body(), self.call()
        fields = self.fields(body, "id", "object")
        id = self._uuid("id", body.get("id")) if body.get("id") is not None else None
        record, tag = engine.create(self.caller, collection, id, fields, call)
        return Response(record, status=201, headers={"ETag": tag})


class RecordView(CallView):
    """One record."""

    def get(self, request: Request, collection: str, id: uuid.UUID) -> Response:
        record, tag = engine.get(self.caller, collection, id)
        known = engine.tags(request.headers.get("If-None-Match", ""))
        if tag in known or "*" in known:
            return Response(status=304, headers={"ETag": tag})
        return Response(record.to_json(), headers={"ETag": tag})

    def patch(self, request: Request, collection: str, id: uuid.UUID) -> Response:
        fields = self.fields(self.body(), "object")
        record, tag = engine.update(self.caller, collection, id, fields, self.call())
        return Response(record, headers={"ETag": tag})

    def delete(self, request: Request, collection: str, id: uuid.UUID) -> Response:
        engine.delete(self.caller, collection, id, self.call())
        return Response(status=204)


class HistoryView(CallView):
    """What became of one object."""

    def get(self, request: Request, collection: str, id: uuid.UUID) -> Response:
        below = self.positive("after")
        told, place = engine.history(self.caller, collection, id, below, self.limit())
        following = self.following(None if place is None else str(place))
        return Response({"results": told, "next": following})


class UnknownView(SyncView):
    """Every path that is none of ours: a problem, not a page."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise errors.NotFound
