"""Records come from rows just as DRF would have made them, or DRF makes them."""

from __future__ import annotations

import datetime
import decimal

import pytest
from django.contrib.auth.models import User
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from rest_framework import serializers

from django_sync.drf import rendering
from django_sync.drf.caller import Caller
from django_sync.drf.registry import registry
from django_sync.drf.rendering import plan_for, usual_plan
from django_sync.drf.serializers import SyncSerializerMixin, with_references
from example_project.boards import api
from example_project.boards.models import Board, Card, Label
from tests.integration.conftest import make_people
from tests.registry_app.models import Memo, Remark

TEXT = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=50)
JSON = st.recursive(st.none() | st.booleans() | st.integers(-9, 9) | TEXT, st.lists, max_leaves=4)


def both(name, caller, queryset):
    """What the plan makes of a query, and what DRF does."""
    collection = registry.get(name)
    serializer = collection.viewset(caller, ("list", "GET")).get_serializer()
    plan = plan_for(name, collection.model, serializer)
    assert plan is not None, f"{name} has a plan"
    ids = [row.sync_id for row in queryset]
    return plan.records(queryset), collection.render(caller, collection.find_many(caller, ids))


def by_id(records):
    return {record.id: (record, list(record.object)) for record in records}


class TestPlans(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.people = make_people()

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        title=TEXT,
        position=st.floats(allow_nan=False, allow_infinity=False),
        votes=st.integers(-(2**31), 2**31 - 1),
        due=st.none() | st.dates(datetime.date(1, 1, 1)),
        checklist=st.lists(JSON, max_size=3),
        labels=st.sets(st.integers(0, 3)),
        zone=st.sampled_from(["UTC", "Asia/Kathmandu"]),
    )
    def test_a_plan_says_what_drf_says(self, title, labels, zone, **values):
        made = [
            Label.objects.get_or_create(board=self.people.launch, name=str(n))[0] for n in range(4)
        ]
        card = Card.objects.create(board=self.people.launch, title=title, body=title, **values)
        card.labels.set([made[n] for n in labels])
        with self.settings(TIME_ZONE=zone):
            planned, told = both(
                "cards", Caller.for_user(self.people.ada), Card.objects.filter(pk=card.pk)
            )
        assert by_id(planned) == by_id(told)


def test_each_collection_of_the_example_has_a_plan(people):
    caller = Caller.for_user(people.ada)
    for name in registry.names():
        model = registry.get(name).model
        visible = model._base_manager.filter(sync_scope=people.launch.sync_id)
        planned, told = both(name, caller, visible)
        assert by_id(planned) == by_id(told)
        assert planned


class Shouting(serializers.CharField):
    def to_representation(self, value):
        return super().to_representation(value).upper()


class WithMethod(api.CardSerializer):
    size = serializers.SerializerMethodField()

    class Meta:
        model = Card
        fields = ("title", "size")

    def get_size(self, card):
        return len(card.title)


class WithOwnField(api.CardSerializer):
    title = Shouting()


class WithOwnRepresentation(api.CardSerializer):
    def to_representation(self, instance):
        return super().to_representation(instance) | {"more": 1}


class Dotted(api.CardSerializer):
    owner = serializers.CharField(source="board.owner.username", read_only=True)

    class Meta:
        model = Card
        fields = ("title", "owner")


@pytest.mark.parametrize("kind", [WithMethod, WithOwnField, WithOwnRepresentation, Dotted])
def test_what_only_drf_knows_is_left_to_drf(people, kind, monkeypatch):
    assert plan_for("cards", Card, kind()) is None
    monkeypatch.setattr(api.CardViewSet, "serializer_class", kind)
    caller = Caller.for_user(people.ada)
    cards = registry.get("cards")
    card = people.launch.cards.get()
    (record,) = cards.seen(caller, [card.sync_id])
    assert record.object == cards.render(caller, [cards.find(caller, card.sync_id)])[0].object


