"""Indexes in the client's store: what both clients must find, and that nothing is scanned."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from django_sync import errors
from django_sync.client import SyncClient, TokenAuth
from django_sync.client.store.compaction import Draft
from django_sync.client.store.encoding import dumps
from django_sync.client.store.indexes import existing
from django_sync.client.store.ordering import Wanted, place_in
from django_sync.testing.server import MemoryServer

VECTORS = json.loads((Path(__file__).resolve().parents[3] / "vectors/indexes.json").read_text())
Connect = Callable[..., SyncClient]
INDEXED = {"cards": VECTORS["indexes"]}


def asked(query: dict[str, Any]) -> dict[str, Any]:
    """A query of the vectors as Python spells it."""
    found: dict[str, Any] = {}
    for name, value in query["where"].items():
        if isinstance(value, dict) and set(value) <= {"gt", "gte", "lt", "lte"}:
            found |= {f"{name}__{suffix}": bound for suffix, bound in value.items()}
        else:
            found[name] = value
    if "orderBy" in query:
        found["order_by"] = query["orderBy"]
    if "limit" in query:
        found["limit"] = query["limit"]
    return found


@pytest.fixture
def filled(server: MemoryServer, connect: Connect) -> Callable[..., SyncClient]:
    def filled(name: str, **options: Any) -> SyncClient:
        for record in VECTORS["records"]:
            server.put("cards", record["object"], id=record["id"])
        client = connect(name, **options)
        client.sync()
        return client

    return filled


def edit(client: SyncClient) -> None:
    cards = client.collection("cards")
    for one in VECTORS["local"]:
        match one["op"]:
            case "create":
                cards.create(one["fields"], id=one["id"])
            case "update":
                cards.update(one["id"], one["fields"])
            case "delete":
                cards.delete(one["id"])


@pytest.mark.parametrize("indexes", [INDEXED, None])
def test_what_the_vectors_find(filled: Connect, indexes: Any) -> None:
    client = filled("a", indexes=indexes)
    cards = client.collection("cards")
    for expected in ("stored", "ids"):
        for query in VECTORS["queries"]:
            found = [record.id for record in cards.filter(**asked(query))]
            assert found == query[expected], query
        if expected == "stored":
            edit(client)


# What is read


class Trace:
    """The statements that read rows while a query runs, and how many rows they gave."""

    def __init__(self, client: SyncClient) -> None:
        self._db = client._store._db
        self._factory = self._db.row_factory
        self.rows = 0
        self.statements: list[str] = []

    def __enter__(self) -> Trace:
        def count(cursor: sqlite3.Cursor, row: tuple[Any, ...]) -> sqlite3.Row:
            self.rows += 1
            return sqlite3.Row(cursor, row)

        self._db.row_factory = count
        self._db.set_trace_callback(self.statements.append)
        return self

    def __exit__(self, *_: object) -> None:
        self._db.set_trace_callback(None)
        self._db.row_factory = self._factory

    def plans(self) -> list[str]:
        """How SQLite carries out each statement that reads the records or the outbox."""
        found = []
        for statement in self.statements:
            if " FROM records" in statement or " FROM outbox" in statement:
                plan = self._db.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
                found += [row["detail"] for row in plan]
        return found


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SyncClient]:
    """1,500 records, each with a number but every tenth, and 300 that were written here."""
    server = MemoryServer(page_size=5000)
    server.user("ann", "t-ann")
    for n in range(1500):
        server.put("cards", {"board": f"b{n % 30}", "due": n if n % 10 else None, "n": n})
    with SyncClient(
        "https://sync.test/sync/",
        store=tmp_path_factory.mktemp("many") / "a.sqlite3",
        collections=["cards"],
        indexes={"cards": ["board", "due"]},
        auth=TokenAuth("t-ann"),
        transport=server.transport(),
    ) as client:
        client.sync()
        for n in range(300):
            client.collection("cards").create({"board": f"b{n % 30}", "due": n + 0.5, "n": -n})
        yield client


@pytest.mark.parametrize(
    ("query", "count", "rows"),
    [
        ({"board": "b7"}, 60, 60),
        ({"due__gte": 100, "due__lt": 110}, 19, 19),
        ({"due__gte": 100, "order_by": "due", "limit": 5}, 5, 10),
        ({"order_by": "-due", "limit": 5}, 5, 10),
        ({"board": "b7", "due__lt": 50, "order_by": "due"}, 4, 60),
        ({"due": 17}, 1, 1),
        ({"due__gt": 5000}, 0, 0),
    ],
)
def test_nothing_is_scanned(many: SyncClient, query: dict[str, Any], count: int, rows: int) -> None:
    with Trace(many) as trace:
        assert sum(1 for _ in many.collection("cards").filter(**query)) == count
    plans = trace.plans()
    assert plans
    assert not [plan for plan in plans if plan.startswith("SCAN") or "TEMP B-TREE" in plan], plans
    # Besides the rows of both indexes: an edited object's record and its edits, one row each, and
    # what the store says of its indexes.
    assert trace.rows <= 2 * rows + 40


def test_without_an_index_all_is_read(many: SyncClient) -> None:
    with Trace(many) as trace:
        assert sum(1 for _ in many.collection("cards").filter(n=17)) == 1
    assert trace.rows > 1500


# Indexed or not, the same is found


VALUES = st.one_of(
    st.sampled_from([None, False, True, 0, 1, 1.0, -1, "", "a", "b", [1], {"x": 1}]),
    st.sampled_from([2**63, -(2**63), 2**53, 2**53 + 1, 2**63 - 1, 10**400, 0.1 + 0.2, 5e-324]),
    st.sampled_from(["a\0", "a\0b", "\\u0041", "\ud800", "\ud800a", "\ue000", "😀", "é", '"', "'"]),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=3),
)
"""What a server may hold: also what SQLite reads otherwise than Python."""
BOUNDS = VALUES.filter(lambda value: not isinstance(value, (list, dict)) and sayable(value))
FIELDS = st.dictionaries(st.sampled_from(["f", "g", "é"]), VALUES, max_size=3)
IDS = [f"019a0000-0000-7000-8000-00000000000{n:x}" for n in range(8)]


def sayable(value: object) -> bool:
    """Whether a query may name it: half of a surrogate pair has no text."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


