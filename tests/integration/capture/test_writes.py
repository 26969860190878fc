"""Every way in which Django writes rows: what row and entries then tell."""

import json
import uuid
from typing import Any

import pytest
from django.core import serializers
from django.db import connection, transaction
from django.db.models import F, Value
from django.db.models.functions import Concat

from django_sync.ids import new_id
from django_sync.models import Tombstone
from tests.app.models import (
    Author,
    Cafe,
    Doc,
    Event,
    Guest,
    NamedPlace,
    Note,
    Place,
    Player,
    Project,
    Reading,
    Tag,
    Team,
)

from .conftest import Entry, Watch, entries, log, row

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


def test_create(project: Project, doc: Doc) -> None:
    created(project, str(project.sync_id))
    created(doc, str(project.sync_id))


def test_create_without_a_parent() -> None:
    created(Doc.objects.create(title="loose"), None)


def test_a_given_scope_is_not_believed(project: Project) -> None:
    created(Doc.objects.create(project=project, title="x", sync_scope="evil"), str(project.sync_id))


def test_unscoped_objects_are_in_the_empty_scope() -> None:
    created(Place.objects.create(name="Square"), "")


def test_get_or_create_and_update_or_create(project: Project) -> None:
    doc, made = Doc.objects.get_or_create(title="a", project=project)
    assert made
    created(doc, str(project.sync_id))
    w = Watch(doc)
    Doc.objects.get_or_create(title="a", project=project)
    w.idle()
    Doc.objects.update_or_create(title="a", defaults={"body": "long"})
    w.updated("body")
    fresh, _ = Doc.objects.update_or_create(title="b", defaults={"project": project})
    created(fresh, str(project.sync_id))


def test_bulk_create(project: Project) -> None:
    docs = Doc.objects.bulk_create([Doc(project=project, title=str(i)) for i in range(3)])
    for doc in docs:
        created(doc, str(project.sync_id))


def test_bulk_create_ignoring_conflicts() -> None:
    there = Event.objects.create(name="ball")
    w = Watch(there)
    before = log().count()
    new, ignored = Event(name="talk"), Event(name="ball")
    Event.objects.bulk_create([new, ignored], ignore_conflicts=True)
    created(new, "hall")
    w.idle()
    assert entries(Event, ignored.pk) == []
    assert log().count() == before + 1


def test_bulk_create_updating_conflicts() -> None:
    there = Event.objects.create(name="ball")
    w = Watch(there)
    again, new = Event(name="ball", seats=7), Event(name="talk", seats=2)
    Event.objects.bulk_create(
        [again, new], update_conflicts=True, unique_fields=["name"], update_fields=["seats"]
    )
    w.updated("seats")
    created(new, "hall")
    assert entries(Event, again.pk) == []


def test_uuid_primary_keys_are_ids() -> None:
    event = Event.objects.create(name="ball")
    assert event.sync_id == event.pk
    created(event, "hall")
    guest = Guest.objects.create(event=event, name="Grace")
    created(guest, str(event.pk))


def test_raw_insert_that_names_none_of_our_columns(project: Project) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            'INSERT INTO testapp_doc (project_id, "the title", body, meta, votes, updated_at) '
            "VALUES (%s, 'raw', '', '{}', 0, '2026-01-01')",
            [project.pk],
        )
    doc = Doc.objects.get(title="raw")
    assert doc.sync_id.version == 7
    created(doc, str(project.sync_id))


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


def test_save(doc: Doc) -> None:
    w = Watch(doc)
    doc.title, doc.votes = "Plan B", 3
    doc.save()
    w.updated("title,votes")
    assert doc.sync_revision == 2


def test_an_idle_save_leaves_no_trace(doc: Doc) -> None:
    w = Watch(doc)
    doc.save()
    doc.save()
    w.idle()
    assert doc.sync_revision == 1


def test_save_of_some_fields(doc: Doc) -> None:
    w = Watch(doc)
    doc.title, doc.body = "x", "y"
    doc.save(update_fields=["title"])
    w.updated("title")
    assert doc.sync_revision == 2


def test_a_stale_instance_cannot_take_the_revision_back(doc: Doc) -> None:
    stale = Doc.objects.get(pk=doc.pk)
    w = Watch(doc)
    for title in "abc":
        doc.title = title
        doc.save()
    stale.votes = 9
    stale.save()
    assert row(doc)[0] == 5
    assert stale.sync_revision == 5
    assert [e.revision for e in w.new()] == [2, 3, 4, 5]


