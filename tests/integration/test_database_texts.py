"""What the database writes of a record is what DRF writes, byte for byte, or Python writes it."""

from __future__ import annotations

import datetime
import decimal
import json
import uuid
from dataclasses import replace

import pytest
from django.db import connection, connections, models, transaction
from django.db.models import Count
from django.test.utils import CaptureQueriesContext, isolate_apps
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from rest_framework import serializers

from django_sync.drf.caller import Caller
from django_sync.drf.json_sql.expression import RecordText
from django_sync.drf.record_cache import rendered
from django_sync.drf.registry import registry
from django_sync.drf.rendering import encoded, plan_for
from django_sync.drf.serializers import SyncSerializerMixin
from django_sync.http.coding import SyncRenderer
from django_sync.models import SyncModel
from django_sync.protocol import ReadyList, ReadyRecord, Record
from example_project.boards import api
from example_project.boards.models import Board, Card, Label
from tests.app.models import Doc
from tests.replica import Replica

PG = connection.vendor == "postgresql"


class Grade(models.TextChoices):
    BEST = "a", "Best"
    ODD = 'o"d\\', "Odd"


class Own(models.CharField):
    """A project's own field, which does nothing special, as nobody but the project knows."""


with isolate_apps("tests.app"):

    class Sample(SyncModel):
        """A column of each kind; its table is made by these tests, without triggers."""

        text = models.CharField(max_length=99, null=True, db_column="it's {c} text")
        body = models.TextField(default="")
        mail = models.EmailField(default="")
        slug = models.SlugField(default="")
        url = models.URLField(default="")
        grade = models.CharField(max_length=9, choices=Grade, default="a", blank=True)
        level = models.IntegerField(choices=[(1, "low"), (2, "high")], null=True)
        whole = models.IntegerField(null=True)
        big = models.BigIntegerField(default=0)
        small = models.PositiveSmallIntegerField(default=0)
        flag = models.BooleanField(null=True)
        key = models.UUIDField(null=True)
        at = models.DateTimeField(null=True)
        day = models.DateField(null=True)
        time = models.TimeField(null=True)
        price = models.DecimalField(max_digits=9, decimal_places=2, null=True)
        ratio = models.FloatField(null=True)
        span = models.DurationField(null=True)
        tree = models.JSONField(null=True)
        address = models.GenericIPAddressField(null=True)
        own = Own(max_length=20, null=True)

        class Meta:
            app_label = "app"


def made(scope="", revision=1, **values):
    """A row; what triggers would keep is written by a second statement."""
    row = Sample.objects.create(**values)
    Sample.objects.filter(pk=row.pk).update(sync_scope=scope, sync_revision=revision)
    return row


FIELDS = [field.name for field in Sample._meta.concrete_fields if field.name != "id"]
FIELDS = [name for name in FIELDS if not name.startswith("sync_")]
GAPS = {"ratio", "span", "tree", "address", "own"}
"""Fields that Python always writes."""
if not PG:
    GAPS |= {"price"}


def serializer_of(*names, **declared):
    meta = type("Meta", (), {"model": Sample, "fields": list(names)})
    bases = (SyncSerializerMixin, serializers.ModelSerializer)
    return type("SampleSerializer", bases, {"Meta": meta, **declared})


ALL, WRITTEN = serializer_of(*FIELDS), serializer_of(*(n for n in FIELDS if n not in GAPS))


def by_drf(kind, rows):
    """The ``put`` of each row as DRF and ``json`` write it."""
    return [
        encoded(
            Record("samples", row.sync_id, row.sync_revision, row.sync_scope, dict(told))
            .as_change()
            .to_json()
        )
        for row, told in zip(rows, kind(rows, many=True).data, strict=True)
    ]


def by_plan(kind, rows=None, *, text=True):
    """The same as sync writes it; without ``text`` as it does where no database writes."""
    plan = plan_for("samples", Sample, kind())
    assert plan is not None
    assert plan.text is not None
    rows = Sample.objects.order_by("sync_scope", "sync_id") if rows is None else rows
    made = (plan if text else replace(plan, text=None)).records(rows)
    return [
        record.put if isinstance(record, ReadyRecord) else encoded(record.as_change().to_json())
        for record in made
    ]


