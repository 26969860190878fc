"""The views. Each reads its request, calls ``engine`` once, and writes the answer."""

from __future__ import annotations

import uuid
from typing import Any

from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request
from rest_framework.response import Response

from .. import engine, errors
from ..protocol import (
    Json,
    ReadyList,
    ReadyRecord,
    ReadyResult,
    ReadyText,
    Record,
    Result,
    check_depth,
    page_body,
)
from ..protocol.ids import canonical_uuid
from .edge import SyncView, is_trusted_origin
from .tickets import TicketAuthentication


class ServiceView(SyncView):
    """The service document."""

    def get(self, request: Request) -> Response:
        return Response(engine.describe(self.caller, request.path))


class ChangesView(SyncView):
    """Pull. Where ``realtime`` asks, it is told whose changes the caller waits for."""

    called = "sync_pull"

    def get(self, request: Request) -> Response:
        asked = request.query_params
        self.positive("wait")  # it answers at once, but what is malformed is said to be
        asked_for = self.collections()
        cursor, limit = asked.get("cursor") or None, self.limit()
        subscription = None
        if self.inner("sync_follows"):
            page, subscription = engine.pull_and_subscribe(
                self.caller, cursor=cursor, collections=asked_for, limit=limit
            )
        else:
            page = engine.pull(self.caller, cursor=cursor, collections=asked_for, limit=limit)
        response = Response(page_body(page))
        told: Any = response
        if self.inner("sync_follows"):
            told.sync_user, told.sync_subscription = self.caller.key, subscription
        elif self.inner("sync_live"):
            told.sync_user = self.caller.key
            told.sync_scopes = engine.scopes_of(self.caller, asked_for)
        return response


class LiveChangesView(ChangesView):
    """Pull, and wait where nothing is new; ``realtime`` does the waiting."""

    called = "sync_live"


class OpenView(SyncView):
    """Who may open a socket or a stream, and whether they still may; ``realtime`` holds it open."""

    called = "sync_live"
    schema = None  # no call that ends: AsyncAPI describes it

    def get(self, request: Request) -> Response:
        if not self.inner("sync_live"):
            raise errors.UpgradeRequired("Here a connection is held open, under ASGI.")
        response = Response({"epoch": engine.epoch()})
        told: Any = response
        told.sync_user = self.caller.key
        session = request.query_params.get("session")
        if session is not None:
            engine.check_session(self.caller, canonical_uuid(session))
        told.sync_session = request.auth if isinstance(request.auth, uuid.UUID) else None
        told.sync_login = self.inner("sync_login")
        if self.inner("sync_follows"):
            engine.heard_of(self.caller, self.inner("sync_position"))
            told.sync_audience = engine.audience(self.caller, self.collections())
        return response


class SocketView(OpenView):
    """A WebSocket's handshake.

    A browser sends its cookies, and passwords that it remembers, whichever page opens the
    socket (RFC 6455, section 10.2). So the page must be one of ours, unless it brings a ticket.
    """

    def get_authenticators(self) -> list[Any]:
        asked: Any = self.request
        if self.inner("sync_live") and "ticket" in asked.GET:
            return [TicketAuthentication()]
        return super().get_authenticators()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if isinstance(request.successful_authenticator, TicketAuthentication):
            return
        by_cookie = isinstance(request.successful_authenticator, SessionAuthentication)
        named = "HTTP_ORIGIN" in request.META
        if (named or by_cookie) and not (named and is_trusted_origin(request._request)):
            raise errors.PermissionDenied("This page may not open a socket here.")


class MutationsView(SyncView):
    """A batch of mutations."""

    called = "sync_mutations"

    def post(self, request: Request) -> Response:
        body = self.body()
        if self.inner("sync_frame"):  # the socket's, whose it was to read these
            body = {name: value for name, value in body.items() if name not in ("type", "ref")}
        self.mutation_ids = ids_of(body.get("mutations"))
        self.caller.client_id = self.caller.client_id or id_of(body.get("client_id"))
        results = engine.mutate(self.caller, body)
        refused = next((r.problem for r in reversed(results) if r.problem), None)
        if refused is not None:
            engine.refused(self.caller, str(refused.get("code")))
        return Response({"results": ReadyList(map(_told, results), dict)})


def _told(result: Result) -> Json | ReadyText:
    return result.text if isinstance(result, ReadyResult) else result.to_json()


def id_of(text: Any) -> uuid.UUID | None:
    """A UUID, if it is one."""
    try:
        return canonical_uuid(text)
    except ValueError:
        return None


def ids_of(mutations: Any) -> list[str]:
    """The ids of a batch's mutations, as far as they can be read."""
    listed = mutations if isinstance(mutations, list) else []
    found = (id_of(one.get("id")) for one in listed if isinstance(one, dict))
    return [str(id) for id in found if id is not None]


class SessionsView(SyncView):
    """A user's sessions."""

    called = "sync_sessions"

    def get(self, request: Request) -> Response:
        return Response({"results": engine.sessions(self.caller)})

    def post(self, request: Request) -> Response:
        opened = engine.open_session(self.caller, self.body())
        self.caller.client_id, self.caller.session_id = opened.session.client_id, opened.session.id
        return Response(opened.to_json(self.root("sessions/")), status=201)


class SessionView(SyncView):
    """One session."""

    called = "sync_sessions"

    def patch(self, request: Request, id: uuid.UUID) -> Response:
        opened = engine.change_session(self.caller, id, self.body())
        return Response(opened.to_json(self.root(f"sessions/{id}/")))

    def delete(self, request: Request, id: uuid.UUID) -> Response:
        engine.end_session(self.caller, id)
        return Response(status=204)


class CallView(SyncView):
    """Under a collection; reads what makes a REST write conditional and repeatable."""

    of_collection = True

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        engine.known(kwargs["collection"])

    def call(self) -> engine.Call:
        headers = self.request.headers
        key, client = headers.get("Idempotency-Key"), self.said("Sync-Client")
        self.mutation_ids = ids_of([{"id": key}])
        if key is not None and client is None:
            raise errors.Invalid("“Idempotency-Key” goes with “Sync-Client”.")
        return engine.Call(
            client_id=client,
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


def _listed(record: Record) -> Json | ReadyText:
    return record.text if isinstance(record, ReadyRecord) else record.to_json()


class RecordsView(CallView):
    """The records of a collection."""

    def get(self, request: Request, collection: str) -> Response:
        records, place = engine.page(self.caller, collection, self._after(), self.limit())
        following = self.following(None if place is None else f"{place[1]}{place[0]}")
        results = ReadyList(map(_listed, records), dict)
        return Response({"results": results, "next": following})

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
