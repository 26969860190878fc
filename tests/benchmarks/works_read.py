"""Pulls against what a project would write without sync, over the same records."""

from __future__ import annotations

import datetime
import random
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from rest_framework.authtoken.models import Token

from django_sync.feed import log as feed_log
from django_sync.feed import sequencer, tables
from tests.benchmarks.measure import Goal, Line, Work, in_turn, say
from tests.benchmarks.notes.models import Folder, Item, Note, PlainFolder, PlainItem, PlainNote
from tests.benchmarks.web import Browser

WORDS = (
    "lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut"
    " labore et dolore magna aliqua enim ad minim veniam quis nostrud"
)
LONG_AGO = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def contents(number: int, seed: int = 1) -> Iterator[dict[str, Any]]:
    """Deterministic records, 288 bytes of JSON in the mean."""
    dice, words = random.Random(seed), WORDS.split()
    for n in range(number):
        yield {
            "id": uuid.UUID(int=dice.getrandbits(128), version=4),
            "title": " ".join(dice.choices(words, k=5))[:60],
            "body": " ".join(dice.choices(words, k=21))[:140],
            "done": bool(n % 2),
            "n": dice.randrange(1_000_000),
            "at": LONG_AGO + datetime.timedelta(microseconds=dice.randrange(10**13)),
        }


def fill(room: str, number: int) -> None:
    """The same records in both tables, and everything sequenced."""
    made = list(contents(number))
    Note.objects.bulk_create([Note(room=room, **one) for one in made], batch_size=5000)
    PlainNote.objects.bulk_create([PlainNote(room=room, **one) for one in made], batch_size=5000)
    spread(room)
    sequencer.sequence()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE" if connection.vendor == "sqlite" else "VACUUM ANALYZE")