class Made(TestCase):
    """With the table of ``Sample``."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        editor = connection.schema_editor(atomic=False, collect_sql=True)
        editor.deferred_sql = []
        editor.create_model(Sample)
        with connection.cursor() as cursor:  # within the class's transaction, SQLite's as well
            for statement in editor.collected_sql:
                cursor.execute(statement)


CHARACTERS = st.characters(blacklist_categories=["Cs"], blacklist_characters="\0")
TEXT = st.text(CHARACTERS, max_size=30) | st.sampled_from(
    [
        "",
        "\x01\x08\t\n\x0b\x0c\r\x1f\x7f\x80\x9f",
        '"\\/',
        "\u2028\u2029",
        "👩‍👩‍👧",
        "null",
        "1",
        "%s%%",
    ]
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
FIRST, LAST = (
    datetime.datetime.fromisoformat("0001-01-03"),
    datetime.datetime.fromisoformat("9999-12-30"),
)
TIMES = st.datetimes(FIRST, LAST, timezones=st.just(datetime.UTC))
YEARS = datetime.timedelta(days=365 * 1000)
VALUES = {
    "text": st.none() | TEXT,
    "body": TEXT,
    "mail": TEXT,
    "slug": TEXT,
    "url": TEXT,
    "grade": st.sampled_from(["a", 'o"d\\', "", "other"]),
    "level": st.sampled_from([None, 1, 2, 3]),
    "whole": st.none() | st.integers(-(2**31), 2**31 - 1),
    "big": st.integers(-(2**63), 2**63 - 1),
    "small": st.integers(0, 2**15 - 1),
    "flag": st.none() | st.booleans(),
    "key": st.none() | st.uuids(),
    "at": st.none() | TIMES | TIMES.map(lambda at: at.replace(microsecond=0)),
    "day": st.none() | st.dates(),
    "time": st.none() | st.times() | st.times().map(lambda at: at.replace(microsecond=0)),
    "price": st.none() | st.decimals(-9999999, 9999999, places=2),
    "ratio": st.none() | st.floats(allow_nan=False, allow_infinity=False),
    "span": st.none() | st.timedeltas(-YEARS, YEARS),
    "tree": JSON,
    "address": st.none() | st.ip_addresses().map(str),
    "own": st.none() | st.text(CHARACTERS, max_size=20),
}
EASY = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))


class TestEachKind(Made):
    def test_the_database_writes_all_but_these(self):
        plan = plan_for("samples", Sample, ALL())
        assert {cell.name for cell in plan.text.gaps} == GAPS
        assert not plan_for("samples", Sample, WRITTEN()).text.gaps

    @EASY
    @given(
        rows=st.lists(st.fixed_dictionaries(VALUES), min_size=1, max_size=3),
        scope=TEXT,
        zone=st.sampled_from(["UTC", "UTC", "Asia/Kathmandu", "America/New_York"]),
        coerce=st.booleans(),
    )
    def test_a_record_is_what_drf_makes_of_it(self, rows, scope, zone, coerce):
        for row in rows:
            made(scope, 2**62, **row)
        told = Sample.objects.order_by("sync_scope", "sync_id")
        with self.settings(TIME_ZONE=zone, REST_FRAMEWORK={"COERCE_DECIMAL_TO_STRING": coerce}):
            assert by_plan(ALL) == by_drf(ALL, told)
            page = plan_for("samples", Sample, WRITTEN()).text.page(told)
            if zone == "UTC" and (coerce or not PG):
                assert page.text == ",".join(by_drf(WRITTEN, told))
                assert page.count == len(rows)
                assert page.last_id == told.last().sync_id
                assert page.last_scope == scope
            else:
                assert page is None


OPTIONS = {
    "a decimal that is localized": {
        "price": serializers.DecimalField(max_digits=9, decimal_places=2, localize=True)
    },
    "a decimal of other digits": {
        "price": serializers.DecimalField(max_digits=9, decimal_places=1)
    },
    "a decimal without zeros": {
        "price": serializers.DecimalField(max_digits=9, decimal_places=2, normalize_output=True)
    },
    "a decimal as a number": {
        "price": serializers.DecimalField(max_digits=9, decimal_places=2, coerce_to_string=False)
    },
    "a time in seconds": {"at": serializers.DateTimeField(format="%s")},
    "a time as it is": {"at": serializers.DateTimeField(format=None)},
    "a time elsewhere": {
        "at": serializers.DateTimeField(
            default_timezone=datetime.timezone(datetime.timedelta(hours=3))
        )
    },
    "a day in words": {"day": serializers.DateField(format="%d %B")},
    "a time of day in words": {"time": serializers.TimeField(format="%H h")},
    "an id in hex": {"key": serializers.UUIDField(format="hex")},
    "an id as a number": {"key": serializers.UUIDField(format="int")},
    "a number as text": {"whole": serializers.CharField()},
    "a text as a number": {"slug": serializers.IntegerField()},
    "a big number as text": {"big": serializers.BigIntegerField(coerce_to_string=True)},
    "a flag as text": {"flag": serializers.CharField()},
    "a number as a flag": {"whole": serializers.BooleanField()},
    "a text as a flag": {"slug": serializers.BooleanField()},
    "choices of another type": {"slug": serializers.ChoiceField([(1, "one"), ("7", "seven")])},
}


class TestOptions(Made):
    """A field that shows its column in another way is left to Python."""

    def test_each(self):
        at = datetime.datetime(2026, 3, 4, 5, 6, 7, 8, tzinfo=datetime.UTC)
        made(
            price=decimal.Decimal("1234.50"),
            at=at,
            day=at.date(),
            time=at.time(),
            key=uuid.uuid4(),
            whole=7,
            big=2**60,
            flag=True,
            slug="7",
        )
        for name, declared in OPTIONS.items():
            with self.subTest(name):
                kind = serializer_of(*declared, **declared)
                plan = plan_for("samples", Sample, kind())
                assert [cell.name for cell in plan.text.gaps] == list(declared)
                assert by_plan(kind) == by_drf(kind, Sample.objects.all())

    def test_times_without_a_zone(self):
        with self.settings(USE_TZ=False):
            made(at="2026-03-04 05:06")
            kind = serializer_of("at")
            assert plan_for("samples", Sample, kind()).text.gaps
            assert by_plan(kind) == by_drf(kind, Sample.objects.all())

    def test_project_s_formats(self):
        made(at="2026-03-04T05:06:07Z", day="2026-03-04")
        kind = serializer_of("at", "day")
        formats = {"DATETIME_FORMAT": "%Y", "DATE_FORMAT": "%d.%m.%Y"}
        with self.settings(REST_FRAMEWORK=formats):
            assert by_plan(kind) == by_drf(kind, Sample.objects.all())


ODD_ON_SQLITE = {
    "text": [b"bytes", "a\0b"],
    "whole": [1.5, "many", b"7", 2**63 - 1],
    "big": [1e300, "1"],
    "flag": [2, "x", 1.0, 0.5, b"1"],
    "key": ["A" * 32, str(uuid.uuid4()), "a" * 31, "g" * 32, "a" * 32 + "\0", b"a" * 32, 5, ""],
    "at": [
        *(
            "2026-03-04T05:06:07",
            "2026-03-04 05:06",
            "2026-03-04 05:06:07.5",
            "2026-02-30 00:00:00",
        ),
        *(
            "2026-03-04 05:06:07.000000",
            "2026-03-04 24:00:00",
            "0000-01-01 00:00:00",
            "noon",
            5,
            2.5,
        ),
        *("2026-03-04 05:06:07Z", "2026-03-04 05:06:07\0", " 2026-03-04 05:06:07", b"2026-03-04"),
    ],
    "day": ["2026-3-4", "2026-02-30", "0000-01-01", "2026-03-04 00:00:00", 7, b"2026-03-04"],
    "time": ["05:06", "24:00:00", "05:06:07.000000", "05:06:07.12", "5:06:07", 7],
    "sync_id": ["A" * 32, "a" * 31, "g" * 32, str(uuid.uuid4())],
    "sync_scope": [b"bytes", "a\0b"],
}
ODD_ON_POSTGRESQL = {
    "at": [
        "infinity",
        "-infinity",
        "0044-03-15 12:00 BC",
        "20000-01-01",
        "9999-12-31 23:59:59.999999+00",
    ],
    "day": ["infinity", "-infinity", "0044-03-15 BC", "20000-01-01"],
    "time": ["24:00:00"],
    "price": ["NaN"],
    "tree": ['{"b": 1.50, "a": 1e400, "b": 2}', "123456789012345678901234567890", '"\\u0000x"'],
    "ratio": ["NaN", "Infinity", "-0.0", "1e300"],
}
ODD = ODD_ON_POSTGRESQL if PG else ODD_ON_SQLITE | {"ratio": ["x", 1e300, -0.0, "inf"]}


def outcome(made):
    """What comes out, or the class of what is raised, with the transaction as it was."""
    try:
        with transaction.atomic():
            return made()
    except Exception as error:  # noqa: BLE001 - whichever it is, it is compared
        return type(error)


class TestOddValues(Made):
    """Another program may have stored them. Nobody's pull is to fail, or to succeed, for that."""

    def test_each_comes_out_as_before(self):
        seen = set()
        for name, values in ODD.items():
            for value in values:
                with self.subTest(f"{name} {value!r}"):
                    seen.add(name if self.holds(name, value) else None)
        assert seen - {None} == set(ODD)

    def holds(self, name, value):
        """Look at one value; whether the database stores it at all."""
        kind = serializer_of("text" if name.startswith("sync_") else name)
        Sample.objects.all().delete()
        made("b", text="fine")
        if outcome(lambda: self.store(name, value)) is not None:
            return False
        today = outcome(lambda: by_plan(kind, text=False))
        assert outcome(lambda: by_plan(kind)) == today
        page = outcome(lambda: paged(kind))
        assert page in (None, today) or page == [",".join(today)]
        return True

    def store(self, name, value):
        """Put it into a row past Django; the table's other row is as Django left it."""
        odd = made("a")
        quoted = connection.ops.quote_name
        table, column = quoted(Sample._meta.db_table), quoted(Sample._meta.get_field(name).column)
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE {table} SET {column} = %s WHERE id = %s", [value, odd.pk])


