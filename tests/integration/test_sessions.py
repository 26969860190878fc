"""Sessions over HTTP, and the tickets that a socket redeems: section 8 of protocol.md."""

from __future__ import annotations

import datetime
import hashlib
import json
import uuid
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.db import transaction
from django.test import override_settings
from django.urls import include, path
from django.utils import timezone
from rest_framework.test import APIClient

from django_sync import engine, errors
from django_sync.drf.caller import Caller
from django_sync.drf.registry import registry
from django_sync.models import Client, SyncSession
from django_sync.sessions import lifecycle, presence
from tests import processes as p
from tests.integration.test_hostile import WRONG
from tests.integration.test_http import client_of, is_problem

EVERY = ["websocket", "sse", "long-poll", "poll"]
NEVER = uuid.UUID(int=7)


@pytest.fixture(autouse=True)
def everything_is_offered(settings):
    settings.DJANGO_SYNC = {"TRANSPORTS": EVERY}


def request(**members: Any) -> dict[str, Any]:
    return {"client_id": str(uuid.uuid4()), "transports": EVERY} | members


def opened(api: Any, **members: Any) -> dict[str, Any]:
    response = api.post("/sync/sessions/", request(**members), format="json")
    assert response.status_code == 201, response.json()
    told: dict[str, Any] = response.json()
    return told


def changed(api: Any, id: str, **members: Any) -> dict[str, Any]:
    response = api.patch(f"/sync/sessions/{id}/", members, format="json")
    assert response.status_code == 200, response.json()
    told: dict[str, Any] = response.json()
    return told


def listed(api: Any) -> list[dict[str, Any]]:
    response = api.get("/sync/sessions/")
    assert (response.status_code, set(response.json())) == (200, {"results"})
    found: list[dict[str, Any]] = response.json()["results"]
    return found


# Open


def test_open(api):
    response = api.post("/sync/sessions/", request(), format="json")
    told = response.json()
    ticket = told["ticket"]
    assert response.status_code == 201
    assert response["Cache-Control"] == "private, no-store"
    assert told == {
        "id": str(uuid.UUID(told["id"])),
        "transport": "websocket",
        "url": f"ws://testserver/sync/live/ws/?ticket={ticket}",
        "ticket": ticket,
        "heartbeat": 25,
        "fallback": ["sse", "long-poll", "poll"],
        "poll_interval": 30,
        "upgrade_after": 60,
        "reasons": ["The best that is left is websocket."],
    }
    assert len(ticket) == 43, "256 bits in base64"


@pytest.mark.parametrize(
    ("transport", "url"),
    [
        ("sse", "http://testserver/sync/live/stream/"),
        ("long-poll", "http://testserver/sync/live/changes/"),
        ("poll", "http://testserver/sync/changes/"),
    ],
)
def test_other_transports_have_their_address_and_no_ticket(api, transport, url):
    told = opened(api, transports=[transport, "push"])
    assert (told["transport"], told["url"], told["ticket"]) == (transport, url, None)
    assert told["fallback"] == ([] if transport == "poll" else ["poll"])


def test_over_https_the_socket_is_secure(api):
    response = api.post("/sync/sessions/", request(), format="json", secure=True)
    assert response.json()["url"].startswith("wss://testserver/sync/live/ws/?ticket=")
    told = api.patch(
        f"/sync/sessions/{response.json()['id']}/",
        {"failed": ["websocket"]},
        format="json",
        secure=True,
    ).json()
    assert told["url"] == "https://testserver/sync/live/stream/"


class Elsewhere:
    """A project that mounts the app under another path, with a letter that a URL has to escape."""

    urlpatterns = [path("döörs/api/", include("django_sync.http.urls"))]  # noqa: RUF012  # as Django reads it


def test_mounted_elsewhere_the_addresses_are_there(api):
    with override_settings(ROOT_URLCONF=Elsewhere, FORCE_SCRIPT_NAME="/app"):
        root = "http://testserver/app/d%C3%B6%C3%B6rs/api/"
        told = api.post("/döörs/api/sessions/", request(transports=["poll"]), format="json")
        assert told.status_code == 201
        assert told.json()["url"] == f"{root}changes/"
        one = f"/döörs/api/sessions/{told.json()['id']}/"
        again = api.patch(one, {"transports": ["sse"]}, format="json").json()
        assert again["url"] == f"{root}live/stream/"


