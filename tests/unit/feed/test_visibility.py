"""A view of scopes is the same under its hash, however it was put together (F7)."""

from hypothesis import given
from hypothesis import strategies as st

from django_sync.feed.visibility import EMPTY, NOTHING, Visibility

SCOPES = st.frozensets(st.text(max_size=5), max_size=5)
VIEWS = st.dictionaries(st.text(min_size=1, max_size=5), st.tuples(st.text(max_size=3), SCOPES))


def visibility_of(held):
    return Visibility(
        {n: tag for n, (tag, _) in held.items()}, {n: s for n, (_, s) in held.items()}
    )


@given(VIEWS)
def test_a_view_survives_storage(held):
    visibility = visibility_of(held)
    assert Visibility.decoded(visibility.encoded()) == visibility


@given(VIEWS, VIEWS)
def test_views_share_a_digest_only_where_they_are_equal(one, other):
    assert (visibility_of(one).digest == visibility_of(other).digest) == (
        visibility_of(one) == visibility_of(other)
    )


def test_the_empty_view_needs_no_storage():
    assert EMPTY.digest == NOTHING


def test_f7_scopes_that_collections_share_are_written_once():
    scopes = frozenset(f"scope-{n}" for n in range(5000))
    visibility = Visibility(dict.fromkeys("abcd", "t"), dict.fromkeys("abcd", scopes))
    assert visibility.encoded().count("scope-4999") == 1
