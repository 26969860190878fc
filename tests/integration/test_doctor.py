"""The doctor: what it finds, what it mends, and that it changes nothing unasked; and the status."""

from __future__ import annotations

import datetime
import io
import json
import uuid

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from django_sync import capture
from django_sync.capture.base import index_name
from django_sync.capture.install import found
from django_sync.feed import log as feed_log
from django_sync.feed import sequencer
from django_sync.maintenance import doctor, retention
from django_sync.maintenance.doctor import examine, mend
from django_sync.maintenance.status import status
from django_sync.models import Change, Feed, Generation, Outbox, Tombstone
from example_project.boards.models import Board, Card
from tests.app.models import Doc, Event, Note, Place, Project
from tests.replica import Replica, truth

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def there(people):
    """A feed with something in it, in good health."""
    feed_log.state()
    sequencer.sequence()


def kinds(findings=None):
    return [f.kind for f in (examine() if findings is None else findings)]


def run(*statements):
    connection.check_constraints()  # else PostgreSQL has events pending, and alters no table
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def behind_the_triggers(*statements):
    """Write as a program would that capture cannot see."""
    connection.check_constraints()
    with transaction.atomic():
        capture.uninstall()
        run(*statements)
        capture.install()


def generation(model):
    return dict(Generation.objects.values_list("model", "value")).get(model._meta.label_lower, 1)


