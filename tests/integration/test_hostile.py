"""What a careful enemy sends: no request is answered with a fault of the server's.

Each answer is a problem or a result, the database holds nothing that cannot be read
again, and one poisoned mutation holds up no other.
"""

from __future__ import annotations

import base64
import json
import uuid
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from django_sync.conf import conf
from example_project.boards.models import Board, Card

JSON = "application/json"
DEEP = 200
"""Levels that any parser takes and that no honest object has."""


@pytest.fixture
def api(people):
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(people.ada)
    return client


def sound(response: Any) -> Any:
    """The body, having seen that the answer is one of the protocol's."""
    assert response.status_code < 500, response.content[:500]
    if response.status_code == 304 or response.status_code == 204:
        return None
    body = json.loads(response.content, parse_constant=pytest.fail)
    if response.status_code >= 400:
        assert response["Content-Type"] == "application/problem+json"
        assert body["status"] == response.status_code
        assert {"type", "title", "status", "detail", "code"} <= set(body)
        assert len(body["detail"]) < 1000
    return body


def readable(api: APIClient) -> None:
    """What was stored can be read again, by list and by pull."""
    assert sound(api.get("/sync/cards/"))["results"]
    assert sound(api.get("/sync/changes/"))["changes"]


def post(api: APIClient, text: Any, content_type: str = JSON) -> Any:
    return api.generic("POST", "/sync/mutations/", text, content_type=content_type)


def envelope(*mutations: Any, **members: Any) -> str:
    return json.dumps({"client_id": str(uuid.uuid4()), "mutations": list(mutations)} | members)


def mutation(card: Card, **members: Any) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        "seq": 1,
        "op": "update",
        "collection": "cards",
        "object_id": str(card.sync_id),
        "base_revision": card.sync_revision,
        "fields": {},
    } | members


def nested(levels: int, inner: str = "", kind: str = "[]") -> str:
    return kind[0] * levels + inner + kind[1] * levels


# Bodies


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "null",
        "1",
        '"text"',
        "[]",
        "{",
        "{]",
        "{'client_id': 1}",
        '{"client_id": NaN}',
        '{"client_id": Infinity}',
        '{"client_id": -Infinity}',
        '{"client_id": 1e999}',
        '{"client_id": ' + "9" * 5000 + "}",
        '{"client_id": "\\ud800"}',
        '{"\\ud800": 1}',
        '{"\\u0000": 1}',
        '{"__proto__": {}, "constructor": {}}',
        "\ufeff{}",
        b"\xff\xfe{}",
        b'{"client_id": "\xed\xa0\x80"}',
        '{"a": 1}'.encode("utf-16"),
        "[" * 100_000,
        nested(100_000),
        '{"a":' * 50_000 + "1" + "}" * 50_000,
        json.dumps({"x" * 100_000: 1}),
    ],
    ids=lambda text: repr(text[:24]),
)
def test_a_body_that_is_none_is_invalid(api, text):
    response = post(api, text)
    assert sound(response)["code"] == "invalid"
    assert response.status_code == 400


@pytest.mark.parametrize("charset", ["utf-16", "utf-7", "latin-1"])
def test_the_charset_of_a_request_is_not_believed(api, card, charset):
    """JSON is in UTF-8; and Python has codecs that are none of texts."""
    content_type = f"{JSON}; charset={charset}"
    for body in (envelope(), envelope().encode("utf-16")):
        response = post(api, body, content_type)
        assert sound(response)["code"] == "unsupported_media_type"
    response = api.generic("GET", "/sync/changes/?limit=1&x=%e9", content_type=content_type)
    assert sound(response)["code"] == "unsupported_media_type"


