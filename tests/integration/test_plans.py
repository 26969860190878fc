"""Hot statements go by their indexes, whatever else is in the tables.

On PostgreSQL sequential scans are switched off for the look, since a planner rightly prefers
them in tables as small as a test's: what is asked is whether an index fits the statement.
"""

from __future__ import annotations

import uuid

import pytest
from django.db import connection
from django.utils import timezone

from django_sync.feed import log as feed_log
from django_sync.feed import sequencer, tables
from django_sync.models import Change, Client, MutationResult
from example_project.boards.models import Card, Label
from tests.benchmarks.plans import explained
from tests.integration.phone import Phone
from tests.replica import Replica

pytestmark = pytest.mark.django_db

SETTING = "enable_seqscan = off"
RESULTS = MutationResult._meta.db_table
SQLITE = {
    "django_sync_result_mutation": "django_sync_mutationresult_1 (client_id=? AND mutation_id=?)",
    "django_sync_tombstone_pkey": "PRIMARY KEY (object_id=? AND model=?)",
    "django_sync_scopeset_pkey": "django_sync_scopeset_1 (digest=?)",
    "django_sync_outbox_pkey": "",
}
"""What SQLite calls the index of a constraint."""


def crowd(number):
    """So many changes of others behind what is there."""
    sequencer.sequence()
    head = feed_log.state()[0].head
    Change.objects.bulk_create(
        Change(
            position=head + n,
            mark=n,
            model="boards.card",
            object_id=uuid.uuid4(),
            revision=1,
            op="u",
            columns="title",
            scope=f"tenant {n % 50}",
            at=timezone.now(),
        )
        for n in range(1, number + 1)
    )
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE {tables.FEED} SET head = head + %s", [number])


def settled(client, number):
    """So many results that a client has had, and statistics that know of them."""
    MutationResult.objects.bulk_create(
        MutationResult(client=client, mutation_id=uuid.uuid4(), object_id=uuid.uuid4())
        for _ in range(number)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def plans(act, part):
    """The plans of the statements in which ``part`` stands."""
    with explained(analyze=False, setting=SETTING) as found:
        act()
    told = [plan for sql, plan in found if part in sql]
    assert told, f"no statement with {part} among {[sql[:80] for sql, _ in found]}"
    return told


def uses(plan, index):
    return (index if connection.vendor == "postgresql" else SQLITE.get(index, index)) in plan


@pytest.fixture
def replica(people):
    Card.objects.bulk_create([Card(board=people.launch, title=str(n)) for n in range(50)])
    replica = Replica(people.ada, limit=20)
    replica.pull()
    return replica


def test_a_tail_is_read_by_scope(people, replica):
    """Also by statistics of a time when all entries were of one scope."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    crowd(2000)
    Card.objects.filter(board=people.launch).first().delete()
    act = replica.page
    (plan,) = plans(act, "SELECT c.position")
    assert uses(plan, "django_sync_change_scope")


def test_tombstones_by_object(people, replica):
    Card.objects.filter(board=people.launch).first().delete()
    assert all(
        uses(plan, "django_sync_tombstone_pkey")
        for plan in plans(replica.page, "FROM django_sync_tombstone")
    )


def test_a_page_of_a_snapshot_goes_by_scope_and_id(people, replica):
    """In the order of the index: nothing is sorted but the list of labels within each card."""
    new = Replica(people.ada, ("cards",), limit=10)
    new.page()
    (plan,) = plans(new.page, '"boards_card"."sync_scope" =')
    page, _, lists = plan.partition("SubPlan" if connection.vendor == "postgresql" else "SUBQUERY")
    assert "Sort" not in page
    assert plan.count("TEMP B-TREE") <= 1
    assert "boards_card_labels" in lists
    assert "Index" in page if connection.vendor == "postgresql" else "USING INDEX" in page


def test_a_page_without_lists_is_not_sorted(people, replica):
    Label.objects.bulk_create([Label(board=people.launch, name=str(n)) for n in range(50)])
    new = Replica(people.ada, ("labels",), limit=10)
    new.page()
    (plan,) = plans(new.page, '"boards_label"."sync_scope" =')
    assert "Sort" not in plan
    assert "TEMP B-TREE" not in plan


def test_a_view_by_its_digest(people, replica):
    replica.cursor = None
    for plan in plans(replica.pull, 'FROM "django_sync_scopeset"'):
        assert uses(plan, "django_sync_scopeset")


@pytest.mark.postgresql
def test_the_move_to_the_log_by_the_key_of_the_outbox(people, replica):
    Card.objects.create(board=people.launch, title="waits")
    (plan,) = plans(sequencer.sequence, "WITH gone AS")
    assert "Seq Scan" not in plan
    assert uses(plan, "django_sync_outbox_pkey")


@pytest.mark.postgresql
@pytest.mark.parametrize("statistics", ["none", "of an empty outbox"])
def test_a_step_of_the_move_does_not_read_the_whole_outbox(people, replica, statistics):
    """As the planner decides by itself: a join with a long outbox was a hash of all of it, which
    each step made anew."""
    sequencer.sequence()
    with connection.cursor() as cursor:
        if statistics != "none":
            cursor.execute(f"ANALYZE {tables.OUTBOX}")
        cursor.execute(
            f"INSERT INTO {tables.OUTBOX} (model, object_id, revision, op, columns, scope, at)"
            " SELECT 'boards.card', gen_random_uuid(), 1, 'u', 'title', 'tenant', now()"
            " FROM generate_series(1, 20000)"
        )
    with explained(analyze=False) as found:
        sequencer.catch_up()
    moves = [plan for sql, plan in found if "WITH gone AS" in sql]
    assert len(moves) == sequencer.STEPS
    for plan in moves:
        assert f"Seq Scan on {tables.OUTBOX}" not in plan
        assert "Tid Scan" in plan
        assert "Join" not in plan


@pytest.mark.parametrize("statistics", ["none", "up to date"])
def test_an_idle_pull_by_the_keys_of_its_tables(people, replica, statistics):
    """The one statement reads an entry of the log, one row of the feed, and small tables."""
    crowd(2000)
    replica.pull()
    if statistics != "none":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    (plan,) = plans(replica.page, "SELECT h.epoch")
    if connection.vendor == "postgresql":
        assert uses(plan, "django_sync_change_pkey")
        assert f"Seq Scan on {tables.CHANGE}" not in plan
        assert "Nested Loop" not in plan
    else:
        assert "SEARCH django_sync_change USING INTEGER PRIMARY KEY" in plan
        assert plan.count("SCAN") == 2, plan  # the outbox, which is empty there, and generations


def test_a_batch_finds_its_results_and_its_objects_history(people, replica):
    phone = Phone(people.ada)
    card = Card.objects.filter(board=people.launch).first()
    phone.send(phone.create("cards", title="x", board=str(people.launch.sync_id)))
    old = phone.update(card, title="mine")
    Card.objects.filter(pk=card.pk).update(votes=3)
    sequencer.sequence()
    settled(Client.objects.get(), 2000)
    with explained(analyze=False, setting=SETTING) as found:
        phone.send(old)
    told = {
        index: [plan for sql, plan in found if part in sql]
        for index, part in (
            ("django_sync_result_mutation", "r.mutation_id"),
            ("django_sync_change_object", "UNION ALL SELECT revision"),
            ("django_sync_result_object", f'SELECT "{RESULTS}"."revision_before"'),
        )
    }
    assert all(told.values()), [sql for sql, _ in found]
    for index, found_plans in told.items():
        assert uses(found_plans[0], index), found_plans