def fill_items(room: str, number: int) -> None:
    """Items in folders, 200 in each at most, the same in both tables."""
    folders = [Folder.objects.create(name=f"{room} {n}") for n in range(number // 200 + 1)]
    plain = PlainFolder.objects.bulk_create(PlainFolder(name=f.name) for f in folders)
    made = [{k: v for k, v in one.items() if k != "id"} for one in contents(number, 3)]
    Item.objects.bulk_create(
        [Item(folder=folders[n // 200], **one) for n, one in enumerate(made)], batch_size=5000
    )
    PlainItem.objects.bulk_create(
        [PlainItem(folder=plain[n // 200], **one) for n, one in enumerate(made)], batch_size=5000
    )
    sequencer.sequence()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE" if connection.vendor == "sqlite" else "VACUUM ANALYZE")


def spread(room: str) -> None:
    """Let ``modified`` be of different times, as it is where records come one by one."""
    where = "WHERE room = %s"
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                "UPDATE notes_plainnote SET modified = strftime('%%Y-%%m-%%d %%H:%%M:%%f000',"
                f" 'now', '-1 hour', ((rowid %% 100000) * 0.01) || ' seconds') {where}",
                [room],
            )
        else:
            cursor.execute(
                "UPDATE notes_plainnote SET modified = now() - interval '1 hour'"
                f" + random() * interval '1000 seconds' {where}",
                [room],
            )


def crowd(number: int) -> None:
    """So many changes of others: entries of the log as triggers would leave them.

    They are put in by one statement, since a million real writes would take an hour.
    """
    sequencer.sequence()
    head = feed_log.state()[0].head
    columns = "position, mark, model, object_id, revision, op, columns, scope, at"
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                "WITH RECURSIVE g (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < %s)"
                f" INSERT INTO {tables.CHANGE} ({columns}) SELECT %s + n,"
                " random() & 9007199254740991, 'notes.note', lower(hex(randomblob(16))), 2, 'u',"
                " 'title', 'tenant ' || (n %% 500),"
                " strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now') FROM g",
                [number, head],
            )
        else:
            cursor.execute(
                f"INSERT INTO {tables.CHANGE} ({columns}) SELECT %s + n,"
                " floor(random() * 9007199254740991)::bigint, 'notes.note', gen_random_uuid(), 2,"
                " 'u', 'title', 'tenant ' || (n %% 500), now() FROM generate_series(1, %s) n",
                [head, number],
            )
            cursor.execute(f"UPDATE {tables.FEED} SET head = head + %s WHERE id = 1", [number])
            cursor.execute(f"ANALYZE {tables.CHANGE}")


def neighbours(number: int) -> None:
    """The others' rows in the plain table, changed behind our last look."""
    made = [PlainNote(room=f"tenant {n % 500}", **one) for n, one in enumerate(contents(number, 2))]
    PlainNote.objects.bulk_create(made, batch_size=5000)


class Reading:
    """One user with so many records, and a browser."""

    def __init__(self, records: int) -> None:
        self.records, self.room = records, "reader"
        user = User.objects.create_user(self.room)
        Token.objects.create(user=user, key="reader")
        self.browser = Browser("reader")
        say(f"{records:,} records in both tables")
        fill(self.room, records)

    def line(
        self, work: str, n: int, against: str, base: Work, ours: Work, goal: Goal | None, pairs: int
    ) -> Line:
        say(f"{work}, against {against}")
        told = in_turn(base, ours, pairs)
        return Line(connection.vendor, work, n, "record", against, *told, goal)

    def first_pull(self, pairs: int) -> Iterator[Line]:
        def check(count: int) -> None:
            assert count == self.records, count

        def ours() -> None:
            check(self.browser.pull()[0])

        def drf() -> None:
            check(self.browser.list("/plain/", ""))

        def by_hand() -> None:
            check(self.browser.list("/by-hand/", "?after="))

        def in_database() -> None:
            check(self.browser.list("/in-database/", "?after="))

        name, n, pg = "first pull", self.records, connection.vendor == "postgresql"
        goal = Goal(5 if pg else 3.5, of_rate=True)
        yield self.line(name, n, "plain DRF, cursor list", drf, ours, goal, pairs)
        hand = None if pg else Goal(1, of_rate=True)
        yield self.line(name, n, "values_list and json by hand", by_hand, ours, hand, pairs)
        if pg:
            agg = Goal(0.75, of_rate=True)
            yield self.line(name, n, "json_agg by hand", in_database, ours, agg, pairs)

    def nested_pull(self, pairs: int) -> Line:
        """With a nested read-only serializer, against plain DRF over a query that selects it."""
        number = self.records // 4
        fill_items(self.room, number)

        def ours() -> None:
            count = self.browser.pull(collection="items")[0]
            assert count == number, count

        def drf() -> None:
            count = self.browser.list("/plain-items/", "")
            assert count == number, count

        name, against = "first pull, nested serializer", "plain DRF, cursor list, select_related"
        return self.line(name, number, against, drf, ours, Goal(0.5, of_rate=True), pairs)

    def nothing_new(self, times: int, pairs: int) -> Line:
        _, cursor = self.browser.pull()

        def ours() -> None:
            for _ in range(times):
                assert self.browser.pull(cursor)[0] == 0

        def empty() -> None:
            for _ in range(times):
                self.browser.call("GET", "/empty/")

        name, against = "a pull that finds nothing", "an authenticated DRF view of {}"
        return self.line(name, times, against, empty, ours, Goal(1.4), pairs)

    def one_change(self, others: int, times: int, pairs: int) -> Iterator[Line]:
        """One change among our own, behind so many changes of others, and ten times as many."""
        _, cursor = self.browser.pull()
        since = timezone.now().isoformat()
        neighbours(min(others, 200_000))
        log = 0
        for there in (others, 10 * others):
            say(f"{there:,} changes of others")
            crowd(there - log)
            log = there
            yield self._one_change(cursor, since, there, times, pairs)

    def _one_change(self, cursor: str, since: str, others: int, times: int, pairs: int) -> Line:
        models: tuple[Any, ...] = (Note, PlainNote)
        for model in models:
            mine: Any = model.objects.filter(room=self.room).order_by("id").first()
            mine.title = f"changed behind {others}"
            mine.save()
        sequencer.sequence()

        def ours() -> None:
            for _ in range(times):
                assert self.browser.pull(cursor)[0] == 1

        def drf() -> None:
            for _ in range(times):
                assert self.browser.list(f"/plain/?since={quote(since)}", "") == 1

        name = f"one change among {self.records:,} own, {others:,} of others"
        return self.line(name, times, "plain DRF, ?since= on an index", drf, ours, Goal(1.5), pairs)
