"""Resolvers at work in a batch, and the decisions that they leave (G5)."""

from __future__ import annotations

import datetime
import json

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from django_sync.merge import ClientWins, LastWrite, Manual, Resolver, ServerWins
from django_sync.models import Decision
from django_sync.protocol import ConflictKind, Kept, Status
from example_project.boards import api
from example_project.boards.models import Card
from tests.integration.phone import Phone


@pytest.fixture
def resolve(monkeypatch):
    """Sets the resolvers of the cards."""

    def set_them(delete=None, **by_field):
        named = {"*" if name == "others" else name: r for name, r in by_field.items()}
        monkeypatch.setattr(api.CardViewSet, "resolvers", named)
        monkeypatch.setattr(api.CardViewSet, "delete_resolver", delete)

    return set_them


def now(minutes=0.0):
    return timezone.now() + datetime.timedelta(minutes=minutes)


def told(result):
    return [(r.field, r.by, r.kept) for r in result.resolved]


def met(phone, other, card, **members):
    """The result of a phone whose title meets another's; the other's came first."""
    body = phone.update(card, told={"title": card.title}, title="Mine") | members
    assert other.one(other.update(card, title="Theirs")).status is Status.APPLIED
    return phone.one(body)


def title(card):
    return Card.objects.get(pk=card.pk).title


def test_g5_without_a_resolver_it_stays_open(card, phone, other):
    result = met(phone, other, card)
    assert (result.status, title(card)) == (Status.CONFLICT, "Theirs")
    decision = Decision.objects.get()
    assert decision.is_open
    assert decision.fields == {
        "title": {"base": "A card of Launch", "server": "Theirs", "client": "Mine"}
    }


def test_g5_the_client_wins_and_what_was_lost_is_kept(card, phone, other, resolve):
    resolve(title=ClientWins())
    result = met(phone, other, card)
    assert (result.status, title(card)) == (Status.MERGED, "Mine")
    assert told(result) == [("title", "client_wins", "client")]
    assert result.revision == result.record["revision"] == card.sync_revision + 2
    decision = Decision.objects.get()
    assert (decision.by, decision.kind, decision.revision) == (
        Decision.By.RESOLVER,
        ConflictKind.UPDATE_UPDATE,
        result.revision,
    )
    assert decision.fields["title"] == {
        "by": "client_wins",
        "kept": "client",
        "base": "A card of Launch",
        "server": "Theirs",
        "client": "Mine",
    }
    assert (decision.user, decision.client_id) == (phone.user, phone.id)
    assert (decision.collection, decision.object_id) == ("cards", card.sync_id)
    assert decision.scope == card.sync_scope


def test_g5_the_server_wins_and_nothing_is_written(card, phone, other, resolve):
    resolve(others=ServerWins())
    result = met(phone, other, card)
    assert (result.status, title(card)) == (Status.MERGED, "Theirs")
    assert result.revision == card.sync_revision + 1
    assert result.record["object"]["title"] == "Theirs"
    assert Decision.objects.get().fields["title"]["client"] == "Mine"


def test_what_does_not_overlap_is_written_beside_what_is_settled(card, phone, other, resolve):
    resolve(title=ServerWins())
    body = phone.update(card, title="Mine", body="Also mine")
    other.one(other.update(card, title="Theirs"))
    result = phone.one(body)
    assert result.status is Status.MERGED
    row = Card.objects.get(pk=card.pk)
    assert (row.title, row.body) == ("Theirs", "Also mine")
    assert list(Decision.objects.get().fields) == ["title"]


def test_one_open_field_leaves_all_open(card, phone, other, resolve):
    resolve(title=ServerWins(), others=Manual())
    body = phone.update(card, title="Mine", body="Also mine")
    other.one(other.update(card, title="Theirs", body="Also theirs"))
    result = phone.one(body)
    assert result.status is Status.CONFLICT
    assert set(result.conflict.fields) == {"title", "body"}


def test_the_project_has_a_default(card, phone, other, resolve, settings):
    resolve()
    settings.DJANGO_SYNC = {"RESOLVER": "django_sync.merge.ServerWins"}
    assert told(met(phone, other, card)) == [("title", "server_wins", "server")]


class Both(Resolver):
    name = "both"

    def resolve(self, overlap):
        return overlap.merge(f"{overlap.server} and {overlap.client}")


def test_ones_own_merges(card, phone, other, resolve):
    resolve(title=Both())
    result = met(phone, other, card)
    assert (told(result), title(card)) == ([("title", "both", "merged")], "Theirs and Mine")
    assert Decision.objects.get().fields["title"]["value"] == "Theirs and Mine"


