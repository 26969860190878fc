"""Every way in which Django writes rows: what row and entries then tell."""

import uuid
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F

from django_sync.models import Tombstone
from django_sync.protocol.ids import new_id
from tests.app.models import (
    Author,
    Doc,
    Event,
    Note,
    Place,
    Project,
)

from .conftest import Entry, Watch, entries, row

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    return Project.objects.create(name="Launch")


@pytest.fixture
def doc(project: Project) -> Doc:
    author = Author.objects.create(name="Ada")
    return Doc.objects.create(project=project, author=author, title="Plan", meta={"a": 1})


@pytest.fixture
def other() -> Project:
    return Project.objects.create(name="Research")


def created(obj: Any, scope: str | None, revision: int = 1) -> None:
    assert row(obj) == (revision, scope)
    assert entries(type(obj), obj.sync_id)[-1] == Entry("c", revision, "", scope)


# Creating


def test_ids_that_sql_makes_lie_in_order_of_time() -> None:
    for i in range(3):
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO testapp_place (name) VALUES (%s)", [str(i)])
    ids = [place.sync_id for place in Place.objects.order_by("pk")]
    assert len({id.hex for id in ids}) == 3
    assert {id.version for id in ids} == {7}
    assert {id.variant for id in ids} == {uuid.RFC_4122}
    assert abs((ids[0].int >> 80) - (new_id().int >> 80)) < 60_000


# Updating


def test_the_edit_of_a_case(doc: Doc) -> None:
    w = Watch(doc)
    Doc.objects.update(title="PLAN")
    w.updated("title")


def test_the_edit_of_json(doc: Doc) -> None:
    w = Watch(doc)
    doc.meta = {"a": 1.0}
    doc.save()
    w.updated("meta")
    doc.meta = {"a": 1.0}
    doc.save()
    w.idle()


def test_what_is_ignored_and_what_is_generated(doc: Doc) -> None:
    w = Watch(doc)
    Doc.objects.update(updated_at="2026-02-02T00:00Z")
    w.idle()
    doc.title = "loud"
    doc.save()
    w.updated("title")


@pytest.mark.parametrize("value", [99, 0, -1, -2, -5, 2, 2**62, -(2**62), F("sync_revision") + 1])
def test_nobody_writes_the_revision(doc: Doc, value: Any) -> None:
    w = Watch(doc)
    Doc.objects.filter(pk=doc.pk).update(sync_revision=value)
    w.idle()
    Doc.objects.filter(pk=doc.pk).update(sync_revision=value, title="and more")
    w.updated("title")


def test_nobody_writes_scope_or_id(doc: Doc) -> None:
    w = Watch(doc)
    Doc.objects.update(sync_scope="evil")
    Doc.objects.update(sync_scope=None)
    Doc.objects.update(sync_id=uuid.uuid4())
    Doc.objects.update(sync_id=None)
    w.idle()
    assert Doc.objects.get().sync_id == w.id
    Doc.objects.update(sync_scope="evil", sync_id=uuid.uuid4(), votes=2)
    w.updated("votes")
    assert Doc.objects.get().sync_id == w.id


# Deleting


def test_a_deleted_instance_that_is_saved_again(project: Project, doc: Doc) -> None:
    id = doc.sync_id
    doc.title = "b"
    doc.save()
    doc.delete()
    doc.save()
    assert doc.sync_id == id
    created(doc, str(project.sync_id), revision=4)
    assert doc.sync_revision == 4


def test_another_primary_key_where_it_is_the_id() -> None:
    event = Event.objects.create(name="ball")
    old, new = event.pk, uuid.uuid4()
    Event.objects.filter(pk=old).update(id=new, seats=4)
    assert entries(Event, old)[-1] == Entry("d", 2, "", "hall")
    assert entries(Event, new) == [Entry("c", 2, "", "hall")]
    assert Tombstone.objects.get().object_id == old


# Scope


def test_a_move_over_two_hops(doc: Doc, other: Project) -> None:
    note, second = (Note.objects.create(doc=doc, text=t) for t in "ab")
    watches = [Watch(note), Watch(second)]
    w = Watch(doc)
    doc.project = other
    doc.save()
    w.moved(str(other.sync_id), "project")
    for below in watches:
        below.moved(str(other.sync_id))
    doc.project = None
    doc.save()
    w.moved(None, "project")
    for below in watches:
        below.moved(None)


def test_a_scope_in_a_column() -> None:
    event = Event.objects.create(name="ball")
    w = Watch(event)
    event.room = "Hall"
    event.save()
    w.moved("Hall", "room")


def test_a_row_that_comes_before_what_it_names() -> None:
    note = Note(doc_id=4711, text="early")
    with transaction.atomic():
        note.save()
        doc = Doc(pk=4711, project_id=4712, title="late")
        doc.save()
        Project(pk=4712, name="last").save()
    connection.check_constraints()
    scope = str(Project.objects.get().sync_id)
    assert row(doc)[1] == scope
    assert row(note)[1] == scope
    assert entries(Note, note.sync_id)[-1].scope == scope
