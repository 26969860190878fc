"""How a client asks to be woken, over HTTP; and several workers and dispatchers at one time."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import transaction

from django_sync.models import Endpoint, PushCursor, SyncSession
from django_sync.push import delivery, dispatcher, locmem
from example_project.boards.models import Card
from tests.integration.push_cases import SECRET
from tests.integration.push_service import Browser
from tests.integration.test_http import client_of, is_problem
from tests.integration.test_push import LOCMEM, asleep
from tests.integration.test_sessions import changed, opened, request

SENDERS = {
    "webhook": "django_sync.push.webhook.Webhook",
    "webpush": "django_sync.push.webpush.WebPush",
}
HOOK = {"kind": "webhook", "url": "https://hooks.example/a", "secret": SECRET}
PUSH = {
    "kind": "webpush",
    "subscription": Browser().subscription("https://updates.push.services.example/wpush/v2/x"),
}


@pytest.fixture(autouse=True)
def both(settings):
    settings.DJANGO_SYNC = {"PUSH_SENDERS": SENDERS, "TRANSPORTS": ["poll"]}


def refused(api: Any, push: Any, **members: Any) -> str:
    answer = api.post("/sync/sessions/", request(push=push, **members), format="json")
    is_problem(answer, 400, "invalid")
    return str(answer.json()["detail"])


@pytest.mark.parametrize(
    ("push", "host"), [(HOOK, "hooks.example"), (PUSH, "updates.push.services.example")]
)
def test_it_is_kept_with_the_session(api, push, host):
    told = opened(api, push=push)
    row = Endpoint.objects.get()
    assert (str(row.session.id), row.kind, row.host) == (told["id"], push["kind"], host)
    assert {"kind": row.kind, **row.target} == push
    assert "push" not in told
    assert SECRET not in str(api.get("/sync/sessions/").json())


def test_a_change_replaces_it_and_a_null_ends_it(api):
    id = opened(api, push=HOOK)["id"]
    Endpoint.objects.update(failures=3, problem="503", parked_at="2026-01-01T00:00:00Z")
    changed(api, id, foreground=False)
    assert Endpoint.objects.get().parked_at is not None, "what is left out stays"
    changed(api, id, push=PUSH)
    row = Endpoint.objects.get()
    assert (row.kind, row.failures, row.problem, row.parked_at) == ("webpush", 0, "", None)
    changed(api, id, push=None)
    assert not Endpoint.objects.exists()


def test_it_ends_with_its_session(api):
    id = opened(api, push=HOOK)["id"]
    api.delete(f"/sync/sessions/{id}/")
    assert not Endpoint.objects.exists()


def test_the_next_session_of_a_client_takes_its_place(api):
    client = str(uuid.uuid4())
    opened(api, push=HOOK, client_id=client)
    second = opened(api, push=HOOK, client_id=client)["id"]
    assert [str(row.session.id) for row in Endpoint.objects.all()] == [second]
    opened(api, client_id=client)
    assert not Endpoint.objects.exists(), "it did not ask again"


@pytest.mark.parametrize(
    "push", [{"kind": "fcm", "token": "t"}, {"kind": "apns", "token": "t", "topic": "a"}]
)
def test_a_kind_that_nobody_sends_is_refused_until_somebody_does(api, settings, push):
    told = refused(api, push)
    assert f"“{push['kind']}”" in told
    assert "webhook, webpush" in told
    assert not SyncSession.objects.exists()
    settings.DJANGO_SYNC = {"PUSH_SENDERS": {push["kind"]: LOCMEM}}
    opened(api, push=push)
    assert Endpoint.objects.get().kind == push["kind"]


@pytest.mark.parametrize(
    "push",
    [
        HOOK | {"url": "http://hooks.example/"},
        HOOK | {"url": "https://169.254.169.254/latest"},
        HOOK | {"url": "https://ada@hooks.example/"},
        HOOK | {"secret": "short"},
        HOOK | {"more": "x"},
        PUSH | {"subscription": None},
        PUSH | {"subscription": Browser().subscription("https://10.0.0.1/")},
        HOOK | {"url": "https://hooks.example/" + "a" * 9000},
        {"kind": "webhook"},
        {"kind": "\0"},
    ],
)
def test_what_cannot_be_sent_to_is_refused_and_nothing_is_kept(api, push):
    refused(api, push)
    assert not SyncSession.objects.exists()
    id = opened(api)["id"]
    answer = api.patch(f"/sync/sessions/{id}/", {"push": push, "name": "Ann"}, format="json")
    is_problem(answer, 400, "invalid")
    assert not Endpoint.objects.exists()
    assert SyncSession.objects.get().name == "", "all of it or nothing"


def test_without_push_sessions_are_as_before(api, settings, django_assert_num_queries):
    settings.DJANGO_SYNC = {"TRANSPORTS": ["poll"]}
    opened(api)
    assert "none" in refused(api, HOOK)
    assert not PushCursor.objects.exists()


def test_a_user_has_so_many_and_no_more(api, people, settings):
    """Who names somebody else's address cannot have it flooded."""
    settings.DJANGO_SYNC = settings.DJANGO_SYNC | {"PUSH_ENDPOINTS_PER_USER": 3}
    grace = opened(client_of(people.grace), push=HOOK)["id"]
    ids = [opened(api, push=HOOK)["id"] for _ in range(5)]
    left = [str(row.session.id) for row in Endpoint.objects.order_by("id")]
    assert left == [grace, *ids[2:]]