def test_what_a_resolver_made_is_validated_as_all_else(card, phone, other, resolve):
    class TooLong(Both):
        def resolve(self, overlap):
            return overlap.merge("x" * 1000)

    resolve(title=TooLong())
    result = met(phone, other, card)
    assert (result.status, result.problem["code"]) == (Status.REJECTED, "validation_failed")
    assert title(card) == "Theirs"
    assert not Decision.objects.exists()


def test_a_resolver_that_lies_aborts_and_writes_nothing(card, phone, other, resolve, caplog):
    class Liar(Both):
        def resolve(self, overlap):
            return type(overlap.keep_server())(Kept.SERVER, "neither")

    resolve(title=Liar())
    result = met(phone, other, card)
    assert (result.status, title(card)) == (Status.ABORTED, "Theirs")
    assert "says that it kept" in caplog.text


# The last write


@pytest.mark.parametrize(
    ("minutes", "kept"),
    [(-30, "server"), (60 * 24 * 365, "client"), (-60 * 24 * 365, "server")],
    ids=["written before the other's", "a clock a year ahead", "a clock a year behind"],
)
def test_last_write(card, phone, other, resolve, minutes, kept):
    resolve(title=LastWrite())
    result = met(phone, other, card, at=now(minutes).isoformat())
    assert told(result) == [("title", "last_write", kept)]


def test_last_write_of_a_client_that_was_later(card, phone, other, resolve):
    resolve(title=LastWrite())
    body = phone.update(card, title="Mine")
    other.one(other.update(card, title="Theirs"))
    result = phone.one(body | {"at": now().isoformat()})
    assert told(result) == [("title", "last_write", "client")]


def test_a_clock_that_is_ahead_wins_no_more_once_it_has_written(card, phone, other, resolve):
    resolve(title=LastWrite())
    base = card.sync_revision
    late = other.update(card, base=base, title="Honest")
    phone.one(phone.update(card, title="Fast") | {"at": now(60 * 24).isoformat()})
    result = other.one(late | {"at": now().isoformat()})
    assert told(result) == [("title", "last_write", "client")]
    assert title(card) == "Honest"


@pytest.mark.parametrize("at", ["yesterday", "2026-11-23T12:00:00", "0001-01-01T00:00:00+23:59", 7])
def test_a_time_that_is_none_is_malformed(card, phone, at):
    result = phone.one(phone.update(card, title="Mine") | {"at": at})
    assert (result.status, result.problem["code"]) == (Status.REJECTED, "invalid")


# Deletes


def test_deletes_stay_open_without_a_resolver(card, phone, other, resolve):
    resolve(others=ClientWins())
    body = phone.delete(card)
    other.one(other.update(card, title="Theirs"))
    assert phone.one(body).status is Status.CONFLICT
    decision = Decision.objects.get()
    assert (decision.kind, decision.op) == ("delete_update", "delete")
    assert decision.fields["*"]["server"]["title"] == "Theirs"


def test_a_delete_that_loses_leaves_the_object(card, phone, other, resolve):
    resolve(delete=ServerWins())
    body = phone.delete(card)
    other.one(other.update(card, title="Theirs"))
    result = phone.one(body)
    assert (result.status, told(result)) == (Status.MERGED, [("*", "server_wins", "server")])
    assert result.record["object"]["title"] == "Theirs"
    assert title(card) == "Theirs"


def test_a_delete_that_wins_keeps_what_it_took(card, phone, other, resolve):
    resolve(delete=ClientWins())
    body = phone.delete(card)
    other.one(other.update(card, title="Theirs"))
    result = phone.one(body)
    assert (result.status, result.record["deleted"]) == (Status.MERGED, True)
    assert not Card.objects.filter(pk=card.pk).exists()
    assert Decision.objects.get().fields["*"]["server"]["title"] == "Theirs"


def test_an_edit_that_loses_to_a_delete_is_kept(card, phone, other, resolve):
    resolve(delete=ServerWins())
    body = phone.update(card, title="Mine")
    other.one(other.delete(card))
    result = phone.one(body)
    assert (result.status, result.record["deleted"]) == (Status.MERGED, True)
    assert Decision.objects.get().fields["*"]["client"] == {"title": "Mine"}


def test_an_edit_wins_over_a_delete_where_it_has_all_that_a_create_needs(
    people, card, phone, other, resolve
):
    resolve(delete=ClientWins())
    whole = phone.update(card, title="Mine", board=str(people.launch.sync_id))
    part = phone.update(card, body="Only this")
    gone = other.one(other.delete(card)).revision
    assert phone.one(part).status is Status.CONFLICT
    result = phone.one(whole)
    assert (result.status, result.revision) == (Status.MERGED, gone + 1)
    assert Card.objects.get(sync_id=card.sync_id).title == "Mine"


