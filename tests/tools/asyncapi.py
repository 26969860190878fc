"""The frames of sockets and streams as AsyncAPI 3.0 and as a table, from the code and for the docs.

What a frame holds is said here once, in the words in which `operations` says it of requests and
answers. `tests.integration.wire` holds every frame that goes over a socket or stream of the suite
against it, and `tests/unit/realtime/test_frames.py` holds what the server reads against what it
says.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docs/asyncapi.yaml"

Json = dict[str, Any]


@dataclass(frozen=True)
class Frame:
    """One kind of frame: who sends it, over what, what for, and what it holds."""

    by: str
    told: str
    payload: Json
    over: tuple[str, ...] = ("socket",)


def frames() -> Mapping[str, Frame]:
    """Every kind of frame, those of the client first."""
    from django_sync.feed.cursor import MAX_LENGTH
    from django_sync.http import notation as n
    from django_sync.http.operations import SCHEMAS
    from django_sync.protocol import PROTOCOL_VERSION
    from django_sync.realtime import frames as f

    ref = {"type": ["string", "integer", "null"], "maxLength": f.MOST_REF}
    ref |= {"minimum": -f.MAX_REF, "maximum": f.MAX_REF}
    name = {"type": "string", "minLength": 1, "maxLength": f.MOST_NAMES, "pattern": "^[^,]*$"}
    cursor = {**n.TEXT, "maxLength": MAX_LENGTH}
    batch = SCHEMAS["Batch"]["properties"]
    both = ("socket", "stream")
    more = {"type": "boolean", "description": "Whether more follows at once."}
    page = SCHEMAS["Page"]["properties"]
    return {
        "hello": Frame(
            "client",
            "Comes first and once: where the client stands, and what it asks for.",
            n.strict(
                {
                    "session": n.or_null({**n.UUID, "description": "A session of the user's."}),
                    "cursor": n.or_null({**cursor, "description": "Null: a snapshot."}),
                    "collections": n.or_null(
                        {**n.listed(name), "description": "Null: all that may be read."}
                    ),
                },
                type=n.const("hello"),
                protocol=n.const(PROTOCOL_VERSION),
            ),
        ),
        "ack": Frame(
            "client",
            "How many `changes` frames of this connection the client has taken so far.",
            n.strict(type=n.const("ack"), frames={"type": "integer", "minimum": 1}),
        ),
        "mutate": Frame(
            "client",
            "A batch of mutations; `ref` comes back with its answer.",
            n.strict(
                {"ref": ref, "cursor": batch["cursor"], "atomic": batch["atomic"]},
                type=n.const("mutate"),
                client_id=batch["client_id"],
                mutations=batch["mutations"],
            ),
        ),
        "ping": Frame("client", "The client is there.", n.strict(type=n.const("ping"))),
        "welcome": Frame(
            "server",
            "The answer to `hello`.",
            n.members(
                {
                    "window": {
                        "type": "integer",
                        "minimum": 1,
                        "description": "Frames that may stay unacknowledged; absent: 16.",
                    }
                },
                type=n.const("welcome"),
                epoch=n.UUID,
                heartbeat={"type": "number", "exclusiveMinimum": 0, "description": "Seconds."},
            ),
        ),
        "changes": Frame(
            "server",
            "What the replica lacks, in order and without gaps.",
            n.members(
                {
                    "cursor": {**cursor, "description": "Of a page that was pulled; not for use."},
                    "snapshot": page["snapshot"],
                },
                type=n.const("changes"),
                changes=page["changes"],
                has_more=more,
                epoch=n.UUID,
            ),
            both,
        ),
        "cursor": Frame(
            "server",
            "The place behind all `changes` frames before it; what to come back with.",
            n.members(type=n.const("cursor"), cursor=cursor),
            both,
        ),
        "results": Frame(
            "server",
            "The answer to `mutate`.",
            n.members(
                type=n.const("results"),
                ref=ref,
                results=SCHEMAS["Results"]["properties"]["results"],
            ),
        ),
        "pong": Frame("server", "The answer to `ping`.", n.members(type=n.const("pong"))),
        "error": Frame(
            "server",
            "With `ref`: the answer to a `mutate` that was refused as a whole. Without: why the "
            "connection is closed, which follows.",
            n.members({"ref": ref}, type=n.const("error"), problem=n.ref("Problem")),
            both,
        ),
    }


def document() -> Json:
    """The whole of it, for the example project."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    from drf_spectacular.generators import SchemaGenerator

    from django_sync.protocol import PROTOCOL_VERSION, Transport
    from django_sync.realtime.close_codes import MEANINGS
    from django_sync.sessions.lifecycle import PATHS

    found = frames()
    known = SchemaGenerator().get_schema(public=True)["components"]["schemas"]
    messages = {
        name: {
            "name": name,
            "summary": frame.told,
            "contentType": "application/json",
            "payload": frame.payload,
        }
        for name, frame in found.items()
    }
    for name in ("mutate", "results"):
        messages[name]["correlationId"] = {"location": "$message.payload#/ref"}
    of = {
        over: {
            name: {"$ref": f"#/components/messages/{name}"}
            for name, frame in found.items()
            if over in frame.over
        }
        for over in ("socket", "stream")
    }
    ticket = {"type": "string", "description": "A session's ticket, which opens it once."}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "django_sync: sockets and streams",
            "version": str(PROTOCOL_VERSION),
            "description": "The example project's. The protocol's section 8 says what it means.",
        },
        "defaultContentType": "application/json",
        "servers": {
            "sockets": {"host": "example.org", "protocol": "wss"},
            "streams": {"host": "example.org", "protocol": "https"},
        },
        "channels": {
            "socket": {
                "address": f"/sync/{PATHS[Transport.WEBSOCKET]}",
                "servers": [{"$ref": "#/servers/sockets"}],
                "messages": of["socket"],
                "bindings": {
                    "ws": {
                        "method": "GET",
                        "query": {"type": "object", "properties": {"ticket": ticket}},
                        "bindingVersion": "0.1.0",
                    }
                },
                "x-close-codes": {str(code): told for code, told in sorted(MEANINGS.items())},
            },
            "stream": {
                "address": f"/sync/{PATHS[Transport.SSE]}",
                "servers": [{"$ref": "#/servers/streams"}],
                "messages": of["stream"],
                "description": "Server-sent events, named as their frames are.",
            },
        },
        "operations": dict(operations(found)),
        "components": {"messages": messages, "schemas": reached(messages, known)},
    }