def paged(kind):
    """A page as one text, in a list; ``None`` where it has to be made otherwise."""
    plan = plan_for("samples", Sample, kind())
    page = plan.text.page(Sample.objects.order_by("sync_scope", "sync_id"))
    return None if page is None else [page.text]


class Upper(models.QuerySet):
    """A project's own, which reads its columns in a way of its own."""

    def values_list(self, *fields, **more):
        return super().values_list(*fields, **more).filter(pk__gt=0)


KEPT = {
    "all": Card.objects.all,
    "none": Card.objects.none,
    "only": lambda: Card.objects.only("title"),
    "defer": lambda: Card.objects.defer("title"),
    "a join": lambda: Card.objects.filter(board__owner__username="ada"),
    "many rows": lambda: Card.objects.filter(labels__board__isnull=False),
    "distinct": lambda: Card.objects.filter(labels__board__isnull=False).distinct(),
    "a subquery": lambda: Card.objects.filter(pk__in=Card.objects.filter(labels__name="b")),
    "an annotation": lambda: Card.objects.annotate(name=models.F("board__name")).filter(
        name__gt=""
    ),
    "a slice": lambda: Card.objects.order_by("sync_id")[1:3],
    "related": lambda: Card.objects.select_related("board").prefetch_related("labels", "comments"),
    "with a %": lambda: Card.objects.filter(title__contains="%"),
}
LEFT = {
    "groups": lambda: Card.objects.annotate(size=Count("labels")),
    "extra columns": lambda: Card.objects.extra(select={"title": "'other'"}),
    "extra tables": lambda: Card.objects.extra(tables=["boards_label"]),
    "a union": lambda: Card.objects.filter(votes=0).union(Card.objects.filter(votes=1)),
    "an own query set": lambda: Upper(Card),
    "another database": lambda: Card.objects.using("elsewhere"),
}


