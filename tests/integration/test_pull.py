"""Snapshot, then tail: what a replica gets equals what its user may see (G1 to G3, G6, G7)."""

from __future__ import annotations

import dataclasses
import uuid

import pytest
from django.conf import settings
from django.db import connection

from django_sync import engine, errors
from django_sync.drf.caller import Caller
from django_sync.feed import sequencer
from django_sync.feed.cursor import open_sealed, seal
from django_sync.models import Change as Entry
from django_sync.models import Feed, Generation, Outbox, ScopeSet
from django_sync.protocol import Op
from example_project.boards import api
from example_project.boards.models import Board, Card, Comment, Label, Membership
from tests.replica import Replica, truth


def opened(replica):
    assert replica.cursor is not None
    return open_sealed(replica.cursor, user=str(replica.user.pk), secrets=[settings.SECRET_KEY])


def altered(replica, **members):
    """The replica's cursor with other members, sealed as the server would."""
    cursor = dataclasses.replace(opened(replica), **members)
    return seal(cursor, user=str(replica.user.pk), secret=settings.SECRET_KEY)


def ops(changes):
    return [(str(c.op), c.collection) for c in changes]


# Snapshot


def test_a_first_pull_is_what_the_user_may_see(people):
    for user in (people.ada, people.grace, people.alan):
        replica = Replica(user)
        replica.pull()
        assert replica.held() == truth(user)


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_g3_pages_of_any_size_come_to_the_same(people, limit):
    replica = Replica(people.ada, limit=limit)
    changes = replica.pull()
    assert replica.held() == truth(people.ada)
    keys = [(c.collection, c.id) for c in changes]
    assert len(keys) == len(set(keys)), "each record once"


def test_parents_come_before_their_children(people):
    changes = Replica(people.ada, limit=1).pull()
    first = {c.collection: place for place, c in reversed(list(enumerate(changes)))}
    assert first["boards"] < first["labels"] < first["cards"] < first["comments"]


def test_progress_counts_to_the_total(people):
    replica = Replica(people.ada, limit=3)
    told = []
    while True:
        page = replica.page()
        told.append(page.snapshot)
        if not page.has_more:
            break
    assert told[-1] == {"done": 8, "total": 8}
    assert [t["done"] for t in told] == sorted(t["done"] for t in told)
    assert replica.page().snapshot is None, "absent once the feed has taken over"


def test_no_tombstones_for_a_new_client(people):
    Card.objects.filter(board=people.launch).delete()
    assert {c.op for c in Replica(people.ada).pull()} == {Op.PUT}


def test_g1_what_is_written_during_a_snapshot_follows_it(people):
    replica = Replica(people.ada, limit=2)
    replica.page()
    card = Card.objects.create(board=people.launch, title="Meanwhile")
    Board.objects.filter(pk=people.launch.pk).update(name="Renamed")
    replica.pull()
    assert replica.held() == truth(people.ada)
    assert replica.records[("boards", people.launch.sync_id)].object["name"] == "Renamed"
    assert ("cards", card.sync_id) in replica.records


def test_a_row_without_a_scope_is_seen_by_nobody(people):
    card = people.launch.cards.get()
    replica = Replica(people.ada)
    replica.pull()
    Card.objects.filter(pk=card.pk).update(board=people.private)
    assert (str(Op.REMOVE), "cards") in ops(replica.pull())


# Tail


def test_nothing_new_is_an_empty_page_with_the_same_cursor(people):
    replica = Replica(people.ada)
    replica.pull()
    before = replica.cursor
    assert replica.pull() == []
    assert replica.cursor == before


