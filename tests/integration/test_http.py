"""The HTTP edge, rule by rule as protocol.md has them in sections 2, 4, 5, 6, 7 and 9."""

from __future__ import annotations

import inspect
import json
import re
import uuid
from typing import Any

import pytest
from django.db import OperationalError, connection, connections
from django.urls import resolve
from rest_framework.authtoken.models import Token
from rest_framework.exceptions import Throttled
from rest_framework.test import APIClient

from django_sync import engine, errors, rest
from django_sync.http import edge, urls
from django_sync.http.health import HealthView
from django_sync.http.problems import problem_response
from example_project.boards import api as boards_api
from example_project.boards.models import Board, Card, Comment, Membership

NOBODY = uuid.UUID(int=7)
"""An id that nothing has."""


def client_of(user: Any) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


def path_of(row: Any) -> str:
    name = {Board: "boards", Card: "cards", Comment: "comments"}[type(row)]
    return f"/sync/{name}/{row.sync_id}/"


def is_problem(response: Any, status: int, code: str) -> dict[str, Any]:
    assert (response.status_code, response.json()["code"]) == (status, code), response.json()
    assert response["Content-Type"] == "application/problem+json"
    assert response["Cache-Control"] == "private, no-store"
    body: dict[str, Any] = response.json()
    assert body["status"] == status
    assert body["type"] == f"urn:django-sync:error:{code}"
    assert body["title"]
    assert body["detail"]
    return body


def keyed(client_id: Any = None, key: Any = None) -> dict[str, str]:
    return {
        "HTTP_SYNC_CLIENT": str(client_id or uuid.uuid4()),
        "HTTP_IDEMPOTENCY_KEY": str(key or uuid.uuid4()),
    }


def batch(*mutations: Any, **members: Any) -> dict[str, Any]:
    return {"client_id": str(uuid.uuid4()), "mutations": list(mutations)} | members


def patched(card: Card, **fields: Any) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        "seq": 1,
        "op": "update",
        "collection": "cards",
        "object_id": str(card.sync_id),
        "base_revision": card.sync_revision,
        "fields": fields,
    }


# Section 4: the service document


def test_the_service_document(api):
    response = api.get("/sync/")
    body = response.json()
    assert response.status_code == 200
    assert body["protocol"] == 1
    uuid.UUID(body["epoch"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", body["server_time"])
    assert set(body["collections"]) == {"boards", "labels", "cards", "comments"}
    cards = body["collections"]["cards"]
    assert cards["url"] == "/sync/cards/"
    assert cards["scoped"] is True
    assert cards["operations"] == ["read", "create", "update", "delete"]
    assert body["transports"] == ["websocket", "sse", "long-poll", "poll"]
    assert body["limits"] == {
        "page_size": 1000,
        "batch_size": 500,
        "body_bytes": 5242880,
        "wait_seconds": 30,
    }


def test_the_service_document_names_only_what_the_user_may_do(api, monkeypatch):
    class Closed(boards_api.permissions.BasePermission):
        def has_permission(self, request, view):
            return False

    class ReadOnly(boards_api.permissions.BasePermission):
        def has_permission(self, request, view):
            return request.method == "GET"

    monkeypatch.setattr(boards_api.LabelViewSet, "permission_classes", [Closed])
    monkeypatch.setattr(boards_api.CommentViewSet, "permission_classes", [ReadOnly])
    told = api.get("/sync/").json()["collections"]
    assert "labels" not in told
    assert told["comments"]["operations"] == ["read"]


# Section 2: conventions


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/sync/"),
        ("get", "/sync/changes/?cursor=nonsense&limit=0"),
        ("post", "/sync/mutations/"),
        ("post", "/sync/sessions/"),
        ("patch", f"/sync/sessions/{NOBODY}/"),
        ("get", "/sync/cards/"),
        ("get", "/sync/nope/"),
        ("patch", f"/sync/cards/{NOBODY}/"),
        ("delete", f"/sync/cards/{NOBODY}/"),
        ("put", "/sync/cards/"),
        ("get", "/sync/no/such/path"),
    ],
)
def test_authentication_is_asked_before_anything_else(people, method, path):
    response = APIClient().generic(method.upper(), path, "{", content_type="application/json")
    is_problem(response, 401, "not_authenticated")
    assert response["WWW-Authenticate"] == "Token"