def test_queryset_update(doc: Doc) -> None:
    w = Watch(doc)
    Doc.objects.filter(pk=doc.pk).update(title="x")
    w.updated("title")
    Doc._base_manager.filter(pk=doc.pk).update(title="x")
    w.idle()
    Doc.objects.update(votes=F("votes") + 1)
    w.updated("votes")
    Doc.objects.update(title=Concat("title", Value("!")))
    w.updated("title")


def test_bulk_update(project: Project) -> None:
    docs = [Doc.objects.create(project=project, title=str(i)) for i in range(3)]
    watches = [Watch(doc) for doc in docs]
    for doc in docs:
        doc.votes = 5
    Doc.objects.bulk_update(docs, ["votes"])
    for w in watches:
        w.updated("votes")


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


def test_raw_sql(doc: Doc) -> None:
    w = Watch(doc)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE testapp_doc SET votes = 8")
    w.updated("votes")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM testapp_doc")
    w.deleted()


def test_loaddata_keeps_revisions_and_not_scopes(doc: Doc) -> None:
    fixture = json.loads(serializers.serialize("json", [doc]))
    fixture[0]["pk"] += 1
    fixture[0]["fields"] |= {
        "sync_id": str(uuid.uuid4()),
        "sync_revision": 7,
        "sync_scope": "evil",
        "tags": [],
    }
    for loaded in serializers.deserialize("json", json.dumps(fixture)):
        loaded.save()
    new = Doc.objects.get(pk=doc.pk + 1)
    created(new, doc.sync_scope, revision=7)
    w = Watch(new)
    fixture[0]["fields"] |= {"title": "loaded again", "sync_revision": 3}
    for loaded in serializers.deserialize("json", json.dumps(fixture)):
        loaded.save()
    w.updated("title")


# Rolling back


def test_a_rollback_takes_the_entries_along(doc: Doc) -> None:
    w = Watch(doc)
    with transaction.atomic():
        doc.title = "kept"
        doc.save()
        with transaction.atomic():
            doc.title = "lost"
            doc.save()
            transaction.set_rollback(True)
    w.obj.title = "kept"
    assert row(doc)[0] == 2
    assert w.new() == [Entry("u", 2, "title", w.scope)]
    doc.title = "next"
    doc.save()
    assert w.new() == [Entry("u", 3, "title", w.scope)]
    assert doc.sync_revision == 3


# Deleting


def test_delete(doc: Doc) -> None:
    w = Watch(doc)
    doc.delete()
    w.deleted()
    stone = Tombstone.objects.get(object_id=w.id)
    assert (stone.model, stone.revision, stone.scope) == ("testapp.doc", 2, w.scope)


def test_queryset_deletes(project: Project) -> None:
    docs = [Doc.objects.create(project=project, title=str(i)) for i in range(4)]
    watches = [Watch(doc) for doc in docs]
    Doc.objects.filter(pk__in=[d.pk for d in docs[:2]]).delete()
    Doc.objects.filter(pk__in=[d.pk for d in docs[2:]])._raw_delete("default")
    for w in watches:
        w.deleted()


def test_cascade(project: Project, doc: Doc) -> None:
    note = Note.objects.create(doc=doc, text="n")
    watches = [Watch(obj) for obj in (project, doc, note)]
    project.delete()
    for w in watches:
        w.deleted()


def test_set_null(doc: Doc) -> None:
    w = Watch(doc)
    assert doc.author
    doc.author.delete()
    w.updated("author")


def test_the_same_id_again_goes_on_from_its_tombstone() -> None:
    event = Event.objects.create(name="ball")
    event.name = "grand ball"
    event.save()
    w = Watch(event)
    id = event.pk
    event.delete()
    w.deleted()
    again = Event.objects.create(id=id, name="ball")
    created(again, "hall", revision=4)
    again.delete()
    assert [e.revision for e in entries(Event, id)] == [1, 2, 3, 4, 5]
    Event.objects.bulk_create([Event(id=id, name="ball")])
    assert [e.revision for e in entries(Event, id)] == [1, 2, 3, 4, 5, 6]
    Event.objects.filter(pk=id).update(seats=1)
    assert entries(Event, id)[-1].revision == 7


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


# Foreign keys and m2m


def test_the_reverse_side_of_a_foreign_key(project: Project, other: Project, doc: Doc) -> None:
    w = Watch(doc)
    other.docs.add(doc)
    w.moved(str(other.sync_id), "project")
    other.docs.remove(doc)
    w.moved(None, "project")
    project.docs.set([doc])
    w.moved(str(project.sync_id), "project")
    project.docs.clear()
    w.moved(None, "project")