def test_g1_each_kind_of_change_arrives(people):
    replica = Replica(people.ada)
    replica.pull()
    card = people.launch.cards.get()
    card.title = "Changed"
    card.save()
    (put,) = replica.pull()
    assert put.record.object["title"] == "Changed"
    assert put.record.revision == card.sync_revision
    card.labels.clear()
    (put,) = replica.pull()
    assert put.record.object["labels"] == []
    comment = Comment.objects.create(card=card, author=people.ada, text="New")
    assert ops(replica.pull()) == [("put", "comments")]
    id, revision = comment.sync_id, comment.sync_revision
    comment.delete()
    (gone,) = replica.pull()
    assert (gone.op, gone.id, gone.revision) == (Op.DELETE, id, revision + 1)
    assert replica.held() == truth(people.ada)


def test_g2_many_writes_to_one_object_come_as_its_last_state(people):
    replica = Replica(people.ada)
    replica.pull()
    card = people.launch.cards.get()
    for number in range(5):
        Card.objects.filter(pk=card.pk).update(title=f"Title {number}")
    (put,) = replica.pull()
    assert put.record.object["title"] == "Title 4"


@pytest.mark.parametrize("limit", [1, 2])
def test_g3_a_tail_in_small_pages(people, limit):
    replica = Replica(people.ada, limit=limit)
    replica.pull()
    for number in range(7):
        Card.objects.create(board=people.launch, title=str(number))
    people.launch.cards.filter(title="3").delete()
    replica.pull()
    assert replica.held() == truth(people.ada)


def test_g3_the_same_pull_twice_is_harmless(people):
    replica = Replica(people.ada)
    replica.pull()
    start = replica.cursor
    Card.objects.create(board=people.launch, title="New")
    first = replica.pull()
    replica.cursor = start
    assert replica.pull() == first
    assert replica.held() == truth(people.ada)


def test_a_rollback_and_an_idle_save_leave_nothing(people):
    from django.db import transaction

    replica = Replica(people.ada)
    replica.pull()
    card = people.launch.cards.get()
    card.save()
    with transaction.atomic():
        Card.objects.create(board=people.launch, title="Never")
        transaction.set_rollback(True)
    assert replica.pull() == []


# Scopes


def test_g7_what_moves_out_of_the_view_is_removed_and_brings_its_children(people):
    replica, alan = Replica(people.ada), Replica(people.alan)
    replica.pull()
    alan.pull()
    card = people.launch.cards.get()
    card.board = people.private
    card.save()
    card.drop_foreign_labels()
    assert sorted(ops(replica.pull())) == [("remove", "cards"), ("remove", "comments")]
    assert replica.held() == truth(people.ada)
    alan.pull()
    assert alan.held() == truth(people.alan)


def test_what_is_deleted_after_it_left_is_removed(people):
    replica = Replica(people.ada)
    replica.pull()
    card = people.launch.cards.get()
    Card.objects.filter(pk=card.pk).update(board=people.private)
    Card.objects.filter(pk=card.pk).delete()
    assert {c.op for c in replica.pull()} == {Op.REMOVE}


def test_g7_a_revoked_membership_empties_the_scope(people):
    replica = Replica(people.ada)
    replica.pull()
    Membership.objects.filter(user=people.ada).delete()
    changes = replica.pull()
    assert {c.op for c in changes} == {Op.DROP}
    assert sorted(c.collection for c in changes) == ["boards", "cards", "comments", "labels"]
    assert replica.held() == truth(people.ada)


def test_a_granted_membership_fills_it(people):
    replica = Replica(people.ada, limit=2)
    replica.pull()
    Membership.objects.create(board=people.private, user=people.ada)
    replica.pull()
    assert replica.held() == truth(people.ada)


def test_f3_a_scope_that_leaves_and_returns_while_it_is_paged(people):
    """The set of scopes is the same before and after; the rows must come all the same."""
    for number in range(6):
        Card.objects.create(board=people.research, title=str(number))
    replica = Replica(people.ada, limit=2)
    for _ in range(4):
        replica.page()
    membership = Membership.objects.get(user=people.ada)
    membership.delete()
    replica.page()
    membership.pk = None
    membership.save()
    replica.pull()
    assert replica.held() == truth(people.ada)


