"""C3: tables are altered under their triggers, and no write escapes, whoever alters them.

There is no ``migrate`` here: a schema editor, or SQL, as ``RunSQL`` has it. The models are as
the code has them; the tests take a table back to what it was and forward again.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection, migrations, models, transaction
from django.db.migrations.state import ModelState, ProjectState

from django_sync import capture
from django_sync.capture import schema_changes
from django_sync.capture.install import found
from django_sync.models import Feed, Generation, Tombstone
from tests.app.models import Cafe, Doc, Event, Guest, Note, Place, Project, Tag

from .conftest import Entry, Watch, entries, row

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _whole_again() -> Iterator[None]:
    yield
    capture.after_migrate("default")
    assert capture.verify() == []


def now() -> ProjectState:
    state = ProjectState()
    for model in apps.get_models(include_auto_created=False):
        state.add_model(ModelState.from_model(model))
    return state


def generations() -> dict[str, int]:
    return dict(Generation.objects.values_list("model", "value"))


def run(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


class Altering:
    """A schema change as a migration would make it, from what was before to what the code says."""

    def __init__(self, back: Any, forward: Any) -> None:
        self.after = now()
        self.before = self.after.clone()
        back.state_forwards("testapp", self.before)
        self.back, self.forward = back, forward

    def go_back(self) -> None:
        with connection.schema_editor(atomic=True) as editor:
            self.back.database_forwards("testapp", editor, self.after.clone(), self.before.clone())

    def go_forward(self) -> None:
        with connection.schema_editor(atomic=True) as editor:
            self.forward.database_forwards(
                "testapp", editor, self.before.clone(), self.after.clone()
            )


def field(name: str, model: Any = Doc, **changes: Any) -> Any:
    made = model._meta.get_field(name).clone()
    for key, value in changes.items():
        setattr(made, key, value)
    return made


CHANGES = {
    "AddField": (
        migrations.RemoveField("doc", "votes"),
        migrations.AddField("doc", "votes", field("votes")),
    ),
    "AddField of a many-to-many": (
        migrations.RemoveField("doc", "tags"),
        migrations.AddField("doc", "tags", field("tags")),
    ),
    "RemoveField": (
        migrations.AddField("doc", "legacy", models.CharField(max_length=9, default="x")),
        migrations.RemoveField("doc", "legacy"),
    ),
    "RenameField": (
        migrations.RenameField("doc", "votes", "points"),
        migrations.RenameField("doc", "points", "votes"),
    ),
    "RenameField of the scope's key": (
        migrations.RenameField("doc", "project", "launch"),
        migrations.RenameField("doc", "launch", "project"),
    ),
    "AlterField that is longer": (
        migrations.AlterField("event", "room", models.CharField(max_length=10, default="hall")),
        migrations.AlterField("event", "room", field("room", Event)),
    ),
    "an index": (
        migrations.AddIndex("doc", models.Index(fields=["votes"], name="some_index")),
        migrations.RemoveIndex("doc", "some_index"),
    ),
    "AlterField on the way to the scope": (
        migrations.AlterField("project", "name", models.TextField()),
        migrations.AlterField("project", "name", field("name", Project)),
    ),
    "AlterField of a child table": (
        migrations.AddField("cafe", "stars", models.IntegerField(null=True)),
        migrations.RemoveField("cafe", "stars"),
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_writes_are_seen_after_each_change_and_no_generation_moves(change: str) -> None:
    project = Project.objects.create(name="p")
    doc = Doc.objects.create(project=project, title="d")
    note = Note.objects.create(doc=doc, text="n")
    cafe = Cafe.objects.create(name="c")
    act = Altering(*CHANGES[change])
    capture.after_migrate("default")
    before = generations()

    act.go_back()
    watches = [Watch(note), Watch(cafe)]
    Note.objects.update(text="m")
    Cafe.objects.update(seats=7)
    for w, columns in zip(watches, ("text", "seats"), strict=True):
        w.updated(columns)
    id, last = doc.sync_id, entries(Doc, doc.sync_id)[-1]
    Doc.objects.filter(pk=doc.pk).update(title="while it was otherwise")
    assert entries(Doc, id)[-1] == Entry("u", last.revision + 1, "title", str(project.sync_id))

    act.go_forward()
    w = Watch(doc)
    Doc.objects.update(votes=9)
    w.updated("votes")
    doc.tags.add(Tag.objects.create(name="t"))
    w.updated("tags")
    assert [p for p in capture.verify() if p.kind != "altered"] == []
    capture.after_migrate("default")
    assert {k: v for k, v in generations().items() if k != "testapp.project"} == {
        k: v for k, v in before.items() if k != "testapp.project"
    }


def test_a_column_that_is_yet_to_be_renamed_is_watched() -> None:
    doc = Doc.objects.create(title="d")
    act = Altering(*CHANGES["RenameField"])
    act.go_back()
    run("UPDATE testapp_doc SET points = 3")
    last = entries(Doc, doc.sync_id)[-1]
    assert (last.op, last.revision) == ("u", 2)
    assert {"title", "votes"} <= set(last.columns.split(","))
    act.go_forward()


def test_rows_written_between_the_schema_operations_of_one_migration() -> None:
    """RunPython, with triggers in place on either database."""
    doc = Doc.objects.create(title="d")
    w = Watch(doc)
    capture.after_migrate("default")
    before = generations()
    extra = migrations.AddField("doc", "extra", models.IntegerField(default=3))
    state = now()
    middle = state.clone()
    extra.state_forwards("testapp", middle)
    with connection.schema_editor(atomic=True) as editor:
        extra.database_forwards("testapp", editor, state.clone(), middle.clone())
        historical = middle.apps.get_model("testapp", "doc")
        historical.objects.update(title="by RunPython")
        new = historical.objects.create(title="new")
        connection.check_constraints()  # PostgreSQL alters no table with such checks pending
        migrations.RemoveField("doc", "extra").database_forwards(
            "testapp", editor, middle.clone(), state.clone()
        )
        state.apps.get_model("testapp", "doc").objects.filter(pk=doc.pk).update(votes=4)
    assert [(e.op, e.columns) for e in w.new()] == [("u", "title"), ("u", "votes")]
    assert [e.op for e in entries(Doc, Doc.objects.get(pk=new.pk).sync_id)] == ["c"]
    assert generations() == before


@pytest.mark.parametrize(
    ("name", "was"),
    [
        ("votes", models.CharField(max_length=9, default="0")),
        ("votes", models.FloatField(default=0)),
    ],
)
def test_a_conversion_of_content_moves_the_generation(name: str, was: Any) -> None:
    Doc.objects.create(title="d")
    before, note = (generations().get(f"testapp.{name}", 1) for name in ("doc", "note"))
    act = Altering(
        migrations.AlterField("doc", name, was), migrations.AlterField("doc", name, field(name))
    )
    act.go_back()
    act.go_forward()
    assert generations()["testapp.doc"] == before + 2
    assert generations().get("testapp.note", 1) == note


def test_nulls_that_are_filled_are_no_secret() -> None:
    """PostgreSQL does it by an UPDATE, which is seen; SQLite while it makes the table anew."""
    act = Altering(
        migrations.AlterField("doc", "votes", models.IntegerField(null=True)),
        migrations.AlterField("doc", "votes", field("votes")),
    )
    act.go_back()
    doc = Doc.objects.create(title="d")
    Doc.objects.update(votes=None)
    before, w = generations().get("testapp.doc", 1), Watch(doc)
    act.go_forward()
    assert Doc.objects.get().votes == 0
    if connection.vendor == "postgresql":
        w.updated("votes")
    else:
        assert generations()["testapp.doc"] == before + 1


# Models that are called otherwise


def test_a_renamed_model_keeps_its_history(monkeypatch: Any) -> None:
    """The table with it: the feed goes on, and no generation moves."""
    Feed.objects.create(id=1)  # somebody has read
    event = Event.objects.create(name="ball")
    guest, other = (Guest.objects.create(event=event, name=n) for n in "ab")
    gone = other.sync_id
    other.delete()
    capture.after_migrate("default")
    before = generations()
    real = schema_changes._specs

    def visitors() -> list[capture.Spec]:
        return [
            replace(s, label="testapp.visitor", table="testapp_visitor")
            if s.label == "testapp.guest"
            else s
            for s in real()
        ]

    rename = migrations.RenameModel("guest", "visitor")
    monkeypatch.setattr(schema_changes, "_specs", visitors)
    act = Altering(rename, migrations.RenameModel("visitor", "guest"))
    act.go_back()
    assert {t.label for t in found() if t.table == "testapp_visitor"} == {"testapp.visitor"}
    assert Tombstone.objects.get(object_id=gone).model == "testapp.visitor"
    run("UPDATE testapp_visitor SET name = 'c'")
    monkeypatch.undo()
    act.go_forward()
    capture.after_migrate("default")
    assert capture.verify() == []
    assert [e.op for e in entries(Guest, guest.sync_id)] == ["c", "u"]
    assert Tombstone.objects.get(object_id=gone).model == "testapp.guest"
    assert generations() == before
    w = Watch(guest)
    Guest.objects.update(name="d")
    w.updated("name")


def test_a_model_that_is_synced_no_more(monkeypatch: Any) -> None:
    """Columns, triggers, index and functions go; the feed goes on for the others."""
    guest = Guest.objects.create(event=Event.objects.create(name="ball"), name="a")
    doc = Doc.objects.create(title="d")
    real = schema_changes._specs
    state = now()
    plain = state.clone()
    monkeypatch.setattr(
        schema_changes, "_specs", lambda: [s for s in real() if s.label != "testapp.guest"]
    )
    names = ("sync_id", "sync_revision", "sync_scope")
    with connection.schema_editor(atomic=True) as editor:
        for name in names:
            step: Any = migrations.RemoveField("guest", name)
            old = plain.clone()
            step.state_forwards("testapp", plain)
            step.database_forwards("testapp", editor, old, plain.clone())
    assert not [t for t in found() if t.label == "testapp.guest"]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_proc WHERE prosrc LIKE '%testapp.guest%'")
            assert cursor.fetchone()[0] == 0
    run("UPDATE testapp_guest SET name = 'unseen, and no error'")
    w = Watch(doc)
    Doc.objects.update(votes=2)
    w.updated("votes")
    monkeypatch.undo()
    with connection.schema_editor(atomic=True) as editor:
        for name in names:
            step = migrations.AddField("guest", name, state.models["testapp", "guest"].fields[name])
            old = plain.clone()
            step.state_forwards("testapp", plain)
            step.database_forwards("testapp", editor, old, plain.clone())
    capture.after_migrate("default")
    guest.refresh_from_db()
    assert row(guest) == (1, str(guest.event_id))


# Not by migrations


def test_sql_that_alters_a_table() -> None:
    doc = Doc.objects.create(title="d")
    before = generations()
    run("ALTER TABLE testapp_doc ADD COLUMN more integer")
    w = Watch(doc)
    Doc.objects.update(votes=2)
    w.updated("votes")
    run("ALTER TABLE testapp_doc DROP COLUMN more")
    Doc.objects.update(votes=3)
    w.updated("votes")
    if connection.vendor == "postgresql":
        assert generations() == before
    else:  # outside a transaction, where another program may have written between
        assert generations()["testapp.doc"] == before.get("testapp.doc", 1) + 2


def test_a_schema_change_that_is_rolled_back() -> None:
    doc = Doc.objects.create(title="d")
    connection.check_constraints()
    with transaction.atomic():
        run("ALTER TABLE testapp_doc ADD COLUMN more integer")
        transaction.set_rollback(True)
    assert capture.verify() == []
    w = Watch(doc)
    Doc.objects.update(votes=2)
    w.updated("votes")


def test_flush_leaves_a_feed_that_works() -> None:
    Place.objects.create(name="x")
    call_command("flush", interactive=False, verbosity=0)
    assert capture.verify() == []
    place = Place.objects.create(name="y")
    assert entries(Place, place.sync_id) == [Entry("c", 1, "", "")]


def test_dump_and_load_keep_ids_and_revisions(tmp_path: Any) -> None:
    project = Project.objects.create(name="p")
    doc = Doc.objects.create(project=project, title="d")
    Doc.objects.update(votes=3)
    id, (revision, scope) = doc.sync_id, row(doc)
    dump = str(tmp_path / "dump.json")
    call_command("dumpdata", "testapp", output=dump, verbosity=0)
    call_command("flush", interactive=False, verbosity=0)
    call_command("loaddata", dump, verbosity=0)
    loaded = Doc.objects.get()
    assert (loaded.sync_id, row(loaded)) == (id, (revision, scope))
    assert entries(Doc, id)[-1] == Entry("c", revision, "", scope)
    w = Watch(loaded)
    Doc.objects.update(votes=4)
    w.updated("votes")
