"""Prune: what is forgotten, what stays, and who may not be passed (C6, F7, F9, W5)."""

from __future__ import annotations

import datetime
import uuid

import httpx2
import pytest
import time_machine
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.utils import timezone
from rest_framework.authtoken.models import Token

from django_sync import engine, errors, rest
from django_sync.checks import check_settings
from django_sync.client import SyncClient, TokenAuth
from django_sync.drf.caller import Caller
from django_sync.feed import holds, pull, sequencer
from django_sync.maintenance import retention
from django_sync.models import (
    Change,
    Client,
    Decision,
    Feed,
    Hold,
    MutationResult,
    Outbox,
    ScopeSet,
    SyncSession,
    Tombstone,
)
from django_sync.writes import result_store
from example_project.boards.models import Board, Card
from tests.integration.phone import Phone
from tests.replica import Replica, truth

NAMES = ("boards", "labels", "cards", "comments")


def write(board, number):
    """So many changes, each with a position of its own."""
    for n in range(number):
        Card.objects.create(board=board, title=f"Card {n}")
    sequencer.sequence()


def age(days, **which):
    """Let entries be older."""
    then = timezone.now() - datetime.timedelta(days=days)
    return Change.objects.filter(**which).update(at=then)


def positions():
    return list(Change.objects.order_by("position").values_list("position", flat=True))


def floor():
    return Feed.objects.get().floor


# By age and number


def test_what_is_older_than_the_days_goes_but_for_the_one_that_cursors_stand_on(people):
    write(people.launch, 10)
    middle = positions()[-5]
    age(31, position__lte=middle)

    report = retention.prune()

    assert floor() == report.floor == middle
    assert positions()[0] == middle, "who saw nothing newer stands there"
    assert report.changes > 0
    assert retention.prune().changes == 0


def test_a_client_that_pulled_yesterday_goes_on_though_all_is_old(people):
    replica = Replica(people.ada)
    replica.pull()
    age(100)
    retention.prune()
    Card.objects.create(board=people.launch, title="The first in months")
    sequencer.sequence()
    retention.prune()
    assert [str(c.op) for c in replica.pull()] == ["put"]


def test_the_last_entry_is_never_deleted_and_positions_go_on(people):
    """Capture's trap 8, F6."""
    write(people.launch, 3)
    head = positions()[-1]
    retention.prune(days=0)
    assert positions() == [head]
    write(people.launch, 1)
    assert positions() == [head, head + 1]


def test_no_more_than_so_many_are_kept(people, settings):
    write(people.launch, 10)
    settings.DJANGO_SYNC = {"KEEP_CHANGES": 4}
    retention.prune()
    assert len(positions()) == 4
    retention.prune(keep=1)
    assert len(positions()) == 1


def test_an_empty_log_is_no_trouble(db):
    assert retention.prune(days=0).changes == 0
    assert floor() == 0


@pytest.mark.parametrize("wrong", [{"days": -1}, {"keep": -1}, {"batch": 0}])
def test_bounds_that_mean_nothing_are_refused(db, wrong):
    with pytest.raises(ValueError, match="0 or more"):
        retention.prune(**wrong)


# Cursors and clients


def test_an_older_cursor_expires_and_a_younger_one_does_not(people):
    old, young = Replica(people.ada), Replica(people.ada)
    old.pull()
    write(people.launch, 3)
    young.pull()
    write(people.launch, 3)
    retention.prune(keep=4)
    with pytest.raises(errors.CursorExpired):
        old.page()
    young.page()
    old.pull()
    young.pull()
    assert old.held() == young.held() == truth(people.ada)


def test_new_clients_get_no_tombstones(people):
    card = Card.objects.create(board=people.launch, title="Gone")
    card.delete()
    sequencer.sequence()
    retention.prune(days=0)
    replica = Replica(people.ada)
    assert {str(c.op) for c in replica.pull()} == {"put"}
    assert Tombstone.objects.filter(object_id=card.sync_id).exists()


def test_c6_an_id_that_comes_again_after_its_entries_were_pruned_goes_on(people):
    card = Card.objects.create(board=people.launch, title="One")
    id = card.sync_id
    Card.objects.filter(pk=card.pk).update(title="Two")
    card.delete()
    write(people.launch, 1)
    age(100)
    retention.prune()
    assert not Change.objects.filter(object_id=id).exists()
    Card.objects.create(board=people.launch, title="Again", sync_id=id)
    assert Card.objects.get(sync_id=id).sync_revision == 4


