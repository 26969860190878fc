"""How far a session has got and what it was refused: noted seldom, at no request's cost."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection, models
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_sync import sync
from django_sync.drf.caller import Caller
from django_sync.feed import log as feed_log
from django_sync.feed import sequencer
from django_sync.models import Change, Client, SyncSession
from django_sync.sessions import lag, presence
from django_sync.sessions import state as sessions_state
from django_sync.sessions.state import State
from example_project.boards.models import Card
from tests.integration.test_directives import Device
from tests.integration.test_http import client_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nothing_is_noted")]


@pytest.fixture
def device(people):
    return Device(people.ada, transports=["poll"], platform="python/linux", version="0.1")


def row(device: Any) -> SyncSession:
    return SyncSession.objects.get(id=device.session)


def shown(device: Any) -> Any:
    (told,) = device.api.get("/sync/sessions/").json()["results"]
    return told


def writes(act: Any) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        act()
    said = [q["sql"] for q in captured.captured_queries]
    return [sql for sql in said if sql.startswith("UPDATE") and "syncsession" in sql]


def caught_up(device: Any) -> str:
    """Pull until nothing is left, and once more, as a client that polls does."""
    cursor = None
    while True:
        page = device.pull(cursor).json()
        cursor = page["cursor"]
        if not page["has_more"] and not page["changes"]:
            return str(cursor)


def add(people: Any, number: int, **more: Any) -> None:
    board = more.pop("board", people.launch)
    Card.objects.bulk_create([Card(board=board, title=str(n)) for n in range(number)])


def test_a_session_at_its_snapshot_then_at_its_place(people, device, settings):
    settings.DJANGO_SYNC = {"PAGE_SIZE": 3}
    page = device.pull().json()
    assert page["has_more"]
    found = row(device)
    assert (found.position, found.progress) == (None, page["snapshot"])
    assert shown(device)["snapshot"] == page["snapshot"]
    assert shown(device)["lag"] is None
    caught_up(device)
    found = row(device)
    assert (found.position, found.progress) == (feed_log.state()[0].head, None)
    assert shown(device)["lag"] == {"changes": 0, "seconds": 0}
    assert shown(device)["version"] == "0.1"


def test_it_is_noted_once_a_minute_and_not_with_each_poll(people, device):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        cursor = caught_up(device)
        assert sum(len(writes(lambda: device.pull(cursor))) for _ in range(20)) == 0
        clock.shift(61)
        assert [len(writes(lambda: device.pull(cursor))) for _ in range(3)] == [1, 0, 0]
        assert row(device).seen_at == timezone.now()


def test_another_process_that_does_not_remember_writes_nothing_either(people, device):
    with time_machine.travel(timezone.now(), tick=False):
        cursor = caught_up(device)
        before = row(device).seen_at
        presence.forget()
        (sql,) = writes(lambda: device.pull(cursor))
        assert "seen_at" in sql.split("WHERE")[1], "it finds no row"
        assert row(device).seen_at == before


def test_a_note_that_fails_fails_nothing(people, device, monkeypatch, caplog):
    update = models.QuerySet.update

    def failing(rows: Any, **told: Any) -> int:
        if rows.model is SyncSession:
            with connection.cursor() as cursor:
                cursor.execute("SELECT no_such_column FROM django_sync_syncsession")
        return int(update(rows, **told))

    monkeypatch.setattr(models.QuerySet, "update", failing)
    response = device.pull()
    assert response.status_code == 200
    assert response.json()["changes"]
    assert "could not be noted" in caplog.text


def test_without_a_word_of_who_it_is_nothing_is_noted(people, device):
    api = client_of(people.ada)
    assert writes(lambda: api.get("/sync/changes/")) == []


def test_a_client_that_names_itself_alone_is_noted_by_its_session(people, device):
    response = device.api.get("/sync/changes/", headers={"Sync-Client": device.id})
    assert response.status_code == 200
    assert row(device).progress or row(device).position is not None


def test_nobody_is_noted_for_another(people, device):
    stranger = client_of(people.grace)
    before = row(device).seen_at
    for says in ({"Sync-Client": device.id}, {"Sync-Session": device.session}):
        assert stranger.get("/sync/changes/", headers=says).status_code == 200
        assert stranger.get("/sync/nothing/", headers=says).status_code == 404
    found = row(device)
    assert (found.seen_at, found.position, found.problem) == (before, None, "")


@pytest.mark.parametrize("name", ["Sync-Client", "Sync-Session"])
def test_a_header_that_is_no_id_is_malformed(people, device, name):
    response = device.api.get("/sync/changes/", headers={name: "me"})
    assert (response.status_code, response.json()["code"]) == (400, "invalid")


def test_what_it_was_refused_with(people, device):
    assert shown(device)["problem"] is None
    device.pull("none of yours")
    told = shown(device)["problem"]
    assert (told["code"], told["at"][-1]) == ("invalid_cursor", "Z")
    assert "cursor" in told["title"]
    device.send({"id": str(uuid.uuid4()), "seq": 1, "op": "update", "collection": "nothing"})
    assert shown(device)["problem"]["code"] == "invalid", "a mutation of a batch"
    assert writes(lambda: device.pull("none of yours")) == [], "told before"


def test_lag_counts_what_its_user_sees(people, device):
    caught_up(device)
    add(people, 3)
    add(people, 50, board=people.private)
    sequencer.sequence()
    Change.objects.update(at=timezone.now() - timedelta(seconds=90))
    told = shown(device)["lag"]
    assert told["changes"] == 3, "others’ writes are no matter of theirs"
    assert 89 < told["seconds"] < 120
    (everything,) = lag.lags([row(device)]).values()
    assert everything.changes == feed_log.state()[0].head - row(device).position >= 53


def test_lag_where_the_log_was_pruned(people, device):
    add(people, 5)
    caught_up(device)
    SyncSession.objects.update(position=0)
    sequencer.sequence()
    head = feed_log.state()[0].head
    Change.objects.filter(position__lt=head).delete()
    Change.objects.update(at=timezone.now() - timedelta(seconds=300))
    (told,) = lag.lags([row(device)]).values()
    assert told.changes == head
    assert told.seconds >= 299, "at least as old as the oldest that is kept"


def test_the_list_costs_the_same_for_few_and_many(people, device):
    caught_up(device)
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            assert device.api.get("/sync/sessions/").status_code == 200
        counts.append(len(captured))
        for _ in range(20):
            Device(people.ada)
        SyncSession.objects.update(position=1)
        add(people, 5)
        sequencer.sequence()
    assert counts[1] <= counts[0] + 1, "one statement more where there is a lag"
    assert counts[0] <= 12


@pytest.mark.parametrize(
    ("transport", "seconds", "state"),
    [
        ("websocket", 170, State.LIVE),
        ("websocket", 190, State.IDLE),
        ("long-poll", 190, State.LIVE),
        ("long-poll", 250, State.IDLE),
        ("poll", 800, State.LIVE),
        ("poll", 1000, State.IDLE),
    ],
)
def test_idle_by_transport(people, device, transport, seconds, state):
    seen = timezone.now() - timedelta(seconds=seconds)
    SyncSession.objects.update(transport=transport, seen_at=seen)
    assert shown(device)["state"] == state
    for one in State:
        found = sessions_state.of_state(SyncSession.objects.all(), one)
        assert found.exists() == (one is state), one


def test_blocked_and_ended_are_told_apart(people, device):
    other = Device(people.ada)
    sync.end(uuid.UUID(other.session))
    sync.block(client=uuid.UUID(device.id))
    rows = {s.id: s for s in sessions_state.with_blocks(SyncSession.objects.all())}
    now = timezone.now()
    found = {str(id): sessions_state.state_of(session, now) for id, session in rows.items()}
    assert found == {device.session: State.BLOCKED, other.session: State.ENDED}
    for state in State:
        ids = {str(s.id) for s in sessions_state.of_state(SyncSession.objects.all(), state)}
        assert ids == {id for id, one in found.items() if one is state}


def test_sync_status_tells_of_sessions(people, device, settings):
    caught_up(device)
    add(people, 4)
    sequencer.sequence()
    for _ in range(2):
        Device(people.grace)
    SyncSession.objects.filter(user=people.grace).update(transport="sse")
    sync.block(user=people.alan)
    out = StringIO()
    call_command("sync_status", "--json", stdout=out)
    told = json.loads(out.getvalue())["sessions"]
    assert told["open"]["poll"] == {"live": 1, "idle": 0}
    assert told["open"]["sse"] == {"live": 2, "idle": 0}
    assert (told["blocked_users"], told["blocked_clients"], told["ended"]) == (1, 0, 0)
    assert (told["worst_lag"]["changes"], told["worst"]) == (4, device.session)
    out = StringIO()
    call_command("sync_status", stdout=out)
    assert "poll: 1 live, 0 idle" in out.getvalue()
    assert "worst lag 4 changes" in out.getvalue()


def test_sessions_of_before_that_had_ended_stay_so(people, device):
    """A row as an earlier release left it: ended, and nobody wrote down how."""
    client = Client.objects.get(id=device.id)
    SyncSession.objects.update(ended_at=timezone.now(), ending="")
    assert Caller.for_user(people.ada).key == str(client.user_id)
    path = f"/sync/sessions/{device.session}/"
    assert device.api.patch(path, {}, format="json").status_code == 404
    device.pull()
    assert row(device).ended_at is not None
