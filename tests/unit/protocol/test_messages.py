"""The messages: strict with what a client sends, lenient with what a newer server sends."""

from __future__ import annotations

import contextlib
import datetime
import json
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_sync import errors
from django_sync.protocol import (
    Batch,
    Change,
    Conflict,
    ConflictKind,
    Mutation,
    Op,
    Page,
    Record,
    Resolution,
    Result,
    Status,
    Write,
    check_depth,
)
from django_sync.protocol.messages import MAX_DEPTH, MAX_SEQ

ID = str(uuid.UUID(int=1))

# Values

texts = st.text(max_size=8)
times = st.datetimes(timezones=st.just(datetime.UTC)).map(datetime.datetime.isoformat)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
objects = st.dictionaries(texts, values, max_size=4)
revisions = st.integers(0, MAX_SEQ)
records = st.builds(Record, texts, st.uuids(), revisions, texts, objects)
changes = st.one_of(
    records.map(Change.put),
    st.builds(Change, st.just(Op.DELETE), texts, st.uuids(), revisions),
    st.builds(Change, st.just(Op.REMOVE), texts, st.uuids()),
    st.builds(lambda c, s: Change(Op.DROP, c, scope=s), texts, texts),
    st.builds(Change, st.just(Op.BEGIN), texts),
)
pages = st.builds(
    Page,
    st.lists(changes, max_size=3).map(tuple),
    texts,
    st.booleans(),
    texts,
    st.none() | st.fixed_dictionaries({"done": revisions, "total": revisions}),
)
creates = st.builds(
    Mutation,
    st.uuids(),
    revisions,
    st.just(Write.CREATE),
    texts,
    st.uuids(),
    epoch=st.none() | texts,
    fields=objects,
    at=st.none() | times,
)
updates = st.builds(
    Mutation,
    st.uuids(),
    revisions,
    st.just(Write.UPDATE),
    texts,
    st.uuids(),
    revisions,
    st.none() | texts,
    objects,
    st.none() | objects,
    st.none() | times,
)
deletes = st.builds(
    Mutation, st.uuids(), revisions, st.just(Write.DELETE), texts, st.uuids(), revisions
)
mutations = creates | updates | deletes
conflicts = st.builds(
    Conflict,
    st.sampled_from(ConflictKind),
    st.lists(texts, max_size=3).map(tuple),
    st.none() | revisions,
    st.none() | objects,
    objects,
    objects,
)
results = st.builds(
    Result,
    st.none() | st.uuids(),
    st.sampled_from(Status),
    st.none() | revisions,
    st.none() | objects,
    st.none() | conflicts,
    st.none() | objects,
    st.lists(st.builds(Resolution, texts, texts, texts), max_size=2).map(tuple),
    st.booleans(),
)


def wired(message: Any) -> Any:
    """The message as it comes out of the wire."""
    return json.loads(json.dumps(message.to_json()))


@given(records)
def test_a_record_comes_back(record):
    assert Record.from_json(wired(record)) == record


@given(changes)
def test_a_change_comes_back(change):
    assert Change.from_json(wired(change)) == change


@given(pages)
def test_a_page_comes_back(page):
    assert Page.from_json(wired(page)) == page


@given(mutations)
def test_a_mutation_comes_back(mutation):
    assert Mutation.from_json(wired(mutation)) == mutation


@given(results)
def test_a_result_comes_back(result):
    assert Result.from_json(wired(result)) == result


@given(records)
def test_the_record_of_a_put(record):
    assert Change.put(record).record == record


# Strict


def mutation(**members: Any) -> dict[str, Any]:
    base = {
        "id": ID,
        "seq": 1,
        "op": "update",
        "collection": "cards",
        "object_id": ID,
        "base_revision": 3,
        "fields": {},
    }
    return base | members


def without(body: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != name}


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"seq": 0},
        {"seq": MAX_SEQ},
        {"base_revision": 0},
        {"base": None},
        {"base": {}},
        {"epoch": None, "at": None},
        {"id": ID.upper()},
        {"op": "delete", "fields": "anything"},
        {"op": "create", "base_revision": None},
    ],
)
def test_what_is_well_formed(members):
    read = Mutation.from_json(mutation(**members))
    assert read.id == read.object_id == uuid.UUID(int=1)


