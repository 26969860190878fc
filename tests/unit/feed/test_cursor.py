"""A cursor tells its holder nothing, opens for its own user alone, and cannot be altered (F8)."""

import base64
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_sync.errors import InvalidCursor
from django_sync.feed.cursor import MAX_LENGTH, Cursor, open_sealed, seal

EPOCH = str(uuid.UUID(int=7))
PLACE = Cursor(EPOCH, 41, 99, "a" * 40, "b" * 40, ("cards", "s"), ("cards", "s", "id"), None, 3, 9)


@given(
    position=st.integers(0, 2**63),
    mark=st.integers(0, 2**53),
    after=st.none() | st.tuples(st.text(), st.text()),
    resume=st.none() | st.tuples(st.text(), st.text(), st.text()),
)
def test_what_is_sealed_opens_as_it_was(position, mark, after, resume):
    cursor = Cursor(EPOCH, position, mark, "d", "g", after, resume, after, 1, 2)
    assert open_sealed(seal(cursor, user="7", secret="k"), user="7", secrets=["k"]) == cursor


def test_f8_a_borrowed_cursor_does_not_open():
    text = seal(PLACE, user="7", secret="k")
    with pytest.raises(InvalidCursor):
        open_sealed(text, user="8", secrets=["k"])


def test_f8_keys_rotate():
    text = seal(PLACE, user="7", secret="old")
    assert open_sealed(text, user="7", secrets=["new", "old"]) == PLACE
    with pytest.raises(InvalidCursor):
        open_sealed(text, user="7", secrets=["new"])


@given(place=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_f8_an_altered_cursor_does_not_open(place, bit):
    raw = bytearray(base64.urlsafe_b64decode(seal(PLACE, user="7", secret="k") + "=="))
    raw[place % len(raw)] ^= 1 << bit
    with pytest.raises(InvalidCursor):
        open_sealed(base64.urlsafe_b64encode(raw).decode().rstrip("="), user="7", secrets=["k"])


@given(st.text(max_size=300))
def test_anything_else_is_an_invalid_cursor(text):
    with pytest.raises(InvalidCursor):
        open_sealed(text, user="7", secrets=["k"])


def test_a_cursor_is_short_and_the_same_for_the_same_place():
    text = seal(PLACE, user="7", secret="k")
    assert text == seal(PLACE, user="7", secret="k")
    assert len(text) <= MAX_LENGTH / 4
    with pytest.raises(InvalidCursor):
        open_sealed("a" * (MAX_LENGTH + 1), user="7", secrets=["k"])


def test_a_cursor_does_not_show_where_it_stands():
    """Positions tell how much everybody writes: nothing of them can be read."""
    near = seal(Cursor(EPOCH, 1000, 1, "d", "d"), user="7", secret="k")
    raw = base64.urlsafe_b64decode(near + "=" * (-len(near) % 4))
    assert b"1000" not in raw
    assert EPOCH.encode() not in raw
