"""DRF's throttles on the sync endpoints: how a project sets them, what a throttled call does."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient
from rest_framework.throttling import (
    AnonRateThrottle,
    ScopedRateThrottle,
    SimpleRateThrottle,
    UserRateThrottle,
)

from django_sync import errors
from django_sync.client import SyncClient, TokenAuth
from django_sync.http import edge
from example_project.boards.models import Board, Membership
from tests.integration import test_long_poll as long_poll
from tests.integration.conftest import in_process
from tests.integration.test_authentication import GOOD, TOKEN, create_board, each_way
from tests.integration.test_http import batch, client_of, is_problem
from tests.integration.test_privacy import everything


@pytest.fixture
def throttled(monkeypatch):
    """Sets throttles and rates, as ``DEFAULT_THROTTLE_…`` do when a project starts."""

    def set_them(*classes: type[SimpleRateThrottle], **rates: str) -> None:
        monkeypatch.setattr(edge.SyncView, "throttle_classes", classes)
        monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", rates)

    cache.clear()
    yield set_them
    cache.clear()


def is_throttled(response: Any) -> None:
    is_problem(response, 429, "throttled")
    assert 0 < int(response["Retry-After"]) <= 3600


def test_one_users_calls_of_all_kinds_count_together_and_no_others(people, throttled):
    throttled(UserRateThrottle, user="14/hour")
    ada = client_of(people.ada)
    for response in each_way(ada, people.launch):
        assert response.status_code < 429
    before = everything()
    for response in each_way(ada, people.research):
        is_throttled(response)
    assert everything() == before
    assert client_of(people.grace).get("/sync/changes/").status_code == 200


def test_a_batch_is_one_call_and_throttled_it_applies_nothing(people, throttled):
    throttled(UserRateThrottle, user="1/hour")
    client, body = client_of(people.ada), create_board()
    two = batch(*body["mutations"], *create_board()["mutations"])
    sent = client.post("/sync/mutations/", two, format="json")
    assert [r["status"] for r in sent.json()["results"]] == ["applied", "applied"]
    before = everything()
    fresh = create_board()
    is_throttled(client.post("/sync/mutations/", fresh, format="json"))
    assert everything() == before
    cache.clear()
    (result,) = client.post("/sync/mutations/", fresh, format="json").json()["results"]
    assert (result["status"], result["replayed"]) == ("applied", False)


RATED = {
    "sync_pull": ["changes/"],
    "sync_live": ["live/changes/?wait=1"],
    "sync_sessions": ["sessions/"],
    "sync_rest": ["boards/", "", f"boards/{uuid.UUID(int=1)}/"],
}


@pytest.mark.parametrize("name", [*RATED, "sync_mutations", "sync"])
def test_each_kind_of_call_may_have_a_rate_of_its_own(people, throttled, name):
    throttled(ScopedRateThrottle, **{name: "1/hour"})
    client = client_of(people.ada)
    for other in RATED.keys() - {name, "sync" if name != "sync" else ""}:
        for path in RATED[other]:
            answers = [client.get(f"/sync/{path}").status_code for _ in range(3)]
            assert (429 in answers) == (name == "sync")
    answers = [
        client.post("/sync/mutations/", create_board(), format="json").status_code for _ in range(2)
    ]
    assert (429 in answers) == (name in ("sync", "sync_mutations"))
    for path in RATED.get(name, ()):
        cache.clear()
        assert client.get(f"/sync/{path}").status_code != 429
        is_throttled(client.get(f"/sync/{path}"))


def test_a_rate_of_its_own_goes_before_the_common_one(people, throttled):
    throttled(ScopedRateThrottle, sync="1/hour", sync_pull="3/hour")
    client = client_of(people.ada)
    assert [client.get("/sync/changes/").status_code for _ in range(4)] == [200, 200, 200, 429]
    assert [client.get("/sync/").status_code for _ in range(2)] == [200, 429]


def test_rates_for_other_scopes_leave_sync_alone(people, throttled):
    """A project that rates its own views only must not find sync broken by it."""
    throttled(ScopedRateThrottle, uploads="1/hour")
    client = client_of(people.ada)
    assert [client.get("/sync/changes/").status_code for _ in range(3)] == [200] * 3


def test_nobody_is_refused_before_any_throttle(people, throttled):
    """So an AnonRateThrottle counts nothing here: guessing is limited in front of Django."""
    throttled(AnonRateThrottle, anon="1/hour")
    for _ in range(3):
        is_problem(APIClient().get("/sync/changes/"), 401, "not_authenticated")


def test_a_client_that_is_throttled_says_for_how_long_and_loses_nothing(
    people, throttled, tmp_path
):
    throttled(UserRateThrottle, user="1/hour")
    with in_process() as transport:
        client = SyncClient(
            "http://testserver/sync/",
            store=tmp_path / "ada.sqlite3",
            collections=["boards"],
            auth=TokenAuth(GOOD[TOKEN](people.ada).split()[1]),
            transport=transport,
        )
        client.collection("boards").create({"name": "New"})
        with pytest.raises(errors.Throttled) as told:
            client.sync()
        assert 0 < (told.value.retry_after or 0) <= 3600
        throttled()
        client.sync()
        assert len(client.outbox) == 0
        client.close()
    assert Board.objects.filter(name="New").count() == 1


# Long polls


@pytest.fixture
def server(boards, settings):
    settings.DJANGO_SYNC = {"WATCH_MS": 20}
    return long_poll.Server()


def test_a_pull_that_waited_counts_once(server, boards, throttled):
    """The server runs it again when something is new: that is no call of the client's."""
    throttled(UserRateThrottle, user="3/hour")
    token = long_poll.bearer(boards.ada)

    async def story() -> None:
        cursor = await long_poll.caught_up(server, token)
        server.runs = 0
        held = asyncio.create_task(server.get(f"wait=25&cursor={cursor}", token))
        await server.waiting(1)
        await long_poll.write(boards.launch)
        status, page = await held
        assert (status, len(page["changes"]), server.runs) == (200, 1, 2)
        again = [await server.get("", token) for _ in range(2)]
        assert [status for status, _ in again] == [200, 429], "one is left of three"
        assert again[1][1]["code"] == "throttled"

    asyncio.run(story())