@st.composite
def queries(draw: st.DrawFn) -> dict[str, Any]:
    asked: dict[str, Any] = {}
    for name in draw(st.sets(st.sampled_from(["f", "g", "é"]), max_size=2)):
        if draw(st.booleans()):
            asked[name] = draw(VALUES.filter(sayable))
        else:
            for suffix in draw(st.sets(st.sampled_from(["gt", "gte", "lt", "lte"]), min_size=1)):
                asked[f"{name}__{suffix}"] = draw(BOUNDS)
    if draw(st.booleans()):
        asked["order_by"] = draw(st.sampled_from(["f", "-f", "g", "-g", "é"]))
    if draw(st.booleans()):
        asked["limit"] = draw(st.integers(0, 5))
    return asked


def store_record(client: SyncClient, id: str, content: dict[str, Any]) -> None:
    """A record as a page brings it."""
    with client._store.write() as db:
        db.execute(
            "INSERT OR REPLACE INTO records (collection, id, revision, scope, object, generation)"
            " VALUES ('cards', ?, 1, '', ?, 0)",
            (id, dumps(content)),
        )


@pytest.fixture(scope="module")
def twins() -> Iterator[list[SyncClient]]:
    """The same store with indexes and without."""
    opened = [
        SyncClient("https://sync.test/", store=":memory:", collections=["cards"], indexes=indexes)
        for indexes in ({"cards": ["f", "é"]}, {"cards": ["g", "f"]}, None)
    ]
    yield opened
    for client in opened:
        client.close()


