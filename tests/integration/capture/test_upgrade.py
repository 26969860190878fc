"""An installation with the triggers of an earlier version: ``migrate`` replaces them without a gap.

``before`` holds the statements that made those of two models in that version: one trigger for
each row on PostgreSQL, two writes of a row on SQLite.
"""

import json
import threading
import uuid
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor

from django_sync import capture
from django_sync.capture.install import found
from django_sync.models import Feed, Tombstone
from tests.app.models import Doc, Event, Project
from tests.processes import until

from .conftest import log, row

# The log has to be empty: where another test's rows were flushed, the deletes were captured.
pytestmark = pytest.mark.usefixtures("transactional_db")

BEFORE = Path(__file__).parent / "before"
MODELS = (Doc, Event)


@pytest.fixture
def old() -> list[str]:
    """The triggers of the earlier version in place of ours, and their names."""
    made = json.loads((BEFORE / f"{connection.vendor}.json").read_text())
    labels = {model._meta.label_lower for model in MODELS}
    with transaction.atomic(), connection.cursor() as cursor:
        for one in found():
            if one.label in labels:
                for statement in one.drop:
                    cursor.execute(statement)
        for one in made:
            for statement in one["create"]:
                cursor.execute(statement)
    return [one["name"] for one in made]


def whole(labels: set[str]) -> None:
    """Revisions of each object rise one by one, and the last entry says what the row is."""
    by_object: dict[Any, list[Any]] = defaultdict(list)
    for entry in log().filter(model__in=labels):
        by_object[entry.object_id].append(entry)
    for entries in by_object.values():
        assert (entries[0].op, entries[0].revision) == ("c", 1)
        for one, next_ in pairwise(entries):
            assert next_.revision == one.revision + 1
    for model in MODELS:
        alive = {obj.sync_id: row(obj) for obj in model.objects.all()}
        assert alive.keys() <= by_object.keys()
        for id, entries in by_object.items():
            if entries[0].model == model._meta.label_lower:
                assert (entries[-1].op == "d") == (id not in alive)
                assert id not in alive or (entries[-1].revision, entries[-1].scope) == alive[id]


def test_an_upgrade_replaces_every_trigger(old: list[str]) -> None:
    doc = Doc.objects.create(project=Project.objects.create(name="p"), title="a")
    event = Event.objects.create(name="e")
    Event.objects.all().delete()
    Feed.objects.create(id=1)
    report = capture.after_migrate("default")
    assert report
    assert not report.bare
    assert capture.verify() == []
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:  # none is left that runs once for each row of these
            cursor.execute(
                "SELECT count(*) FROM pg_trigger WHERE tgrelid = 'testapp_event'::regclass "
                "AND NOT tgisinternal AND tgtype & 3 = 1 AND tgtype & 12 <> 0"
            )
            assert cursor.fetchone()[0] == 0
    Doc.objects.update(title="b")
    Event.objects.create(pk=event.pk, name="e")
    whole({"testapp.doc", "testapp.event"})
    assert row(doc)[0] == 2


def sql_of(step: int) -> list[tuple[str, list[Any]]]:
    """What a program writes in one transaction: rows that come, change and go."""
    id, other = uuid.uuid4(), uuid.uuid4()
    many = "INSERT INTO testapp_event (id, room, name, seats) VALUES (%s, 'hall', %s, 0)"
    return [
        (f"{many}, (%s, 'hall', %s, 0)", [id, str(id), other, str(other)]),
        ("UPDATE testapp_event SET seats = seats + 1 WHERE id IN (%s, %s)", [id, other]),
        ("UPDATE testapp_doc SET votes = votes + 1", []),
        ("DELETE FROM testapp_event WHERE id = %s", [id]),
        (many, [id, str(id)]),
    ]


class Writer(threading.Thread):
    """Another program, which writes all the time."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        params = connection.get_connection_params()
        known = ("dbname", "user", "host", "port", "password")
        self.session = psycopg.connect(**{k: params[k] for k in known if k in params})
        self.error: psycopg.Error | None = None
        self.committed, self.is_done = 0, False
        self.start()

    def run(self) -> None:
        try:
            while not self.is_done:
                for statement, values in sql_of(self.committed):
                    self.session.execute(statement, values)
                self.session.commit()
                self.committed += 1
        except psycopg.Error as error:
            self.error = error
        finally:
            self.session.close()


@pytest.mark.postgresql
def test_no_write_escapes_while_triggers_are_replaced(old: list[str]) -> None:
    Doc.objects.create(project=Project.objects.create(name="p"), title="a")
    Feed.objects.create(id=1)
    writers = [Writer(), Writer()]
    until(lambda: all(w.committed > 5 or w.error for w in writers), "both write")
    capture.after_migrate("default")
    after = [w.committed for w in writers]
    until(
        lambda: all(w.committed > n + 5 or w.error for w, n in zip(writers, after, strict=True)),
        "both write on",
    )
    for writer in writers:
        writer.is_done = True
        writer.join(20)
        assert writer.error is None
    assert capture.verify() == []
    total = sum(w.committed for w in writers)
    assert Event.objects.count() == 2 * total
    assert log().filter(model="testapp.event").count() == 6 * total
    assert row(Doc.objects.get())[0] == 1 + total
    whole({"testapp.doc", "testapp.event"})


def test_tombstones_change_their_key_and_back() -> None:
    Event.objects.create(name="e")
    Event.objects.all().delete()
    before = list(Tombstone.objects.values_list("model", "object_id", "revision", "scope"))
    assert len(before) == 1
    try:
        MigrationExecutor(connection).migrate([("django_sync", "0008_session_orders")])
        with connection.cursor() as cursor:
            cursor.execute("SELECT revision FROM django_sync_tombstone WHERE id IS NOT NULL")
            assert cursor.fetchall() == [(before[0][2],)]
    finally:
        executor = MigrationExecutor(connection)  # to the newest: later tests share the schema
        executor.migrate(executor.loader.graph.leaf_nodes("django_sync"))
    assert list(Tombstone.objects.values_list("model", "object_id", "revision", "scope")) == before
    Event.objects.create(pk=before[0][1], name="e")
    assert row(Event.objects.get())[0] == 3
    assert capture.verify() == []
