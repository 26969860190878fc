"""Resolvers decide from values and times alone; a wrong clock wins no more than once."""

import datetime

from hypothesis import given
from hypothesis import strategies as st

from django_sync.merge import (
    ClientWins,
    FieldOverlap,
    LastWrite,
    Manual,
    Resolver,
    ServerWins,
    Step,
    Trail,
    clamped,
)
from django_sync.protocol import Kept
from django_sync.testing.resolvers import ResolverContract

NOON = datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.UTC)
moments = st.integers(-10_000, 10_000).map(lambda s: NOON + datetime.timedelta(seconds=s))


class TestManual(ResolverContract):
    resolver = Manual()


class TestServerWins(ResolverContract):
    resolver = ServerWins()


class TestClientWins(ResolverContract):
    resolver = ClientWins()


class TestLastWrite(ResolverContract):
    resolver = LastWrite()


class Longest(Resolver):
    """One of a project's own: keeps the longer text, and both where they are of one length."""

    name = "longest"

    def resolve(self, overlap):
        if not isinstance(overlap.server, str) or not isinstance(overlap.client, str):
            return None
        if len(overlap.server) == len(overlap.client):
            return overlap.merge(f"{overlap.server} / {overlap.client}")
        longer = len(overlap.client) > len(overlap.server)
        return overlap.keep_client() if longer else overlap.keep_server()


class TestOnesOwn(ResolverContract):
    resolver = Longest()


def overlap_at(server_at, client_at):
    return FieldOverlap("title", "s", "c", server_at=server_at, client_at=client_at)


@given(moments, moments)
def test_last_write_keeps_the_later_and_the_servers_of_one_moment(server_at, client_at):
    kept = LastWrite().resolve(overlap_at(server_at, client_at)).kept
    assert kept is (Kept.CLIENT if client_at > server_at else Kept.SERVER)


def test_last_write_leaves_open_what_has_no_time():
    assert LastWrite().resolve(overlap_at(None, NOON)) is None
    assert LastWrite().resolve(overlap_at(NOON, None)) is None


@given(moments, st.none() | moments, moments)
def test_a_write_counts_as_made_between_its_base_and_its_arrival(at, base_at, arrival):
    counted = clamped(at, base_at, arrival)
    assert counted <= arrival
    if base_at is not None and base_at <= arrival:
        assert counted >= base_at
    if (base_at is None or base_at <= at) and at <= arrival:
        assert counted == at


@given(moments, st.integers(1, 10_000), st.integers(0, 10_000))
def test_a_fast_clock_cannot_win_for_ever(arrival, ahead, later):
    """Its write was taken at ``arrival``; the next writer, with a true clock, wins."""
    fast = clamped(arrival + datetime.timedelta(seconds=ahead), None, arrival)
    written_at = fast  # the server's own clock wrote it down then
    honest_at = arrival + datetime.timedelta(seconds=later + 1)
    honest = clamped(honest_at, None, honest_at)
    assert LastWrite().resolve(overlap_at(written_at, honest)).kept is Kept.CLIENT


def test_a_write_without_a_time_counts_from_its_arrival():
    assert clamped(None, NOON - datetime.timedelta(hours=1), NOON) == NOON


def steps(*columns):
    return tuple(
        Step(revision, "u", (name,), NOON + datetime.timedelta(minutes=revision))
        for revision, name in enumerate(columns, start=2)
    )


def test_the_servers_time_is_that_of_the_last_foreign_write_to_the_field():
    trail = Trail(1, 5, steps("title", "body", "title", "body"), own=((3, 4),))
    at = [step.at for step in trail.steps]
    assert trail.last_foreign({"title"}) == at[0]  # revision 4 is the client's own
    assert trail.last_foreign({"body"}) == at[3]
    assert trail.last_foreign(None) == at[3]
    assert trail.last_foreign({"column"}) is None


def test_what_is_not_known_has_no_time():
    assert Trail(1, 5, steps("title")).last_foreign({"title"}) is None