def test_the_service_document_and_sessions_offer_the_same(api, settings):
    for named, served in (
        (["poll", "sse"], ["sse", "poll"]),
        (["websocket"], ["websocket", "poll"]),
        (EVERY[::-1], EVERY),
    ):
        settings.DJANGO_SYNC = {"TRANSPORTS": named}
        assert api.get("/sync/").json()["transports"] == served
        told = opened(api)
        assert [told["transport"], *told["fallback"]] == served


def test_the_numbers_are_the_settings(api, settings):
    numbers = {"HEARTBEAT": 5, "POLL_INTERVAL": 7, "UPGRADE_AFTER": 11}
    settings.DJANGO_SYNC = {"TRANSPORTS": EVERY} | numbers
    told = opened(api)
    assert [told[name.lower()] for name in numbers] == [5, 7, 11]
    told = opened(api, foreground=False)
    assert [told[name.lower()] for name in numbers] == [5, 70, 110]


def test_another_users_client_is_refused(people, api):
    told = request()
    opened(api, **told)
    response = client_of(people.grace).post("/sync/sessions/", told, format="json")
    is_problem(response, 403, "client_mismatch")
    assert SyncSession.objects.get().user == people.ada
    assert len(listed(api)) == 1, "and it ended nobody's"


def test_a_client_has_one_session_at_a_time(api):
    client_id = str(uuid.uuid4())
    first, second = (opened(api, client_id=client_id) for _ in range(2))
    other = opened(api)
    assert {session["id"] for session in listed(api)} == {second["id"], other["id"]}
    is_problem(api.patch(f"/sync/sessions/{first['id']}/", {}, format="json"), 404, "not_found")
    with pytest.raises(errors.NotAuthenticated):
        lifecycle.redeem(first["ticket"])
    assert str(lifecycle.redeem(second["ticket"]).id) == second["id"]


def test_the_client_is_the_one_that_mutates(people, api):
    client_id = str(uuid.uuid4())
    sent = {"client_id": client_id, "mutations": []}
    assert api.post("/sync/mutations/", sent, format="json").status_code == 200
    opened(api, client_id=client_id)
    assert Client.objects.get(id=client_id).user == people.ada


# What is told of a session


def test_the_list_is_of_ones_own_and_tells_no_ticket(people, api):
    network = {"type": "wifi", "metered": False, "rtt_ms": 40}
    about = {"name": "Ada’s phone", "platform": "ios", "version": "1.2"}
    about |= {"collections": ["cards", "boards"]}
    body = request(**about, network=network, foreground=True)
    told = opened(api, **body)
    opened(client_of(people.grace))
    (shown,) = listed(api)
    for name in ("opened_at", "seen_at"):
        assert shown.pop(name).endswith("Z")
    assert shown == about | {
        "id": told["id"],
        "client_id": body["client_id"],
        "transports": EVERY,
        "failed": [],
        "network": network,
        "foreground": True,
        "transport": "websocket",
        "state": "live",
        "lag": None,
        "snapshot": None,
        "problem": None,
    }


def test_the_list_has_an_end(api, settings):
    settings.DJANGO_SYNC = {"PAGE_SIZE": 2}
    ids = [opened(api)["id"] for _ in range(3)]
    assert [session["id"] for session in listed(api)] == ids[:0:-1], "the last seen first"


# Change


def test_the_decision_is_made_anew(api):
    told = opened(api)
    id = told["id"]
    for members, ladder in (
        ({}, EVERY),
        ({"failed": ["websocket"]}, EVERY[1:]),
        ({"foreground": False}, ["poll"]),
        ({"foreground": True}, EVERY[1:]),
        ({"failed": []}, EVERY),
        ({"network": {"metered": True}}, ["websocket", "sse", "poll"]),
        ({"network": {"rtt_ms": 5000}}, EVERY[1:]),
        ({"network": None, "transports": ["long-poll"]}, ["long-poll", "poll"]),
    ):
        told = changed(api, id, **members)
        assert [told["transport"], *told["fallback"]] == ladder, members
        assert told["id"] == id
        assert (told["ticket"] is None) == (ladder[0] != "websocket")
        assert listed(api)[0]["transport"] == ladder[0]


def test_what_is_left_out_stays(api):
    id = opened(api, name="Phone", collections=["cards"], network={"type": "wifi"})["id"]
    changed(api, id, foreground=False)
    (shown,) = listed(api)
    assert (shown["name"], shown["collections"]) == ("Phone", ["cards"])
    assert (shown["network"]["type"], shown["foreground"]) == ("wifi", False)


