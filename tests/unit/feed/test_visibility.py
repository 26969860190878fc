"""A view of scopes is the same under its hash, however it was put together (F7)."""

from hypothesis import given
from hypothesis import strategies as st

from django_sync.feed.visibility import EMPTY, NOTHING, View

SCOPES = st.frozensets(st.text(max_size=5), max_size=5)
VIEWS = st.dictionaries(st.text(min_size=1, max_size=5), st.tuples(st.text(max_size=3), SCOPES))


def view_of(held):
    return View({n: tag for n, (tag, _) in held.items()}, {n: s for n, (_, s) in held.items()})


@given(VIEWS)
def test_a_view_survives_storage(held):
    view = view_of(held)
    assert View.decoded(view.encoded()) == view


@given(VIEWS, VIEWS)
def test_views_share_a_digest_only_where_they_are_equal(one, other):
    assert (view_of(one).digest == view_of(other).digest) == (view_of(one) == view_of(other))


def test_the_empty_view_needs_no_storage():
    assert EMPTY.digest == NOTHING


def test_f7_scopes_that_collections_share_are_written_once():
    scopes = frozenset(f"scope-{n}" for n in range(5000))
    view = View(dict.fromkeys("abcd", "t"), dict.fromkeys("abcd", scopes))
    assert view.encoded().count("scope-4999") == 1
