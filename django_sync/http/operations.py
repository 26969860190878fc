"""The protocol in OpenAPI 3.1: its messages, and the request and answer of each path.

This file only holds values; ``schema`` passes them to drf-spectacular.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ..errors import ClientError, SyncError, every_error
from ..protocol import PROTOCOL_VERSION, ConflictKind, Json, Op, Status, Transport, Write
from ..protocol.members import MAX_SEQ
from ..protocol.sessions import (
    KIND_LENGTH,
    NAME_LENGTH,
    PLATFORM_LENGTH,
    TYPE_LENGTH,
    VERSION_LENGTH,
)
from ..sessions.transport_choice import PREFERENCE
from .notation import (
    COUNT,
    OBJECT,
    TEXT,
    UUID,
    const,
    listed,
    members,
    or_null,
    page_of,
    ref,
    strict,
    words,
)

# Messages

CHANGES: Mapping[Op, Json] = {
    Op.PUT: {"allOf": [members(op=const("put")), ref("AnyRecord")]},
    Op.DELETE: members(op=const("delete"), collection=TEXT, id=UUID, revision=COUNT),
    Op.REMOVE: members(op=const("remove"), collection=TEXT, id=UUID),
    Op.DROP: members(op=const("drop"), collection=TEXT, scope=TEXT),
    Op.BEGIN: members(op=const("begin"), collection=TEXT),
}
COLLECTION = members(
    url=TEXT,
    schema_version=TEXT,
    scoped={"type": "boolean"},
    operations=listed(words(["read", *Write])),
)
SEQ: Json = {"type": "integer", "minimum": 0, "maximum": MAX_SEQ}
TIME: Json = {**TEXT, "format": "date-time"}
NETWORK: Mapping[str, Json] = {
    "type": or_null({**TEXT, "maxLength": TYPE_LENGTH}),
    "metered": or_null({"type": "boolean"}),
    "rtt_ms": or_null(SEQ),
}
REPORTED: Mapping[str, Json] = {
    "name": or_null({**TEXT, "maxLength": NAME_LENGTH}),
    "platform": or_null({**TEXT, "maxLength": PLATFORM_LENGTH}),
    "version": or_null({**TEXT, "maxLength": VERSION_LENGTH}),
    "collections": or_null({**listed(TEXT), "description": "Null: all that may be read."}),
    "transports": {**listed(ref("Transport")), "description": "What the client can do."},
    "failed": or_null({**listed(ref("Transport")), "description": "What fails now; [] for none."}),
    "network": or_null(strict(NETWORK)),
    "foreground": or_null({"type": "boolean", "default": True}),
    "push": or_null(members(kind={**TEXT, "maxLength": KIND_LENGTH})),
}
"""What a client reports about itself; null stands for a member's default."""
SCHEMAS: Mapping[str, Json] = {
    "Problem": members(
        {
            "errors": {
                **OBJECT,
                "description": "Field name to what is wrong with it.",
                "additionalProperties": listed(members(code=TEXT, detail=TEXT)),
            },
            "record": {**OBJECT, "description": "The record or tombstone that is there now."},
        },
        type={**TEXT, "format": "uri"},
        title=TEXT,
        status={"type": "integer"},
        detail=TEXT,
        code={**TEXT, "description": "What programs compare; see the protocol's section 9."},
    ),
    "Service": members(
        {"push": members({"webpush": members(key=TEXT)})},
        protocol=const(PROTOCOL_VERSION),
        epoch=UUID,
        server_time={**TEXT, "format": "date-time"},
        collections={**OBJECT, "additionalProperties": COLLECTION},
        transports=listed(ref("Transport")),
        limits=members(page_size=COUNT, batch_size=COUNT, body_bytes=COUNT, wait_seconds=COUNT),
    ),
    "Tombstone": members(collection=TEXT, id=UUID, revision=COUNT, deleted=const(True)),
    "Change": {"oneOf": list(CHANGES.values())},
    "Page": members(
        {"snapshot": members(done=COUNT, total=COUNT)},
        changes=listed(ref("Change")),
        cursor={**TEXT, "maxLength": 2048},
        has_more={"type": "boolean"},
        epoch=UUID,
    ),
    "Mutation": strict(
        {
            "base_revision": or_null(SEQ),
            "epoch": or_null(TEXT),
            "fields": {**OBJECT, "description": "Only what changed; nothing for a delete."},
            "base": or_null(OBJECT),
            "at": or_null(TEXT),
        },
        id=UUID,
        seq=SEQ,
        op=words(Write),
        collection=TEXT,
        object_id=UUID,
    ),
    "Batch": strict(
        {"cursor": or_null(TEXT), "atomic": {"type": "boolean", "default": False}},
        client_id=UUID,
        mutations=listed(ref("Mutation")),
    ),
    "Conflict": members(
        kind=words(ConflictKind),
        fields=listed(TEXT),
        base_revision=or_null(COUNT),
        base=or_null(OBJECT),
        server={"anyOf": [ref("AnyRecord"), ref("Tombstone")]},
        client=OBJECT,
    ),
    "Result": members(
        {
            "revision": COUNT,
            "record": {"anyOf": [ref("AnyRecord"), ref("Tombstone")]},
            "conflict": ref("Conflict"),
            "problem": ref("Problem"),
            "resolved": listed(members(field=TEXT, by=TEXT, kept=TEXT)),
        },
        id=or_null(UUID),
        status=words(Status),
        replayed={"type": "boolean"},
    ),
    "Results": members(results=listed(ref("Result"))),
    "Transport": words(Transport),
    "ChosenTransport": words(PREFERENCE),
    "SessionRequest": strict(
        {name: schema for name, schema in REPORTED.items() if name != "transports"},
        client_id=UUID,
        transports=REPORTED["transports"],
    ),
    "SessionChange": strict(REPORTED),
    "SessionDecision": members(
        id=UUID,
        transport=ref("ChosenTransport"),
        url={**TEXT, "format": "uri"},
        ticket=or_null({**TEXT, "description": "For a WebSocket: opens it once."}),
        heartbeat=COUNT,
        fallback=listed(ref("ChosenTransport")),
        poll_interval={**COUNT, "description": "Seconds."},
        upgrade_after={**COUNT, "description": "Seconds."},
        reasons=listed(TEXT),
    ),
    "Session": members(
        id=UUID,
        client_id=UUID,
        transport=ref("ChosenTransport"),
        state=words(("live", "idle")),
        opened_at=TIME,
        seen_at={**TIME, "description": "Its last sign of life, to within a minute."},
        lag=or_null(
            members(
                changes={**COUNT, "description": "That the user sees; 1000 stands for more."},
                seconds={"type": "number", "minimum": 0},
            )
        ),
        snapshot=or_null(members(done=COUNT, total=COUNT)),
        problem=or_null(members(code=TEXT, title=TEXT, at=TIME)),
        name=TEXT,
        platform=TEXT,
        version=TEXT,
        collections=or_null(listed(TEXT)),
        transports=listed(ref("Transport")),
        failed=listed(ref("Transport")),
        network=members(NETWORK),
        foreground={"type": "boolean"},
    ),
    "Sessions": members(results=listed(ref("Session"))),
    "Revision": members(
        revision=COUNT,
        op=words(Write),
        fields=listed(TEXT),
        at={**TEXT, "format": "date-time"},
        actor=or_null(TEXT),
    ),
    "History": page_of(ref("Revision")),
}