class Short(api.CardSerializer):
    class Meta:
        model = Card
        fields = ("board", "title")


def test_whoever_gets_another_serializer_within_a_call_gets_its_fields(people, monkeypatch):
    """As where a mutation of the batch has taken a role from its own user."""
    caller, cards = Caller.for_user(people.ada), registry.get("cards")
    ids = [people.launch.cards.get().sync_id]
    assert "votes" in cards.seen(caller, ids)[0].object
    monkeypatch.setattr(api.CardViewSet, "serializer_class", Short)
    assert set(cards.seen(caller, ids)[0].object) == {"board", "title"}


def test_a_model_that_listens_to_its_loading_is_left_to_drf(monkeypatch):
    from django.db.models.signals import post_init

    def listen(sender, instance, **kwargs):
        instance.name = "as loaded"

    serializer = api.BoardSerializer()
    assert plan_for("boards", Board, serializer) is not None
    post_init.connect(listen, sender=Board)
    try:
        assert plan_for("boards", Board, serializer) is None
    finally:
        post_init.disconnect(listen, sender=Board)


def test_a_query_with_joins_sends_each_record_once(people, monkeypatch):
    """``filter(labels__…)`` without ``distinct()`` gives a card once for each of its labels."""
    card = people.launch.cards.get()
    for number in range(3):
        card.labels.add(Label.objects.create(board=people.launch, name=str(number)))
    joined = Card.objects.filter(labels__board__isnull=False)
    monkeypatch.setattr(api.CardViewSet, "queryset", joined)
    caller = Caller.for_user(people.ada)
    cards = registry.get("cards")
    assert len(cards.seen(caller, [card.sync_id])) == 1
    from tests.replica import Replica

    for limit in (1, 2, 3, 100):
        replica = Replica(people.ada, ("cards",), limit=limit)
        replica.pull()
        assert len(replica.records) == 2


def test_decimals_dates_and_the_like_are_drf_s_own_words():
    field = serializers.DecimalField(max_digits=9, decimal_places=2)
    assert field.to_representation(decimal.Decimal(1)) == "1.00"


class MemoSerializer(SyncSerializerMixin, serializers.ModelSerializer):
    class Meta:
        model = Memo
        fields = ("title", "remark_set")


class UserSerializer(SyncSerializerMixin, serializers.ModelSerializer):
    class Meta:
        model = User
        fields = ("username", "memos")


@pytest.mark.parametrize("kind", [MemoSerializer, UserSerializer])
def test_the_way_back_of_a_key_is_two_queries_a_page(db, django_assert_num_queries, kind):
    """Under the name that Django gives it and under one of its own."""
    owner = User.objects.create_user("ada")
    memos = [Memo.objects.create(owner=owner, title=str(n)) for n in range(3)]
    remarks = [Remark.objects.create(memo=memo, text="x") for memo in memos for _ in range(2)]
    name, rows = ("memos", memos) if kind is UserSerializer else ("remark_set", remarks)
    with django_assert_num_queries(2):
        told = kind(with_references(kind.Meta.model.objects.all(), kind()), many=True).data
    assert sorted(id for row in told for id in row[name]) == sorted(
        str(row.sync_id) for row in rows
    )


def test_a_plan_is_made_once_and_again_where_drf_writes_otherwise(settings):
    kept = usual_plan("cards", Card, api.CardSerializer)
    assert usual_plan("cards", Card, api.CardSerializer) is kept
    settings.TIME_ZONE = "Asia/Kathmandu"
    other = usual_plan("cards", Card, api.CardSerializer)
    assert "created_at" in {cell.name for cell in other.text.gaps}
    assert "created_at" not in {cell.name for cell in kept.text.gaps}


def test_serializers_of_each_request_do_not_pile_up(monkeypatch):
    monkeypatch.setattr(rendering, "MOST_PLANS", 3)
    for _ in range(10):
        assert usual_plan("cards", Card, type("Made", (api.CardSerializer,), {}))
    assert len(rendering._usual) <= 3