def test_many_to_many(doc: Doc) -> None:
    once = 2 if connection.vendor == "sqlite" else 1
    a, b, c = (Tag.objects.create(name=n) for n in "abc")
    w = Watch(doc)
    doc.tags.add(a, b)
    w.updated("tags", once)
    doc.tags.add(a)
    w.idle()
    doc.tags.remove(a)
    w.updated("tags")
    doc.tags.set([b, c])
    w.updated("tags")
    b.docs.remove(doc)
    w.updated("tags")
    a.docs.add(doc)
    w.updated("tags")
    a.docs.set([])
    w.updated("tags")
    doc.tags.through.objects.create(doc=doc, tag=a)
    w.updated("tags")
    doc.tags.through.objects.filter(tag=a).delete()
    w.updated("tags")
    doc.tags.add(a, b)
    w.updated("tags", once)
    a.delete()
    w.updated("tags")
    doc.tags.clear()
    w.updated("tags", once)


def test_a_through_model_of_ones_own(doc: Doc) -> None:
    reader = Author.objects.create(name="Alan")
    w = Watch(doc)
    reading = Reading.objects.create(doc=doc, author=reader)
    w.updated("readers")
    reading.save()
    w.idle()
    Reading.objects.update(times=2)
    w.updated("readers")
    elsewhere = Doc.objects.create(title="elsewhere")
    w2 = Watch(elsewhere)
    Reading.objects.update(doc=elsewhere)
    w.updated("readers")
    w2.updated("readers")
    elsewhere.delete()
    assert [e.op for e in w2.new()][-1] == "d"


def test_what_a_record_is_made_from_besides(doc: Doc) -> None:
    author = doc.author
    assert author
    w = Watch(doc)
    author.logins = 5
    author.save()
    w.idle()
    author.name = "Ada L."
    author.save()
    w.updated("author")


# Tables that extend others


def test_a_table_that_extends_a_synced_one() -> None:
    cafe = Cafe.objects.create(name="Central", seats=4)
    assert row(cafe) == (2, "")
    w = Watch(cafe)
    cafe.seats = 5
    cafe.save()
    w.updated("seats")
    assert cafe.sync_revision == 3
    Cafe.objects.update(seats=6)
    w.updated("seats")
    cafe.refresh_from_db()
    cafe.name = "North"
    cafe.save()
    w.updated("name")
    cafe.menus.add(Tag.objects.create(name="lunch"))
    w.updated("menus")
    cafe.delete()
    assert w.new()[-1].op == "d"


def test_a_synced_table_that_extends_a_plain_one() -> None:
    red, blue = Team.objects.create(name="red"), Team.objects.create(name="blue")
    player = Player.objects.create(team=red, name="Grace", number=1)
    created(player, str(red.pk))
    w = Watch(player)
    player.name = "Grace H."
    player.save()
    w.updated("name")
    player.number = 9
    player.save()
    w.updated("number")
    player.team = blue
    player.save()
    assert row(player)[1] == str(blue.pk)
    assert w.new()[-1].scope == str(blue.pk)


def test_a_proxy_is_its_concrete_model() -> None:
    place = NamedPlace.objects.create(name="Square")
    w = Watch(place)
    NamedPlace.objects.update(name="Market")
    w.updated("name")
    assert log().last().model == "testapp.place"


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


def test_a_move_with_an_edit_is_one_revision(doc: Doc, other: Project) -> None:
    w = Watch(doc)
    doc.project, doc.title = other, "moved"
    doc.save()
    w.moved(str(other.sync_id), "project,title")
    assert doc.sync_scope == str(other.sync_id)


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


@pytest.mark.sqlite
def test_replace_is_a_delete_and_an_insert_with_recursive_triggers() -> None:
    """Without that pragma SQLite deletes the old row unseen; Django never writes REPLACE."""
    place = Place.objects.create(name="Square")
    w = Watch(place)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA recursive_triggers = ON")
        cursor.execute("REPLACE INTO testapp_place (id, name) VALUES (%s, 'Market')", [place.pk])
        cursor.execute("PRAGMA recursive_triggers = OFF")
    w.deleted()
    created(Place.objects.get(), "")


def test_an_upsert_in_sql() -> None:
    place = Place.objects.create(name="Square")
    w = Watch(place)
    for name in ("Market", "Market"):
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO testapp_place (id, name) VALUES (%s, %s) "
                "ON CONFLICT (id) DO UPDATE SET name = excluded.name",
                [place.pk, name],
            )
    w.updated("name")
    assert Tombstone.objects.count() == 0
