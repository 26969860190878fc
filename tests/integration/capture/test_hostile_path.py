"""PostgreSQL: functions run as their owner and with the writer's ``search_path``.

A writer can put a schema of operators, functions and types in front of it. None of ours may call
them as the owner; and a project's own triggers find what they name.
"""

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction

from django_sync import capture
from tests.app.models import Author, Cafe, Doc, Event, Note, Place, Project, Tag

from .conftest import log, row

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db]

TYPES = {
    "=": ("text", "varchar", "uuid", "bigint", "integer", "boolean", "jsonb", "timestamptz"),
    "<>": ("text", "varchar", "uuid", "bigint", "integer"),
    "<": ("bigint", "integer", "numeric"),
    "<=": ("bigint", "integer"),
    ">": ("bigint", "integer"),
    ">=": ("bigint", "integer"),
}
ARITHMETIC = {"+": ("bigint", "integer"), "-": ("bigint", "integer"), "*": ("float8", "numeric")}
GUARD = "IF current_user OPERATOR(pg_catalog.<>) 'cap_evil' THEN RAISE 'ran as the owner'; END IF;"


def run(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def operator(sign: str, left: str, right: str, gives: str) -> Iterator[str]:
    name = f"op_{abs(hash((sign, left, right)))}"
    yield (
        f"CREATE FUNCTION evil.{name}(a {left}, b {right}) RETURNS {gives} LANGUAGE plpgsql AS "
        f"$$BEGIN {GUARD} RETURN a OPERATOR(pg_catalog.{sign}) b; END$$"
    )
    yield (
        f"CREATE OPERATOR evil.{sign} "
        f"(FUNCTION = evil.{name}, LEFTARG = {left}, RIGHTARG = {right})"
    )


def evil() -> Iterator[str]:
    yield "CREATE ROLE cap_evil"
    yield "CREATE SCHEMA evil"
    yield "GRANT ALL ON SCHEMA evil, public TO cap_evil"
    for sign, types in TYPES.items():
        for kind in types:
            yield from operator(sign, kind, kind, "boolean")
        if "bigint" in types:
            yield from operator(sign, "bigint", "integer", "boolean")
    for sign, types in ARITHMETIC.items():
        for kind in types:
            yield from operator(sign, kind, kind, kind)
    yield from operator("+", "bigint", "integer", "bigint")
    yield from operator("*", "float8", "integer", "float8")
    for name, params, gives, call in (
        ("concat_ws", "a text, VARIADIC b text[]", "text", "concat_ws(a, VARIADIC b)"),
        ("current_setting", "a text", "text", "current_setting(a)"),
        ("clock_timestamp", "", "timestamptz", "clock_timestamp()"),
        ("gen_random_uuid", "", "pg_catalog.uuid", "gen_random_uuid()"),
        ("floor", "a float8", "float8", "floor(a)"),
        ("date_part", "a text, b timestamptz", "float8", "date_part(a, b)"),
        ("uuid_send", "a pg_catalog.uuid", "bytea", "uuid_send(a)"),
        ("set_bit", "a bytea, b bigint, c integer", "bytea", "set_bit(a, b, c)"),
    ):
        yield (
            f"CREATE FUNCTION evil.{name}({params}) RETURNS {gives} LANGUAGE plpgsql AS "
            f"$$BEGIN {GUARD} RETURN pg_catalog.{call}; END$$"
        )
    yield (
        "CREATE FUNCTION evil.one() RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS "
        "$$BEGIN RETURN 1 = 1; END$$"
    )
    yield "CREATE DOMAIN evil.text AS integer"
    for model in apps.get_app_config("testapp").get_models(include_auto_created=True):
        yield f"GRANT ALL ON {model._meta.db_table} TO cap_evil"
    yield "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO cap_evil"


@pytest.fixture
def hostile() -> Iterator[None]:
    """From here on we are a role that owns nothing, with a path of its own."""
    run(*evil())
    run("SET LOCAL ROLE cap_evil", "SET LOCAL search_path = evil, pg_catalog, public")
    yield
    run("RESET ROLE", "SET LOCAL search_path = public")


def test_the_trap_itself_works(hostile: None) -> None:
    with pytest.raises(DatabaseError, match="ran as the owner"), transaction.atomic():
        run("SELECT evil.one()")


def write_everything() -> None:
    author = Author.objects.create(name="Ada")
    first, second = (Project.objects.create(name=n) for n in "ab")
    doc = Doc.objects.create(project=first, author=author, title="d", meta={"a": 1})
    note = Note.objects.create(doc=doc, text="n")
    Note.objects.bulk_create(Note(doc=doc, text=t) for t in "xyz")
    Doc.objects.update(title="e", meta={"a": 2})
    Doc.objects.update(project=second)
    Author.objects.update(name="Ada L.")
    doc.tags.add(*(Tag.objects.create(name=n) for n in "ab"))
    run("UPDATE public.testapp_doc_tags SET doc_id = doc_id")
    doc.tags.clear()
    event = Event.objects.create(name="ball")
    Event.objects.update(seats=1, room="attic")
    Event.objects.all().delete()
    Event.objects.create(pk=event.pk, name="again")
    Event.objects.update(id="00000000-0000-4000-8000-000000000001")
    run("INSERT INTO public.testapp_place (name) VALUES ('raw')")
    cafe = Cafe.objects.create(name="c", seats=1)
    Cafe.objects.update(seats=2)
    cafe.delete()
    Place.objects.all().delete()
    early = Note(doc_id=4711, text="early")
    early.save()
    Doc(pk=4711, project=first, title="late").save()
    connection.check_constraints()
    note.delete()
    first.delete()
    second.delete()


def test_nothing_of_the_writers_runs_as_the_owner(hostile: None) -> None:
    write_everything()
    run("RESET ROLE", "SET LOCAL search_path = public")
    told = log().values_list("model", "op")
    assert {op for _, op in told} == set("cudm")
    assert {label for label, _ in told} == {
        f"testapp.{name}" for name in ("project", "doc", "note", "event", "place")
    }


def test_nor_where_each_row_is_logged_by_itself() -> None:
    connection.check_constraints()
    run("CREATE TABLE heirs () INHERITS (testapp_event)")
    capture.install()
    run(*evil())
    run("SET LOCAL ROLE cap_evil", "SET LOCAL search_path = evil, pg_catalog, public")
    write_everything()
    run("RESET ROLE", "SET LOCAL search_path = public")
    assert set(log().filter(model="testapp.event").values_list("op", flat=True)) == set("cudm")


def test_nobody_else_may_use_the_functions(hostile: None) -> None:
    """As a trigger on a table of their own they would write what was never done."""
    run("RESET ROLE", "SET LOCAL search_path = public")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT has_function_privilege('cap_evil', oid, 'EXECUTE'), count(*) FROM pg_proc "
            "WHERE left(proname, 15) IN ('00_django_sync_', 'zz_django_sync_') GROUP BY 1"
        )
        assert [may for may, _ in cursor.fetchall()] == [False]


def test_a_trigger_of_the_project_finds_what_it_names() -> None:
    """The move of a document fires triggers on notes; one of them is the project's own."""
    connection.check_constraints()
    run(
        "CREATE SCHEMA shop",
        "CREATE TABLE shop.told (what text)",
        "CREATE FUNCTION shop.tell() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN "
        "INSERT INTO told VALUES (NEW.text); RETURN NULL; END$$",
        "CREATE TRIGGER tell AFTER UPDATE ON testapp_note FOR EACH ROW "
        "EXECUTE FUNCTION shop.tell()",
        "SET LOCAL search_path = public, shop",
    )
    doc = Doc.objects.create(title="d")
    note = Note.objects.create(doc=doc, text="n")
    doc.project = Project.objects.create(name="p")
    doc.save()
    with connection.cursor() as cursor:
        cursor.execute("SELECT what FROM told")
        assert cursor.fetchall() == [("n",)]
    assert row(note)[1] == str(doc.project.sync_id)