@pytest.mark.parametrize("pages", range(1, 9))
def test_f3_scopes_that_come_and_go_at_any_page(people, pages):
    for number in range(3):
        Card.objects.create(board=people.launch, title=str(number))
    replica = Replica(people.ada, limit=2)
    for _ in range(pages):
        replica.page()
    new = Board.objects.create(name="New", owner=people.ada)
    Card.objects.create(board=new, title="In a new scope")
    Membership.objects.create(board=people.private, user=people.ada)
    replica.page()
    Membership.objects.filter(board=people.research).delete()
    replica.page()
    Card.objects.filter(board=people.launch).update(body="All changed")
    replica.pull()
    assert replica.held() == truth(people.ada)


def test_f7_a_forgotten_set_of_scopes_expires_the_cursor(people):
    replica = Replica(people.ada)
    replica.pull()
    ScopeSet.objects.all().delete()
    Board.objects.create(name="Another", owner=people.ada)
    with pytest.raises(errors.CursorExpired):
        replica.page()
    replica.pull()
    assert replica.held() == truth(people.ada)


def test_f7_five_thousand_scopes_in_a_short_cursor(people):
    Board.objects.bulk_create([Board(name=str(n), owner=people.ada) for n in range(5000)])
    replica = Replica(people.ada)
    replica.pull()
    assert replica.held() == truth(people.ada)
    assert replica.cursor is not None
    assert len(replica.cursor) < 300
    Board.objects.filter(name="4999").update(color="#000000")
    assert ops(replica.pull()) == [("put", "boards")]


# Collections, rights, generation


def test_one_collection_newly_asked_for_begins(people):
    replica = Replica(people.ada, ("boards",))
    replica.pull()
    assert replica.held() == truth(people.ada, ("boards",))
    replica.collections = ("boards", "cards")
    changes = replica.pull()
    assert ops(changes)[0] == ("begin", "cards")
    assert ("put", "boards") not in ops(changes)
    assert replica.held() == truth(people.ada, ("boards", "cards"))


def test_an_unknown_collection_is_said_to_be(people):
    with pytest.raises(errors.UnknownCollection):
        Replica(people.ada, ("nonsense",)).pull()


def test_f5_other_rights_send_the_collection_anew(people, monkeypatch):
    monkeypatch.setattr(api.CardViewSet, "get_visibility_tag", lambda self: "before")
    replica = Replica(people.ada)
    replica.pull()
    monkeypatch.setattr(api.CardViewSet, "get_visibility_tag", lambda self: "after")
    monkeypatch.setattr(api.CardViewSet, "get_queryset", lambda self: Card.objects.none())
    assert ops(replica.pull()) == [("begin", "cards")]
    assert {name for name, _ in replica.records} == {"boards", "labels", "comments"}


def test_f5_another_shape_of_the_serializer_sends_the_collection_anew(people, monkeypatch):
    replica = Replica(people.ada)
    replica.pull()

    class Smaller(api.CardSerializer):
        class Meta:
            model = Card
            fields = ("board", "title")

    monkeypatch.setattr(api.CardViewSet, "serializer_class", Smaller)
    monkeypatch.setattr(Smaller, "validate", lambda self, attrs: attrs)
    changes = replica.pull()
    assert ops(changes)[0] == ("begin", "cards")
    assert set(changes[1].record.object) == {"board", "title"}
    assert replica.held() == truth(people.ada)


def test_f5_a_renamed_user_reaches_the_comments_that_show_them(people):
    replica = Replica(people.ada)
    replica.pull()
    people.grace.username = "amazing-grace"
    people.grace.save()
    replica.pull()
    shown = {r.object["author"] for (name, _), r in replica.records.items() if name == "comments"}
    assert shown == {"ada", "amazing-grace"}


def test_c3_a_gap_sends_that_collection_anew_and_no_other(people):
    replica = Replica(people.ada)
    replica.pull()
    Generation.objects.update_or_create(model="boards.card", defaults={"value": 77})
    changes = replica.pull()
    assert {c.collection for c in changes} == {"cards"}
    assert ops(changes)[0] == ("begin", "cards")
    assert replica.held() == truth(people.ada)