@pytest.mark.parametrize("charset", ["utf-8", "UTF8", "us-ascii", "no-such"])
def test_a_charset_that_is_no_other_changes_nothing(api, charset):
    assert sound(post(api, envelope(), f"{JSON}; charset={charset}")) == {"results": []}


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data"],
)
def test_a_body_in_another_format_is_refused(api, content_type):
    response = post(api, "a=b", content_type)
    assert (response.status_code, sound(response)["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("told", [None, "99999999999", "9" * 5000, "-1", "x", "٣"])
def test_a_body_above_the_limit_is_too_large(api, settings, told):
    settings.DJANGO_SYNC = {"BODY_BYTES": 1000}
    text = envelope(*[{}] * 1000)
    headers = {} if told is None else {"CONTENT_LENGTH": told}
    response = api.generic("POST", "/sync/mutations/", text, content_type=JSON, **headers)
    body = sound(response)
    if told in (None, "99999999999", "9" * 5000):
        assert (response.status_code, body["code"]) == (413, "too_large")


# Members


WRONG: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    10**400,
    2**63,
    2**53,
    "",
    "x",
    "\0",
    "\ud800",
    "x" * 1_000_000,
    [],
    {},
    [None],
    {"__class__": 1},
    "{" + str(uuid.UUID(int=1)) + "}",
    "urn:uuid:" + str(uuid.UUID(int=1)),
    uuid.UUID(int=1).hex,
    json.loads(nested(DEEP)),
    json.loads(nested(900)),
]


@pytest.mark.parametrize("member", ["client_id", "cursor", "atomic", "mutations", "other", "\0"])
def test_wrong_kinds_in_the_envelope(api, card, member):
    fine = {"cursor": [None], "mutations": [[]], "atomic": [True]}.get(member, [])
    for wrong in WRONG:
        body = sound(post(api, envelope(**{member: wrong})))
        if wrong not in fine:
            assert body["code"] in ("invalid", "invalid_cursor"), repr(wrong)[:40]


MEMBERS = ["id", "seq", "op", "collection", "object_id", "base_revision", "epoch", "fields"]


@pytest.mark.parametrize("member", [*MEMBERS, "base", "at", "other", "\ud800"])
def test_wrong_kinds_in_a_mutation_hold_up_no_other(api, people, card, member):
    board = people.launch
    for seq, wrong in enumerate(WRONG):
        good = mutation(card, collection="boards", seq=seq, fields={"name": f"Launch {seq}"})
        good |= {"object_id": str(board.sync_id), "base_revision": board.sync_revision}
        asked = mutation(card, **({"seq": seq, "fields": {"votes": seq}} | {member: wrong}))
        first, second = sound(post(api, envelope(asked, good)))["results"]
        assert first["status"] in ("rejected", "conflict", "applied"), repr(wrong)[:40]
        assert second["status"] == "applied", repr(wrong)[:40]
        board.refresh_from_db()
        card.refresh_from_db()
    readable(api)


FIELDS = [
    "board",
    "title",
    "body",
    "column",
    "position",
    "votes",
    "due",
    "checklist",
    "labels",
    "created_at",
]
NONE = ["sync_id", "sync_revision", "sync_scope", "id", "pk", "board_id", "__class__", "__proto__"]


# What is no field is refused before any database is asked: one of them is enough.
NO_FIELDS = [
    pytest.param(name, marks=pytest.mark.sqlite, id=ascii(name[:20]))
    for name in [*NONE, "", "\0", "\ud800", "x" * 100_000]
]


@pytest.mark.parametrize("field", [*FIELDS, *NO_FIELDS])
def test_wrong_kinds_in_a_field_hold_up_no_other(api, people, card, field):
    board = people.launch
    for seq, wrong in enumerate(WRONG):
        fields = {"title": "t", "board": str(board.sync_id), field: wrong}
        created = {"op": "create", "base_revision": None, "fields": fields, "seq": seq}
        good = mutation(card, collection="boards", seq=seq, fields={"name": f"Launch {seq}"})
        good |= {"object_id": str(board.sync_id), "base_revision": board.sync_revision}
        body = sound(
            post(
                api,
                envelope(
                    mutation(card, fields={field: wrong}, seq=seq),
                    mutation(card, **created, object_id=str(uuid.uuid4())),
                    mutation(card, **created),
                    good,
                ),
            )
        )
        told = [result["status"] for result in body["results"]]
        assert set(told[:2]) <= {"applied", "rejected"}, repr(wrong)[:40]
        assert told[2] in ("rejected", "conflict", "aborted", "applied"), repr(wrong)[:40]
        assert told[3] == "applied", repr(wrong)[:40]
        if field not in FIELDS:
            assert told[:2] == ["rejected", "rejected"]
        board.refresh_from_db()
        card.refresh_from_db()
    readable(api)


@pytest.mark.parametrize("wrong", ['"nan"', '"inf"', '"-Infinity"', "1e999", "-1e999"])
def test_a_number_that_json_cannot_say_is_refused(api, card, wrong):
    text = envelope(mutation(card, fields={"position": "HERE"})).replace('"HERE"', wrong)
    (result,) = sound(post(api, text))["results"]
    assert result["status"] == "rejected"
    assert result["problem"]["code"] == "validation_failed"
    assert "position" in result["problem"]["errors"]
    readable(api)


@pytest.mark.parametrize("wrong", ["1e999", "[[1e999]]", '{"a": -1e999}', '"\\ud800"'])
def test_what_json_cannot_say_is_refused_within_json_too(api, card, wrong):
    text = envelope(mutation(card, fields={"checklist": ["HERE"]})).replace('"HERE"', wrong)
    (result,) = sound(post(api, text))["results"]
    assert result["problem"]["code"] == "validation_failed"
    assert list(result["problem"]["errors"]) == ["checklist"]
    readable(api)


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_what_others_stored_can_be_read_all_the_same(api, card, value):
    """Raw SQL knows numbers that JSON does not; one of them must not end a board's sync."""
    try:
        Card.objects.filter(pk=card.pk).update(position=value)
    except Exception:  # noqa: BLE001 - SQLite takes no NaN
        pytest.skip("this database cannot hold it")
    readable(api)
    record = sound(api.get(f"/sync/cards/{card.sync_id}/"))
    assert record["object"]["position"] is None


def test_a_reference_named_a_thousand_times_is_looked_up_once(
    api, card, django_assert_max_num_queries
):
    label = str(card.labels.get().sync_id)
    text = envelope(mutation(card, fields={"labels": [label] * 1000, "votes": 1}))
    with django_assert_max_num_queries(60):
        (result,) = sound(post(api, text))["results"]
    assert result["record"]["object"]["labels"] == [label]


def test_the_last_of_two_equal_members_counts(api, card):
    text = envelope(mutation(card)).replace('"fields": {}', '"fields": 1, "fields": {"votes": 2}')
    (result,) = sound(post(api, text))["results"]
    assert result["record"]["object"]["votes"] == 2


def test_upper_case_ids_are_understood(api, card):
    text = envelope(mutation(card, object_id=str(card.sync_id).upper(), fields={"votes": 2}))
    (result,) = sound(post(api, text))["results"]
    assert result["record"]["id"] == str(card.sync_id)


# Over REST


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{}",
        '{"object": 1}',
        '{"object": {}, "other": 1}',
        '{"object": {"title": "\\ud800"}}',
        '{"object": {"\\u0000": 1}}',
        '{"object": {"position": 1e999}}',
        '{"object": {"position": ' + "9" * 400 + "}}",
        '{"object": {"checklist": ' + nested(DEEP) + "}}",
        '{"object": ' + nested(100_000) + "}",
    ],
    ids=lambda text: repr(text[:40]),
)
def test_wrong_bodies_over_rest(api, card, body):
    for method, path in (("POST", "/sync/cards/"), ("PATCH", f"/sync/cards/{card.sync_id}/")):
        response = api.generic(method, path, body, content_type=JSON, HTTP_IF_MATCH="*")
        told = sound(response)
        assert told["code"] in ("invalid", "validation_failed")
    readable(api)