def test_it_tells_when_it_was_heard_of(api):
    with time_machine.travel(datetime.datetime(2026, 11, 1, tzinfo=datetime.UTC), tick=False):
        told = opened(api)
    (shown,) = listed(api)
    assert shown["opened_at"] == shown["seen_at"] == "2026-11-01T00:00:00Z"
    with time_machine.travel(datetime.datetime(2026, 11, 2, tzinfo=datetime.UTC), tick=False):
        changed(api, told["id"])
    (shown,) = listed(api)
    assert (shown["opened_at"], shown["seen_at"]) == (
        "2026-11-01T00:00:00Z",
        "2026-11-02T00:00:00Z",
    )


@pytest.mark.parametrize("method", ["patch", "delete"])
def test_another_users_session_is_as_none(people, api, method):
    mine = opened(client_of(people.grace))
    answers = [
        getattr(api, method)(f"/sync/sessions/{id}/", {}, format="json")
        for id in (mine["id"], NEVER)
    ]
    for answer in answers:
        is_problem(answer, 404, "not_found")
    assert answers[0].content == answers[1].content
    assert lifecycle.redeem(mine["ticket"]).user == people.grace, "and nothing was done to it"


# End


def test_end(api):
    told = opened(api)
    response = api.delete(f"/sync/sessions/{told['id']}/")
    assert (response.status_code, response.content) == (204, b"")
    assert listed(api) == []
    for method in ("patch", "delete"):
        again = getattr(api, method)(f"/sync/sessions/{told['id']}/", {}, format="json")
        is_problem(again, 404, "not_found")
    with pytest.raises(errors.NotAuthenticated):
        lifecycle.redeem(told["ticket"])


# Malformed


def test_wrong_kinds_in_a_request(api):
    texts = [w for w in WRONG if isinstance(w, str) and len(w) < 200 and w not in ("\0", "\ud800")]
    fine: dict[str, list[Any]] = {
        "name": [None, *texts],
        "platform": [None, *texts],
        "collections": [None, []],
        "transports": [[]],
        "failed": [None, []],
        "network": [None, {}],
        "foreground": [None, True],
        "push": [None],
    }
    id = opened(api)["id"]
    for member in ("client_id", *fine, "other", "\0"):
        for wrong in WRONG:
            for method, where, body in (
                ("POST", "", request(**{member: wrong})),
                ("PATCH", f"{id}/", {member: wrong}),
            ):
                text = json.dumps(body)
                answer = api.generic(method, f"/sync/sessions/{where}", text, "application/json")
                if wrong in fine.get(member, []):
                    assert answer.status_code < 300, (member, answer.content)
                else:
                    is_problem(answer, 400, answer.json()["code"])
                    assert answer.json()["code"] in ("invalid", "unknown_collection"), member


@pytest.mark.parametrize("body", ["[]", "null", "{", '"x"', "\ufeff{}"])
def test_a_body_that_is_no_object(api, body):
    id = opened(api)["id"]
    for method, where in (("POST", ""), ("PATCH", f"{id}/")):
        answer = api.generic(method, f"/sync/sessions/{where}", body, "application/json")
        is_problem(answer, 400, "invalid")


def test_a_collection_that_there_is_not(api):
    body = request(collections=["cards", "nope"])
    is_problem(api.post("/sync/sessions/", body, format="json"), 400, "unknown_collection")
    assert listed(api) == []
    id = opened(api, collections=registry.names())["id"]
    answer = api.patch(f"/sync/sessions/{id}/", {"collections": ["nope"]}, format="json")
    is_problem(answer, 400, "unknown_collection")
    assert listed(api)[0]["collections"] == registry.names()


def test_a_form_of_another_site_opens_none(people):
    browser = APIClient(enforce_csrf_checks=True)
    browser.force_login(people.ada)
    answer = browser.post("/sync/sessions/", request(), format="json")
    is_problem(answer, 403, "permission_denied")
    assert not SyncSession.objects.exists()


# Tickets


def refused(ticket: Any) -> str:
    with pytest.raises(errors.NotAuthenticated) as told:
        lifecycle.redeem(ticket)
    return str(told.value.problem())


def test_a_ticket_opens_one_socket_once(people, api):
    told = opened(api)
    assert parse_qs(urlsplit(told["url"]).query) == {"ticket": [told["ticket"]]}
    session = lifecycle.redeem(told["ticket"])
    assert (str(session.id), session.user) == (told["id"], people.ada)
    refused(told["ticket"])