def test_a_collection_that_may_no_longer_be_read_is_taken_back(people, monkeypatch):
    from rest_framework.permissions import IsAdminUser

    for asked in (None, ("boards", "cards")):
        replica = Replica(people.ada, asked)
        replica.pull()
        with monkeypatch.context() as patch:
            patch.setattr(api.CardViewSet, "permission_classes", [IsAdminUser])
            assert ops(replica.pull()) == [("begin", "cards")]
            assert "cards" not in {name for name, _ in replica.records}
        replica.pull()
        assert replica.held() == truth(people.ada, asked)


# Cursors


def test_f8_another_users_cursor_is_invalid(people):
    replica = Replica(people.ada)
    replica.pull()
    with pytest.raises(errors.InvalidCursor):
        engine.pull(Caller.for_user(people.grace), cursor=replica.cursor)


def test_f4_a_position_past_the_head_proves_another_history(people):
    replica = Replica(people.ada)
    replica.pull()
    before = Feed.objects.get().epoch
    replica.cursor = altered(replica, position=opened(replica).position + 1000)
    with pytest.raises(errors.CursorExpired):
        replica.page()
    assert Feed.objects.get().epoch != before
    replica.pull()
    assert replica.held() == truth(people.ada)


def test_f4_another_mark_at_the_position_proves_it_too_and_the_epoch_moves_once(people):
    replica, other = Replica(people.ada), Replica(people.grace)
    replica.pull()
    other.pull()
    Card.objects.create(board=people.launch, title="Past that number")
    sequencer.sequence()
    Entry.objects.filter(position=opened(replica).position).update(mark=1)
    with pytest.raises(errors.CursorExpired):
        replica.page()
    moved = Feed.objects.get().epoch
    with pytest.raises(errors.CursorExpired):
        other.page()
    assert Feed.objects.get().epoch == moved


def test_f4_mutations_too_are_refused_on_another_history(people):
    replica = Replica(people.ada)
    replica.pull()
    cursor = altered(replica, mark=1)
    with pytest.raises(errors.CursorExpired):
        engine.mutate(
            Caller.for_user(people.ada),
            {"client_id": str(uuid.uuid4()), "cursor": cursor, "mutations": []},
        )


def test_a_cursor_behind_the_floor_has_expired(people):
    replica = Replica(people.ada)
    replica.pull()
    Card.objects.create(board=people.launch, title="New")
    sequencer.sequence()
    Feed.objects.update(floor=opened(replica).position + 1)
    with pytest.raises(errors.CursorExpired):
        replica.page()


# References


def test_every_reference_resolves_at_the_end(people):
    replica = Replica(people.ada, limit=1)
    replica.pull()
    label = Label.objects.create(board=people.launch, name="new")
    card = Card.objects.create(board=people.launch, title="New")
    card.labels.add(label)
    replica.pull()
    for (name, _), record in replica.records.items():
        if name == "cards":
            assert ("boards", uuid.UUID(record.object["board"])) in replica.records
            for id in record.object["labels"]:
                assert ("labels", uuid.UUID(id)) in replica.records


# The feed itself


@pytest.mark.postgresql
def test_sequencing_leaves_the_outbox_empty_and_positions_without_gaps(people):
    assert Outbox.objects.exists()
    sequencer.sequence()
    assert not Outbox.objects.exists()
    positions = list(Entry.objects.order_by("position").values_list("position", flat=True))
    assert positions == list(range(1, len(positions) + 1))
    assert Feed.objects.get().head == positions[-1]


@pytest.mark.sqlite
def test_on_sqlite_a_pull_writes_nothing(people, django_assert_num_queries):
    replica = Replica(people.ada)
    replica.pull()
    with connection.execute_wrapper(no_writing):
        replica.pull()


def no_writing(execute, sql, params, many, context):
    assert not sql.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")), sql
    return execute(sql, params, many, context)