@pytest.mark.parametrize(
    "members",
    [
        {"id": None},
        {"id": 1},
        {"id": uuid.UUID(int=1).hex},
        {"id": f"{{{ID}}}"},
        {"id": f"urn:uuid:{ID}"},
        {"id": ID + " "},
        {"id": ID.replace("0", "٠")},
        {"object_id": "x"},
        {"seq": -1},
        {"seq": MAX_SEQ + 1},
        {"seq": True},
        {"seq": 1.0},
        {"seq": "1"},
        {"op": "upsert"},
        {"op": "Update"},
        {"op": None},
        {"op": ["update"]},
        {"collection": 1},
        {"base_revision": None},
        {"base_revision": True},
        {"base_revision": -1},
        {"op": "create", "base_revision": 1},
        {"fields": []},
        {"fields": None},
        {"base": []},
        {"epoch": 1},
        {"at": 1},
        {"other": 1},
        {"__proto__": {}},
    ],
    ids=str,
)
def test_what_is_malformed(members):
    with pytest.raises(errors.Invalid):
        Mutation.from_json(mutation(**members))


@pytest.mark.parametrize("name", ["id", "seq", "op", "collection", "object_id", "base_revision"])
def test_what_must_be_there(name):
    with pytest.raises(errors.Invalid, match=name):
        Mutation.from_json(without(mutation(), name))


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "",
        {},
        {"client_id": ID},
        {"mutations": []},
        {"client_id": "x", "mutations": []},
        {"client_id": ID, "mutations": {}},
        {"client_id": ID, "mutations": [1]},
        {"client_id": ID, "mutations": [], "atomic": 0},
        {"client_id": ID, "mutations": [], "atomic": None},
        {"client_id": ID, "mutations": [], "cursor": 1},
        {"client_id": ID, "mutations": [], "other": 1},
    ],
    ids=str,
)
def test_a_malformed_envelope(body):
    with pytest.raises(errors.Invalid):
        Batch.from_json(body)


def test_an_envelope_leaves_its_mutations_as_they_came():
    batch = Batch.from_json({"client_id": ID, "mutations": [{"odd": 1}], "cursor": None})
    assert list(batch) == [{"odd": 1}]
    assert (batch.cursor, batch.atomic) == (None, False)


def deep(levels: int) -> Any:
    value: Any = []
    for _ in range(levels - 1):
        value = [value] if levels % 2 else {"a": value}
    return value


@pytest.mark.parametrize("kind", [0, 1])
def test_depth_has_a_limit(kind):
    check_depth(deep(MAX_DEPTH - kind), "fields")
    for levels in (MAX_DEPTH + 1 + kind, 100_000 + kind):
        with pytest.raises(errors.Invalid, match="deep"):
            check_depth(deep(levels), "fields")
        for name in ("fields", "base"):
            with pytest.raises(errors.Invalid, match="deep"):
                Mutation.from_json(mutation(**{name: {"a": deep(levels)}}))


@given(values)
def test_anything_is_a_batch_or_invalid(body):
    for read in (Batch.from_json, Mutation.from_json):
        if read == Mutation.from_json and not isinstance(body, dict):
            continue
        with contextlib.suppress(errors.Invalid):
            read(body)


# Lenient


@given(pages, objects)
def test_unknown_members_of_a_page_are_ignored(page, more):
    body = more | wired(page)
    body["changes"] = [more | change for change in body["changes"]]
    if page.snapshot is None:
        body.pop("snapshot", None)
    assert Page.from_json(body) == page


@given(results)
def test_unknown_members_of_a_result_are_ignored(result):
    assert Result.from_json({"tomorrow": 1} | wired(result)) == result


def test_a_change_of_a_kind_that_comes_tomorrow_is_left_out():
    page = Page((Change(Op.BEGIN, "cards"),), "c", False, "e").to_json()
    page["changes"].insert(0, {"op": "fold", "collection": "cards"})
    assert Page.from_json(page).changes == (Change(Op.BEGIN, "cards"),)


@given(values, st.sampled_from([Page, Result, Record, Change, Conflict]))
def test_anything_is_a_message_or_invalid(body, kind):
    with contextlib.suppress(errors.Invalid):
        kind.from_json(body)


@pytest.mark.parametrize(
    "members",
    [
        {"status": "from_tomorrow"},
        {"status": None},
        {"id": 1},
        {"revision": "7"},
        {"record": 1},
        {"problem": 1},
        {"conflict": 1},
        {"conflict": {"kind": "from_tomorrow", "fields": [], "server": {}, "client": {}}},
        {"conflict": {"kind": "update_update", "fields": 1, "server": {}, "client": {}}},
        {"conflict": {"kind": "update_update", "fields": [], "server": 1, "client": {}}},
        {"resolved": 1},
        {"resolved": [1]},
    ],
    ids=str,
)
def test_a_result_that_cannot_be_understood_is_invalid(members):
    with pytest.raises(errors.Invalid):
        Result.from_json({"id": ID, "status": "applied"} | members)


@given(objects)
def test_a_result_with_anything_in_it_is_a_result_or_invalid(members):
    names = ["status", "revision", "record", "conflict", "problem", "resolved"]
    body = {"id": ID, "status": "applied"} | dict(zip(names, members.values(), strict=False))
    with contextlib.suppress(errors.Invalid):
        Result.from_json(body)