def test_only_its_hash_is_at_rest(api):
    ticket = opened(api)["ticket"]
    (row,) = SyncSession.objects.values()
    assert row["ticket"] == hashlib.sha256(ticket.encode()).hexdigest()
    assert ticket not in str(row)
    refused(row["ticket"])
    lifecycle.redeem(ticket)
    (row,) = SyncSession.objects.values()
    assert (row["ticket"], row["ticket_until"]) == (None, None)


@pytest.mark.parametrize(("late", "opens"), [(59, True), (60, False), (3600, False)])
def test_it_opens_within_sixty_seconds(api, late, opens):
    now = timezone.now()
    with time_machine.travel(now, tick=False):
        ticket = opened(api)["ticket"]
    with time_machine.travel(now + datetime.timedelta(seconds=late), tick=False):
        if opens:
            lifecycle.redeem(ticket)
        else:
            refused(ticket)


def test_a_new_decision_voids_the_ticket_before(api):
    told = opened(api)
    again = changed(api, told["id"])
    assert again["ticket"] != told["ticket"]
    refused(told["ticket"])
    lifecycle.redeem(again["ticket"])
    changed(api, told["id"], foreground=False)
    refused(again["ticket"])


def test_who_may_not_sign_in_opens_no_socket(people, api):
    ticket = opened(api)["ticket"]
    people.ada.is_active = False
    people.ada.save()
    refused(ticket)


def test_why_a_ticket_is_refused_is_not_told(people, api):
    used, late, ended, inactive = (opened(api)["ticket"] for _ in range(4))
    lifecycle.redeem(used)
    digest = hashlib.sha256(late.encode()).hexdigest()
    SyncSession.objects.filter(ticket=digest).update(ticket_until=timezone.now())
    digest = hashlib.sha256(ended.encode()).hexdigest()
    api.delete(f"/sync/sessions/{SyncSession.objects.get(ticket=digest).id}/")
    told = {refused(ticket) for ticket in (used, late, ended)}
    told |= {refused(ticket) for ticket in ("", "x", "\0", "\ud800", "x" * 1_000_000)}
    type(people.ada).objects.update(is_active=False)
    told.add(refused(inactive))
    assert len(told) == 1


def test_check(people, api):
    id = uuid.UUID(opened(api)["id"])
    SyncSession.objects.update(seen_at=timezone.now() - datetime.timedelta(days=20))
    presence.forget()
    engine.check_session(Caller.for_user(people.ada), id)
    age = timezone.now() - SyncSession.objects.get().seen_at
    assert age < datetime.timedelta(days=1), "it was heard of"
    told = set()
    for other, who in ((id, people.grace), (NEVER, people.ada)):
        with pytest.raises(errors.PermissionDenied) as refusal:
            lifecycle.check(other, Caller.for_user(who))
        told.add(str(refusal.value.problem()))
    engine.end_session(Caller.for_user(people.ada), id)
    with pytest.raises(errors.PermissionDenied) as refusal:
        lifecycle.check(id, Caller.for_user(people.ada))
    told.add(str(refusal.value.problem()))
    assert len(told) == 1


# With several processes


def redeems(ticket: str) -> bool:
    try:
        lifecycle.redeem(ticket)
    except errors.NotAuthenticated:
        return False
    return True


def opens(username: str, client_id: uuid.UUID) -> uuid.UUID:
    from django.contrib.auth.models import User

    caller = Caller.for_user(User.objects.get(username=username))
    id: uuid.UUID = engine.open_session(caller, request(client_id=str(client_id))).session.id
    return id


def test_two_processes_and_one_ticket(boards, processes):
    """Both have found it before either of them takes it."""
    ticket = opened(client_of(boards.ada))["ticket"]
    workers = [processes.worker("ticket found") for _ in range(2)]
    for worker in workers:
        worker.start(redeems, ticket)
        worker.reaches("ticket found")
    for worker in workers:
        worker.go()
    assert sorted(worker.result() for worker in workers) == [False, True]


def test_two_processes_that_open_a_session_of_one_client(boards, processes):
    """One is open in the end, whichever came first."""
    client_id = uuid.uuid4()
    opens("ada", client_id)
    workers = processes.workers(2)
    with transaction.atomic():
        Client.objects.filter(id=client_id).update(forgotten_seq=-1)
        for worker in workers:
            worker.start(opens, "ada", client_id)
        p.wait_for_waiters(2)
    ids = {worker.result() for worker in workers}
    assert SyncSession.objects.filter(ended_at__isnull=True).count() == 1
    assert SyncSession.objects.get(ended_at__isnull=True).id in ids