# Problems: one answer for each status, made from the errors themselves

RETRY_AFTER = {"Retry-After": {"description": "Seconds.", "schema": COUNT}}


def problem_name(status: int) -> str:
    """Return the component of a status: it has the name of the first error of this status."""
    return next(error.__name__ for error in sent() if error.status == status)


def sent() -> Iterator[type[SyncError]]:
    """Return the errors that a server sends."""
    return (error for error in every_error() if not issubclass(error, ClientError))


def problems() -> dict[int, Json]:
    """Return the answer of each error status, with the codes that it may have."""
    found: dict[int, list[str]] = {}
    for error in sent():
        found.setdefault(error.status, []).append(f"`{error.code}`: {error.title()}.")
    return {
        status: {
            "description": "\n".join(codes),
            "content": {"application/problem+json": {"schema": ref("Problem")}},
        }
        | ({"headers": RETRY_AFTER} if status in (429, 503) else {})
        for status, codes in sorted(found.items())
    }


# Parameters

HEADERS = {
    "If-Match": "The record's ETag, or `*` for whatever is there.",
    "If-None-Match": "ETags of what the client has.",
    "Sync-Client": "The client's UUID.",
    "Sync-Session": "The id of the session that the client has.",
    "Idempotency-Key": "A UUID that names this call, so that it can be repeated.",
}


def query(name: str, schema: Json, description: str) -> Json:
    """A query parameter."""
    return {"name": name, "in": "query", "schema": schema, "description": description}