def test_tokens_and_passwords_open(people):
    token = Token.objects.create(user=people.ada)
    client = APIClient()
    assert client.get("/sync/", HTTP_AUTHORIZATION=f"Token {token.key}").status_code == 200
    is_problem(client.get("/sync/", HTTP_AUTHORIZATION="Token x"), 401, "not_authenticated")
    people.ada.is_active = False
    people.ada.save()
    refused = client.get("/sync/", HTTP_AUTHORIZATION=f"Token {token.key}")
    is_problem(refused, 401, "not_authenticated")


def test_a_session_reads_and_writes_only_with_a_token_against_forgery(people, card):
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(people.ada)
    assert client.get("/sync/changes/").status_code == 200
    for method, path in (
        ("post", "/sync/mutations/"),
        ("post", "/sync/cards/"),
        ("patch", path_of(card)),
        ("delete", path_of(card)),
    ):
        response = getattr(client, method)(path, batch(), format="json")
        is_problem(response, 403, "permission_denied")
    client.get("/login/")
    token = client.cookies["csrftoken"].value
    sent = client.post("/sync/mutations/", batch(), format="json", HTTP_X_CSRFTOKEN=token)
    assert sent.json() == {"results": []}


@pytest.mark.parametrize(
    "path", ["nope/", "cards", "no/such/path", "cards/x/", "live/nothing/", "sessions/x/"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE", "PUT"])
def test_unknown_paths(api, path, method):
    response = api.generic(method, f"/sync/{path}", '{"object": {}}', "application/json")
    is_problem(response, 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "", {"GET"}),
        ("POST", "changes/", {"GET"}),
        ("GET", "mutations/", {"POST"}),
        ("DELETE", "sessions/", {"GET", "POST"}),
        ("GET", f"sessions/{NOBODY}/", {"PATCH", "DELETE"}),
        ("PUT", "cards/", {"GET", "POST"}),
        ("DELETE", "cards/", {"GET", "POST"}),
        ("PUT", f"cards/{NOBODY}/", {"GET", "PATCH", "DELETE"}),
        ("TRACE", "cards/", {"GET", "POST"}),
    ],
)
def test_unknown_methods(api, method, path, allowed):
    response = api.generic(method, f"/sync/{path}", "{}", content_type="application/json")
    is_problem(response, 405, "method_not_allowed")
    assert allowed <= set(response["Allow"].split(", "))


def test_another_format_is_not_acceptable(api):
    is_problem(api.get("/sync/", HTTP_ACCEPT="text/html"), 406, "not_acceptable")


def test_everything_is_private_and_not_stored(api, card):
    tag = api.get(path_of(card))["ETag"]
    for response in (
        api.get("/sync/"),
        api.get("/sync/changes/"),
        api.post("/sync/mutations/", batch(), format="json"),
        api.get("/sync/cards/"),
        api.get(path_of(card)),
        api.get(path_of(card), HTTP_IF_NONE_MATCH=tag),
        api.delete(path_of(card), HTTP_IF_MATCH=tag),
        api.options("/sync/cards/"),
    ):
        assert response["Cache-Control"] == "private, no-store"


def test_too_many_requests_say_when_to_come_again(api, monkeypatch):
    def throttled(self, request):
        raise Throttled(wait=6.2)

    monkeypatch.setattr(edge.SyncView, "check_throttles", throttled)
    response = api.get("/sync/")
    is_problem(response, 429, "throttled")
    assert response["Retry-After"] == "7"


def test_a_database_that_does_not_answer_is_unavailable(api, monkeypatch, caplog):
    def broken(*args, **kwargs):
        raise OperationalError("connection refused at 10.0.0.7")

    monkeypatch.setattr(engine, "pull", broken)
    response = api.get("/sync/changes/")
    body = is_problem(response, 503, "unavailable")
    assert int(response["Retry-After"]) > 0
    assert "10.0.0.7" not in json.dumps(body)
    assert "10.0.0.7" in caplog.text