@pytest.fixture
def cards(people):
    """Cards of two boards with labels in several orders."""
    made = [Label.objects.create(board=people.launch, name=name) for name in "bca"]
    for number in range(5):
        card = Card.objects.create(
            board=people.launch, title=f"\u2028{number}%", votes=number % 2, position=number / 3
        )
        card.labels.set(made[number % 3 :])
    return Caller.for_user(people.ada)


def plan_of(name="cards", serializer=api.CardSerializer):
    return plan_for(name, registry.get(name).model, serializer())


def test_without_gaps_a_page_is_one_text_that_holds_its_lists(cards):
    """Cards have a float and a tree, which Python writes; here they are left out."""
    kind = type("Short", (api.CardSerializer,), {})
    kind.Meta = type("Meta", (), {"model": Card, "fields": ["board", "title", "labels", "due"]})
    plan = plan_of(serializer=kind)
    with CaptureQueriesContext(connection) as asked:
        page = plan.text.page(Card.objects.order_by("sync_scope", "sync_id"))
    assert len(asked) == 1
    told = replace(plan, text=None).records(Card.objects.order_by("sync_scope", "sync_id"))
    assert page.text == ",".join(map(written, told))
    assert page.count == len(told) == 8


def test_a_query_comes_out_the_same(cards, subtests):
    plan, by_rows = plan_of(), replace(plan_of(), text=None)
    for name, query in KEPT.items():
        with subtests.test(name):
            ready, told = plan.records(query()), by_rows.records(query())
            assert all(isinstance(record, ReadyRecord) for record in ready)
            assert sorted(record.put for record in ready) == sorted(map(written, told))
            assert sorted(record.id for record in ready) == sorted(record.id for record in told)


