"""PostgreSQL's function for the first question of a pull: what it says, and doing without it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.db import ProgrammingError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.test.utils import CaptureQueriesContext

from django_sync.feed import log as feed_log
from django_sync.feed import postgresql, sequencer, tables
from django_sync.models import Change, Feed, Generation
from example_project.boards.models import Card
from tests.replica import Replica, truth

pytestmark = pytest.mark.postgresql
NAME = "django_sync_overview"


@pytest.fixture(autouse=True)
def unknown() -> Iterator[None]:
    """A process that has not found out yet whether the function is there."""
    postgresql.without_function.clear()
    yield
    postgresql.without_function.clear()


def asked(position: int) -> tuple[feed_log.Overview, list[str]]:
    with CaptureQueriesContext(connection) as captured:
        found = feed_log.overview(position, whole=False)
    return found, [query["sql"] for query in captured.captured_queries]


def by_statement(position: int) -> feed_log.Overview:
    whole = feed_log.overview(position)
    return replace(whole, state=replace(whole.state, mark=0))


def test_it_says_what_the_statement_says(boards):
    Generation.objects.create(model="a|b", value=3)
    sequencer.sequence()
    head = feed_log.state()[0].head
    for write in (lambda: None, lambda: Card.objects.update(title="waits")):
        write()
        for position in (0, 1, head, head + 1):
            found, statements = asked(position)
            assert [NAME in sql for sql in statements] == [True]
            assert found == by_statement(position)
    assert found.unsequenced
    assert found.mark is None
    Generation.objects.all().delete()
    assert asked(1)[0] == by_statement(1)


def test_it_says_nothing_where_the_feed_has_no_row(boards):
    Feed.objects.all().delete()
    found, _ = asked(0)
    assert found == by_statement(0)
    assert Feed.objects.count() == 1


def test_within_a_transaction_the_statement_is_asked(boards):
    """There a function that is missing would end it."""
    with transaction.atomic():
        found, statements = asked(1)
    assert not any(NAME in sql for sql in statements)
    assert found == by_statement(1)


def migrated(name: str) -> None:
    MigrationExecutor(connection).migrate([("django_sync", name)])


def test_g1_pulls_go_on_before_the_upgrade_and_after_a_downgrade(boards):
    """Without the function a process tries once, and asks by a statement from then on."""
    replica = Replica(boards.ada)
    replica.pull()
    migrated("0010_results_without_claims")
    try:
        found, statements = asked(1)
        assert len(statements) == 2
        assert NAME not in statements[1]
        assert found == by_statement(1)
        assert [NAME in sql for sql in asked(1)[1]] == [False]
        Card.objects.update(title="meanwhile")
        replica.pull()
        assert replica.held() == truth(boards.ada)
    finally:
        migrated("0011_overview")
    postgresql.without_function.clear()  # a process that starts after it
    assert [NAME in sql for sql in asked(1)[1]] == [True]
    Card.objects.update(title="afterwards")
    replica.pull()
    assert replica.held() == truth(boards.ada)


def test_who_may_not_call_it_asks_by_a_statement(boards):
    feed_log.state()
    with connection.cursor() as cursor:
        cursor.execute(f"REVOKE EXECUTE ON FUNCTION {NAME}(bigint) FROM PUBLIC")
        cursor.execute("CREATE ROLE sync_overview_test")
        cursor.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO sync_overview_test")
        cursor.execute("SET ROLE sync_overview_test")
    try:
        found, statements = asked(1)
        assert [NAME in sql for sql in statements] == [True, False]
        assert found == by_statement(1)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET ROLE")
            cursor.execute("DROP OWNED BY sync_overview_test; DROP ROLE sync_overview_test")
            cursor.execute(f"GRANT EXECUTE ON FUNCTION {NAME}(bigint) TO PUBLIC")


def test_another_failure_is_not_taken_for_a_missing_function(boards, monkeypatch):
    def broken(text: str) -> Any:
        raise ProgrammingError("not of the function")

    monkeypatch.setattr(postgresql, "parse_overview", broken)
    with pytest.raises(ProgrammingError):
        feed_log.overview(1, whole=False)
    assert not postgresql.without_function


def test_a_plan_of_a_short_log_does_not_read_all_of_a_long_one(boards):
    """It is kept for a session, and made while the log is one page."""
    sequencer.sequence()
    Change.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(f"VACUUM ANALYZE {tables.CHANGE}")
    for _ in range(12):
        feed_log.overview(1, whole=False)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {tables.CHANGE} (position, mark, model, object_id, revision, op,"
            " columns, scope, at)"
            " SELECT 1000 + n, n, 'a.b', gen_random_uuid(), 1, 'u', '', 's', now()"
            " FROM generate_series(1, 3000) n"
        )
        read = f"SELECT seq_tup_read FROM pg_stat_xact_all_tables WHERE relname = '{tables.CHANGE}'"
    seen: list[int] = []
    with transaction.atomic(), connection.cursor() as cursor:
        for _ in range(2):
            cursor.execute(read)
            seen.append(cursor.fetchone()[0])
            cursor.execute(f"SELECT {NAME}(3500)")
            assert cursor.fetchone()[0].split("|")[3] == "2500"
    assert seen[0] == seen[1], "rows that were read one after another"