def test_every_endpoint_is_a_view_of_ours():
    for pattern in urls.urlpatterns:
        if issubclass(pattern.callback.view_class, HealthView):
            continue  # a load balancer's; its own tests ask it
        assert issubclass(pattern.callback.cls, edge.SyncView)


# A transaction around the request would undo the sequencer's and the reruns'


@pytest.mark.parametrize(
    "path",
    ["", "changes/", "mutations/", "sessions/", "health/ready", "cards/", f"cards/{NOBODY}/"],
)
def test_w2_no_endpoint_is_atomic(path):
    view = resolve(f"/sync/{path}").func
    assert "default" in view._non_atomic_requests
    assert path.startswith("health/") or view.csrf_exempt  # what is only read needs no exemption


@pytest.mark.django_db(transaction=True)
def test_w2_atomic_requests_change_nothing(monkeypatch):
    from tests.integration.conftest import make_people

    people = make_people()
    seen = []
    real = engine.mutate
    monkeypatch.setitem(connections["default"].settings_dict, "ATOMIC_REQUESTS", True)
    monkeypatch.setattr(
        engine, "mutate", lambda *a: (seen.append(connection.in_atomic_block), real(*a))[1]
    )
    api, card = client_of(people.ada), people.launch.cards.get()
    response = api.post("/sync/mutations/", batch(patched(card, votes=4)), format="json")
    assert response.json()["results"][0]["status"] == "applied"
    assert seen == [False]
    assert len(api.get("/sync/changes/").json()["changes"]) == 8
    fresh = api.post("/sync/cards/", {"object": {"title": "t"}}, format="json")
    is_problem(fresh, 422, "validation_failed")


# Section 5: records


def test_a_record(api, card):
    response = api.get(path_of(card))
    body = response.json()
    assert set(body) == {"collection", "id", "revision", "scope", "object"}
    assert body["collection"] == "cards"
    assert body["id"] == str(card.sync_id)
    assert body["revision"] == card.sync_revision
    assert body["scope"] == str(card.board.sync_id)
    assert body["object"]["board"] == str(card.board.sync_id)
    assert body["object"]["labels"] == [str(card.labels.get().sync_id)]
    assert not {"id", "pk", "sync_id", "sync_revision", "sync_scope"} & set(body["object"])
    assert api.head(path_of(card)).status_code == 200


def test_if_none_match(api, card):
    tag = api.get(path_of(card))["ETag"]
    for known in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        response = api.get(path_of(card), HTTP_IF_NONE_MATCH=known)
        assert (response.status_code, response.content, response["ETag"]) == (304, b"", tag)
    assert api.get(path_of(card), HTTP_IF_NONE_MATCH='"other"').status_code == 200
    Card.objects.filter(pk=card.pk).update(votes=9)
    assert api.get(path_of(card), HTTP_IF_NONE_MATCH=tag).status_code == 200


def test_a_tag_is_one_users_of_one_shape(api, people, card, monkeypatch):
    tag = api.get(path_of(card))["ETag"]
    assert client_of(people.grace).get(path_of(card))["ETag"] != tag
    monkeypatch.setattr(boards_api.CardViewSet, "get_visibility_tag", lambda self: "other")
    assert api.get(path_of(card))["ETag"] != tag


def test_the_list_and_its_pages(api, people):
    for number in range(12):
        board = Board.objects.create(name=f"More {number}", owner=people.ada)
        for place in range(number % 4):
            Card.objects.create(board=board, title=f"{number}.{place}")
    whole = api.get("/sync/cards/").json()
    assert whole["next"] is None
    visible = Card.objects.filter(board__in=Board.objects.visible_to(people.ada))
    assert len(whole["results"]) == visible.count()
    for limit in (1, 2, 3, 7, len(whole["results"]), 100):
        path, paged, lengths = f"/sync/cards/?limit={limit}", [], []
        while path:
            page = api.get(path).json()
            paged += page["results"]
            lengths.append(len(page["results"]))
            path = page["next"]
        assert paged == whole["results"]
        assert max(lengths) <= limit
    places = [(r["scope"], r["id"]) for r in whole["results"]]
    assert places == sorted(places)
    assert len(set(places)) == len(places)


