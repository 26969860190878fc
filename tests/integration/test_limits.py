"""Each limit has its code, at the limit and one above it; none is a fault of the server's."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from rest_framework.test import APIClient

from django_sync.feed.cursor import MAX_LENGTH
from django_sync.protocol.members import MAX_DEPTH, MAX_SEQ
from tests.integration.test_hostile import envelope, mutation, nested, post, sound
from tests.integration.test_http import is_problem

DAY = "2026-11-22T22:28:57Z"


@pytest.fixture
def api(people):
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(people.ada)
    return client


def outcome(api: APIClient, body: dict[str, Any]) -> str:
    """The status of one mutation, or the code of its refusal."""
    (result,) = sound(post(api, envelope(body)))["results"]
    return str(result.get("problem", {}).get("code", result["status"]))


def test_a_body_of_just_so_many_bytes(api, card, settings):
    text = envelope(mutation(card, fields={"votes": 1}))
    settings.DJANGO_SYNC = {"BODY_BYTES": len(text)}
    assert sound(post(api, text))["results"][0]["status"] == "applied"
    is_problem(post(api, f"{text} "), 413, "too_large")


def test_a_batch_of_just_so_many(api, card, settings):
    settings.DJANGO_SYNC = {"BATCH_SIZE": 2}
    two = [mutation(card, seq=seq, fields={"votes": 9}) for seq in range(2)]
    assert len(sound(post(api, envelope(*two)))["results"]) == 2
    card.refresh_from_db()
    more = [mutation(card, seq=seq, fields={"votes": 10 + seq}) for seq in range(3)]
    is_problem(post(api, envelope(*more)), 413, "too_large")
    before = card.sync_revision
    card.refresh_from_db()
    assert card.sync_revision == before


@pytest.mark.parametrize("kind", ["[]", "{}"])
@pytest.mark.parametrize("member", ["fields", "base"])
def test_fields_and_base_of_just_so_many_levels(api, card, member, kind):
    """The member itself is one level, and so is the innermost of its values."""
    for levels, told in ((MAX_DEPTH - 1, "applied"), (MAX_DEPTH, "invalid")):
        deep = nested(levels - 1)
        if kind == "{}":
            deep = '{"a":' * (levels - 2) + "{}" + "}" * (levels - 2)
        content = {"checklist": [json.loads(deep)]}
        body = mutation(card, fields=content if member == "fields" else {"votes": levels})
        if member == "base":
            body["base"] = content
        assert outcome(api, body) == told
        card.refresh_from_db()


@pytest.mark.parametrize(
    ("member", "value", "told"),
    [
        ("seq", MAX_SEQ, "applied"),
        ("seq", MAX_SEQ + 1, "invalid"),
        ("base_revision", MAX_SEQ, "conflict"),
        ("base_revision", MAX_SEQ + 1, "invalid"),
        ("at", DAY, "applied"),
        ("at", "9999-12-31T23:59:59+14:00", "applied"),
        ("at", "9999-12-31T23:59:59-14:00", "invalid"),
        ("at", "2026-11-22", "invalid"),
        ("at", DAY + "0" * 100_000, "invalid"),
        ("epoch", "x" * 100_000, "conflict"),
        ("collection", "x" * 100_000, "unknown_collection"),
        ("collection", "\0", "unknown_collection"),
        ("id", "0" * 100_000, "invalid"),
        ("object_id", "0" * 100_000, "invalid"),
        ("object_id", str(uuid.UUID(int=2**128 - 1)), "not_found"),
        ("base", {"x" * 100_000: 1}, "applied"),
        ("fields", {"x" * 100_000: 1}, "validation_failed"),
        ("fields", {str(n): n for n in range(10_000)}, "validation_failed"),
        ("fields", {"title": "x" * 201}, "validation_failed"),
        ("fields", {"labels": [str(uuid.UUID(int=n)) for n in range(5000)]}, "validation_failed"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_members_of_a_mutation(api, card, member, value, told):
    body = mutation(card, fields={"votes": 5}) | {member: value}
    if member == "base_revision" and told == "conflict":
        body["epoch"] = sound(api.get("/sync/"))["epoch"]
    if member == "epoch":
        body["base_revision"] = 0
    assert outcome(api, body) == told


@pytest.mark.parametrize("path", ["changes/", "live/changes/", "mutations/"])
def test_the_length_of_a_cursor(api, path):
    cursor = sound(api.get("/sync/changes/"))["cursor"]
    assert len(cursor) <= MAX_LENGTH
    for text in (cursor + "A" * (MAX_LENGTH - len(cursor)), "A" * (MAX_LENGTH + 1), "A" * 60_000):
        if path == "mutations/":
            response = post(api, envelope(cursor=text))
        else:
            response = api.get(f"/sync/{path}", {"cursor": text, "wait": "1"})
        is_problem(response, 400, "invalid_cursor")


def test_collections_that_are_asked_for(api, django_assert_max_num_queries):
    """A name said twice is one; one that is none is told, however many there are."""
    once = sound(api.get("/sync/changes/?collections=cards"))
    with django_assert_max_num_queries(40):
        again = sound(api.get("/sync/changes/?collections=" + "cards," * 5000))
    assert again["changes"] == once["changes"]
    for path in ("changes/", "live/changes/"):
        many = ",".join(f"none{n}" for n in range(5000))
        response = api.get(f"/sync/{path}?collections={many}")
        is_problem(response, 400, "unknown_collection")
        assert len(response.content) < 2000


@pytest.mark.parametrize(
    "headers",
    [
        {"HTTP_SYNC_CLIENT": "0" * 60_000},
        {"HTTP_SYNC_CLIENT": str(uuid.UUID(int=1)), "HTTP_IDEMPOTENCY_KEY": "0" * 60_000},
        {"HTTP_SYNC_CLIENT": "\udcff"},
    ],
    ids=["client", "key", "bytes"],
)
def test_headers_that_name_a_client(api, people, headers):
    body = {"object": {"name": "New"}}
    is_problem(api.post("/sync/boards/", body, format="json", **headers), 400, "invalid")


@pytest.mark.parametrize("name", ["HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH"])
def test_tags_without_end(api, card, name):
    path = f"/sync/cards/{card.sync_id}/"
    text = ",".join(f'"{n}-x"' for n in range(10_000))
    if name == "HTTP_IF_NONE_MATCH":
        assert api.get(path, **{name: text}).status_code == 200
        return
    response = api.patch(path, {"object": {"votes": 2}}, format="json", **{name: text})
    is_problem(response, 412, "revision_conflict")


@pytest.mark.parametrize("path", ["cards/", "cards/{}/history/", "changes/", "live/changes/"])
def test_a_limit_is_lowered_to_the_servers(api, card, settings, path):
    settings.DJANGO_SYNC = {"PAGE_SIZE": 1}
    for number in range(3):
        type(card).objects.filter(pk=card.pk).update(votes=number + 1)
    api.get("/sync/changes/")
    body = sound(api.get("/sync/" + path.format(card.sync_id), {"limit": "9" * 400}))
    assert len(body.get("results", body.get("changes"))) == 1
