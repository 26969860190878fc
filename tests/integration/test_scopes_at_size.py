"""Scopes at size: a hundred thousand records, five thousand scopes, ten thousand below one parent.

Work is counted in statements, in rows that triggers touch and in the database's own steps, never
in seconds: what is flat or grows in line is so on a busy machine too.
"""

from __future__ import annotations

import functools
import os
import tracemalloc
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext

from django_sync import engine, sync
from django_sync.drf.caller import Caller
from django_sync.feed import sequencer
from django_sync.models import Change, Outbox
from django_sync.protocol import Op
from example_project.boards.models import Card, Comment, Membership
from tests.integration.conftest import make_people
from tests.registry_app.models import Memo
from tests.replica import Replica, truth

MANY = int(os.environ.get("ROWS_AT_SIZE", "20000" if connection.vendor == "sqlite" else "5000"))
"""PostgreSQL pages by the same code and the same index; what differs there shows with fewer.
`make matrix` has a hundred thousand: what must not grow with the number is counted, not timed."""
PAGE = min(1000, MANY // 20)
LAST = MANY // PAGE
pytestmark = pytest.mark.usefixtures("as_it_was")
SEEN: dict[int, list[Any]] = {}
"""The scopes that a user sees of the collections that these tests register."""


def statements(act: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as captured:
        act()
    return len(captured)


def insert(table: str, columns: dict[str, str], number: int) -> None:
    """Rows by one statement; ``n`` counts them."""
    named = ", ".join(connection.ops.quote_name(name) for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < %s) "
            f"INSERT INTO {table} ({named}) SELECT {', '.join(columns.values())} FROM c",
            [number],
        )


def memos(owner: User, number: int) -> None:
    columns = {
        "owner_id": str(owner.pk),
        "title": "'Memo ' || n",
        "password": "''",
        "sync_revision": "1",
    }
    insert("registry_app_memo", columns, number)


# A hundred thousand records


@pytest.mark.slow
class TestAHundredThousand(TestCase):
    """One scope with a hundred thousand records comes into Ada's view and leaves it."""

    ada: User
    owner: User

    @classmethod
    def setUpTestData(cls) -> None:
        cls.ada = User.objects.create_superuser("ada")
        cls.owner = User.objects.create_user("grace")
        memos(cls.ada, 3)
        memos(cls.owner, MANY)
        sequencer.sequence()

    def setUp(self) -> None:
        sync.register(
            Memo, fields=["title"], scope="owner", scopes=lambda user: [user.pk, *SEEN[user.pk]]
        )
        SEEN[self.ada.pk] = []
        self.replica = Replica(self.ada, ("memos",), limit=PAGE)
        self.replica.pull()
        assert len(self.replica.records) == 3

    def enter(self) -> None:
        SEEN[self.ada.pk] = [self.owner.pk]

    def leave(self) -> None:
        SEEN[self.ada.pk] = []

    def the_drop(self) -> None:
        """The next page takes the scope back by one change, and is the last."""
        page = self.replica.page()
        assert [(c.op, c.collection, c.scope) for c in page.changes] == [
            (Op.DROP, "memos", str(self.owner.pk))
        ]
        assert not page.has_more
        assert len(self.replica.records) == 3

    def peak_of_a_page(self) -> int:
        """The most bytes that the next page takes on the server."""
        caller = Caller.for_user(self.ada)
        tracemalloc.start()
        engine.pull(caller, cursor=self.replica.cursor, collections=("memos",), limit=PAGE)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    def test_it_enters_in_pages_of_one_size_and_cost(self) -> None:
        self.enter()
        costs, cursors, peaks = [], {}, {}
        for number in range(LAST + 2):
            if number in (1, LAST // 2, LAST - 2):
                peaks[number] = self.peak_of_a_page()
            with CaptureQueriesContext(connection) as captured:
                page = self.replica.page()
            assert len(page.changes) <= PAGE
            costs.append(len(captured))
            cursors[number] = self.replica.cursor, page.changes
            if not page.has_more:
                break
            assert page.snapshot == {"done": len(self.replica.records) - 3, "total": MANY}
        assert number == LAST, "full pages, and one that finds no more"
        assert len(self.replica.records) == MANY + 3
        assert len(self.replica.log) == MANY + 3, "each once"
        assert len(set(costs[1:-1])) == 1, costs
        assert max(costs) <= costs[1] + 8
        assert max(peaks.values()) < 1.2 * min(peaks.values()), peaks
        assert max(peaks.values()) < PAGE * 4000, "some kilobytes a record, whatever lies behind"
        assert all(len(cursor) < 400 for cursor, _ in cursors.values() if cursor)

        # Stopped at any page, it goes on from there: with the very page that came the first time.
        for number in (0, LAST // 2, LAST - 1):
            self.replica.cursor = cursors[number][0]
            assert self.replica.page().changes == cursors[number + 1][1]
        assert len(self.replica.records) == MANY + 3

    def test_it_leaves_by_one_drop_and_may_come_again(self) -> None:
        self.enter()
        self.replica.pull()
        assert len(self.replica.records) == MANY + 3
        self.leave()
        self.the_drop()
        assert self.replica.pull() == []
        self.enter()
        page = self.replica.page()
        assert page.snapshot == {"done": PAGE, "total": MANY}
        assert {(c.op, c.record.scope) for c in page.changes} == {(Op.PUT, str(self.owner.pk))}

    def test_it_leaves_in_the_middle_of_its_snapshot(self) -> None:
        self.enter()
        for _ in range(10):
            self.replica.page()
        assert len(self.replica.records) == 10 * PAGE + 3
        self.leave()
        self.the_drop()
        self.enter()
        page = self.replica.page()
        assert page.snapshot == {"done": PAGE, "total": MANY}, "from its beginning"
        self.replica.pull()
        assert len(self.replica.records) == MANY + 3

    def test_leaving_and_coming_back_unnoticed_in_the_middle_goes_on(self) -> None:
        self.enter()
        for _ in range(10):
            self.replica.page()
        self.leave()
        self.enter()
        assert self.replica.page().snapshot == {"done": 11 * PAGE, "total": MANY}


# Five thousand scopes


@pytest.fixture
def boards_of_ada(people: Any) -> Callable[[int], None]:
    def make(number: int) -> None:
        columns = {
            "name": "'Board ' || n",
            "color": "'#000000'",
            "owner_id": str(people.ada.pk),
            "sync_revision": "1",
        }
        insert("boards_board", columns, number)

    return make


def test_five_thousand_scopes(people, boards_of_ada):
    few, many = Replica(people.grace), Replica(people.ada)
    boards_of_ada(5000)
    sequencer.sequence()
    few.pull()
    asked = statements(many.pull)
    assert many.held() == truth(people.ada)
    assert len(many.held()) > 5000 > 10 > len(few.held())
    # Four collections, three of them all but empty: a query for each 64 scopes, not for each.
    assert asked < 4 * 5000 / 64 + 6 * 20

    assert statements(many.page) == statements(few.page) <= 7, "nothing new"
    Card.objects.create(board=people.launch, title="For both")
    sequencer.sequence()
    counts = {}
    for replica in (few, many):
        counts[replica] = statements(replica.page)
        assert [c.collection for c in replica.log[-1:]] == ["cards"]
    assert counts[many] == counts[few], "a page of the tail"

    # One scope more, and one less.
    membership = Membership.objects.create(board=people.private, user=people.ada)
    sequencer.sequence()
    assert statements(many.pull) < 30
    assert many.held() == truth(people.ada)
    membership.delete()
    assert [c.op for c in many.pull()] == [Op.DROP] * 4
    assert many.held() == truth(people.ada)


# A parent with ten thousand below it


BELOW = 10_000


def entries() -> int:
    return Change.objects.count() + Outbox.objects.count()


def work(act: Callable[[], object]) -> dict[str, int]:
    """What the database did meanwhile, the work of its triggers included."""
    if connection.vendor == "sqlite":
        return {"steps": steps(act)}
    before = rows_touched()
    act()
    return {name: count - before.get(name, 0) for name, count in rows_touched().items()}


def steps(act: Callable[[], object]) -> int:
    """Steps of SQLite's machine, in hundreds."""
    done = 0

    def count() -> int:
        nonlocal done
        done += 1
        return 0

    connection.connection.set_progress_handler(count, 100)
    act()
    connection.connection.set_progress_handler(None, 0)
    return done


def rows_touched() -> dict[str, int]:
    """Rows read, inserted and updated in this transaction, by table."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, seq_tup_read, idx_tup_fetch, n_tup_ins, n_tup_upd "
            "FROM pg_stat_xact_user_tables WHERE relname ~ '^(boards|django_sync)_'"
        )
        found = {}
        for table, scanned, fetched, inserted, updated in cursor.fetchall():
            found[f"{table} read"] = scanned + (fetched or 0)
            found[f"{table} written"] = inserted + updated
        return found


class TestAParentThatMoves(TestCase):
    """A card with ten thousand comments goes from Launch to Private."""

    people: SimpleNamespace
    card: Card

    @classmethod
    def setUpTestData(cls) -> None:
        cls.people = make_people()
        cls.card = cls.people.launch.cards.get()
        columns = {
            "card_id": str(cls.card.pk),
            "author_id": str(cls.people.ada.pk),
            "text": "'Comment ' || n",
            "created_at": "CURRENT_TIMESTAMP",
            "sync_revision": "1",
        }
        insert("boards_comment", columns, BELOW - 1)
        assert cls.card.comments.count() == BELOW

    def move(self) -> None:
        Card.objects.filter(pk=self.card.pk).update(board=self.people.private)
        self.card.drop_foreign_labels()

    def test_all_is_true_in_the_writers_own_transaction(self) -> None:
        before = entries()
        asked = statements(
            lambda: Card.objects.filter(pk=self.card.pk).update(board=self.people.private)
        )
        assert asked == 1
        assert entries() - before == 2 * (BELOW + 1), "each is told to the old scope and the new"
        home = str(self.people.private.sync_id)
        followed = Comment.objects.filter(card=self.card, sync_scope=home, sync_revision=2)
        assert followed.count() == BELOW

    def test_the_old_scopes_readers_lose_them_and_the_new_ones_get_them(self) -> None:
        ada, alan = Replica(self.people.ada, limit=PAGE), Replica(self.people.alan, limit=PAGE)
        Membership.objects.filter(user=self.people.alan).delete()  # Private is his, Launch is not
        for replica in (ada, alan):
            replica.pull()
            replica.log.clear()
        self.move()
        for replica, op, user in ((ada, Op.REMOVE, "ada"), (alan, Op.PUT, "alan")):
            pages = 1
            while (page := replica.page()).has_more:
                assert len(page.changes) <= PAGE
                pages += 1
            assert pages == 1 + BELOW // PAGE
            told = [c for c in replica.log if c.collection == "comments"]
            assert {c.op for c in told} == {op}
            assert len(told) == BELOW, "each once"
            assert replica.held() == truth(getattr(self.people, user))

    def test_a_replica_in_both_scopes_holds_each_once(self) -> None:
        Membership.objects.create(board=self.people.private, user=self.people.ada)
        ada = Replica(self.people.ada, limit=PAGE)
        ada.pull()
        self.move()
        assert {c.op for c in ada.pull()} == {Op.PUT}
        assert ada.held() == truth(self.people.ada)

    def test_each_row_costs_the_triggers_the_same_however_many_there_are(self) -> None:
        small = Card.objects.create(board=self.people.launch, title="Small")
        some = self.card.comments.values("pk")[: BELOW // 10]
        Comment.objects.filter(pk__in=list(some.values_list("pk", flat=True))).update(card=small)
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE boards_comment")
        costs = {}
        for card in (small, self.card):
            number = card.comments.count()
            move = Card.objects.filter(pk=card.pk).update
            done = work(functools.partial(move, board=self.people.private))
            costs[number] = {name: count / number for name, count in done.items() if count}
        (_, few), (_, many) = sorted(costs.items())
        assert set(few) == set(many)
        for name, count in many.items():
            assert count < 1.3 * few[name] + 0.2, (name, few, many)