def header(name: str, schema: Json = TEXT) -> Json:
    """A header that a request may have."""
    return {"name": name, "in": "header", "schema": schema, "description": HEADERS[name]}


def in_path(name: str, schema: Json) -> Json:
    """A part of the path."""
    return {"name": name, "in": "path", "required": True, "schema": schema}


LIMIT = query("limit", {"type": "integer", "minimum": 1}, "At most so many.")
AFTER = query("after", TEXT, "A place in the list, as `next` has it.")
AT_PLACE = query("after", {"type": "integer", "minimum": 1}, "A place, as `next` has it.")
REPEATABLE = (header("Sync-Client", UUID), header("Idempotency-Key", UUID))
IDENTITY = (header("Sync-Client", UUID), header("Sync-Session", UUID))
ETAG = {"ETag": {"description": "Opaque.", "schema": TEXT}}

ALWAYS = (400, 401, 403, 406, 413, 415, 429, 503)


@dataclass(frozen=True, slots=True)
class Operation:
    """What one method of one path takes and answers.

    ``answer`` and ``body`` name components, with ``{}`` for the collection's own.
    """

    name: str
    summary: str
    answer: str | None
    status: int = 200
    body: str | None = None
    parameters: tuple[Json, ...] = ()
    headers: Json = field(default_factory=dict)
    empty: tuple[int, ...] = ()
    problems: tuple[int, ...] = ()


PULL = (
    query("cursor", TEXT, "The client's place in the feed; none: a snapshot."),
    query("collections", TEXT, "Names with commas between; none: all that may be read."),
    LIMIT,
)

OPERATIONS: Mapping[tuple[str, str], Operation] = {
    ("ServiceView", "GET"): Operation(
        "service", "What a client needs before its first pull.", "Service"
    ),
    ("ChangesView", "GET"): Operation(
        "pull", "What the replica lacks.", "Page", parameters=(*PULL, *IDENTITY), problems=(410,)
    ),
    ("LiveChangesView", "GET"): Operation(
        "pull_live",
        "What the replica lacks; held for a while if there is nothing.",
        "Page",
        parameters=(
            *PULL,
            *IDENTITY,
            query("wait", {"type": "integer", "minimum": 1}, "Seconds for which it may be held."),
        ),
        problems=(410,),
    ),
    ("MutationsView", "POST"): Operation(
        "mutate",
        "Carry out a batch of mutations.",
        "Results",
        body="Batch",
        parameters=IDENTITY,
        problems=(410,),
    ),
    ("SessionsView", "GET"): Operation(
        "sessions", "The user's own sessions, the last seen first.", "Sessions"
    ),
    ("SessionsView", "POST"): Operation(
        "open_session",
        "Open a session, and get the transport to use.",
        "SessionDecision",
        201,
        body="SessionRequest",
    ),
    ("SessionView", "PATCH"): Operation(
        "change_session",
        "Report what has changed, and get the decision anew.",
        "SessionDecision",
        body="SessionChange",
        problems=(404,),
    ),
    ("SessionView", "DELETE"): Operation(
        "end_session", "End a session.", None, 204, problems=(404,)
    ),
    ("RecordsView", "GET"): Operation(
        "list", "Records.", "{}Page", parameters=(LIMIT, AFTER), problems=(404,)
    ),
    ("RecordsView", "POST"): Operation(
        "create",
        "Create an object.",
        "{}Record",
        201,
        body="{}Create",
        parameters=REPEATABLE,
        headers=ETAG,
        problems=(404, 409, 412, 422),
    ),
    ("RecordView", "GET"): Operation(
        "read",
        "One record.",
        "{}Record",
        parameters=(header("If-None-Match"),),
        headers=ETAG,
        empty=(304,),
        problems=(404,),
    ),
    ("RecordView", "PATCH"): Operation(
        "update",
        "Change an object.",
        "{}Record",
        body="{}Update",
        parameters=(header("If-Match"), *REPEATABLE),
        headers=ETAG,
        problems=(404, 412, 422, 428),
    ),
    ("RecordView", "DELETE"): Operation(
        "delete",
        "Delete an object.",
        None,
        204,
        parameters=(header("If-Match"), *REPEATABLE),
        problems=(404, 412, 422, 428),
    ),
    ("HistoryView", "GET"): Operation(
        "history",
        "What became of an object, newest first.",
        "History",
        parameters=(LIMIT, AT_PLACE),
        problems=(404,),
    ),
}
"""The operations, by the name of a view and a method."""