def test_who_knows_of_the_delete_may_bring_the_object_back(people, card, phone, other):
    """A conflict is settled for the client so: an update on the tombstone's own revision."""
    gone = other.one(other.delete(card)).revision
    fields = {"title": "Back", "board": str(people.launch.sync_id)}
    refused = phone.one(phone.update(card, base=gone, body="Only this"))
    assert (refused.status, refused.problem["code"]) == (Status.REJECTED, "validation_failed")
    result = phone.one(phone.update(card, base=gone, **fields))
    assert (result.status, result.revision) == (Status.APPLIED, gone + 1)
    again = other.one(other.update(card, base=gone, **fields | {"title": "Back, too"}))
    assert again.status is Status.CONFLICT


def test_what_the_server_alone_writes_is_passed_over_in_bringing_back(people, card, phone, other):
    """A client sends the record that it knew, and cannot tell which of its fields are read-only."""
    gone = other.one(other.delete(card)).revision
    fields = {"title": "Back", "board": str(people.launch.sync_id), "created_at": "2001-01-01"}
    result = phone.one(phone.update(card, base=gone, **fields))
    assert (result.status, result.revision) == (Status.APPLIED, gone + 1)
    assert result.record["object"]["created_at"] > "2026"
    update = phone.one(phone.update(Card.objects.get(sync_id=card.sync_id), created_at="2001"))
    assert update.problem["code"] == "field_not_writable"
    unknown = other.one(other.delete(Card.objects.get(sync_id=card.sync_id))).revision
    result = phone.one(phone.update(card, base=unknown, **fields | {"hue": 1}))
    assert result.problem["code"] == "validation_failed"


def test_who_may_not_create_may_not_bring_back(people, card, phone, other):
    gone = other.one(other.delete(card)).revision
    viewer = Phone(people.alan)
    fields = {"title": "Back", "board": str(people.launch.sync_id)}
    result = viewer.one(viewer.update(card, base=gone, **fields))
    assert (result.status, result.problem["code"]) == (Status.REJECTED, "permission_denied")


# What is kept


def test_g4_a_settled_mutation_is_answered_again_alike(card, phone, other, resolve):
    resolve(title=ClientWins())
    body = phone.update(card, title="Mine")
    other.one(other.update(card, title="Theirs"))
    first, again = phone.one(body), phone.one(body)
    assert again.replayed
    assert (again.status, again.revision, again.resolved) == (
        first.status,
        first.revision,
        first.resolved,
    )
    assert Decision.objects.count() == 1


def test_a_client_that_writes_again_has_settled_what_it_had_open(card, phone, other):
    met(phone, other, card)
    card.refresh_from_db()
    assert phone.one(phone.update(card, title="Ours")).status is Status.APPLIED
    decision = Decision.objects.get()
    assert (decision.by, decision.settled_by, decision.is_open) == ("client", phone.user, False)


def test_a_conflict_that_comes_again_is_one(card, phone, other):
    base = card.sync_revision
    met(phone, other, card)
    phone.one(phone.update(card, base=base, title="Mine still"))
    assert [d.is_open for d in Decision.objects.order_by("id")] == [False, True]


def test_an_atomic_batch_that_fails_decides_nothing(card, phone, other, resolve):
    resolve(title=ClientWins())
    body = phone.update(card, title="Mine")
    other.one(other.update(card, title="Theirs"))
    results = phone.send(body, phone.create("cards", title="No board"), atomic=True)
    assert [r.status for r in results] == [Status.ABORTED, Status.REJECTED]
    assert not Decision.objects.exists()
    assert title(card) == "Theirs"


@pytest.mark.parametrize("name", ["a\u0000b", "\ud800", "title"])
@pytest.mark.parametrize("value", ["a\u0000b", "\ud800", float("inf")])
def test_what_no_column_takes_is_kept_all_the_same(card, phone, other, name, value):
    """An enemy's conflict does not fail the batch in which their neighbours stand."""
    body = phone.update(card) | {"fields": {name: value}}
    other.one(other.delete(card))
    fine = phone.create("cards", title="Fine", board=str(card.board.sync_id))
    results = phone.send(body, fine)
    assert [r.status for r in results] == [Status.CONFLICT, Status.APPLIED]
    assert json.dumps(Decision.objects.get().asked)


def test_rest_knows_no_resolvers(people, card, resolve):
    """If-Match says that nothing else will do."""
    resolve(title=ClientWins(), delete=ClientWins())
    client, path = APIClient(), f"/sync/cards/{card.sync_id}/"
    client.force_authenticate(people.ada)
    tag = client.get(path)["ETag"]
    Card.objects.filter(pk=card.pk).update(title="Theirs")
    answer = client.patch(
        path, {"object": {"title": "Mine"}}, format="json", headers={"If-Match": tag}
    )
    assert (answer.status_code, answer.json()["code"]) == (412, "revision_conflict")
    assert not Decision.objects.exists()
