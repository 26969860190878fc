"""Who changed what since a mutation's base, decided from values (W4, G5)."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_sync.merge import Step, Trail, find_overlap, same
from django_sync.protocol import ConflictKind

NOON = datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.UTC)
COLUMNS = {"title": {"title"}, "board": {"board_id", "board"}, "labels": {"labels"}}


def overlap(trail, fields, base=None, current=None):
    return find_overlap(trail, fields, COLUMNS.get, base, current or {})


def step(revision, *columns, op="u"):
    return Step(revision, op, columns, NOON + datetime.timedelta(minutes=revision))


def test_a_field_that_others_left_alone_is_no_overlap():
    trail = Trail(5, 6, (step(6, "body"),))
    assert not overlap(trail, ["title"])


def test_g5_a_field_that_others_changed_is_one():
    found = overlap(Trail(5, 7, (step(6, "body"), step(7, "title"))), ["title", "labels"])
    assert found.fields == ("title",)
    assert found.kind is ConflictKind.UPDATE_UPDATE


def test_w4_what_the_same_client_did_is_not_foreign():
    trail = Trail(5, 7, (step(6, "title"), step(7, "title")), own=((5, 7),))
    assert not overlap(trail, ["title"])
    assert overlap(Trail(5, 7, trail.steps, own=((5, 6),)), ["title"])


def test_w4_a_field_whose_columns_cannot_be_told_depends_on_all():
    assert overlap(Trail(5, 6, (step(6, "anything"),)), ["computed"]).fields == ("computed",)


def test_w4_a_gap_in_history_is_an_unknown_base():
    found = overlap(Trail(5, 8, (step(6, "body"), step(8, "body"))), ["title"])
    assert found.kind is ConflictKind.UNKNOWN_BASE


@pytest.mark.parametrize(
    "trail",
    [Trail(9, 8, ()), Trail(5, 6, (step(6, "body"),), epoch_matches=False)],
    ids=["a base that was never reached", "a base of another epoch"],
)
def test_w4_an_unknown_base_passes_only_with_equal_values(trail):
    assert overlap(trail, ["title"]).fields == ("title",)
    assert overlap(trail, ["title"], {"title": "a"}, {"title": "b"}).fields == ("title",)
    assert not overlap(trail, ["title"], {"title": "a"}, {"title": "a"})


def test_an_object_that_was_made_again_has_changed_in_all_fields():
    assert overlap(Trail(5, 6, (step(6, op="c"),)), ["title"])


@given(st.integers(0, 5), st.lists(st.tuples(st.integers(1, 9), st.booleans()), max_size=9))
def test_g5_no_foreign_change_of_a_field_is_ever_overlooked(base, writes):
    """Whatever the trail: a foreign change of the field, or a gap, never passes."""
    current = base + len(writes)
    steps, own, foreign = [], [], False
    for offset, (_, mine) in enumerate(writes, start=base + 1):
        steps.append(step(offset, "title"))
        if mine:
            own.append((offset - 1, offset))
        else:
            foreign = True
    found = overlap(Trail(base, current, tuple(steps), tuple(own)), ["title"])
    assert bool(found) is foreign


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(JSON)
def test_a_value_is_the_same_as_itself(value):
    assert same(value, value)


@pytest.mark.parametrize(
    ("one", "other"), [(True, 1), (False, 0), ("1", 1), ([1], [1, 1]), (None, 0)]
)
def test_values_that_only_look_alike_differ(one, other):
    assert not same(one, other)
    assert not same({"a": [one]}, {"a": [other]})
    assert not same(one, other)


def test_numbers_are_the_same_however_written():
    assert same(1, 1.0)