# Several processes


def dispatch() -> int:
    return dispatcher.dispatch()


def deliver() -> list[str]:
    """What this process sent."""
    delivery.send_all()
    told = [str(one.wake.session) for one in locmem.sent]
    locmem.clear()
    return told


def configure(given: dict[str, Any]) -> None:
    from django.conf import settings

    settings.DJANGO_SYNC = given


def test_two_dispatchers_and_two_workers(boards, processes, settings):
    settings.DJANGO_SYNC = given = {
        "PUSH_SENDERS": {"webhook": LOCMEM},
        "PUSH_WINDOW": 1,
        "PUSH_BATCH": 3,
    }
    sessions = [str(asleep(boards.ada).id) for _ in range(20)]
    for number in range(20):
        Card.objects.create(board=boards.launch, title=str(number))
    workers = processes.workers(2)
    for worker in workers:
        worker.call(configure, given)
    for worker in workers:
        worker.start(dispatch)
    assert max(worker.result() for worker in workers) == 20
    assert set(Endpoint.objects.values_list("asked", flat=True)) == {1}
    Endpoint.objects.update(due_at="2026-01-01T00:00:00Z")
    for worker in workers:
        worker.start(deliver)
    found = [id for worker in workers for id in worker.result()]
    assert sorted(found) == sorted(sessions), "each once, whoever sent it"


@pytest.mark.postgresql
def test_who_finds_the_cursor_locked_goes_on(boards, processes, settings):
    settings.DJANGO_SYNC = given = {"PUSH_SENDERS": {"webhook": LOCMEM}}
    asleep(boards.ada)
    Card.objects.create(board=boards.launch, title="New")
    worker = processes.worker()
    worker.call(configure, given)
    with transaction.atomic():
        PushCursor.objects.select_for_update().get()
        assert worker.call(dispatch) == 0
    assert worker.call(dispatch) == 1


@pytest.mark.postgresql
def test_claims_pass_by_rows_that_another_has(boards, processes, settings):
    settings.DJANGO_SYNC = given = {"PUSH_SENDERS": {"webhook": LOCMEM}, "PUSH_BATCH": 5}
    for _ in range(10):
        asleep(boards.ada)
    Endpoint.objects.update(due_at="2026-01-01T00:00:00Z", asked=1)
    worker = processes.worker()
    worker.call(configure, given)
    with transaction.atomic():
        _, mine = delivery._claimed()
        assert len(mine) == 5
        assert len(worker.call(deliver)) == 5, "not waited for"


def test_a_long_dispatch_deadlocks_with_no_settling(boards, processes, settings):
    """Both lock by rising id; twenty rounds of both at a time."""
    settings.DJANGO_SYNC = given = {
        "PUSH_SENDERS": {"webhook": LOCMEM},
        "PUSH_WINDOW": 1,
        "PUSH_BATCH": 7,
    }
    for _ in range(12):
        asleep(boards.ada)
    workers = processes.workers(2)
    for worker in workers:
        worker.call(configure, given)
    for number in range(10):
        Card.objects.create(board=boards.launch, title=str(number))
        Endpoint.objects.update(due_at="2026-01-01T00:00:00Z")
        workers[0].start(deliver)
        workers[1].start(dispatch)
        for worker in workers:
            worker.result()
    assert not Endpoint.objects.exclude(claim=None).exists()