def written(record):
    """A record's ``put`` as Python writes it."""
    return encoded(record.as_change().to_json())


def test_a_query_that_may_come_out_otherwise_is_read_as_before(cards, subtests):
    for name, query in LEFT.items():
        with subtests.test(name):
            assert plan_of().text.records(query()) is None


def test_a_page_as_one_text_holds_each_record_once(cards, subtests):
    plan = plan_of("boards", api.BoardSerializer)
    for name, query in KEPT.items():
        with subtests.test(name):
            boards = Board.objects.filter(cards__in=[card.pk for card in query()])
            boards = boards.order_by("sync_scope", "sync_id")
            page = plan.text.page(boards.distinct())
            told = replace(plan, text=None).records(boards.distinct())
            assert page.text == ",".join(map(written, told))
            if told:
                assert plan.text.page(boards) is None  # a board for each of its cards


def test_lists_of_another_database_are_read_as_before(cards, settings):
    class Elsewhere:
        def db_for_read(self, model, **hints):
            return "elsewhere" if model is Card.labels.through else None

    settings.DATABASE_ROUTERS = [Elsewhere()]
    assert plan_of().text is None


def test_an_unmanaged_table_s_columns_are_not_trusted(monkeypatch):
    monkeypatch.setattr(Label._meta, "managed", False)
    assert plan_of("labels", api.LabelSerializer).text is None


@pytest.fixture
def in_tokyo(monkeypatch):
    """The database has a time zone of its own."""
    database = connections["default"]
    with monkeypatch.context() as patched:
        patched.setitem(database.settings_dict, "TIME_ZONE", "Asia/Tokyo")
        forget_zone(database)
        yield
    forget_zone(database)


def forget_zone(database):
    for name in ("timezone", "timezone_name"):
        vars(database).pop(name, None)


@pytest.mark.skipif(PG, reason="PostgreSQL stores times with a zone")
def test_times_of_a_database_with_a_zone_of_its_own(cards, in_tokyo):
    """SQLite stores them without one, as ``TIME_ZONE`` of the database has it."""
    kind = type("Times", (SyncSerializerMixin, serializers.ModelSerializer), {})
    kind.Meta = type("Meta", (), {"model": Doc, "fields": ["updated_at"]})
    doc = Doc.objects.create()
    at = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
    Doc.objects.filter(pk=doc.pk).update(updated_at=at)
    (told,) = plan_for("docs", Doc, kind()).records(Doc.objects.all())
    assert told.object["updated_at"] == "2026-01-02T03:04:05Z"


