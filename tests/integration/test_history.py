"""What became of an object, as one user may know of it (G7): protocol.md, section 5."""

from __future__ import annotations

import datetime
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from rest_framework import permissions, serializers
from rest_framework.test import APIClient

from django_sync.feed import sequencer
from django_sync.models import Change
from django_sync.sync import SyncSerializerMixin
from example_project.boards import api
from example_project.boards.models import Board, Card, Comment, Label, Membership
from tests.integration.phone import Phone, name_of
from tests.integration.test_queries import statements

pytestmark = pytest.mark.django_db


def client_of(user: Any) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


def answer(user: Any, row: Any, id: Any = None, **query: Any) -> Any:
    url = f"/sync/{name_of(row)}/{id or row.sync_id}/history/"
    return client_of(user).get(url, query)


def told(user: Any, row: Any, id: Any = None, **query: Any) -> list[dict[str, Any]]:
    response = answer(user, row, id, **query)
    assert response.status_code == 200, response.json()
    results: list[dict[str, Any]] = response.json()["results"]
    return results


def steps(*args: Any, **query: Any) -> list[tuple[int, str, list[str], str | None]]:
    return [(t["revision"], t["op"], t["fields"], t["actor"]) for t in told(*args, **query)]


def patch(user: Any, card: Card, **fields: Any) -> None:
    response = client_of(user).patch(
        f"/sync/cards/{card.sync_id}/", {"object": fields}, format="json", HTTP_IF_MATCH="*"
    )
    assert response.status_code == 200, response.json()


# What it tells


def test_each_revision_newest_first(people):
    card = Card.objects.create(board=people.launch, title="One")
    Card.objects.filter(pk=card.pk).update(title="Two", body="Words")
    card.labels.add(people.launch.labels.get())
    assert steps(people.ada, card) == [
        (3, "update", ["labels"], None),
        (2, "update", ["body", "title"], None),
        (1, "create", [], None),
    ]


def test_times_are_in_utc(people, card):
    before = datetime.datetime.now(datetime.UTC)
    (entry, *_) = told(people.ada, Card.objects.create(board=people.launch, title="Now"))
    assert entry["at"].endswith("Z")
    at = datetime.datetime.fromisoformat(entry["at"])
    assert abs(at - before) < datetime.timedelta(seconds=60)


def test_who_did_it_by_rest_by_a_batch_and_by_neither(people, card):
    patch(people.grace, card, title="By Grace")
    card.refresh_from_db()
    Phone(people.ada).one(Phone(people.ada).update(card, body="By Ada"))
    Card.objects.filter(pk=card.pk).update(votes=3)
    newest = steps(people.alan, card)[:3]
    assert [(fields, actor) for _, _, fields, actor in newest] == [
        (["votes"], None),
        (["body"], "ada"),
        (["title"], "grace"),
    ]


def test_all_revisions_of_one_mutation_are_its_authors(people):
    phone = Phone(people.ada)
    board, label = str(people.launch.sync_id), str(people.launch.labels.get().sync_id)
    made = phone.one(phone.create("cards", title="New", board=board, labels=[label]))
    card = Card.objects.get(sync_id=made.record["id"])
    assert card.sync_revision > 1
    assert {actor for *_, actor in steps(people.grace, card)} == {"ada"}


def test_a_mutation_that_failed_or_did_nothing_has_made_no_revision(people, card):
    phone = Phone(people.ada)
    Card.objects.filter(pk=card.pk).update(title="Another")
    assert str(phone.one(phone.update(card, title="Mine")).status) == "conflict"
    card.refresh_from_db()
    phone.one(phone.update(card, title="Another"))
    assert {actor for *_, actor in steps(people.ada, card)} == {None}


def test_deleted_and_made_again(people, card):
    id, phone = card.sync_id, Phone(people.ada)
    revision = phone.one(phone.delete(card)).revision
    (newest, *older) = steps(people.grace, card, id)
    assert newest == (revision, "delete", [], "ada")
    assert older
    again = Card.objects.create(board=people.launch, title="Back", sync_id=id)
    assert steps(people.grace, again)[0] == (revision + 1, "create", [], None)


def test_changes_without_a_position_count_too(people, card):
    sequencer.sequence()
    Card.objects.filter(pk=card.pk).update(title="Fresh")
    card.refresh_from_db()
    before = Change.objects.count()
    assert steps(people.ada, card)[0] == (card.sync_revision, "update", ["title"], None)
    assert Change.objects.count() == before, "reading history gives no positions"


