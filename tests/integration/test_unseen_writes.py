"""A refused mutation leaves nothing behind, however its project's code wrote."""

from __future__ import annotations

import pytest
from django.db import connection
from rest_framework import serializers

from django_sync import sync
from django_sync.writes.read_only import is_read
from tests.app.models import Author, Event
from tests.integration.phone import Phone
from tests.integration.run_cases import viewset_with

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_it_was")]

FUNCTION = """
CREATE FUNCTION writes_an_author() RETURNS int LANGUAGE plpgsql AS $$
BEGIN INSERT INTO testapp_author (name, logins) VALUES ('x', 0); RETURN 1; END $$
"""


def by_select(cursor):
    cursor.execute("SELECT * FROM writes_an_author()")


def by_call(cursor):
    cursor.callproc("writes_an_author")


def by_copy(cursor):
    with cursor.copy("COPY testapp_author (name, logins) FROM STDIN") as rows:
        rows.write_row(("x", 0))


@pytest.mark.postgresql
@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize("write", [by_select, by_call, by_copy])
def test_what_a_refused_mutation_wrote_is_undone(people, write, number):
    """Alone it has no savepoint, and in a run it shares one."""
    with connection.cursor() as cursor:
        cursor.execute(FUNCTION)

    def perform_create(self, serializer):
        with connection.cursor() as cursor:
            write(cursor)
        if serializer.validated_data["name"] == "bad":
            raise serializers.ValidationError("no")
        serializer.save()

    sync.register("events", viewset_with(perform_create=perform_create))
    phone = Phone(people.ada)
    names = ["good", "bad", "fine"][-number:] if number > 1 else ["bad"]
    results = phone.send(*(phone.create("events", name=name) for name in names))
    assert [r.status for r in results] == ["rejected" if n == "bad" else "applied" for n in names]
    assert Author.objects.count() == Event.objects.count() == len(names) - 1


@pytest.mark.postgresql
def test_a_copy_in_a_run_finds_what_was_saved_before_it(people):
    """Delayed saves are written before SQL that no wrapper sees."""
    seen = []

    def perform_create(self, serializer):
        serializer.save()
        with (
            connection.cursor() as cursor,
            cursor.copy("COPY (SELECT 1 FROM testapp_event) TO STDOUT") as rows,
        ):
            seen.append(len(list(rows.rows())))

    sync.register("events", viewset_with(perform_create=perform_create))
    phone = Phone(people.ada)
    phone.send(*(phone.create("events", name=name) for name in "abc"))
    assert seen[-3:] == [1, 2, 3]


@pytest.mark.parametrize(
    ("sql", "reads"),
    [
        ('SELECT "a"."id" FROM "a" WHERE "a"."n" IN (%s, %s)', True),
        ("SELECT COUNT(*) AS c, COALESCE(max(x), 0) FROM a WHERE EXISTS (SELECT 1 FROM b)", True),
        ('SELECT * FROM "a" FOR NO KEY UPDATE OF "a"', True),
        ("SELECT django_date_trunc('day', at, 'UTC', 'UTC') FROM a", True),
        ("SELECT f(x) FROM a", False),
        ("SELECT * FROM f()", False),
        ('SELECT "f"(1) FROM a', False),
        ("SELECT s.f(1) FROM a", False),
        ("WITH gone AS (DELETE FROM a RETURNING *) SELECT * FROM gone", False),
        ("SELECT nextval('s') FROM a", True),
        ("SELECT set_config('a.b', '1', true) FROM a", False),
    ],
)
def test_what_counts_as_a_read(sql, reads):
    assert is_read(sql) is reads