def command(name, *args):
    """What a command says, and the code it ends with."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    try:
        call_command(name, *args, stdout=out, stderr=err)
    except SystemExit as end:
        code = end.code
    return out.getvalue() + err.getvalue(), code


def mended():
    found = examine()
    mend(found)
    return examine()


def test_health(people):
    assert examine() == []
    assert command("sync_doctor") == ("All is well.\n", 0)


# Capture


def test_a_trigger_that_is_missing_altered_or_stray(people):
    one, two = [t for t in found() if t.table == "boards_card"][:2]
    run(*one.drop)
    before = generation(Card)
    (finding,) = examine()
    assert (finding.kind, finding.label, finding.count) == ("missing", "boards.card", 1)
    assert one.name in finding.examples[0]
    assert two not in mended()
    assert examine() == []
    assert generation(Card) > before, "writes may have gone unseen"


@pytest.mark.sqlite
def test_a_trigger_of_ours_that_was_altered(people):
    one = next(t for t in found() if t.table == "boards_card" and "update" in t.name)
    run(
        *one.drop,
        f'CREATE TRIGGER "{one.name}" AFTER UPDATE ON boards_card BEGIN SELECT 1; END',
    )
    assert kinds() == ["altered"]
    assert mended() == []


@pytest.mark.postgresql
def test_a_trigger_that_was_disabled(people):
    one = next(t for t in found() if t.table == "boards_card")
    run(f'ALTER TABLE boards_card DISABLE TRIGGER "{one.name}"')
    assert kinds() == ["altered"]
    assert mended() == []


def test_an_index_that_is_missing(people):
    run(f'DROP INDEX "{index_name(capture.spec_for(Card))}"')
    assert [(f.kind, f.label) for f in examine()] == [("index", "boards.card")]
    assert mended() == []


# Rows


def test_rows_without_an_id_and_in_a_wrong_scope(people):
    card = Card.objects.filter(board=people.launch).first()
    before = generation(Card)
    behind_the_triggers(
        "UPDATE boards_card SET sync_scope = 'elsewhere' WHERE sync_id IS NOT NULL",
        "UPDATE boards_label SET sync_id = NULL",
    )
    by = {f.kind: f for f in examine(batch=2)}
    assert by.keys() == {"scope", "unadopted"}
    assert (by["scope"].label, by["scope"].count) == ("boards.card", 3)
    told = f"{card.sync_id} is in “elsewhere” and belongs in “{people.launch.sync_id}”"
    assert told in by["scope"].examples
    assert mended() == []
    card.refresh_from_db()
    assert card.sync_scope == str(people.launch.sync_id)
    assert generation(Card) > before


def test_wrong_scopes_of_each_kind_of_path(people):
    project = Project.objects.create(name="p")
    doc = Doc.objects.create(project=project, title="d")
    Note.objects.create(doc=doc, text="n")
    Event.objects.create(name="e")
    Place.objects.create(name="p")
    tables = ("project", "doc", "note", "event", "place")
    assert examine() == []
    behind_the_triggers(*(f"UPDATE testapp_{t} SET sync_scope = 'wrong'" for t in tables))
    assert {f.label for f in examine()} == {f"testapp.{t}" for t in tables}
    assert mended() == []


def test_what_was_wrong_reaches_replicas_when_it_is_mended(people):
    """G6, G7: rows that were in a wrong scope come where they belong, and leave where not."""
    replica, other = Replica(people.ada), Replica(people.alan)
    wrong = str(people.private.sync_id)
    behind_the_triggers(f"UPDATE boards_card SET sync_scope = '{wrong}'")
    replica.pull()
    other.pull()
    assert replica.held() != truth(people.ada)
    assert mended() == []
    replica.pull()
    other.pull()
    assert replica.held() == truth(people.ada)
    assert other.held() == truth(people.alan)


def test_revisions_that_are_none_or_not_above_their_tombstone(people):
    low, dead = Card.objects.order_by("pk")[:2]
    Tombstone.objects.create(model="boards.card", object_id=dead.sync_id, revision=9)
    behind_the_triggers(f"UPDATE boards_card SET sync_revision = 0 WHERE id = {low.pk}")
    assert sorted(kinds()) == ["revision", "tombstone"]
    before = generation(Card)
    assert mended() == []
    low.refresh_from_db()
    dead.refresh_from_db()
    assert (low.sync_revision, dead.sync_revision) == (1, 10)
    assert generation(Card) > before
    assert capture.verify() == []


# Feed


def test_a_feed_without_state(people):
    Feed.objects.all().delete()
    assert kinds() == ["feed"]
    assert not Feed.objects.exists(), "looking makes nothing"
    assert mended() == []


@pytest.mark.postgresql
def test_a_head_behind_the_log_is_moved(people):
    """A sequencer would give positions twice."""
    Feed.objects.update(head=1)
    assert kinds() == ["head"]
    epoch = Feed.objects.get().epoch
    assert mended() == []
    assert Feed.objects.get().epoch == epoch


@pytest.mark.postgresql
@pytest.mark.parametrize("what", ["truncated", "gap"])
def test_a_log_that_lost_entries_begins_a_new_epoch(people, what):
    replica = Replica(people.ada)
    replica.pull()
    head = Feed.objects.get().head
    lost = {"position__gt": 0} if what == "truncated" else {"position": head - 1}
    Change.objects.filter(**lost).delete()
    assert kinds() == ["lost"]
    mend(examine())
    Card.objects.create(board=people.launch, title="After")
    replica.pull()
    assert replica.held() == truth(people.ada)


def test_a_floor_above_the_log(people):
    Feed.objects.update(floor=10_000)
    assert kinds() == ["lost"]
    assert mended() == []
    Replica(people.ada).pull()


def test_what_an_ended_prune_left_is_worth_a_note(people):
    Feed.objects.update(floor=feed_log.state()[0].head)
    (finding,) = examine()
    assert (finding.kind, finding.serious) == ("leftover", False)
    assert command("sync_doctor")[1] == 0
    retention.prune()
    assert examine() == []


@pytest.mark.postgresql
def test_an_outbox_that_is_stuck(people):
    Card.objects.create(board=people.launch, title="Waits")
    assert examine() == [], "it waits for a moment"
    Outbox.objects.update(at=timezone.now() - datetime.timedelta(hours=1))
    assert kinds() == ["outbox"]
    assert mended() == []


def test_traces_of_a_model_that_is_gone_are_worth_a_note(people):
    Tombstone.objects.create(model="old.model", object_id=uuid.uuid4(), revision=3)
    text, code = command("sync_doctor")
    assert code == 0
    assert "note: old.model: tombstones of a model that is not synced any more (1)" in text


# The commands


def test_the_doctor_changes_nothing_unasked_and_tells_its_codes(people):
    behind_the_triggers("UPDATE boards_card SET sync_scope = 'elsewhere'")
    text, code = command("sync_doctor", "-v2")
    assert code == 1
    assert "looking at boards.card" in text
    assert "problem: boards.card: rows are in a wrong scope (3)" in text
    assert "--fix computes them" in text
    assert "1 problems; nothing was changed." in text
    assert Card.objects.filter(sync_scope="elsewhere").count() == 3
    text, code = command("sync_doctor", "--fix")
    assert code == 2
    assert "fixed" in text
    assert "All problems were fixed." in text
    assert command("sync_doctor", "--fix") == ("All is well.\n", 0)


def test_the_doctor_as_json(people):
    behind_the_triggers("UPDATE boards_card SET sync_scope = 'elsewhere'")
    text, code = command("sync_doctor", "--json")
    told = json.loads(text)
    assert (code, told["verdict"]) == (1, "problems")
    assert told["found"] == told["left"]
    assert told["found"][0]["kind"] == "scope"
    text, code = command("sync_doctor", "--json", "--fix")
    assert (code, json.loads(text)["verdict"], json.loads(text)["left"]) == (2, "fixed", [])


def test_what_cannot_be_mended_is_left(people, monkeypatch):
    Feed.objects.all().delete()
    monkeypatch.setattr(doctor, "mend", lambda found: None)
    monkeypatch.setattr("django_sync.management.commands.sync_doctor.mend", lambda found: None)
    text, code = command("sync_doctor", "--fix")
    assert code == 1
    assert "1 problems are left." in text


def test_the_status(people):
    Replica(people.ada).pull()
    behind_the_triggers("UPDATE boards_label SET sync_id = NULL")
    told = status()
    assert told.epoch == str(Feed.objects.get().epoch)
    assert told.head == feed_log.state()[0].head
    assert told.changes == Change.objects.count()
    assert (told.unsequenced, told.lag, told.visibilities) == (0, 0, 1)
    labels = next(m for m in told.models if m.model == "boards.label")
    assert labels.without_id == 3
    text, code = command("sync_status")
    assert code == 0
    assert f"head, floor  {told.head}, 0" in text
    assert "boards.label: generation 1, 3 rows without an id" in text
    assert json.loads(command("sync_status", "--json")[0])["head"] == told.head


@pytest.mark.postgresql
def test_the_status_tells_of_lag(people):
    Card.objects.create(board=people.launch, title="Waits")
    Outbox.objects.update(at=timezone.now() - datetime.timedelta(seconds=90))
    assert command("sync_status", "--max-lag", "120")[1] == 0
    text, code = command("sync_status", "--max-lag", "60")
    assert code == 1
    assert "The outbox lags: 90 s, above 60 s." in text
    text, code = command("sync_status", "--max-lag", "60", "--json")
    assert code == 1
    assert 90 <= json.loads(text)["lag"] < 120


def test_the_status_of_a_feed_that_nobody_has_pulled(people):
    Feed.objects.all().delete()
    assert "none yet" in command("sync_status")[0]
    assert not Feed.objects.exists()


def test_prune_as_a_command(people):
    for n in range(5):
        Board.objects.create(name=f"Board {n}", owner=people.ada)
    sequencer.sequence()
    number, head = Change.objects.count(), feed_log.state()[0].head
    text, code = command("sync_prune", "--dry-run", "--keep", "2")
    assert code == 0
    assert f"Would forget {number - 2} changes, 0 results, 0 visibilities, 0 decisions" in text
    assert f"The floor would move from 0 to {head - 1}." in text
    assert Change.objects.count() == number
    text, code = command("sync_prune", "--keep", "2", "--batch-size", "3", "-v2")
    assert "3 changes so far" in text
    assert f"Forgot {number - 2} changes" in text
    told = json.loads(command("sync_prune", "--days", "0", "--json")[0])
    assert (told["changes"], told["floor"], told["dry_run"]) == (1, head, False)
    assert f"The floor is at {head}, as before." in command("sync_prune")[0]
    assert command("sync_prune", "-v0") == ("", 0)


def test_prune_tells_who_is_fetching(people):
    replica = Replica(people.ada, limit=1)
    replica.page()
    place = feed_log.state()[0].head
    Board.objects.create(name="Later", owner=people.ada)
    text, _ = command("sync_prune", "--days", "0")
    assert f"It goes no further: a client is fetching from {place}." in text
    assert f"held at {place}" in command("sync_status")[0]


@pytest.mark.parametrize("name", ["sync_prune", "sync_status", "sync_doctor"])
def test_another_database_is_refused(people, name):
    with pytest.raises(CommandError, match="Sync is on “default”"):
        call_command(name, database="replica")
    command(name, "--database", "default")


def test_prune_refuses_bounds_that_mean_nothing(people):
    with pytest.raises(CommandError, match="0 or more"):
        call_command("sync_prune", days=-1)