@pytest.mark.django_db(transaction=True)
def test_an_expired_client_of_ours_starts_again_and_keeps_its_outbox(people, tmp_path):
    token = Token.objects.create(user=people.ada).key
    transport = httpx2.WSGITransport(get_wsgi_application())
    with SyncClient(
        "http://testserver/sync/",
        store=tmp_path / "ada.db",
        collections=NAMES,
        auth=TokenAuth(token),
        transport=transport,
    ) as client:
        client.sync()
        cards = client.collection("cards")
        gone = Card.objects.create(board=people.launch, title="Will go")
        client.sync()
        assert gone.sync_id in ids(cards)
        gone.delete()
        write(people.launch, 3)
        retention.prune(days=0)
        mine = cards.create({"title": "Written offline", "board": str(people.launch.sync_id)})
        assert client.status.pending == 1

        client.sync()

        assert client.status.pending == 0
        assert Card.objects.filter(title="Written offline", sync_id=mine.id).count() == 1
        assert ids(cards) == {id for (name, id) in truth(people.ada) if name == "cards"}


def ids(collection):
    return {uuid.UUID(str(record.id)) for record in collection.all()}


# Clients that are pulling (F9)


def mid_snapshot(people):
    """A replica of two records a page, one page into its snapshot, and its place."""
    write(people.launch, 10)
    replica = Replica(people.ada, limit=2)
    replica.page()
    return replica, positions()[-1]


def test_f9_the_floor_never_passes_a_snapshot_under_way(people):
    replica, place = mid_snapshot(people)
    write(people.launch, 10)
    report = retention.prune(days=0, keep=1)
    assert report.held == floor() == place
    replica.pull()
    assert replica.held() == truth(people.ada)


def test_f9_a_client_that_tails_in_pages_is_not_passed_either(people):
    replica = Replica(people.ada, limit=2)
    replica.pull()
    place = positions()[-1]
    write(people.launch, 10)
    replica.page()
    retention.prune(days=0)
    assert floor() == place, "its answer may be lost, and it may ask again"
    replica.pull()
    assert replica.held() == truth(people.ada)


def test_f9_who_was_not_seen_for_a_day_holds_nothing(people):
    replica, place = mid_snapshot(people)
    write(people.launch, 10)
    Hold.objects.update(at=timezone.now() - datetime.timedelta(hours=25))
    report = retention.prune(days=0)
    assert (report.holds, report.held) == (1, None)
    assert floor() > place
    assert not Hold.objects.exists()
    with pytest.raises(errors.CursorExpired):
        replica.page()
    replica.limit = 1000
    replica.pull()
    assert replica.held() == truth(people.ada)


def test_f9_a_place_is_written_down_once_in_ten_minutes(people):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        replica, _ = mid_snapshot(people)
        first = Hold.objects.get().at
        for _ in range(3):
            clock.shift(60)
            replica.page()
        assert Hold.objects.get().at == first
        clock.shift(600)
        replica.page()
        assert Hold.objects.get().at > first
        another = Replica(people.ada, limit=2)
        another.page()
        assert Hold.objects.count() == 1, "who reads from one place shares the row"


def test_a_snapshot_of_one_page_holds_nothing(people):
    Replica(people.ada).pull()
    assert not Hold.objects.exists()


def test_a_hold_below_the_floor_holds_nothing(people):
    write(people.launch, 10)
    retention.prune(keep=5)
    holds.hold(positions()[0] - 1)
    assert retention.prune(keep=2).held is None
    assert len(positions()) == 2


# Views that are in use


def test_f7_a_view_that_a_tailing_client_uses_is_noted_once_a_day(people):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        replica = Replica(people.ada)
        replica.pull()
        for _ in range(40):
            clock.shift(datetime.timedelta(days=1))
            replica.pull()
            cursor = replica.cursor
            replica.pull()
            assert replica.cursor == cursor, "the same place is the same string"
            retention.prune()
        assert ScopeSet.objects.get().used_on == timezone.now().date()
        board = Board.objects.create(name="A new scope", owner=people.ada)
        changes = replica.pull()
        assert {c.record.scope for c in changes if c.record} == {str(board.sync_id)}


