"""Installing, adopting, verifying; roles, TRUNCATE."""

import uuid
from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection, models, transaction

from django_sync import capture
from django_sync.capture.install import found, parts_of
from django_sync.models import Generation
from tests.app.models import Doc, Event, Guest, Note, Project

from .conftest import Entry, Watch, entries, row

pytestmark = pytest.mark.django_db


def run(*statements: str) -> None:
    connection.check_constraints()  # else PostgreSQL has events pending, and alters no table
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def generation(model: type[models.Model]) -> int:
    found = Generation.objects.filter(model=model._meta.label_lower).first()
    return found.value if found else 1


def queries_of(act: Any) -> int:
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        act()
    return len([q for q in captured if q["sql"].startswith(("CREATE", "DROP"))])


# The spec


def test_the_spec_of_a_model() -> None:
    spec = capture.spec_for(Note)
    assert spec.label == "testapp.note"
    assert [c.name for c in spec.columns] == ["id", "doc", "text"]
    assert spec.path
    assert [(h.table, h.key, h.column) for h in spec.path.hops] == [
        ("testapp_doc", "id", "project_id"),
        ("testapp_project", "id", "sync_id"),
    ]
    assert "updated_at" not in [c.name for c in capture.spec_for(Doc).columns]
    assert "loud" not in [c.name for c in capture.spec_for(Doc).columns]
    guest = capture.spec_for(Guest).path
    assert guest
    assert (guest.source, guest.hops, guest.is_uuid) == ("event_id", (), True)


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("nothing", "no field"),
        ("text__doc", "no foreign key"),
        ("doc__notes", "no column"),
        ("doc__loud", "generated"),
        ("doc__body", "longer than"),
        ("doc__notes__doc", "no column"),
    ],
)
def test_paths_that_are_refused(path: str, says: str) -> None:
    capture.set_scope_path(Note, path)
    try:
        assert says in " ".join(capture.spec_problems(Note))
        with pytest.raises(ImproperlyConfigured):
            capture.spec_for(Note)
    finally:
        capture.forget_scope_path(Note)


def test_every_model_of_the_tests_is_well() -> None:
    assert [capture.spec_problems(model) for model in capture.synced_models()] == [
        [] for _ in capture.synced_models()
    ]


# Installing


def test_all_is_well_after_migrate() -> None:
    assert capture.verify() == []


def test_installing_again_does_nothing() -> None:
    assert queries_of(capture.install) == 0
    report = capture.install()
    assert (report.made, report.dropped, report.bare, report.skipped) == ([], [], [], [])
    assert queries_of(lambda: capture.after_migrate("default")) == 0


def test_what_is_missing_altered_and_stray() -> None:
    names = {part.name: part for part in parts_of(capture.spec_for(Note))}
    named = {name for name, part in names.items() if "testapp.note" in part.text}
    one, two, *_ = [trigger for trigger in found() if trigger.name in named]
    part = names[two.name]
    run(*one.drop, *(s.replace("testapp.note", "testapp.nota") for s in part.create))
    stray = [s.replace(part.name, part.name + "x") for s in part.create]
    run(*stray)
    assert {(p.kind, p.name) for p in capture.verify()} == {
        ("missing", one.name),
        ("altered", two.name),
        ("stray", two.name + "x"),
    }
    report = capture.install()
    assert {part.name for part in report.made} == {one.name, two.name}
    assert [trigger.name for trigger in report.dropped] == [two.name + "x"]
    assert capture.verify() == []


@pytest.mark.postgresql
def test_a_trigger_that_was_switched_off_is_found() -> None:
    trigger = next(t for t in found() if t.table == "testapp_note")
    run(f"ALTER TABLE testapp_note DISABLE TRIGGER {trigger.name}")
    assert [(p.kind, p.name) for p in capture.verify()] == [("altered", trigger.name)]
    capture.install()
    assert capture.verify() == []


def test_one_model_alone() -> None:
    connection.check_constraints()
    capture.uninstall()
    capture.install([Note])
    assert {p.label for p in capture.verify()} == {
        m._meta.label_lower for m in capture.synced_models()
    } - {"testapp.note"}
    capture.install()


def test_another_path_computes_scopes_anew_and_moves_the_generation() -> None:
    project = Project.objects.create(name="p")
    doc = Doc.objects.create(project=project, title="d")
    note = Note.objects.create(doc=doc, text="n")
    w = Watch(note)
    capture.set_scope_path(Note, "doc")
    connection.check_constraints()
    try:
        before = generation(Note)
        capture.after_migrate("default")
        assert row(note) == (1, str(doc.sync_id))
        assert w.new() == []
        assert generation(Note) == before + 1
    finally:
        capture.forget_scope_path(Note)
        connection.check_constraints()
        capture.after_migrate("default")
    assert row(note) == (1, str(project.sync_id))


# Adopting


@pytest.fixture
def strangers() -> Project:
    """Rows as they are when the columns have just been added."""
    project = Project.objects.create(name="p")
    docs = [Doc.objects.create(project=project, title=str(i)) for i in range(7)]
    Note.objects.create(doc=docs[0], text="n")
    Guest.objects.create(event=Event.objects.create(name="e"), name="g")
    connection.check_constraints()
    capture.uninstall()
    for table in ("doc", "note", "project", "guest"):
        run(f"UPDATE testapp_{table} SET sync_id = NULL, sync_scope = NULL")
    run("UPDATE testapp_event SET sync_scope = NULL")
    for kind in ("change", "outbox", "generation"):
        run(f"DELETE FROM django_sync_{kind}")
    connection.check_constraints()
    return project