def operations(found: Mapping[str, Frame]) -> Iterator[tuple[str, Json]]:
    """What the server takes, and what it sends."""
    replies = {"hello": ("welcome", "error"), "mutate": ("results", "error"), "ping": ("pong",)}
    for name, frame in found.items():
        for over in frame.over:
            channel = {"$ref": f"#/channels/{over}"}
            made: Json = {
                "action": "receive" if frame.by == "client" else "send",
                "channel": channel,
                "messages": [{"$ref": f"#/channels/{over}/messages/{name}"}],
            }
            if name in replies:
                answers = [{"$ref": f"#/channels/{over}/messages/{n}"} for n in replies[name]]
                made["reply"] = {"channel": channel, "messages": answers}
            yield (name if over == "socket" else f"{over}_{name}"), made


def reached(what: object, known: Json) -> Json:
    """The schemas that something refers to, and those that they refer to."""
    found: Json = {}
    waiting: list[object] = [what]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting += part
        elif isinstance(part, dict):
            waiting += part.values()
            name = str(part.get("$ref", "")).removeprefix("#/components/schemas/")
            if name in known and name not in found:
                found[name] = known[name]
                waiting.append(known[name])
    return dict(sorted(found.items()))


# What holds frames against it


@functools.cache
def validator(name: str) -> Any:
    """Of a kind of frame, as the page in docs/ has it."""
    import jsonschema  # type: ignore[import-untyped]  # it ships none, and no stubs are asked for

    schema = {"components": _page()["components"], "$ref": f"#/components/messages/{name}/payload"}
    cls = jsonschema.Draft202012Validator
    return cls(schema, format_checker=cls.FORMAT_CHECKER)


@functools.cache
def _page() -> Json:
    import yaml

    page: Json = yaml.safe_load(FILE.read_text())
    return page


def check(frame: Any, over: str = "socket") -> None:
    """See that a frame that goes over a socket or stream is as the page says; raises if not."""
    name = frame["type"]
    assert name in _page()["channels"][over]["messages"], f"“{name}” is not in {FILE.name}"
    validator(name).validate(frame)