def test_a_name_shown_in_a_record_is_its_field(people, card):
    comment = Comment.objects.get(card=card)
    User.objects.filter(pk=people.ada.pk).update(username="countess")
    assert steps(people.grace, comment)[0] == (
        comment.sync_revision + 1,
        "update",
        ["author"],
        None,
    )


# Pages


def test_pages(people, card):
    for number in range(7):
        Card.objects.filter(pk=card.pk).update(title=str(number))
    whole = told(people.ada, card)
    url, found, pages = f"/sync/cards/{card.sync_id}/history/?limit=3", [], 0
    while url:
        body = client_of(people.ada).get(url).json()
        assert len(body["results"]) <= 3
        found, url, pages = found + body["results"], body["next"], pages + 1
    assert found == whole
    assert pages == -(-len(whole) // 3)


def test_pages_hold_while_others_write(people, card):
    for number in range(4):
        Card.objects.filter(pk=card.pk).update(title=str(number))
    first = answer(people.ada, card, limit=2).json()
    Card.objects.filter(pk=card.pk).update(title="Meanwhile")
    second = client_of(people.ada).get(first["next"]).json()
    last, following = first["results"][-1]["revision"], second["results"][0]["revision"]
    assert last - following == 1


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "x"}, {"after": "x"}, {"after": ""}])
def test_what_is_no_place_is_invalid(people, card, query):
    response = answer(people.ada, card, **query)
    assert (response.status_code, response.json()["code"]) == (400, "invalid")


def test_a_place_beyond_all_numbers(people, card):
    assert told(people.ada, card, after="9" * 40) == told(people.ada, card)
    assert told(people.ada, card, after="1") == []


def test_the_cost_is_the_same_for_a_long_history(people, card):
    few = len(statements(lambda: told(people.ada, card)))
    for number in range(30):
        patch(people.ada, card, title=str(number))
    assert len(statements(lambda: told(people.ada, card))) == few <= 6


# Who may know


def test_what_is_not_seen_has_no_history(people):
    hidden = people.private.cards.get()
    nothing = answer(people.ada, hidden, uuid.uuid4())
    for response in (answer(people.ada, hidden), nothing):
        assert response.status_code == 404
    assert answer(people.ada, hidden).json() == nothing.json()
    assert told(people.alan, hidden)
    assert APIClient().get(f"/sync/cards/{hidden.sync_id}/history/").status_code == 401
    unknown = client_of(people.ada).get(f"/sync/nothing/{uuid.uuid4()}/history/")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")


def test_g7_an_object_that_came_from_elsewhere_tells_nothing_of_there(people):
    card = people.private.cards.get()
    patch(people.alan, card, title="Secret", body="plans")
    Card.objects.filter(pk=card.pk).update(board=people.launch, title="Public")
    card.refresh_from_db()
    Card.objects.filter(pk=card.pk).update(title="Later")
    seen = steps(people.ada, card)
    assert [revision for revision, *_ in seen] == [card.sync_revision + 1, card.sync_revision]
    assert seen[-1][1:] == ("update", ["board", "title"], None)
    assert {actor for *_, actor in seen} == {None}
    assert len(steps(people.alan, card)) > 2


def test_g7_an_object_that_has_left_has_no_history(people, card):
    Card.objects.filter(pk=card.pk).update(board=people.private)
    assert answer(people.ada, card).status_code == 404
    revisions = [revision for revision, *_ in steps(people.alan, card)]
    assert len(revisions) == len(set(revisions)), "the entry of the scope that was left is none"
    Card.objects.filter(pk=card.pk).update(title="There")
    Card.objects.filter(pk=card.pk).update(board=people.launch)
    card.refresh_from_db()
    back = [revision for revision, *_ in steps(people.ada, card)]
    assert card.sync_revision in back
    assert {card.sync_revision - 1, card.sync_revision - 2}.isdisjoint(back)


def test_g7_a_revoked_membership(people, card):
    assert told(people.grace, card)
    Membership.objects.filter(user=people.grace).delete()
    assert answer(people.grace, card).status_code == 404
    id = card.sync_id
    card.delete()
    assert answer(people.grace, card, id).status_code == 404
    assert told(people.ada, card, id)


