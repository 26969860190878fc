"""What stands on the page about conflicts does what the page says, in the example."""

from __future__ import annotations

import datetime

import pytest
from django.utils import timezone
from rest_framework import viewsets

from django_sync.protocol import Status
from django_sync.sync import SyncViewSetMixin
from example_project.boards import api
from example_project.boards.models import Card

from .howto import run, snippets

BY_FIELD, DEFAULT, LONGEST, CONTRACT, DECISIONS = snippets("conflicts")
Longest = run(LONGEST)["Longest"]
TestLongest = run(CONTRACT, Longest=Longest)["TestLongest"]


@pytest.fixture
def resolve(monkeypatch):
    def resolve(resolvers, delete=None):
        monkeypatch.setattr(api.CardViewSet, "resolvers", resolvers)
        monkeypatch.setattr(api.CardViewSet, "delete_resolver", delete, raising=False)

    return resolve


def met(phone, other, card, mine, theirs, **members):
    """The result of a phone whose change meets another's, which came first."""
    card.refresh_from_db()
    body = phone.update(card, **mine) | members
    assert other.one(other.update(card, **theirs)).status is Status.APPLIED
    return phone.one(body)


def by(result):
    return [(one.field, one.by, one.kept) for one in result.resolved]


def test_each_field_has_the_resolver_that_is_named(card, phone, other, resolve):
    shown = run(BY_FIELD, SyncViewSetMixin=SyncViewSetMixin, viewsets=viewsets)["CardViewSet"]
    resolve(shown.resolvers, shown.delete_resolver)
    early = (timezone.now() - datetime.timedelta(hours=1)).isoformat()
    result = met(phone, other, card, {"title": "Mine"}, {"title": "Theirs"}, at=early)
    assert by(result) == [("title", "last_write", "server")]
    result = met(phone, other, card, {"position": 2}, {"position": 3})
    assert by(result) == [("position", "client_wins", "client")]
    result = met(phone, other, card, {"body": "Mine"}, {"body": "Theirs"})
    assert result.status is Status.CONFLICT
    card.refresh_from_db()
    body = phone.delete(card)
    other.one(other.update(card, title="Theirs still"))
    assert by(phone.one(body)) == [("*", "server_wins", "server")]


def test_the_project_has_a_default(card, phone, other, resolve, settings):
    resolve({})
    settings.DJANGO_SYNC = run(DEFAULT)["DJANGO_SYNC"]
    result = met(phone, other, card, {"title": "Mine"}, {"title": "Theirs"})
    assert by(result) == [("title", "last_write", "client")]


@pytest.mark.parametrize(("mine", "stands"), [("Longer than", "Longer than"), ("Me", "Theirs")])
def test_ones_own_keeps_the_longer_text(card, phone, other, resolve, mine, stands):
    resolve({"title": Longest()})
    result = met(phone, other, card, {"title": mine}, {"title": "Theirs"})
    assert result.status is Status.MERGED
    assert Card.objects.get(pk=card.pk).title == stands


def test_ones_own_leaves_open_what_is_no_text(card, phone, other, resolve):
    resolve({"*": Longest()})
    result = met(phone, other, card, {"votes": 1}, {"votes": 2})
    assert result.status is Status.CONFLICT


def test_what_was_lost_can_be_read(card, phone, other, resolve, capsys):
    resolve({"title": Longest()})
    met(phone, other, card, {"title": "Me"}, {"title": "Theirs"})
    met(phone, other, card, {"votes": 1}, {"votes": 2})  # of which the default leaves all open
    run(DECISIONS, card=card)
    settled, left = capsys.readouterr().out.splitlines()
    assert " resolver {" in settled
    assert "'client': 'Me'" in settled
    assert "'votes': {'server': 2, 'client': 1}" in left