@pytest.mark.parametrize(
    "tag", ["", "x", "*", '"', '"-"', '"1-x"', "W/", "٣-x", "9" * 5000, f'"{2**70}-x"', '"-1-x"']
)
@pytest.mark.parametrize("key", [True, False])
def test_wrong_tags(api, card, tag, key):
    headers = {"HTTP_IF_MATCH": tag, "HTTP_IF_NONE_MATCH": tag}
    path = f"/sync/cards/{card.sync_id}/"
    sound(api.get(path, **headers))
    if key:
        headers |= {
            "HTTP_IDEMPOTENCY_KEY": str(uuid.uuid4()),
            "HTTP_SYNC_CLIENT": str(uuid.uuid4()),
        }
    response = api.patch(path, {"object": {"votes": 3}}, format="json", **headers)
    assert sound(response)["collection" if tag == "*" else "code"] in ("cards", "revision_conflict")


@pytest.mark.parametrize(
    "query",
    [
        "cursor=%00",
        "cursor=%ff",
        "cursor=" + "A" * 5000,
        "cursor=" + base64.b64encode(b"x" * 64).decode(),
        "limit=0",
        "limit=-1",
        "limit=x",
        "limit=1.0",
        "limit=%d9%a3",
        "limit=",
        "limit=1e3",
        "limit=%00",
        "collections=%00",
        "collections=%ff",
        "collections=" + "x" * 100_000,
        "collections=cards,,nope",
        "wait=x",
        "wait=-1",
        "wait=",
        "wait=%d9%a3",
    ],
    ids=lambda query: query[:30],
)
def test_wrong_parameters_of_a_pull(api, query):
    response = api.get(f"/sync/changes/?{query}")
    assert response.status_code == 400
    assert sound(response)["code"] in ("invalid", "invalid_cursor", "unknown_collection")


@pytest.mark.parametrize(
    "after",
    ["%00", "x", "%ff", str(uuid.UUID(int=0)), str(uuid.UUID(int=0)) + "%00", "9" * 36, "x" * 5000],
)
def test_wrong_places_in_a_list(api, after):
    sound(api.get(f"/sync/cards/?after={after}"))