def test_a_throttled_pull_does_not_wait(server, boards, throttled):
    throttled(UserRateThrottle, user="1/hour")
    token = long_poll.bearer(boards.ada)

    async def story() -> None:
        cursor = await long_poll.caught_up(server, token)
        status, problem = await server.get(f"wait=25&cursor={cursor}", token)
        assert (status, problem["code"]) == (429, "throttled")

    asyncio.run(story())


def test_what_runs_again_asks_anew_who_may_see(server, boards, throttled):
    """Of throttles alone it is exempt: a member who was put out while waiting is told a drop."""
    token = long_poll.bearer(boards.grace)

    async def story() -> None:
        cursor = await long_poll.caught_up(server, token)
        held = asyncio.create_task(server.get(f"wait=25&cursor={cursor}", token))
        await server.waiting(1)
        await long_poll.in_a_thread(Membership.objects.filter(user=boards.grace).delete)
        await long_poll.write(boards.launch, "After her time")
        _, page = await held
        assert {c["op"] for c in page["changes"]} == {"drop"}
        assert "After her time" not in str(page)

    asyncio.run(story())


def test_who_is_deactivated_while_waiting_is_told(server, boards, throttled):
    token = long_poll.bearer(boards.grace)

    async def story() -> None:
        cursor = await long_poll.caught_up(server, token)
        held = asyncio.create_task(server.get(f"wait=25&cursor={cursor}", token))
        await server.waiting(1)
        boards.grace.is_active = False
        await long_poll.in_a_thread(boards.grace.save)
        await long_poll.write(boards.launch)
        status, problem = await held
        assert (status, problem["code"]) == (401, "not_authenticated")

    asyncio.run(story())


def test_middleware_can_tell_a_run_from_a_call(boards, settings):
    """``request.sync.run`` counts the runs of one call; all other requests have none."""
    settings.DJANGO_SYNC = {"WATCH_MS": 20}
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.counting"]
    RUNS.clear()
    token = long_poll.bearer(boards.ada)
    server = long_poll.Server()

    async def story() -> None:
        cursor = await long_poll.caught_up(server, token)
        held = asyncio.create_task(server.get(f"wait=25&cursor={cursor}", token))
        await server.waiting(1)
        await long_poll.write(boards.launch)
        await held
        await server.get("", token, path="/sync/")

    asyncio.run(story())
    assert RUNS[-3:] == [1, 2, None]


RUNS: list[int | None] = []


def counting(get_response: Any) -> Any:
    """A middleware that notes which run of a call each request is."""

    def middleware(request: Any) -> Any:
        RUNS.append(getattr(getattr(request, "sync", None), "run", None))
        return get_response(request)

    return middleware


closed = long_poll.closed