def write(client: SyncClient, op: str, id: str, fields: dict[str, Any]) -> None:
    """One more entry on top of a record, whatever is there."""
    row = client._parts.outbox.append
    row(("cards", id), Draft(op, fields, None if op == "create" else 1, "e"))


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(st.sampled_from(IDS), FIELDS, max_size=8),
    st.lists(
        st.tuples(st.sampled_from(["create", "update", "delete"]), st.sampled_from(IDS), FIELDS),
        max_size=6,
    ),
    st.lists(queries(), min_size=1, max_size=5),
    st.integers(1, 3),
)
def test_an_index_changes_nothing_that_is_found(
    twins: list[SyncClient],
    records: dict[str, dict[str, Any]],
    edits: list[tuple[str, str, dict[str, Any]]],
    asked: list[dict[str, Any]],
    page: int,
) -> None:
    for client in twins:
        client.reset(wipe=True)
        for id, content in records.items():
            store_record(client, id, content)
        for op, id, fields in edits:
            write(client, op, id, fields if op != "delete" else {})
    with patch("django_sync.client.store.query._PAGE", page):
        for query in asked:
            everything = list(twins[2].collection("cards"))
            wanted = Wanted().narrowed(*split(query))
            expected = [record for record in everything if wanted.matches(record)]
            if wanted.order is not None:
                order = wanted.order
                expected.sort(
                    key=lambda record: (place_in(record, order), record.id),
                    reverse=wanted.backwards,
                )
            for client in twins:
                found = client.collection("cards").filter(**query)
                assert list(found) == expected[: wanted.limit]
                assert len(found) == len(expected[: wanted.limit])
                assert found.first() == next(iter(expected[: wanted.limit]), None)


def split(query: dict[str, Any]) -> tuple[dict[str, Any], Any, Any]:
    rest = {name: value for name, value in query.items() if name not in ("order_by", "limit")}
    return rest, query.get("order_by"), query.get("limit")


# How they come and go


def there(client: SyncClient) -> set[tuple[str, str]]:
    with client._store.read() as db:
        return {(index.collection, index.field) for _, index in existing(db)}


def test_indexes_are_made_and_dropped_as_they_are_named(filled: Connect, connect: Connect) -> None:
    first = filled("a")  # A store of before.
    assert there(first) == set()
    ids = [record.id for record in first.collection("cards").filter(order_by="due")]
    first.close()
    for indexes in ({"cards": ["due"]}, {"cards": ["due", "rank"]}, None, {"cards": ["rank"]}):
        with connect("a", indexes=indexes) as client:
            fields = {"due", "rank"} if indexes is None else set(indexes["cards"])
            assert there(client) == {("cards", field) for field in fields}
            found = client.collection("cards").filter(order_by="due")
            assert [record.id for record in found] == ids
    with connect("a", indexes={}) as client:
        assert there(client) == set()


def test_indexes_are_made_in_one_transaction(filled: Connect, connect: Connect) -> None:
    filled("a", indexes={"cards": ["due"]}).close()
    with (
        patch("django_sync.client.store.indexes._build", side_effect=KeyboardInterrupt),
        pytest.raises(KeyboardInterrupt),
    ):
        connect("a", indexes={"cards": ["board", "rank"]})
    assert there(connect("a")) == {("cards", "due")}


def test_an_index_may_go_while_its_records_are_walked(filled: Connect, connect: Connect) -> None:
    client = filled("a", indexes=INDEXED)
    edit(client)
    with patch("django_sync.client.store.query._PAGE", 3):
        query = client.collection("cards").filter(order_by="due")
        expected = [record.id for record in query]
        walk = iter(query)
        found = [next(walk).id for _ in range(5)]
        connect("a", indexes={}).close()
        assert found + [record.id for record in walk] == expected


