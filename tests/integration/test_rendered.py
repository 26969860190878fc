"""Pulls that find a record rendered a moment ago: the same answer, and never a stale one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from django_sync import pulling, rendering
from django_sync.caller import Caller
from django_sync.rendered import rendered
from example_project.boards import api
from example_project.boards.models import Card, Label, Membership
from tests.replica import Replica, truth

CARDS = ("cards",)


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    rendered.clear()
    yield
    rendered.clear()


@pytest.fixture
def made(monkeypatch):
    """The revisions of the records that were made from rows, in order."""
    found: list[int] = []
    records = rendering.Plan.records

    def counted(plan, queryset):
        came = records(plan, queryset)
        found.extend(record.revision for record in came)
        return came

    monkeypatch.setattr(rendering.Plan, "records", counted)
    return found


def replicas(user, number=2):
    """So many of one user's, in step."""
    some = [Replica(user, CARDS) for _ in range(number)]
    for replica in some:
        replica.pull()
    return some


def equal(replica):
    """Whether it holds what one does that pulls all of it anew, with nothing remembered."""
    rendered.clear()
    fresh = Replica(replica.user, CARDS)
    fresh.pull()
    assert replica.held() == truth(replica.user, CARDS)
    return replica.records == fresh.records


def edited(people, **fields):
    card = Card.objects.get(board=people.launch)
    for name, value in fields.items():
        setattr(card, name, value)
    card.save()
    return card


def test_of_many_replicas_of_a_user_one_has_a_record_rendered(boards, made):
    some = replicas(boards.ada, 5)
    made.clear()
    edited(boards, title="new")
    for replica in some:
        replica.pull()
    assert len(made) == 1
    assert all(map(equal, some))


def test_those_who_see_alike_share_it_and_others_do_not(boards, made, monkeypatch):
    for alike, times in ((True, 1), (False, 2)):
        monkeypatch.setattr(api.CardViewSet, "seen_alike", alike, raising=False)
        ada, grace = Replica(boards.ada, CARDS), Replica(boards.grace, CARDS)
        ada.pull(), grace.pull()
        made.clear()
        edited(boards, title=f"alike {alike}")
        ada.pull(), grace.pull()
        assert len(made) == times
        assert equal(ada)
        assert equal(grace)


def test_g1_an_edit_after_the_rendering_is_told(boards):
    one, other = replicas(boards.ada)
    edited(boards, title="first")
    one.pull()
    edited(boards, title="second")
    other.pull()
    one.pull()
    assert equal(one)
    assert equal(other)


def test_g1_so_is_what_another_table_says_of_the_record(boards):
    """A label on a card is a row of the table between them: it raises the card's revision."""
    one, other = replicas(boards.ada)
    card = edited(boards, title="first")
    one.pull()
    card.labels.add(Label.objects.create(board=boards.launch, name="fresh"))
    other.pull()
    one.pull()
    assert equal(other)
    assert equal(one)


def test_g7_who_lost_the_board_is_not_shown_what_is_remembered(boards, monkeypatch):
    """Also where the pull had decided on its view before: the query is asked each time."""
    monkeypatch.setattr(api.CardViewSet, "seen_alike", True, raising=False)
    ada, grace = Replica(boards.ada, CARDS), Replica(boards.grace, CARDS)
    ada.pull(), grace.pull()
    card = edited(boards, title="secret now")
    ada.pull()
    Membership.objects.filter(user=boards.grace, board=boards.launch).delete()
    told = grace.pull()
    assert card.sync_id not in {change.id for change in told if change.object is not None}
    assert equal(grace)


def test_what_the_query_hides_stays_hidden(boards, monkeypatch):
    monkeypatch.setattr(api.CardViewSet, "seen_alike", True, raising=False)
    ada, grace = Replica(boards.ada, CARDS), Replica(boards.grace, CARDS)
    ada.pull(), grace.pull()
    card = edited(boards, title="for some")
    ada.pull()
    queryset = api.CardViewSet.get_queryset

    def hiding(viewset):
        found = queryset(viewset)
        return found.exclude(pk=card.pk) if viewset.request.user == boards.grace else found

    monkeypatch.setattr(api.CardViewSet, "get_queryset", hiding)
    told = grace.pull()
    assert [str(change.op) for change in told if change.id == card.sync_id] == ["remove"]


def test_a_transaction_that_may_be_rolled_back_leaves_nothing_behind(boards):
    """Its revision will be another's content: 2 here, and 2 there."""
    one, other = replicas(boards.ada)
    with transaction.atomic():
        card = edited(boards, title="never was")
        one.pull()
        transaction.set_rollback(True)
    assert not rendered._young
    assert not rendered._old
    edited(boards, title="what is")
    other.pull()
    assert equal(other)
    card.refresh_from_db()
    assert card.title == "what is"


def test_nor_is_anything_remembered_used_in_one(boards):
    (one,) = replicas(boards.ada, 1)
    edited(boards, title="first")
    one.pull()
    assert rendered._young
    with transaction.atomic():
        Card.objects.filter(board=boards.launch).update(title="in here")
        page = pulling.pull(Caller.for_user(boards.ada), None, CARDS, 100)
        titles = {c.object["title"] for c in page.changes if c.object}
        assert "in here" in titles
        transaction.set_rollback(True)


def test_what_is_known_costs_fewer_statements_not_more(boards):
    def asked(replica):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            replica.pull()
        return len(queries)

    one, other = replicas(boards.ada)
    edited(boards, title="new")
    first, second = asked(one), asked(other)
    assert second < first