def test_f7_a_view_is_kept_for_the_days_after_its_last_use_and_then_410(people):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        replica = Replica(people.ada)
        replica.pull()
        clock.shift(datetime.timedelta(days=30))
        assert retention.prune().visibilities == 0
        clock.shift(datetime.timedelta(days=1))
        assert retention.prune().visibilities == 1
        Board.objects.create(name="A new scope", owner=people.ada)
        with pytest.raises(errors.CursorExpired):
            replica.page()


def test_f7_a_snapshot_of_days_keeps_both_its_views(people):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        replica = Replica(people.ada, limit=1)
        replica.pull()
        Board.objects.create(name="A new scope", owner=people.ada)
        write(Board.objects.get(name="A new scope"), 5)
        replica.page()
        for _ in range(4):
            clock.shift(datetime.timedelta(hours=23))
            replica.page()
            retention.prune(days=0)
        replica.pull()
        assert replica.held() == truth(people.ada)


def test_a_view_that_is_pruned_while_it_is_noted_is_there_again(people, monkeypatch):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        replica = Replica(people.ada)
        replica.pull()
        clock.shift(datetime.timedelta(days=2))
        told = pull.keep

        def late(view):
            ScopeSet.objects.all().delete()
            return told(view)

        monkeypatch.setattr(pull, "keep", late)
        replica.pull()
        assert ScopeSet.objects.get().used_on == timezone.now().date()


# Results of mutations


def forget(days=31):
    then = timezone.now() - datetime.timedelta(days=days)
    MutationResult.objects.update(at=then)
    return retention.prune(batch=2)


def test_w5_a_mutation_whose_result_was_forgotten_is_never_carried_out_again(people):
    phone = Phone(people.ada)
    bodies = [phone.create("boards", name=f"Board {n}") for n in range(5)]
    phone.send(*bodies)
    assert forget(29).results == 0
    assert forget().results == 5
    assert Client.objects.get(pk=phone.id).forgotten_seq == 5
    again = phone.send(*bodies)
    assert [r.problem["code"] for r in again] == ["mutation_expired"] * 5
    assert phone.one(phone.create("boards", name="New")).status == "applied"
    assert Board.objects.filter(name__startswith="Board").count() == 5


def test_w5_what_is_younger_stays_and_no_seq_falls(people):
    phone = Phone(people.ada)
    phone.send(*[phone.create("boards", name=f"Board {n}") for n in range(3)])
    Client.objects.update(forgotten_seq=9)
    forget()
    assert Client.objects.get(pk=phone.id).forgotten_seq == 9


def test_results_are_kept_for_thirty_days_whatever_is_set(people, settings):
    settings.DJANGO_SYNC = {"RESULT_DAYS": 1}
    phone = Phone(people.ada)
    phone.one(phone.create("boards", name="Board"))
    assert forget(20).results == 0


def test_a_rest_call_with_a_key_has_no_seq_that_could_be_forgotten(people):
    caller, client = Caller.for_user(people.ada), uuid.uuid4()
    for _ in range(2):
        call = rest.Call(client_id=client, key=uuid.uuid4())
        rest.create(caller, "boards", None, {"name": "Over REST"}, call)
        forget()
    assert Board.objects.filter(name="Over REST").count() == 2


def test_w5_results_pruned_while_a_repeat_waits_for_its_lock(people, monkeypatch):
    """A repeat meets the prune of its own first result: expired, not done twice."""
    phone = Phone(people.ada)
    body = phone.create("boards", name="Once")
    phone.one(body)
    lock = result_store._take_write_lock

    def late(db):
        forget()
        lock(db)

    monkeypatch.setattr(result_store, "_take_write_lock", late)
    assert phone.one(body).problem["code"] == "mutation_expired"
    assert Board.objects.filter(name="Once").count() == 1


# A prune that is ended, looked at, or not alone


def test_ended_between_floor_and_delete_nothing_is_wrong_and_the_next_goes_on(people, monkeypatch):
    old = Replica(people.ada)
    old.pull()
    write(people.launch, 6)
    before = len(positions())

    class Killed(Exception):
        pass

    def killed(self, floor):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(retention._Work, "delete_changes", killed)
        with pytest.raises(Killed):
            retention.prune(keep=3)
    assert len(positions()) == before
    with pytest.raises(errors.CursorExpired):
        old.page()
    old.pull()
    assert old.held() == truth(people.ada)
    report = retention.prune()
    assert report.changes == before - 3
    assert positions()[0] == floor()


