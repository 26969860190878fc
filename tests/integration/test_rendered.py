"""Pulls that find a record rendered a moment ago: the same answer, and never a stale one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from rest_framework import serializers

from django_sync.drf import rendering
from django_sync.drf.record_cache import rendered
from example_project.boards import api
from example_project.boards.models import Board, Card, Label
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


def in_step(*users):
    """A replica of each."""
    some = [Replica(user, CARDS) for user in users]
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
    some = in_step(*[boards.ada] * 5)
    made.clear()
    edited(boards, title="new")
    for replica in some:
        replica.pull()
    assert len(made) == 1
    assert all(map(equal, some))


def test_those_who_see_alike_share_it_and_others_do_not(boards, made, monkeypatch):
    for alike, times in ((True, 1), (False, 2)):
        monkeypatch.setattr(api.CardViewSet, "shared_rendering", alike)
        ada, grace = in_step(boards.ada, boards.grace)
        made.clear()
        edited(boards, title=f"alike {alike}")
        ada.pull()
        grace.pull()
        assert len(made) == times
        assert equal(ada)
        assert equal(grace)


class Localized(api.CardSerializer):
    """Shows a number as the reader's language writes it."""

    votes = serializers.DecimalField(max_digits=9, decimal_places=2, localize=True)


def test_what_is_made_in_one_language_is_not_shown_in_another(boards, made, monkeypatch):
    monkeypatch.setattr(api.CardViewSet, "serializer_class", Localized)
    monkeypatch.setattr(api.CardViewSet, "shared_rendering", True)
    some = {}
    for language, reader in (("de", boards.ada), ("en", boards.ada), ("de", boards.grace)):
        with translation.override(language):
            some[language, reader.username] = in_step(reader)[0]
    made.clear()
    card = edited(boards, votes=3)
    shown = {}
    for (language, name), replica in some.items():
        with translation.override(language):
            replica.pull()
        shown[language, name] = replica.records["cards", card.sync_id].object["votes"]
    assert shown == {("de", "ada"): "3,00", ("en", "ada"): "3.00", ("de", "grace"): "3,00"}
    assert len(made) == 2


def test_g1_an_edit_after_the_rendering_is_told(boards):
    one, other = in_step(boards.ada, boards.ada)
    edited(boards, title="first")
    one.pull()
    edited(boards, title="second")
    other.pull()
    one.pull()
    assert equal(one)
    assert equal(other)


def test_g1_so_is_what_another_table_says_of_the_record(boards):
    """A label on a card is a row of the table between them: it raises the card's revision."""
    one, other = in_step(boards.ada, boards.ada)
    card = edited(boards, title="first")
    one.pull()
    card.labels.add(Label.objects.create(board=boards.launch, name="fresh"))
    other.pull()
    one.pull()
    assert equal(other)
    assert equal(one)


def test_g7_what_moved_out_of_a_view_is_not_shown_because_others_have_seen_it(boards, monkeypatch):
    monkeypatch.setattr(api.CardViewSet, "shared_rendering", True)
    own = Board.objects.create(name="Hers alone", owner=boards.ada)
    ada, grace = in_step(boards.ada, boards.grace)
    card = edited(boards, board=own, title="secret now")
    ada.pull()
    assert rendered._young
    assert [str(change.op) for change in grace.pull() if change.id == card.sync_id] == ["remove"]
    assert equal(grace)


def test_what_the_query_hides_stays_hidden(boards, monkeypatch):
    monkeypatch.setattr(api.CardViewSet, "shared_rendering", True)
    ada, grace = in_step(boards.ada, boards.grace)
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
    one, other = in_step(boards.ada, boards.ada)
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


def test_what_is_known_costs_fewer_statements_not_more(boards):
    """The content is read and written as text for the first pull alone."""

    def asked(replica):
        with CaptureQueriesContext(connection) as queries:
            replica.pull()
        return [query["sql"] for query in queries]

    one, other = in_step(boards.ada, boards.ada)
    edited(boards, title="new")
    first, second = asked(one), asked(other)
    assert len(second) <= len(first)
    assert sum(map(reads_content, second)) < sum(map(reads_content, first))


def reads_content(sql):
    """Whether a statement reads what cards say, or their labels."""
    return '"boards_card"."title"' in sql or "boards_card_labels" in sql


def test_without_autocommit_nothing_is_remembered(boards):
    """A transaction is open then that nobody called ``atomic()`` for."""
    (one,) = in_step(boards.ada)
    rendered.clear()
    transaction.set_autocommit(False)
    try:
        edited(boards, title="never was")
        one.pull()
        assert not rendered._young
    finally:
        transaction.rollback()
        transaction.set_autocommit(True)