def by_hand(monkeypatch):
    """Let no database write anything."""
    monkeypatch.setattr("django_sync.drf.json_sql.texts.rendered_by", lambda queryset: None)


def test_a_list_over_http_is_the_same_to_the_byte(client, people, cards, monkeypatch):
    client.force_login(people.ada)
    asked = [
        (path, {"accept": accept})
        for path in ("/sync/cards/", "/sync/labels/?limit=3", "/sync/boards/")
        for accept in ("application/json", "application/json; indent=2")
    ]
    ready = [client.get(path, headers=headers) for path, headers in asked]
    by_hand(monkeypatch)
    for (path, headers), response in zip(asked, ready, strict=True):
        assert client.get(path, headers=headers).content == response.content
        assert json.loads(response.content)["results"]
        assert response.data["results"] == json.loads(response.content)["results"]


@pytest.mark.parametrize("limit", [3, 1000])
def test_a_pull_over_http_is_the_same_to_the_byte(client, people, cards, monkeypatch, limit):
    def pages():
        told, cursor = [], None
        while True:
            query = {"limit": limit} | ({"cursor": cursor} if cursor else {})
            response = client.get("/sync/changes/", query)
            body = response.json()
            told.append(response.content.split(b',"cursor":')[0])
            cursor = body["cursor"]
            if not body["has_more"]:
                return told, cursor

    client.force_login(people.ada)
    ready, cursor = pages()
    with monkeypatch.context() as patched:
        by_hand(patched)
        assert pages()[0] == ready
    Card.objects.filter(board=people.launch).update(title="\u2029 after")
    tail = client.get("/sync/changes/", {"cursor": cursor})
    assert len(tail.data["changes"]) == 6
    with monkeypatch.context() as patched:
        by_hand(patched)
        rendered.clear()
        again = client.get("/sync/changes/", {"cursor": cursor}).content
    assert again.split(b',"cursor":')[0] == tail.content.split(b',"cursor":')[0]


def test_a_page_in_ascii_or_with_spaces_is_drf_s_own(people, cards, monkeypatch):
    collection = registry.get("cards")
    records = collection.seen(cards, [card.sync_id for card in Card.objects.all()])
    data = {"results": ReadyList([record.text for record in records], dict), "next": None}
    plain = {"results": [record.to_json() for record in records], "next": None}
    for options in ({}, {"ensure_ascii": True}, {"compact": False}):
        for name, value in options.items():
            monkeypatch.setattr(SyncRenderer, name, value)
        assert SyncRenderer().render(data) == SyncRenderer().render(plain)


def test_what_json_cannot_say_beside_what_is_text(people, cards):
    """A whole body is escaped then, as it was before."""
    (record,) = registry.get("cards").seen(cards, [people.launch.cards.first().sync_id])
    for odd in (float("nan"), "\ud800"):
        data = {"results": ReadyList([record.text, {"odd": odd}], dict), "next": None}
        plain = {"results": [record.to_json(), {"odd": odd}], "next": None}
        assert SyncRenderer().render(data) == SyncRenderer().render(plain)


def test_replicas_and_the_engine_see_objects(people, cards):
    replica = Replica(people.ada, ("labels", "cards"))
    replica.pull()
    assert {r.object["name"] for r in replica.records.values() if r.collection == "labels"} == {
        *("urgent", "a", "b", "c")
    }
    assert len(replica.records) == 12


def test_sql_that_is_written_once_is_what_django_would_write(monkeypatch):
    """The second query takes the SQL of the first; without it, columns are resolved by Django."""

    def written(title):
        text = plan_for("samples", Sample, WRITTEN()).text
        found = []
        for rows in (Sample.objects.filter(body="a"), Sample.objects.filter(body=title)):
            query = rows.annotate(sync_text=text.whole).values_list("sync_text").query
            found.append(query.get_compiler("default").as_sql())
        return found, len(text.whole.written)

    once, kept = written("b")
    monkeypatch.setattr(RecordText, "_own_columns", lambda text, query: None)
    each, not_kept = written("b")
    assert once == each
    assert (kept, not_kept) == (1, 0)