def test_ended_between_two_batches(people):
    write(people.launch, 9)
    least = positions()[0]

    class Killed(Exception):
        pass

    def killed(what, count):
        raise Killed

    with pytest.raises(Killed):
        retention.prune(keep=2, batch=3, progress=killed)
    assert positions()[0] == least + 3
    assert Feed.objects.get().floor == positions()[-2]
    retention.prune(keep=2, batch=3)
    assert len(positions()) == 2


def test_a_dry_run_changes_nothing_and_tells_what_a_run_would_do(people):
    write(people.launch, 6)
    phone = Phone(people.ada)
    phone.one(phone.create("boards", name="Board"))
    sequencer.sequence()
    MutationResult.objects.update(at=timezone.now() - datetime.timedelta(days=40))
    Card.objects.create(board=people.launch, title="In the outbox still")
    kept = every_row()
    dry = retention.prune(keep=3, dry_run=True)
    assert every_row() == kept
    assert dry.dry_run
    assert dry.changes > 0
    assert dry.results == 1
    wet = retention.prune(keep=3)
    in_outbox = 0 if connection.vendor == "sqlite" else 1
    assert wet.changes == dry.changes + in_outbox


def every_row():
    tables = (Change, Client, Feed, Hold, MutationResult, Outbox, ScopeSet, Tombstone)
    return {table: list(table.objects.order_by("pk").values()) for table in tables}


def test_a_bound_below_what_the_protocol_promises_is_a_warning(settings):
    settings.DJANGO_SYNC = {"RESULT_DAYS": 7}
    assert [message.id for message in check_settings()] == ["django_sync.W007"]
    settings.DJANGO_SYNC = {"RESULT_DAYS": 30}
    assert check_settings() == []


@pytest.mark.postgresql
def test_the_outbox_is_vacuumed_by_number_and_soon(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, reloptions FROM pg_class "
            "WHERE relname IN ('django_sync_outbox', 'django_sync_change')"
        )
        told = dict(cursor.fetchall())
    assert "autovacuum_vacuum_scale_factor=0" in told["django_sync_outbox"]
    assert "autovacuum_vacuum_threshold=5000" in told["django_sync_outbox"]
    assert "autovacuum_vacuum_scale_factor=0.02" in told["django_sync_change"]


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_the_settings_of_vacuum_can_be_taken_back():
    def options():
        with connection.cursor() as cursor:
            cursor.execute("SELECT reloptions FROM pg_class WHERE relname = 'django_sync_outbox'")
            return cursor.fetchone()[0]

    call_command("migrate", "django_sync", "0002", verbosity=0)
    try:
        assert options() is None
    finally:
        call_command("migrate", verbosity=0)
    assert options()


def test_sessions_that_are_not_heard_of_go_whether_they_ended_or_not(people, settings):
    settings.DJANGO_SYNC = {"SESSION_DAYS": 10}
    caller, told = Caller.for_user(people.ada), {"transports": ["poll"]}
    opened = [
        engine.open_session(caller, told | {"client_id": str(uuid.uuid4())}).session for _ in "1234"
    ]
    old, old_and_ended, young, young_and_ended = opened
    for session in (old_and_ended, young_and_ended):
        engine.end_session(caller, session.id)
    then = timezone.now() - datetime.timedelta(days=11)
    SyncSession.objects.filter(pk__in=[old.pk, old_and_ended.pk]).update(seen_at=then)
    assert retention.prune(dry_run=True).sessions == 2
    assert SyncSession.objects.count() == 4
    assert retention.prune().sessions == 2
    left = set(SyncSession.objects.values_list("pk", flat=True))
    assert left == {young.pk, young_and_ended.pk}


def test_decisions_are_kept_for_as_long_as_the_settings_say(people, settings):
    settings.DJANGO_SYNC = {"DECISION_DAYS": 10}
    young, old = (
        Decision.objects.create(object_id=uuid.uuid4(), mutation_id=uuid.uuid4()) for _ in "12"
    )
    Decision.objects.filter(pk=old.pk).update(at=timezone.now() - datetime.timedelta(days=11))
    assert retention.prune(dry_run=True).decisions == 1
    assert Decision.objects.count() == 2
    assert retention.prune().decisions == 1
    assert Decision.objects.get() == young