def test_a_list_that_changes_while_it_is_paged_loses_nothing_that_stays(api, people):
    cards = [Card.objects.create(board=people.launch, title=str(n)) for n in range(6)]
    first = api.get("/sync/cards/?limit=3").json()
    seen = {r["id"] for r in first["results"]}
    Card.objects.filter(sync_id=first["results"][-1]["id"]).delete()
    path = first["next"]
    while path:
        page = api.get(path).json()
        for record in page["results"]:
            assert record["id"] not in seen
            seen.add(record["id"])
        path = page["next"]
    assert {str(c.sync_id) for c in cards} <= seen | {first["results"][-1]["id"]}


def test_a_scope_that_left_is_not_paged_on(api, people):
    Card.objects.create(board=people.research, title="Another")
    mine = Card.objects.filter(board=people.research).order_by("sync_id")
    after = f"{mine[0].sync_id}{people.research.sync_id}"
    assert str(mine[1].sync_id) in api.get(f"/sync/cards/?after={after}").content.decode()
    Membership.objects.filter(user=people.ada, board=people.research).delete()
    assert str(mine[1].sync_id) not in api.get(f"/sync/cards/?after={after}").content.decode()


def test_the_largest_page_is_the_limit(api, people, settings):
    settings.DJANGO_SYNC = {"PAGE_SIZE": 2}
    for limit in ("", "?limit=2", "?limit=3", "?limit=999999999999999999999"):
        assert len(api.get(f"/sync/labels/{limit}").json()["results"]) == 2
        query = f"{limit or '?limit=2'}"
        assert len(api.get(f"/sync/changes/{query}").json()["changes"]) == 2


def test_create(api, people):
    id = uuid.uuid4()
    fields = {"title": "New", "board": str(people.launch.sync_id)}
    response = api.post("/sync/cards/", {"id": str(id), "object": fields}, format="json")
    assert response.status_code == 201
    assert response.json()["id"] == str(id)
    assert response["ETag"] == api.get(f"/sync/cards/{id}/")["ETag"]
    other = api.post("/sync/cards/", {"object": fields}, format="json")
    assert other.status_code == 201
    assert other.json()["id"] != str(id)


def test_create_what_exists(api, people, card):
    fields = {"title": "Mine", "board": str(card.board.sync_id)}
    body = {"id": str(card.sync_id), "object": fields}
    told = is_problem(api.post("/sync/cards/", body, format="json"), 409, "already_exists")
    assert told["record"]["revision"] == card.sync_revision
    body["object"]["title"] = card.title
    assert api.post("/sync/cards/", body, format="json").status_code == 201, "the same content"


def test_patch(api, card):
    tag = api.get(path_of(card))["ETag"]
    response = api.patch(
        path_of(card), {"object": {"votes": 3}}, format="json", HTTP_IF_MATCH=f'"x", W/{tag}'
    )
    body = response.json()
    assert (response.status_code, body["revision"]) == (200, card.sync_revision + 1)
    assert body["object"]["votes"] == 3
    assert response["ETag"] == api.get(path_of(card))["ETag"] != tag


def test_delete(api, card):
    tag = api.get(path_of(card))["ETag"]
    response = api.delete(path_of(card), HTTP_IF_MATCH=tag)
    assert (response.status_code, response.content) == (204, b"")
    is_problem(api.get(path_of(card)), 404, "not_found")
    is_problem(api.delete(path_of(card), HTTP_IF_MATCH=tag), 404, "not_found")
    is_problem(api.delete(path_of(card), HTTP_IF_MATCH="*"), 404, "not_found")


@pytest.mark.parametrize("method", ["patch", "delete"])
def test_the_precondition(api, card, method):
    def call(**headers):
        return getattr(api, method)(
            path_of(card), {"object": {"votes": 3}}, format="json", **headers
        )

    is_problem(call(), 428, "precondition_required")
    tag = api.get(path_of(card))["ETag"]
    Card.objects.filter(pk=card.pk).update(body="Others wrote")
    told = is_problem(call(HTTP_IF_MATCH=tag), 412, "revision_conflict")
    assert told["record"] == api.get(path_of(card)).json()
    card.refresh_from_db()
    assert card.votes == 0
    assert call(HTTP_IF_MATCH="*").status_code in (200, 204)


