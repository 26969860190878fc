"""``sync_doctor --slow`` names the serializers whose records each ask the database."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.db import models
from rest_framework import serializers

from django_sync.maintenance import slow_serializers
from example_project.boards import api
from example_project.boards.models import Board, Card, Comment

pytestmark = pytest.mark.django_db


class WithCount(api.CardSerializer):
    """The usual mistake: a query for each record."""

    comment_count = serializers.SerializerMethodField()

    class Meta:
        model = Card
        fields = ("title", "board", "comment_count")

    def get_comment_count(self, card):
        return card.comments.count()


class Annotated(WithCount):
    """The same, as it should be."""

    def get_comment_count(self, card):
        return card.number


class OwnWords(api.CardSerializer):
    def to_representation(self, card):
        return {"title": card.title, "owner": card.board.owner.username}


class Writes(api.CardSerializer):
    size = serializers.SerializerMethodField()

    class Meta:
        model = Card
        fields = ("title", "size")

    def get_size(self, card):
        return Card.objects.filter(pk=card.pk).update(votes=99)


def doctor(*args):
    out, code = io.StringIO(), 0
    try:
        call_command("sync_doctor", "--slow", *args, stdout=out)
    except SystemExit as ended:
        code = ended.code
    return out.getvalue(), code


@pytest.fixture
def cards(people):
    Card.objects.bulk_create(Card(board=people.launch, title=str(n)) for n in range(30))
    return people


def found(people, name="cards"):
    return next(one for one in slow_serializers.measure([people.ada]) if one.collection == name)


def test_the_example_is_fast(cards):
    told, code = doctor()
    assert code == 0
    assert [line.split(":")[:2] for line in told.splitlines()] == [
        ["fine", " boards"],
        ["fine", " cards"],
        ["fine", " comments"],
        ["fine", " labels"],
    ]


def test_a_method_field_that_asks_for_each_record_is_named(cards, monkeypatch):
    monkeypatch.setattr(api.CardViewSet, "serializer_class", WithCount)
    told, code = doctor("--as", "ada")
    assert code == 1
    assert "problem: cards: 1001 statements for a page of 1000 records" in told
    assert "Each record asks the database 1 time." in told
    assert "The field “comment_count” asks 1 time for each record." in told
    assert "annotate()" in told
    assert "because of: comment_count" in told
    assert told.count("problem:") == 1


def test_annotated_it_is_fine_and_said_to_be_python_s(cards, monkeypatch):
    monkeypatch.setattr(api.CardViewSet, "serializer_class", Annotated)
    counted = Card.objects.annotate(number=models.Count("comments"))
    monkeypatch.setattr(api.CardViewSet, "queryset", counted)
    told, code = doctor("--as", "ada")
    assert code == 0
    assert "fine: cards: 1 statement" in told
    assert "Made one by one in Python, because of: comment_count." in told


def test_what_no_field_asks_for_is_the_serializer_s_own(cards, monkeypatch):
    monkeypatch.setattr(api.CardViewSet, "serializer_class", OwnWords)
    one = found(cards)
    assert one.is_slow
    assert one.per_record == 2
    assert one.fields == ()
    assert "to_representation" in doctor()[0]


def test_as_json(cards, monkeypatch):
    monkeypatch.setattr(api.CardViewSet, "serializer_class", WithCount)
    told, code = doctor("--json")
    told = {one["collection"]: one for one in json.loads(told)["collections"]}
    assert code == 1
    assert told["cards"]["is_slow"]
    assert told["cards"]["fields"] == [["comment_count", 1.0]]
    assert not told["boards"]["is_slow"]


def test_it_writes_nothing(cards, monkeypatch):
    monkeypatch.setattr(api.CardViewSet, "serializer_class", Writes)
    told, code = doctor("--as", "ada")
    assert code == 0
    assert "note: cards: not looked at; as ada: " in told
    assert not Card.objects.filter(votes=99).exists()
    Card.objects.create(board=cards.launch, title="Now it may be written again")


def test_what_nobody_sees_is_said(db, people):
    Comment.objects.all().delete()
    told, _ = doctor("--as", "ada")
    assert "note: comments: not looked at; none of the users who were tried sees any" in told


def test_an_unknown_user(db):
    with pytest.raises(CommandError, match="no user “nobody”"):
        doctor("--as", "nobody")


def test_the_first_user_who_sees_some_is_asked(people):
    Board.objects.filter(pk__in=[people.launch.pk, people.private.pk]).delete()
    assert [one.user for one in slow_serializers.measure([people.alan, people.ada])] == ["ada"] * 4