def test_adoption(strangers: Project) -> None:
    capture.after_migrate("default")
    assert capture.verify() == []
    project = Project.objects.get()
    for model, scope in (
        (Project, project.sync_id),
        (Doc, project.sync_id),
        (Note, project.sync_id),
        (Event, "hall"),
        (Guest, Event.objects.get().pk),
    ):
        for obj in model._base_manager.all():
            assert row(obj) == (1, str(scope))
            assert entries(model, obj.sync_id) == []
        assert generation(model) == 2


def test_adoption_in_batches_that_can_be_left(strangers: Project) -> None:
    capture.install()
    seen: list[tuple[str, int]] = []

    class LeaveError(Exception):
        pass

    def leave(label: str, filled: int) -> None:
        seen.append((label, filled))
        if filled >= 4:
            raise LeaveError

    capture.adopt(Project)
    with pytest.raises(LeaveError):
        capture.adopt(Doc, batch=2, progress=leave)
    assert seen == [("testapp.doc", 2), ("testapp.doc", 4)]
    assert Doc.objects.filter(sync_id=None).count() == 3
    lacking = {p.label for p in capture.verify() if p.kind == "unadopted"}
    assert lacking == {f"testapp.{name}" for name in ("doc", "note", "event", "guest")}
    assert capture.adopt(Doc, batch=2) == 3
    assert not Doc.objects.filter(sync_id=None).exists()


def test_a_large_table_is_left_for_the_command(strangers: Project, settings: Any) -> None:
    settings.DJANGO_SYNC = {"ADOPT_AT_MIGRATE": 6}
    told = StringIO()
    report = capture.after_migrate("default", verbosity=1, stdout=told)
    assert report
    assert report.postponed == ["testapp.doc"]
    assert "sync_adopt testapp.doc" in told.getvalue()
    assert {(p.kind, p.label) for p in capture.verify()} >= {("unadopted", "testapp.doc")}
    before = generation(Doc)

    out = StringIO()
    call_command("sync_adopt", "testapp.doc", dry_run=True, stdout=out)
    assert out.getvalue() == "testapp.doc: 7 rows to adopt\n"
    call_command("sync_adopt", "testapp.doc", batch_size=3, stdout=out)
    assert out.getvalue().splitlines()[1:] == [
        *(f"testapp.doc: {n} of 7" for n in (3, 6, 7)),
        "testapp.doc: 7 rows adopted",
    ]
    assert generation(Doc) == before + 1
    call_command("sync_adopt", stdout=out)
    assert capture.verify() == []
    for words in (["no.such"], ["--batch-size", "0"]):
        with pytest.raises(CommandError):
            call_command("sync_adopt", *words)


def test_a_write_before_adoption_comes_to_the_row(strangers: Project) -> None:
    capture.install()
    doc = Doc.objects.earliest("pk")
    Doc.objects.filter(pk=doc.pk).update(title="x")
    doc.refresh_from_db()
    assert doc.sync_id is not None
    assert entries(Doc, doc.sync_id) == [Entry("u", 2, "title", None)]
    doc.tags.create(name="t")
    assert row(doc)[0] == 3
    capture.adopt(Project)
    assert row(doc)[1] == str(Project.objects.get().sync_id)


def test_a_touch_or_delete_of_a_row_without_an_id(strangers: Project) -> None:
    capture.install()
    doc = Doc.objects.earliest("pk")
    doc.tags.create(name="t")
    assert row(doc)[0] == 1
    Doc.objects.filter(pk=doc.pk).delete()


# Gaps


def test_triggers_that_were_away_move_the_generation() -> None:
    doc = Doc.objects.create(title="d")
    before = generation(Doc), generation(Note)
    gone = [t for t in found() if t.name in {p.name for p in parts_of(capture.spec_for(Doc))}]
    run(*(statement for trigger in gone for statement in trigger.drop))
    Doc.objects.update(title="unseen")
    connection.check_constraints()
    capture.after_migrate("default")
    assert generation(Doc) == before[0] + 1
    assert generation(Note) == before[1]
    w = Watch(doc)
    Doc.objects.update(title="seen")
    assert [e.op for e in w.new()] == ["u"]


@pytest.mark.django_db(transaction=True)
def test_migrate_itself_with_nothing_to_do() -> None:
    call_command("migrate", verbosity=0)
    assert capture.verify() == []


# Roles


@pytest.mark.postgresql
def test_a_role_that_may_only_insert(settings: Any) -> None:
    project = Project.objects.create(name="p")
    role = f"cap_guest_{uuid.uuid4().hex[:8]}"
    with transaction.atomic():
        run(
            f"CREATE ROLE {role}",
            f"GRANT USAGE ON SCHEMA public TO {role}",
            f"GRANT INSERT ON testapp_doc TO {role}",
            f"GRANT USAGE ON SEQUENCE testapp_doc_id_seq TO {role}",
            f"SET LOCAL ROLE {role}",
            "SET LOCAL search_path = pg_temp",
            'INSERT INTO public.testapp_doc (project_id, "the title", body, meta, votes, '
            "updated_at)"
            f" VALUES ({project.pk}, 'guest', '', '{{}}', 0, now())",
            "RESET ROLE",
            "SET LOCAL search_path = public",
        )
        doc = Doc.objects.get(title="guest")
        assert entries(Doc, doc.sync_id) == [Entry("c", 1, "", str(project.sync_id))]