@pytest.mark.parametrize(
    "path",
    [
        "nope",
        "nope/",
        "cards",
        "a%0Ab",
        "%0A",
        "%00/",
        "%ff/",
        "cards/%00/",
        "cards/x/",
        "cards/" + "9" * 5000 + "/",
        "cards/" + str(uuid.UUID(int=0)).upper() + "/",
        "cards/{" + str(uuid.UUID(int=0)) + "}/",
        "../admin/",
        "changes/x/",
        "mutations/" + str(uuid.UUID(int=0)) + "/",
        "changes/?format=xml",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE", "PUT", "FOO"])
def test_paths_that_lead_nowhere(api, method, path):
    response = api.generic(method, f"/sync/{path}", '{"object": {}}', content_type=JSON)
    assert response.status_code in (404, 405)
    sound(response)


@pytest.mark.parametrize(
    "accept",
    [
        "text/html",
        "x",
        ";",
        "*/*;q=x",
        "application/json; indent=" + "9" * 5000,
        "a/b; c*=foo'x'%ff",
    ],
)
def test_wrong_accepts(api, accept):
    assert api.get("/sync/", HTTP_ACCEPT=accept).status_code in (200, 406)
    sound(api.get("/sync/", HTTP_ACCEPT=accept))


@pytest.mark.parametrize(
    "header",
    [
        "x",
        "Token",
        "Token \xff",
        "Token a b",
        "Token " + "x" * 5000,
        "Basic x",
        "Basic " + base64.b64encode(b"\0:\0").decode(),
        "Basic " + base64.b64encode(b"\xff\xfe:x").decode(),
        "Basic " + base64.b64encode(b"ada").decode(),
    ],
    ids=lambda header: header[:24],
)
def test_wrong_credentials(db, header):
    response = APIClient(raise_request_exception=False).get(
        "/sync/changes/", HTTP_AUTHORIZATION=header
    )
    assert response.status_code == 401
    assert sound(response)["code"] == "not_authenticated"
    assert response["WWW-Authenticate"] == "Token"


@pytest.mark.parametrize("content_type", ["multipart/form-data; boundary=", "multipart/form-data"])
def test_a_broken_form_with_a_session(people, content_type):
    """The check for forgery reads the form before anybody else does."""
    client = APIClient(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(people.ada)
    client.cookies["csrftoken"] = "x" * 32
    response = post(client, "x", content_type)
    assert response.status_code in (400, 403, 415)
    sound(response)


# Anything at all

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec=None))
    | st.sampled_from(["cards", "boards", "create", "update", "delete", "2020-01-01", "\0", "é"])
    | st.uuids().map(str),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@pytest.fixture
def shared(people):
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(people.ada)
    return client, people


FUZZ = settings(
    max_examples=150 if connection.vendor == "sqlite" else 50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@FUZZ
@given(data=st.data())
def test_any_batch_is_answered(shared, data):
    client, _people = shared
    rows = [*Card.objects.all()[:2], *Board.objects.all()]
    ids = st.sampled_from([str(row.sync_id) for row in rows]) | st.uuids().map(str)
    names = st.sampled_from([f.name for f in Card._meta.fields] + ["labels", "card", "owner"])
    fields = st.dictionaries(names | st.text(max_size=4), values | ids, max_size=4)
    one = st.fixed_dictionaries(
        {
            "id": st.uuids().map(str) | values,
            "seq": st.integers(0, 2**53) | values,
            "op": st.sampled_from(["create", "update", "delete"]) | values,
            "collection": st.sampled_from(["cards", "boards", "labels", "comments"]) | values,
            "object_id": ids | values,
            "base_revision": st.none() | st.integers(0, 5) | values,
            "fields": fields | values,
        },
        optional={"base": fields | values, "epoch": values, "at": values},
    )
    body = data.draw(
        st.fixed_dictionaries(
            {"client_id": st.just(str(uuid.UUID(int=1))), "mutations": st.lists(one, max_size=4)},
            optional={"atomic": st.booleans()},
        )
        | values
    )
    told = sound(post(client, json.dumps(body)))
    if "results" in told:
        assert len(told["results"]) == len(body["mutations"])
        for result in told["results"]:
            assert result["status"] in ("applied", "merged", "conflict", "rejected", "aborted")
            if result["status"] == "aborted":
                assert result["problem"]["code"] == "dependency_failed"
    sound(client.get("/sync/changes/"))


@FUZZ
@given(data=st.binary(max_size=200) | st.text(max_size=200))
def test_any_bytes_are_answered(shared, data):
    assert sound(post(shared[0], data))["code"] == "invalid"


def test_the_limits_are_those_of_the_service_document(api):
    limits = sound(api.get("/sync/"))["limits"]
    assert limits["body_bytes"] == conf.BODY_BYTES