def test_a_large_build_is_logged(
    filled: Connect, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    filled("a").close()
    with patch("django_sync.client.store.indexes._LONG_BUILD", 10), caplog.at_level("INFO"):
        connect("a", indexes={"cards": ["due"]})
    logged = [record.getMessage() for record in caplog.records if "Index" in record.getMessage()]
    assert logged[0] == "Indexing cards.due over 17 rows …"
    assert len(logged) == 2


def test_a_wiped_store_keeps_its_indexes_and_nothing_in_them(filled: Connect) -> None:
    client = filled("a", indexes=INDEXED)
    edit(client)
    client.reset(wipe=True)
    assert there(client) == {("cards", field) for field in VECTORS["indexes"]}
    assert list(client.collection("cards").filter(order_by="due")) == []
    client.close()
    assert b"2026-03-01" not in Path(client._store.path).read_bytes()


@pytest.mark.parametrize(
    ("indexes", "error"),
    [
        ({"notes": ["due"]}, errors.UnknownCollection),
        ({"cards": "due"}, TypeError),
        ({"cards": ['du"e']}, errors.Invalid),
        ({"cards": ["du\\e"]}, errors.Invalid),
        ({"cards": ["due\n"]}, errors.Invalid),
        ({"cards": [""]}, errors.Invalid),
        ({"cards": [3]}, errors.Invalid),
    ],
)
def test_what_cannot_be_indexed(connect: Connect, indexes: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        connect("a", indexes=indexes)


def test_names_that_sql_must_quote(server: MemoryServer, connect: Connect) -> None:
    for n in range(3):
        server.put("cards", {"it's": n, "a b.c": -n, "é": "ü", "[0]": n % 2})
    client = connect("a", indexes={"cards": ["it's", "a b.c", "é", "[0]"]})
    client.sync()
    cards = client.collection("cards")
    assert [record["it's"] for record in cards.filter(order_by="-it's")] == [2, 1, 0]
    assert [record["it's"] for record in cards.filter(order_by="a b.c", limit=1)] == [2]
    assert len(cards.filter(é="ü")) == 3
    odd: dict[str, Any] = {"[0]": 1}
    assert len(cards.filter(**odd)) == 1


@pytest.mark.parametrize(
    "asked",
    [
        {"due__after": 1},
        {"__gt": 1},
        {"due__gt": [1]},
        {"due__lte": {}},
        {"order_by": "-"},
        {"order_by": ""},
        {"order_by": 3},
        {"order_by": "due__gt"},
        {"limit": -1},
        {"limit": True},
        {"limit": 1.5},
    ],
)
def test_what_cannot_be_asked(client: SyncClient, asked: dict[str, Any]) -> None:
    with pytest.raises(errors.Invalid):
        client.collection("cards").filter(**asked)


def test_conditions_add_up(server: MemoryServer, client: SyncClient) -> None:
    for n in range(9):
        server.put("cards", {"n": n, "limit": n % 2, "a__b": n})
    client.sync()
    few = client.collection("cards").filter(n__gte=2, order_by="n", limit=4)
    assert [record["n"] for record in few.filter(n__lt=8)] == [2, 3, 4, 5]
    assert [record["n"] for record in few.filter(limit=9, order_by="-n")] == [8, 7, 6, 5]
    assert [record["n"] for record in few.filter(limit__exact=1)] == [3, 5, 7]
    assert [record["n"] for record in few.filter(a__b__exact=3)] == [3]
    assert [record["n"] for record in few.filter(n=3.0)] == [3]
    assert few.filter(n=3).filter(n=4)[0]["n"] == 4


def test_sqlite_reads_numbers_as_python_does(client: SyncClient) -> None:
    """Else an index would pass by a number that Python reads with another last digit."""
    dice = random.Random(14)
    numbers = [dice.random() * 10 ** dice.randrange(-300, 300) for _ in range(2000)]
    with client._store.read() as db:
        for number in numbers:
            read = db.execute("SELECT json_extract(?, '$.n')", (dumps({"n": number}),))
            assert read.fetchone()[0] == number


def test_numbers_that_sqlite_rounds_stand_where_they_belong(twins: list[SyncClient]) -> None:
    values = [2**63 + 1, float(2**63), 2**63, 2**63 - 1, 2**64 + 1, 2.0**64, -(2**63) - 1]
    for client in twins:
        client.reset(wipe=True)
        for id, value in zip(IDS, values, strict=False):
            store_record(client, id, {"f": value})
        cards = client.collection("cards")
        with patch("django_sync.client.store.query._PAGE", 1):
            for order in ("f", "-f"):
                found = [record["f"] for record in cards.filter(order_by=order)]
                assert found == sorted(values, reverse=order == "-f")
                assert len(cards.filter(order_by=order, f__gte=2**63 + 1)) == 3
