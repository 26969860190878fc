"""The table of write paths: every way in which rows are written, and what capture then tells.

Each entry is a function that writes and asserts; ``test_write_paths`` runs them, and
``docs/evidence/write-paths.md`` is made of what they say of themselves.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import django
from asgiref.sync import async_to_sync
from django.core import serializers
from django.db import connection, transaction
from django.db.models import F, Value
from django.db.models.functions import Concat

from django_sync import capture
from django_sync.models import Generation, Tombstone
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

SEEN = "seen"
ABSENT = "–"


@dataclass(slots=True)
class World:
    """What there is before a write."""

    project: Project
    other: Project
    doc: Doc


@dataclass(frozen=True, slots=True)
class WritePath:
    """One way to write: its name in the docs, a sentence, and what is seen on each database."""

    name: str
    group: str
    about: str
    act: Callable[[World], None]
    sqlite: str
    postgresql: str
    instead: str
    since: tuple[int, int]

    def runs_on(self, vendor: str) -> bool:
        return getattr(self, vendor) != ABSENT and self.since <= django.VERSION


PATHS: list[WritePath] = []


def path(
    name: str,
    group: str,
    about: str,
    sqlite: str = SEEN,
    postgresql: str = SEEN,
    instead: str = "",
    since: tuple[int, int] = (5, 2),
) -> Callable[[Callable[[World], None]], Callable[[World], None]]:
    def put(act: Callable[[World], None]) -> Callable[[World], None]:
        PATHS.append(WritePath(name, group, about, act, sqlite, postgresql, instead, since))
        return act

    return put


def created(obj: Any, scope: str | None, revision: int = 1) -> None:
    assert row(obj) == (revision, scope)
    assert entries(type(obj), obj.sync_id)[-1] == Entry("c", revision, "", scope)


def sql(statement: str, *params: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)


def generation(model: Any) -> int:
    found = Generation.objects.filter(model=model._meta.label_lower).first()
    return found.value if found else 1


CREATE, UPDATE, DELETE = "Creating", "Updating", "Deleting"
RELATED, TABLES, OUTSIDE = "Relations", "More tables than one", "Not by the ORM"


@path("create(), save() of a new object", CREATE, "revision 1, in the scope of its path")
def create(world: World) -> None:
    created(world.project, str(world.project.sync_id))
    created(world.doc, str(world.project.sync_id))
    created(Doc.objects.create(title="loose"), None)
    created(Place.objects.create(name="Square"), "")
    created(Doc.objects.create(project=world.project, sync_scope="evil"), world.doc.sync_scope)
    event = Event.objects.create(name="ball")
    created(event, "hall")
    created(Guest.objects.create(event=event, name="Grace"), str(event.pk))


@path("get_or_create()", CREATE, "nothing for what was there")
def get_or_create(world: World) -> None:
    doc, made = Doc.objects.get_or_create(title="a", project=world.project)
    assert made
    created(doc, str(world.project.sync_id))
    w = Watch(doc)
    Doc.objects.get_or_create(title="a", project=world.project)
    w.idle()


@path("update_or_create()", CREATE, "an update of what differs, or a new object")
def update_or_create(world: World) -> None:
    w = Watch(world.doc)
    Doc.objects.update_or_create(title="Plan", defaults={"body": "long"})
    w.updated("body")
    fresh, _ = Doc.objects.update_or_create(title="b", defaults={"project": world.project})
    created(fresh, str(world.project.sync_id))


@path("bulk_create()", CREATE, "each object")
def bulk_create(world: World) -> None:
    docs = [Doc(project=world.project, title=str(i)) for i in range(3)]
    for doc in Doc.objects.bulk_create(docs):
        created(doc, str(world.project.sync_id))


@path("bulk_create(ignore_conflicts=True)", CREATE, "those that went in, and no others")
def bulk_create_ignoring(world: World) -> None:
    w = Watch(Event.objects.create(name="ball"))
    before = log().count()
    new, ignored = Event(name="talk"), Event(name="ball")
    Event.objects.bulk_create([new, ignored], ignore_conflicts=True)
    created(new, "hall")
    w.idle()
    assert entries(Event, ignored.pk) == []
    assert log().count() == before + 1


@path("bulk_create(update_conflicts=True)", CREATE, "new ones and updates, each as what it is")
def bulk_create_updating(world: World) -> None:
    w = Watch(Event.objects.create(name="ball"))
    again, new = Event(name="ball", seats=7), Event(name="talk", seats=2)
    Event.objects.bulk_create(
        [again, new], update_conflicts=True, unique_fields=["name"], update_fields=["seats"]
    )
    w.updated("seats")
    created(new, "hall")
    assert entries(Event, again.pk) == []


@path("the same id again", CREATE, "goes on from the revision at which it was deleted")
def the_same_id(world: World) -> None:
    event = Event.objects.create(name="ball")
    Event.objects.filter(pk=event.pk).update(name="grand ball")
    w = Watch(event)
    id = event.pk
    event.delete()
    w.deleted()
    again = Event.objects.create(id=id, name="ball")
    created(again, "hall", revision=4)
    again.delete()
    Event.objects.bulk_create([Event(id=id, name="ball")])
    assert [e.revision for e in entries(Event, id)] == [1, 2, 3, 4, 5, 6]
    Event.objects.filter(pk=id).update(seats=1)
    assert entries(Event, id)[-1].revision == 7


@path(
    "loaddata, deserialized objects",
    CREATE,
    "keeps revisions, believes no scope",
)
def loaddata(world: World) -> None:
    doc = world.doc
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


@path("save()", UPDATE, "names the columns that changed; an idle save leaves no trace")
def save(world: World) -> None:
    w = Watch(world.doc)
    world.doc.title, world.doc.votes = "Plan B", 3
    world.doc.save()
    w.updated("title,votes")
    assert world.doc.sync_revision == 2
    world.doc.save()
    w.idle()


@path("save(update_fields=…)", UPDATE, "only what was written")
def save_some(world: World) -> None:
    w = Watch(world.doc)
    world.doc.title, world.doc.body = "x", "y"
    world.doc.save(update_fields=["title"])
    w.updated("title")
    assert world.doc.sync_revision == 2


@path("save() of a stale instance", UPDATE, "cannot take the revision back")
def save_stale(world: World) -> None:
    stale = Doc.objects.get(pk=world.doc.pk)
    w = Watch(world.doc)
    for title in "abc":
        world.doc.title = title
        world.doc.save()
    stale.votes = 9
    stale.save()
    assert row(world.doc)[0] == stale.sync_revision == 5
    assert [e.revision for e in w.new()] == [2, 3, 4, 5]


@path("QuerySet.update()", UPDATE, "values, F() and expressions; equal values leave no trace")
def update(world: World) -> None:
    w = Watch(world.doc)
    Doc.objects.filter(pk=world.doc.pk).update(title="x")
    w.updated("title")
    Doc.objects.filter(pk=world.doc.pk).update(title="x")
    w.idle()
    Doc.objects.update(votes=F("votes") + 1)
    w.updated("votes")
    Doc.objects.update(title=Concat("title", Value("!")))
    w.updated("title")


@path("another manager", UPDATE, "`_base_manager` and custom ones")
def base_manager(world: World) -> None:
    w = Watch(world.doc)
    Doc._base_manager.filter(pk=world.doc.pk).update(title="x")
    w.updated("title")


@path("bulk_update()", UPDATE, "each object")
def bulk_update(world: World) -> None:
    docs = [Doc.objects.create(project=world.project, title=str(i)) for i in range(3)]
    watches = [Watch(doc) for doc in docs]
    for doc in docs:
        doc.votes = 5
    Doc.objects.bulk_update(docs, ["votes"])
    for w in watches:
        w.updated("votes")


@path("asave(), acreate(), aupdate(), adelete()", UPDATE, "as their synchronous twins")
def async_orm(world: World) -> None:
    w = Watch(world.doc)

    async def write() -> Doc:
        world.doc.title = "async"
        await world.doc.asave()
        await Doc.objects.filter(pk=world.doc.pk).aupdate(votes=F("votes") + 1)
        return await Doc.objects.acreate(project=world.project, title="a")

    new = async_to_sync(write)()
    assert [(e.op, e.columns) for e in w.new()] == [("u", "title"), ("u", "votes")]
    created(new, world.doc.sync_scope)
    async_to_sync(world.doc.adelete)()
    assert [(e.op, e.revision) for e in w.new()] == [("d", 4)]


@path("a change of scope", UPDATE, "one entry for the scope that was left, one for the new")
def move(world: World) -> None:
    note = Note.objects.create(doc=world.doc, text="a")
    w, below = Watch(world.doc), Watch(note)
    world.doc.project, world.doc.title = world.other, "moved"
    world.doc.save()
    w.moved(str(world.other.sync_id), "project,title")
    below.moved(str(world.other.sync_id))


@path("the admin", UPDATE, "its forms save as any other code does")
def admin(world: World) -> None:
    from django.contrib.auth.models import User
    from django.test import Client

    from example_project.boards.models import Board, Label
    from tests.forms import opened, with_values

    ada = User.objects.create_superuser("admin-of-paths")
    label = Label.objects.create(board=Board.objects.create(name="b", owner=ada), name="urgent")
    w = Watch(label)
    client = Client()
    client.force_login(ada)
    url = f"/admin/boards/label/{label.pk}/change/"
    answer = client.post(url, with_values(opened(client, url), name="soon"))
    assert answer.status_code == 302, answer.content
    w.updated("name")


@path("sync_id, sync_revision, sync_scope by hand", UPDATE, "have no effect: triggers own them")
def own_columns(world: World) -> None:
    w = Watch(world.doc)
    for value in (99, 0, -1, 2**62, F("sync_revision") + 1):
        Doc.objects.update(sync_revision=value)
    Doc.objects.update(sync_scope="evil", sync_id=uuid.uuid4())
    w.idle()
    Doc.objects.update(sync_scope="evil", sync_id=uuid.uuid4(), votes=2)
    w.updated("votes")


@path("rollback, to a savepoint or of all", UPDATE, "takes the entries along")
def rollback(world: World) -> None:
    doc, w = world.doc, Watch(world.doc)
    with transaction.atomic():
        doc.title = "kept"
        doc.save()
        with transaction.atomic():
            doc.title = "lost"
            doc.save()
            transaction.set_rollback(True)
    assert row(doc)[0] == 2
    assert w.new() == [Entry("u", 2, "title", w.scope)]
    doc.title = "next"
    doc.save()
    assert w.new() == [Entry("u", 3, "title", w.scope)]
    assert doc.sync_revision == 3


@path("delete()", DELETE, "leaves a tombstone")
def delete(world: World) -> None:
    w = Watch(world.doc)
    world.doc.delete()
    w.deleted()
    stone = Tombstone.objects.get(object_id=w.id)
    assert (stone.model, stone.revision, stone.scope) == ("testapp.doc", 2, w.scope)


@path("QuerySet.delete(), _raw_delete()", DELETE, "each object")
def queryset_delete(world: World) -> None:
    docs = [Doc.objects.create(project=world.project, title=str(i)) for i in range(4)]
    watches = [Watch(doc) for doc in docs]
    Doc.objects.filter(pk__in=[d.pk for d in docs[:2]]).delete()
    Doc.objects.filter(pk__in=[d.pk for d in docs[2:]])._raw_delete("default")
    for w in watches:
        w.deleted()


@path("on_delete=CASCADE", DELETE, "each object that goes along")
def cascade(world: World) -> None:
    note = Note.objects.create(doc=world.doc, text="n")
    watches = [Watch(obj) for obj in (world.project, world.doc, note)]
    world.project.delete()
    for w in watches:
        w.deleted()


@path("on_delete=SET_NULL, SET_DEFAULT, SET()", DELETE, "an update of what pointed there")
def set_null(world: World) -> None:
    w = Watch(world.doc)
    assert world.doc.author
    world.doc.author.delete()
    w.updated("author")


@path("on_delete=DB_CASCADE, DB_SET_NULL", DELETE, "(Django 6.1) what the database does itself")
def on_delete_in_the_database(world: World) -> None:
    """By keys as Django 6.1 would make them."""
    gone, freed = Place.objects.create(name="p"), Event.objects.create(name="e")
    sql("CREATE TABLE host (id integer PRIMARY KEY)")
    for table, action in (("place", "CASCADE"), ("event", "SET NULL")):
        key = f"host integer REFERENCES host (id) ON DELETE {action}"
        connection.check_constraints()
        sql(f"ALTER TABLE testapp_{table} ADD COLUMN {key}")
    sql("INSERT INTO host VALUES (1)")
    sql("UPDATE testapp_place SET host = 1")
    sql("UPDATE testapp_event SET host = 1")
    w, w2 = Watch(gone), Watch(freed)
    connection.check_constraints()
    sql("DELETE FROM host")
    w.deleted()
    assert [e.op for e in w2.new()] == ["u"]


@path(
    "a reverse foreign key: add(), remove(), set(), clear()",
    RELATED,
    "updates or moves",
)
def reverse_key(world: World) -> None:
    w, other = Watch(world.doc), world.other
    other.docs.add(world.doc)
    w.moved(str(other.sync_id), "project")
    other.docs.remove(world.doc)
    w.moved(None, "project")
    world.project.docs.set([world.doc])
    w.moved(str(world.project.sync_id), "project")
    world.project.docs.clear()
    w.moved(None, "project")


@path(
    "many-to-many: add(), remove(), set(), clear(), from both sides",
    RELATED,
    "an update that names the field",
    sqlite="seen; a revision for each link",
    postgresql="seen; a revision for each statement",
)
def many_to_many(world: World) -> None:
    doc, once = world.doc, 2 if connection.vendor == "sqlite" else 1
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
    doc.tags.add(a, b)
    w.updated("tags", once)
    doc.tags.clear()
    w.updated("tags", 3 if connection.vendor == "sqlite" else 1)


@path("many-to-many: the far side is deleted", RELATED, "an update of each object that was linked")
def far_side(world: World) -> None:
    tag = Tag.objects.create(name="a")
    world.doc.tags.add(tag)
    w = Watch(world.doc)
    tag.delete()
    w.updated("tags")


@path("a through model, automatic or of your own", RELATED, "as the field's own methods")
def through(world: World) -> None:
    doc, reader = world.doc, Author.objects.create(name="Alan")
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
    tag = Tag.objects.create(name="a")
    doc.tags.through.objects.create(doc=doc, tag=tag)
    w.updated("tags")
    doc.tags.through.objects.filter(tag=tag).delete()
    w.updated("tags")
    elsewhere.delete()
    assert [e.op for e in w2.new()][-1] == "d"


@path("another row that `sync_touches` names", RELATED, "an update that names the key")
def touches(world: World) -> None:
    author = world.doc.author
    assert author
    w = Watch(world.doc)
    author.logins = 5
    author.save()
    w.idle()
    author.name = "Ada L."
    author.save()
    w.updated("author")


@path("a proxy", TABLES, "is its concrete model")
def proxy(world: World) -> None:
    w = Watch(NamedPlace.objects.create(name="Square"))
    NamedPlace.objects.update(name="Market")
    w.updated("name")
    last = log().last()
    assert last
    assert last.model == "testapp.place"


@path(
    "a class that extends a synced one",
    TABLES,
    "an update of the one object; to create it takes two revisions, one for each table",
)
def child(world: World) -> None:
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


@path(
    "a synced class that extends a plain one",
    TABLES,
    "changes and moves by either table",
)
def parent(world: World) -> None:
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


@path("INSERT, UPDATE, DELETE in SQL", OUTSIDE, "also where our columns are left out")
def raw_sql(world: World) -> None:
    sql(
        'INSERT INTO testapp_doc (project_id, "the title", body, meta, votes, updated_at) '
        "VALUES (%s, 'raw', '', '{}', 0, '2026-01-01')",
        world.project.pk,
    )
    doc = Doc.objects.get(title="raw")
    assert doc.sync_id.version == 7
    created(doc, str(world.project.sync_id))
    w = Watch(doc)
    sql("UPDATE testapp_doc SET votes = 8 WHERE id = %s", doc.pk)
    w.updated("votes")
    sql("DELETE FROM testapp_doc")
    w.deleted()


@path("INSERT … ON CONFLICT", OUTSIDE, "an insert or an update, as it turned out")
def upsert(world: World) -> None:
    place = Place.objects.create(name="Square")
    w = Watch(place)
    for _ in range(2):
        sql(
            "INSERT INTO testapp_place (id, name) VALUES (%s, 'Market') "
            "ON CONFLICT (id) DO UPDATE SET name = excluded.name",
            place.pk,
        )
    w.updated("name")
    assert Tombstone.objects.count() == 0


@path(
    "REPLACE INTO",
    OUTSIDE,
    "a delete and an insert",
    sqlite="the insert is seen; the delete only with `PRAGMA recursive_triggers = ON`",
    postgresql=ABSENT,
    instead="`INSERT … ON CONFLICT DO UPDATE`, which keeps the id. Django never writes `REPLACE`",
)
def replace_into(world: World) -> None:
    place = Place.objects.create(name="Square")
    w = Watch(place)
    sql("PRAGMA recursive_triggers = ON")
    sql("REPLACE INTO testapp_place (id, name) VALUES (%s, 'Market')", place.pk)
    sql("PRAGMA recursive_triggers = OFF")
    w.deleted()
    created(Place.objects.get(), "")
    w = Watch(Place.objects.get())
    sql("REPLACE INTO testapp_place (id, name) VALUES (%s, 'Lane')", place.pk)
    assert w.new() == []
    created(Place.objects.get(), "")


@path("COPY … FROM", OUTSIDE, "each row", sqlite=ABSENT)
def copy_from(world: World) -> None:
    with connection.cursor() as cursor, cursor.copy("COPY testapp_place (name) FROM STDIN") as copy:
        for name in "ab":
            copy.write_row([name])
    for place in Place.objects.all():
        created(place, "")


@path("INSERT … SELECT, more than one write in a statement", OUTSIDE, "each row", sqlite=ABSENT)
def writable_cte(world: World) -> None:
    sql(
        "WITH made AS (INSERT INTO testapp_place (name) SELECT n::text "
        "FROM generate_series(1, 3) AS n RETURNING name) "
        "INSERT INTO testapp_place (name) SELECT name FROM made"
    )
    for place in Place.objects.all():
        created(place, "")
    assert Place.objects.count() == 6


@path(
    "a partition, by its own name",
    OUTSIDE,
    "each row, also of one that is added later",
    sqlite=ABSENT,
)
def partition(world: World) -> None:
    connection.check_constraints()
    sql("CREATE TABLE more_guests (LIKE testapp_guest INCLUDING DEFAULTS) PARTITION BY LIST (id)")
    sql("ALTER TABLE testapp_guest RENAME TO first_guests")
    sql("ALTER TABLE more_guests RENAME TO testapp_guest")
    sql("CREATE TABLE guests_9 PARTITION OF testapp_guest FOR VALUES IN (9)")
    capture.install()
    event = Event.objects.create(name="ball")
    sql("INSERT INTO guests_9 (id, event_id, name) VALUES (9, %s, 'Grace')", event.pk)
    created(Guest.objects.get(), str(event.pk))


@path(
    "TRUNCATE",
    OUTSIDE,
    "names no rows",
    sqlite=ABSENT,
    postgresql="the generation moves on: the collection is sent anew",
    instead="`DELETE`",
)
def truncate(world: World) -> None:
    Place.objects.create(name="x")
    before, doc = generation(Place), generation(Doc)
    connection.check_constraints()
    sql("TRUNCATE testapp_place CASCADE")
    sql("TRUNCATE testapp_doc_tags")
    assert generation(Place) > before
    assert generation(Doc) == doc + 1


@path(
    "session_replication_role = replica",
    OUTSIDE,
    "no trigger fires: a tool that restores or replicates has switched them off",
    sqlite=ABSENT,
    postgresql="**not seen**",
    instead="nothing on the publishing side; after a restore, `python manage.py migrate`",
)
def replica_role(world: World) -> None:
    w = Watch(world.doc)
    connection.check_constraints()
    sql("SET LOCAL session_replication_role = replica")
    sql("UPDATE testapp_doc SET votes = 3")
    sql("SET LOCAL session_replication_role = origin")
    assert Doc.objects.get().votes == 3
    w.idle()


@path("another program on the same database", OUTSIDE, "no part of it is in Django")
def another_program(world: World) -> None:
    """``test_write_paths`` has one with a connection of its own too."""
    w = Watch(world.doc)
    with connection.cursor() as cursor:
        cursor.cursor.execute("UPDATE testapp_doc SET votes = 5")  # the driver's own cursor
    w.updated("votes")