@pytest.mark.parametrize("method", ["patch", "delete"])
def test_permission_comes_before_the_precondition(people, method):
    """Alan may look at Launch: whatever he says of revisions, he may not write there."""
    client, card = client_of(people.alan), people.launch.cards.get()
    comment = card.comments.get()
    for row, fields in ((card, {"votes": 1}), (comment, {"text": "x"}), (card, {"nope": 1})):
        for headers in ({}, {"HTTP_IF_MATCH": '"stale"'}, {"HTTP_IF_MATCH": "*"}):
            response = getattr(client, method)(
                path_of(row), {"object": fields}, format="json", **headers
            )
            is_problem(response, 403, "permission_denied")


def test_g5_the_tag_of_an_answer_is_that_of_its_record(api, card, monkeypatch):
    """Read afterwards, it would be another writer's: If-Match would overwrite them unseen."""
    real = rest._run

    def overtaken(caller, mutation, call):
        result = real(caller, mutation, call)
        Card.objects.filter(sync_id=mutation.object_id).update(body="Others wrote")
        return result

    monkeypatch.setattr(rest, "_run", overtaken)
    tag = api.patch(path_of(card), {"object": {"votes": 3}}, format="json", HTTP_IF_MATCH="*")[
        "ETag"
    ]
    monkeypatch.undo()
    again = api.patch(path_of(card), {"object": {"body": ""}}, format="json", HTTP_IF_MATCH=tag)
    is_problem(again, 412, "revision_conflict")


@pytest.mark.parametrize(
    ("fields", "code", "errors_of"),
    [
        ({"title": ""}, "validation_failed", {"title": "blank"}),
        ({"nope": 1, "title": "x"}, "validation_failed", {"nope": "unknown"}),
        ({"created_at": "2020-01-01T00:00:00Z"}, "field_not_writable", {"created_at": "read_only"}),
        ({"board": str(uuid.UUID(int=1))}, "validation_failed", {"board": "does_not_exist"}),
        ({"board": 1}, "validation_failed", {"board": "incorrect_type"}),
        ({"labels": ["x"]}, "validation_failed", {"labels": "incorrect_type"}),
        ({"checklist": {}}, "validation_failed", {"checklist": "not_a_list"}),
        ({"votes": "x", "due": "x"}, "validation_failed", {"votes": "invalid", "due": "invalid"}),
    ],
)
def test_what_is_not_valid(api, card, fields, code, errors_of):
    response = api.patch(path_of(card), {"object": fields}, format="json", HTTP_IF_MATCH="*")
    told = is_problem(response, 422, code)["errors"]
    assert {name: listed[0]["code"] for name, listed in told.items()} == errors_of
    revision = Card.objects.values_list("sync_revision", flat=True).get(pk=card.pk)
    assert revision == card.sync_revision


@pytest.mark.parametrize(
    "body",
    [{}, [], {"object": []}, {"object": {}, "other": 1}, {"object": {}, "id": "x"}, {"id": None}],
)
def test_unknown_and_wrong_members_are_malformed(api, card, body):
    is_problem(api.post("/sync/cards/", body, format="json"), 400, "invalid")
    response = api.patch(path_of(card), body, format="json", HTTP_IF_MATCH="*")
    is_problem(response, 400, "invalid")


# Idempotency


