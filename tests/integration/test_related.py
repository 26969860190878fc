"""Related rows that a serializer shows are fetched a page at a time, and shown as before."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Prefetch
from django.test.utils import CaptureQueriesContext
from rest_framework import serializers

from django_sync.drf.caller import Caller
from django_sync.drf.registry import registry
from django_sync.drf.related import with_related
from django_sync.drf.serializers import SyncRelatedField, with_references
from example_project.boards import api
from example_project.boards.models import Board, Card, Comment, Label, Membership


class UserSerializer(serializers.ModelSerializer):
    class Meta:
        model = User
        fields = ("username",)


class CommentSerializer(serializers.ModelSerializer):
    author = UserSerializer(read_only=True)
    card_labels: serializers.Field = SyncRelatedField(
        source="card.labels", many=True, read_only=True
    )

    class Meta:
        model = Comment
        fields = ("text", "author", "card_labels")


class BoardSerializer(serializers.ModelSerializer):
    owner = UserSerializer(read_only=True)

    class Meta:
        model = Board
        fields = ("name", "owner")


class CardSerializer(api.CardSerializer):
    """All the ways in which one row shows others."""

    about = BoardSerializer(source="board", read_only=True)
    comments = CommentSerializer(many=True, read_only=True)
    owner = serializers.CharField(source="board.owner.username", read_only=True)
    member_names: serializers.Field = serializers.SlugRelatedField(
        source="board.members", slug_field="username", many=True, read_only=True
    )
    label_names: serializers.Field = serializers.StringRelatedField(
        source="labels", many=True, read_only=True
    )
    key: serializers.Field = serializers.PrimaryKeyRelatedField(source="board", read_only=True)
    named: serializers.Field = serializers.StringRelatedField(source="board", read_only=True)

    class Meta:
        model = Card
        fields = (
            *("title", "board", "labels", "about", "comments", "owner", "member_names"),
            *("label_names", "key", "named"),
        )


PATHS = {
    *("board", "board__owner", "comments", "comments__author", "board__members"),
    *("labels", "comments__card", "comments__card__labels"),
}


def fill(board, number, *people):
    for n in range(number):
        card = Card.objects.create(board=board, title=str(n))
        card.labels.add(
            *(Label.objects.get_or_create(board=board, name=str(m))[0] for m in range(n % 3))
        )
        for author in people[: n % 3]:
            Comment.objects.create(card=card, author=author, text=str(n))


def rendered(kind, queryset):
    with CaptureQueriesContext(connection) as asked:
        told = kind(queryset, many=True).data
    return told, len(asked)


def lookups(queryset):
    return {getattr(lookup, "prefetch_to", lookup) for lookup in queryset._prefetch_related_lookups}


def test_the_declared_fields_say_what_is_shown():
    assert lookups(with_related(Card.objects.all(), CardSerializer())) == PATHS


@pytest.mark.parametrize("kind", [CardSerializer, api.CardSerializer])
def test_a_page_shows_the_same_for_a_constant_number_of_statements(people, kind):
    counts = set()
    for number in (3, 9):
        fill(people.launch, number, people.ada, people.grace)
        queryset = Card.objects.order_by("pk")
        late, _ = rendered(kind, queryset)
        ahead, asked = rendered(kind, with_related(with_references(queryset, kind()), kind()))
        assert ahead == late
        counts.add(asked)
    assert len(counts) == 1


@pytest.mark.parametrize(
    "own",
    [
        lambda cards: cards.prefetch_related("labels", "comments__author"),
        lambda cards: cards.select_related("board__owner"),
        lambda cards: cards.prefetch_related(
            Prefetch("comments", Comment.objects.exclude(text="2")), Prefetch("board")
        ),
        lambda cards: cards.prefetch_related(Prefetch("labels", Label.objects.filter(name="1"))),
        lambda cards: cards.prefetch_related(Prefetch("comments", to_attr="remarks")),
        lambda cards: cards.only("title", "board"),
        lambda cards: cards.defer("title"),
    ],
)
def test_what_the_project_fetches_itself_stays_as_it_is(people, own):
    fill(people.launch, 5, people.ada, people.grace)
    cards = own(Card.objects.order_by("pk"))
    late, _ = rendered(CardSerializer, cards)
    made = with_related(with_references(cards, CardSerializer()), CardSerializer())
    assert rendered(CardSerializer, made)[0] == late
    assert made._prefetch_related_lookups[: len(cards._prefetch_related_lookups)] == (
        cards._prefetch_related_lookups
    )


class Some(serializers.ListSerializer):
    def to_representation(self, data):
        return super().to_representation(data.filter(text="1"))


class SomeComments(CommentSerializer):
    class Meta(CommentSerializer.Meta):
        list_serializer_class = Some


class OwnWay(serializers.StringRelatedField):
    def get_attribute(self, instance):
        return "own"


class Left(serializers.ModelSerializer):
    comments = SomeComments(many=True, read_only=True)
    board = OwnWay()
    secret = BoardSerializer(source="board", write_only=True)
    column = serializers.CharField()
    keys: serializers.Field = serializers.PrimaryKeyRelatedField(source="board", read_only=True)
    size = serializers.SerializerMethodField()

    class Meta:
        model = Card
        fields = ("comments", "board", "secret", "column", "keys", "size")

    def get_size(self, card):
        return 1


def test_what_reads_its_rows_in_a_way_of_its_own_is_left_alone():
    assert lookups(with_related(Card.objects.all(), Left())) == set()


@pytest.mark.parametrize("name", ["db_constraint", "base manager"])
def test_a_key_that_may_lead_to_nothing_is_left_alone(monkeypatch, name):
    """It shows as an error where it is followed late, and as null where it is fetched ahead."""
    if name == "db_constraint":
        monkeypatch.setattr(Card._meta.get_field("board"), "db_constraint", False)
    else:
        monkeypatch.setitem(Board._meta.__dict__, "base_manager", Board.objects)
    paths = lookups(with_related(Card.objects.all(), CardSerializer()))
    assert paths == {path for path in PATHS if "board" not in path}


def test_it_follows_no_circle_without_end():
    class Circle(serializers.ModelSerializer):
        class Meta:
            model = Card
            fields = ("title",)

        def get_fields(self):
            return {"board": Back(read_only=True)}

    class Back(serializers.ModelSerializer):
        class Meta:
            model = Board
            fields = ("name",)

        def get_fields(self):
            return {"cards": Circle(many=True, read_only=True)}

    assert max(path.count("__") for path in lookups(with_related(Card.objects.all(), Circle()))) < 9


def test_pulls_lists_and_single_records_use_it(people, monkeypatch):
    monkeypatch.setattr(api.CardViewSet, "serializer_class", CardSerializer)
    monkeypatch.setattr(
        api.CardViewSet, "queryset", Card.objects.prefetch_related("labels").select_related("board")
    )
    cards, counts = registry.get("cards"), []
    for number in (2, 20):
        fill(people.launch, number, people.ada, people.grace)
        caller = Caller.for_user(people.ada)
        scopes = [str(people.launch.sync_id)]
        with CaptureQueriesContext(connection) as asked:
            page = cards.page(caller, scopes, None, 100)
        counts.append(len(asked))
    assert counts[0] == counts[1]
    shown = next(record for record in page if record.object["comments"])
    assert shown.object["about"] == {"name": "Launch", "owner": {"username": "ada"}}
    assert set(shown.object["member_names"]) == {"grace", "alan"}
    assert Membership.objects.count() == 3
