"""PostgreSQL: INSERT and DELETE are logged for each statement, whatever that statement is.

The table of write paths has the usual ones. Here are those that put many rows, or more than
one kind of write, or another table's name, into one statement.
"""

import uuid
from typing import Any

import pytest
from django.db import connection

from django_sync import capture
from django_sync.capture.install import found
from django_sync.models import Tombstone
from tests.app.models import Doc, Event, Guest, Note, Place, Project

from .conftest import Entry, Watch, entries, log, row

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db]

EVENT = "INSERT INTO testapp_event (id, room, name, seats) "


def sql(statement: str, *values: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def ddl(*statements: str) -> None:
    connection.check_constraints()  # else events are pending, and no table can be altered
    for statement in statements:
        sql(statement)


def told(model: Any) -> list[tuple[Any, ...]]:
    rows = log().filter(model=model._meta.label_lower)
    return list(rows.values_list("object_id", "op", "revision"))


def agrees(model: Any) -> None:
    """The last entry of each object says what its row is, or that it is gone."""
    alive = {obj.sync_id: row(obj) for obj in model.objects.all()}
    for id in {one[0] for one in told(model)}:
        last = entries(model, id)[-1]
        assert (last.op == "d") == (id not in alive)
        if id in alive:
            assert (last.revision, last.scope) == alive[id]


def test_insert_select_and_two_writes_in_one_statement() -> None:
    made = EVENT + "SELECT gen_random_uuid(), 'hall', {} || n, n FROM generate_series(1, 3) AS n"
    sql(f"WITH a AS ({made.format(repr('a'))}) {made.format(repr('b'))}")
    assert Event.objects.count() == 6
    assert sorted(op for _, op, _ in told(Event)) == ["c"] * 6
    agrees(Event)


def test_rows_are_deleted_and_inserted_again_in_one_statement() -> None:
    for name in "ab":
        Event.objects.create(name=name)
    Event.objects.update(seats=1)
    sql(
        "WITH gone AS (DELETE FROM testapp_event RETURNING *) "
        f"{EVENT} SELECT id, 'attic', name, seats FROM gone"
    )
    for event in Event.objects.all():
        assert [e.op for e in entries(Event, event.pk)] == ["c", "u", "d", "c"]
        assert row(event) == (4, "attic")
    agrees(Event)


def test_an_upsert_of_rows_that_are_new_and_rows_that_are_not() -> None:
    Event.objects.create(name="old")
    sql(
        EVENT
        + "VALUES (gen_random_uuid(), 'hall', 'old', 5), (gen_random_uuid(), 'hall', 'new', 5)"
        " ON CONFLICT (name) DO UPDATE SET seats = excluded.seats"
    )
    assert [op for _, op, _ in told(Event)] == ["c", "u", "c"]
    agrees(Event)


def test_objects_that_come_back_go_on_from_their_tombstones() -> None:
    ids = [uuid.uuid4() for _ in range(4)]
    for id in ids:
        sql(EVENT + "VALUES (%s, 'hall', %s, 0)", id, str(id))
    Event.objects.filter(pk__in=ids[:2]).update(seats=3)
    Event.objects.filter(pk__in=ids[:3]).delete()
    sql(EVENT + "SELECT id, 'hall', id::text, 1 FROM unnest(%s::uuid[]) AS id", [*ids[:3]])
    assert [row(Event.objects.get(pk=id))[0] for id in ids] == [4, 4, 3, 1]
    agrees(Event)


def test_a_cascade_of_the_database_over_two_tables() -> None:
    """Keys that cascade in the database: their deletes are of the statement that began it."""
    project = Project.objects.create(name="p")
    for _ in range(3):
        doc = Doc.objects.create(project=project, title="d")
        Note.objects.bulk_create(Note(doc=doc, text="n") for _ in range(2))
    for table, column, target in (("doc", "project_id", "project"), ("note", "doc_id", "doc")):
        name = sql(
            "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND confrelid = "
            "%s::regclass",
            f"testapp_{table}",
            f"testapp_{target}",
        )[0][0]
        ddl(
            f"ALTER TABLE testapp_{table} DROP CONSTRAINT {name}, ADD FOREIGN KEY ({column}) "
            f"REFERENCES testapp_{target} ON DELETE CASCADE"
        )
    sql("DELETE FROM testapp_project")
    for model, count in ((Project, 1), (Doc, 3), (Note, 6)):
        assert [op for _, op, _ in told(model)].count("d") == count
        agrees(model)


def test_a_view_that_is_written_through() -> None:
    sql("CREATE VIEW halls AS SELECT * FROM testapp_event WHERE room = 'hall'")
    sql(EVENT.replace("testapp_event", "halls") + "VALUES (gen_random_uuid(), 'hall', 'a', 0)")
    sql("DELETE FROM halls")
    assert [op for _, op, _ in told(Event)] == ["c", "d"]


def test_a_statement_that_writes_no_row() -> None:
    sql("DELETE FROM testapp_event")
    sql(EVENT + "SELECT gen_random_uuid(), 'hall', 'a', 0 WHERE false")
    assert told(Event) == []


def test_a_trigger_of_the_project_that_writes_the_same_rows_again() -> None:
    """One for each statement comes after ours, so the entries are in the order of revisions."""
    ddl(
        "CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN "
        "UPDATE testapp_event SET seats = 7 WHERE seats = 0; "
        "DELETE FROM testapp_event WHERE name = 'b'; RETURN NULL; END$$",
        "CREATE TRIGGER aaa AFTER INSERT ON testapp_event FOR EACH STATEMENT "
        "EXECUTE FUNCTION again()",
    )
    Event.objects.bulk_create([Event(name="a"), Event(name="b")])
    by_name = {e.name: e.pk for e in Event.objects.all()}
    assert [e.op for e in entries(Event, by_name["a"])] == ["c", "u"]
    assert sorted(op for _, op, _ in told(Event)) == ["c", "c", "d", "u", "u"]
    agrees(Event)


@pytest.mark.parametrize("name", ["aaa", "zzzz"])
def test_a_before_trigger_of_the_project_is_seen_wherever_it_sorts(name: str) -> None:
    event = Event.objects.create(name="a")
    ddl(
        "CREATE FUNCTION more() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN "
        "IF NEW.name = 'no' THEN RETURN NULL; END IF; NEW.seats := 9; RETURN NEW; END$$",
        f"CREATE TRIGGER {name} BEFORE UPDATE ON testapp_event FOR EACH ROW "
        "EXECUTE FUNCTION more()",
    )
    w = Watch(event)
    Event.objects.update(name="no")
    w.idle()
    Event.objects.update(name="a")  # changes nothing itself
    w.updated("seats")
    sql("ALTER TABLE testapp_event DISABLE TRIGGER USER")
    sql("UPDATE testapp_event SET seats = 1")
    sql("ALTER TABLE testapp_event ENABLE TRIGGER USER")
    Event.objects.update(name="b")
    w.updated("name,seats")


def test_a_plan_made_while_there_were_no_tombstones() -> None:
    """Trap 35: a plan is kept, and reading all tombstones for each row is quadratic."""
    sql("ANALYZE django_sync_tombstone")
    for i in range(8):
        Event.objects.create(name=f"one {i}")
    Event.objects.bulk_create(Event(name=f"many {i}") for i in range(200))
    kept = list(Event.objects.all())
    Event.objects.all()._raw_delete("default")
    Event.objects.bulk_create(kept)
    read = sql(
        "SELECT seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = 'django_sync_tombstone'"
    )
    assert read[0][0] < 1000
    agrees(Event)


# Rows that a statement may write by another name


@pytest.fixture
def parted() -> Place:
    """``testapp_place`` in two partitions, the first of which is the table as it was."""
    place = Place.objects.create(name="Square")
    keys = sql(
        "SELECT conrelid::regclass::text, conname FROM pg_constraint "
        "WHERE confrelid = 'testapp_place'::regclass"
    )
    ddl(*(f"ALTER TABLE {table} DROP CONSTRAINT {name}" for table, name in keys))
    ddl(
        "ALTER TABLE testapp_place RENAME TO x_first",
        "CREATE TABLE testapp_place (LIKE x_first INCLUDING DEFAULTS INCLUDING IDENTITY) "
        "PARTITION BY RANGE (id)",
        "ALTER TABLE testapp_place ATTACH PARTITION x_first FOR VALUES FROM (MINVALUE) TO (1000)",
        "CREATE TABLE place_2 PARTITION OF testapp_place FOR VALUES FROM (1000) TO (2000)",
    )
    capture.install()
    assert capture.verify() == []
    return place


def test_a_write_to_a_partition_is_seen(parted: Place) -> None:
    sql("INSERT INTO place_2 (id, name) VALUES (1500, 'Lane')")
    sql("INSERT INTO testapp_place (id, name) VALUES (1501, 'Road')")
    sql("UPDATE place_2 SET name = 'Alley' WHERE id = 1500")
    sql("DELETE FROM place_2 WHERE id = 1501")
    sql("UPDATE testapp_place SET id = 1600 WHERE id = %s", parted.pk)  # to the other one
    sql("DELETE FROM x_first")
    assert [(op, rev) for _, op, rev in told(Place)] == [
        ("c", 1),
        ("c", 1),
        ("c", 1),
        ("u", 2),
        ("d", 2),
        ("d", 2),
        ("c", 3),
    ]
    agrees(Place)


def test_a_partition_that_comes_later_is_seen(parted: Place) -> None:
    sql("CREATE TABLE place_3 PARTITION OF testapp_place FOR VALUES FROM (2000) TO (3000)")
    sql("INSERT INTO place_3 (id, name) VALUES (2500, 'Lane')")
    assert told(Place)[-1][1:] == ("c", 1)
    assert capture.verify() == []


def test_a_table_that_gets_another_name_is_noticed() -> None:
    """It had triggers for each statement; as a partition it is written by its parent's name."""
    ddl("CREATE TABLE above (LIKE testapp_guest) PARTITION BY LIST (event_id)")
    with connection.cursor() as cursor:  # the driver's own, which we do not watch
        cursor.cursor.execute("ALTER TABLE above ATTACH PARTITION testapp_guest DEFAULT")
    assert sorted(p.kind for p in capture.verify()) == ["altered", "stray", "stray"]
    capture.install()
    assert capture.verify() == []
    event = Event.objects.create(name="e")
    sql("INSERT INTO above (id, event_id, name, sync_revision) VALUES (1, %s, 'g', 1)", event.pk)
    guest = Guest.objects.get()
    assert entries(Guest, guest.sync_id) == [Entry("c", 1, "", str(event.pk))]
    assert {t.name[:2] for t in found() if t.table == "testapp_guest"} == {"00", "zz"}
    assert Tombstone.objects.count() == 0