def test_g4_a_create_with_a_key_happens_once(api, people):
    headers = keyed()
    body = {"object": {"title": "Once", "board": str(people.launch.sync_id)}}
    first = api.post("/sync/cards/", body, format="json", **headers)
    again = api.post("/sync/cards/", body, format="json", **headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert (first.json(), first["ETag"]) == (again.json(), again["ETag"])
    assert Card.objects.filter(title="Once").count() == 1
    body["object"]["title"] = "Other"
    other = api.post("/sync/cards/", body, format="json", **headers)
    is_problem(other, 422, "mutation_id_reused")


def test_g4_a_patch_with_a_key_is_answered_again_whatever_has_happened(api, card):
    headers = keyed() | {"HTTP_IF_MATCH": api.get(path_of(card))["ETag"]}

    def call():
        return api.patch(path_of(card), {"object": {"votes": 3}}, format="json", **headers)

    first = call()
    assert call().json() == first.json()
    Card.objects.filter(pk=card.pk).update(votes=7)
    later = call()
    assert (later.status_code, later.json()["object"]["votes"]) == (200, 7), "as it is now"
    card.refresh_from_db()
    assert card.votes == 7
    from django_sync.models import Feed

    Feed.objects.update(epoch=uuid.uuid4())
    assert call().status_code == 200, "the same mutation still"
    card.delete()
    is_problem(call(), 404, "not_found")


def test_g4_a_delete_with_a_key_is_answered_again(api, card):
    headers = keyed() | {"HTTP_IF_MATCH": api.get(path_of(card))["ETag"]}
    assert api.delete(path_of(card), **headers).status_code == 204
    assert api.delete(path_of(card), **headers).status_code == 204


def test_g4_a_refusal_is_answered_again(api, card):
    headers = keyed() | {"HTTP_IF_MATCH": api.get(path_of(card))["ETag"]}
    body = {"object": {"title": ""}}
    for _ in range(2):
        response = api.patch(path_of(card), body, format="json", **headers)
        is_problem(response, 422, "validation_failed")


def test_g5_a_key_is_no_way_around_if_match(api, card):
    """The number alone is not the tag: in another epoch it stands for other content."""
    forged = f'"{card.sync_revision}-0123456789abcdef0123"'
    response = api.patch(
        path_of(card), {"object": {"votes": 3}}, format="json", HTTP_IF_MATCH=forged, **keyed()
    )
    is_problem(response, 412, "revision_conflict")
    card.refresh_from_db()
    assert card.votes == 0


def test_a_key_needs_its_client_and_both_are_uuids(api, people):
    body = {"object": {"title": "x", "board": str(people.launch.sync_id)}}
    good = keyed()
    for wrong in (
        {"HTTP_IDEMPOTENCY_KEY": str(uuid.uuid4())},
        good | {"HTTP_IDEMPOTENCY_KEY": "x"},
        good | {"HTTP_SYNC_CLIENT": "x"},
    ):
        is_problem(api.post("/sync/cards/", body, format="json", **wrong), 400, "invalid")
    only = {"HTTP_SYNC_CLIENT": str(uuid.uuid4())}
    assert api.post("/sync/cards/", body, format="json", **only).status_code == 201


def test_another_users_client(api, people):
    headers = keyed()
    body = {"object": {"title": "x", "board": str(people.launch.sync_id)}}
    assert api.post("/sync/cards/", body, format="json", **headers).status_code == 201
    theirs = client_of(people.grace).post("/sync/cards/", body, format="json", **headers)
    is_problem(theirs, 403, "client_mismatch")


# Section 6: pull


def test_a_pull(api, people):
    body = api.get("/sync/changes/").json()
    assert set(body) == {"changes", "cursor", "has_more", "epoch", "snapshot"}
    assert body["snapshot"] == {"done": 8, "total": 8}
    assert {change["op"] for change in body["changes"]} == {"put"}
    assert len(body["cursor"]) <= 2048
    again = api.get("/sync/changes/", {"cursor": body["cursor"]}).json()
    assert (again["changes"], again["has_more"], "snapshot" in again) == ([], False, False)


def test_some_collections_alone(api):
    body = api.get("/sync/changes/?collections=cards,boards,cards").json()
    assert {change["collection"] for change in body["changes"]} == {"cards", "boards"}
    is_problem(api.get("/sync/changes/?collections=nope"), 400, "unknown_collection")
    assert api.get("/sync/changes/?collections=").json()["changes"] == []


@pytest.mark.parametrize("value", ["0", "-1", "x", "", "1.5", "00", "٣"])
@pytest.mark.parametrize("name", ["limit", "wait"])
def test_what_is_no_positive_number(api, name, value):
    is_problem(api.get("/sync/changes/", {name: value}), 400, "invalid")


@pytest.mark.parametrize("value", ["1", "030", "31", "999999999999999999999"])
def test_numbers_above_the_limits_are_lowered(api, value):
    assert api.get("/sync/changes/", {"wait": value}).status_code == 200
    assert api.get("/sync/changes/", {"limit": value}).status_code == 200
    assert api.get("/sync/cards/", {"limit": value}).status_code == 200


def test_cursors_that_do_not_open(api, people):
    mine = api.get("/sync/changes/").json()["cursor"]
    theirs = client_of(people.grace).get("/sync/changes/").json()["cursor"]
    for wrong in (theirs, mine[:-2], mine[1:], "x", mine * 20):
        is_problem(api.get("/sync/changes/", {"cursor": wrong}), 400, "invalid_cursor")
        sent = api.post("/sync/mutations/", batch(cursor=wrong), format="json")
        is_problem(sent, 400, "invalid_cursor")


def test_a_cursor_that_history_has_outlived(api, people, card):
    from django_sync.models import Feed

    cursor = api.get("/sync/changes/").json()["cursor"]
    Feed.objects.update(epoch=uuid.uuid4())
    is_problem(api.get("/sync/changes/", {"cursor": cursor}), 410, "cursor_expired")
    sent = batch(patched(card, votes=3), cursor=cursor)
    is_problem(api.post("/sync/mutations/", sent, format="json"), 410, "cursor_expired")
    card.refresh_from_db()
    assert card.votes == 0, "nothing is applied"


# Section 7: mutations


def test_results(api, card):
    good, bad, clash = patched(card, votes=3), patched(card, title=""), patched(card, votes=4)
    clash["base_revision"] = 99
    (result,) = api.post("/sync/mutations/", batch(bad), format="json").json()["results"]
    assert set(result) == {"id", "status", "problem", "replayed"}
    assert result["problem"]["status"] == 422
    (result,) = api.post("/sync/mutations/", batch(clash), format="json").json()["results"]
    assert set(result) == {"id", "status", "revision", "conflict", "replayed"}
    told = result["conflict"]
    assert set(told) == {"kind", "fields", "base_revision", "base", "server", "client"}
    assert (told["kind"], told["client"]) == ("unknown_base", {"votes": 4})
    (result,) = api.post("/sync/mutations/", batch(good), format="json").json()["results"]
    assert set(result) == {"id", "status", "revision", "record", "replayed"}
    assert (result["id"], result["status"], result["replayed"]) == (good["id"], "applied", False)


def test_a_malformed_mutation_is_rejected_and_the_rest_goes_on(api, card):
    wrong = patched(card, votes=2) | {"other": 1}
    sent = batch({}, wrong, patched(card, votes=3))
    told = api.post("/sync/mutations/", sent, format="json").json()["results"]
    assert [r["status"] for r in told] == ["rejected", "rejected", "applied"]
    assert [r["id"] for r in told] == [None, wrong["id"], sent["mutations"][2]["id"]]
    assert {r["problem"]["code"] for r in told[:2]} == {"invalid"}


@pytest.mark.parametrize(
    "members",
    [{"other": 1}, {"atomic": 1}, {"mutations": {}}, {"mutations": [1]}, {"client_id": "x"}],
)
def test_a_malformed_envelope(api, members):
    response = api.post("/sync/mutations/", batch(**members), format="json")
    is_problem(response, 400, "invalid")


def test_an_unknown_collection_in_a_mutation(api, card):
    sent = batch(patched(card, votes=3) | {"collection": "nope"})
    (told,) = api.post("/sync/mutations/", sent, format="json").json()["results"]
    assert (told["status"], told["problem"]["code"]) == ("rejected", "unknown_collection")


def test_batches_and_bodies_have_limits(api, card, settings):
    settings.DJANGO_SYNC = {"BATCH_SIZE": 2, "BODY_BYTES": 4000}
    sent = batch(*[patched(card, votes=3)] * 3)
    is_problem(api.post("/sync/mutations/", sent, format="json"), 413, "too_large")
    sent = batch(patched(card, body="x" * 4000))
    is_problem(api.post("/sync/mutations/", sent, format="json"), 413, "too_large")
    response = api.patch(path_of(card), {"object": {"body": "x" * 4000}}, format="json")
    is_problem(response, 413, "too_large")


# Section 9


def test_each_code_of_the_catalogue_has_its_status():
    for error in errors.every_error():
        if issubclass(error, errors.ClientError):
            continue
        response = problem_response(error())
        assert response.status_code == error.status
        assert response.data["code"] == error.code
        assert ("Retry-After" in response) == (error.status in (429, 503))
        assert inspect.getdoc(error)