def test_g7_an_object_deleted_elsewhere(people, card):
    id = card.sync_id
    Card.objects.filter(pk=card.pk).update(board=people.private)
    Card.objects.filter(pk=card.pk).delete()
    assert answer(people.ada, card, id).status_code == 404
    assert steps(people.alan, card, id)[0][1] == "delete"


def test_g7_a_tombstone_does_not_open_what_was_made_again_elsewhere(people, card):
    id = card.sync_id
    card.delete()
    Card.objects.create(board=people.private, title="Mine now", sync_id=id)
    assert answer(people.ada, card, id).status_code == 404


def test_what_the_queryset_hides_has_no_history(people, card, monkeypatch):
    shown = api.CardViewSet.queryset.exclude(title__startswith="Draft")
    monkeypatch.setattr(api.CardViewSet, "get_queryset", lambda self: shown.all())
    Card.objects.filter(pk=card.pk).update(title="Draft of a speech")
    assert answer(people.ada, card).status_code == 404


def test_g7_a_collection_that_may_not_be_read_has_none_as_it_has_no_objects(
    people, card, monkeypatch
):
    """Its list says 403, for the collection is no secret; what is asked by an id is 404."""
    monkeypatch.setattr(api.CardViewSet, "permission_classes", [permissions.IsAdminUser])
    for id in (card.sync_id, uuid.uuid4()):
        for path in ("", "history/"):
            response = client_of(people.ada).get(f"/sync/cards/{id}/{path}")
            assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert client_of(people.ada).get("/sync/cards/").status_code == 403


class Brief(SyncSerializerMixin, serializers.ModelSerializer):
    """What viewers read: the title under another name, and a word on the whole."""

    name: serializers.Field = serializers.CharField(source="title")
    summary: serializers.Field = serializers.SerializerMethodField()
    word: serializers.Field = serializers.CharField(source="body", write_only=True)
    place: serializers.Field = serializers.CharField(source="board.name")

    class Meta:
        model = Card
        fields = ("name", "summary", "word", "place")

    def get_summary(self, card: Card) -> str:
        return card.body[:3]


def test_g7_only_fields_that_the_user_reads_are_named(people, card, monkeypatch):
    def by_user(view: Any) -> type[Any]:
        return api.CardSerializer if view.request.user == people.ada else Brief

    monkeypatch.setattr(api.CardViewSet, "get_serializer_class", by_user)
    Card.objects.filter(pk=card.pk).update(votes=7, body="secret")
    Card.objects.filter(pk=card.pk).update(title="Other", votes=8)
    assert [fields for _, _, fields, _ in steps(people.ada, card)[:2]] == [
        ["title", "votes"],
        ["body", "votes"],
    ]
    assert [fields for _, _, fields, _ in steps(people.alan, card)[:2]] == [["name"], []]


def test_a_user_who_is_no_more(people, card):
    patch(people.grace, card, title="By Grace")
    people.research.delete()
    people.grace.delete()
    assert steps(people.ada, card)[0][2:] == (["title"], None)


def test_a_pruned_log_leaves_the_newer_part(people, card):
    for number in range(4):
        Card.objects.filter(pk=card.pk).update(title=str(number))
    sequencer.sequence()
    card.refresh_from_db()
    gone = Change.objects.filter(object_id=card.sync_id, revision__lt=card.sync_revision - 1)
    gone.delete()
    body = answer(people.ada, card).json()
    assert [entry["revision"] for entry in body["results"]] == [
        card.sync_revision,
        card.sync_revision - 1,
    ]
    assert body["next"] is None
    Change.objects.all().delete()
    assert answer(people.ada, card).json() == {"results": [], "next": None}


def test_every_collection_has_one(people):
    for model in (Board, Label, Card, Comment):
        for row in model.objects.all():
            if row.sync_scope == str(people.launch.sync_id):
                assert told(people.alan, row)[-1]["op"] == "create"


def test_a_transaction_that_is_undone_is_no_history(people, card):
    before = told(people.ada, card)
    with transaction.atomic():
        Card.objects.filter(pk=card.pk).update(title="Never")
        transaction.set_rollback(True)
    assert told(people.ada, card) == before


@pytest.mark.postgresql
def test_times_do_not_depend_on_the_sessions_zone(people, card):
    (entry, *_) = told(people.ada, card)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL TIME ZONE 'Asia/Kathmandu'")
    assert told(people.ada, card)[0] == entry
