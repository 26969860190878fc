"""Mutations: exactly once (G4), and no silent loss (G5)."""

from __future__ import annotations

import uuid

import pytest
from django.db import IntegrityError, OperationalError

from django_sync import engine, errors
from django_sync.conf import conf
from django_sync.drf.caller import Caller
from django_sync.models import Client, MutationResult
from django_sync.protocol import ConflictKind, Status
from django_sync.writes import batch as batches
from example_project.boards import api
from example_project.boards.models import Card, Comment, Label, Membership
from tests.integration.phone import Phone


def statuses(results):
    return [str(result.status) for result in results]


# The three writes


def test_a_create_is_applied_with_the_clients_id(people, phone):
    id = uuid.uuid4()
    board = str(people.launch.sync_id)
    result = phone.one(phone.create("cards", id, title="New", board=board))
    assert result.status is Status.APPLIED
    row = Card.objects.get(sync_id=id)
    assert (result.revision, row.sync_revision, row.title) == (1, 1, "New")
    assert result.record["object"]["board"] == board


def test_an_update_changes_only_what_it_names(card, phone):
    body = card.body
    result = phone.one(phone.update(card, title="Other"))
    assert (result.status, result.revision) == (Status.APPLIED, card.sync_revision + 1)
    card.refresh_from_db()
    assert (card.title, card.body) == ("Other", body)


def test_a_delete_leaves_a_tombstone(card, phone):
    revision = card.sync_revision
    result = phone.one(phone.delete(card))
    assert result.status is Status.APPLIED
    assert result.record["deleted"] is True
    assert result.record["revision"] == result.revision > revision
    assert not Card.objects.filter(pk=card.pk).exists()


def test_deleting_what_is_deleted_is_applied(card, phone):
    body = phone.delete(card)
    card.delete()
    result = phone.one(body)
    assert (result.status, result.record["deleted"]) == (Status.APPLIED, True)


def test_w_many_to_many_fields_are_ids(people, card, phone):
    label = Label.objects.create(board=people.launch, name="new")
    result = phone.one(phone.update(card, labels=[str(label.sync_id)]))
    assert result.record["object"]["labels"] == [str(label.sync_id)]
    assert list(card.labels.all()) == [label]


def test_c5_a_mutation_that_changes_nothing_raises_no_revision(card, phone):
    labels = [str(id) for id in card.labels.values_list("sync_id", flat=True)]
    before = card.sync_revision
    result = phone.one(
        phone.update(card, base=1, title=card.title, position=0, labels=labels[::-1])
    )
    assert (result.status, result.revision) == (Status.APPLIED, before)


# Exactly once


def test_g4_a_mutation_sent_again_takes_effect_once_and_is_answered_alike(people, phone):
    body = phone.create("cards", title="Once", board=str(people.launch.sync_id))
    first, again = phone.one(body), phone.one(body)
    assert Card.objects.filter(title="Once").count() == 1
    assert again.replayed
    assert not first.replayed
    assert (again.status, again.revision, again.record) == (
        first.status,
        first.revision,
        first.record,
    )


def test_g4_twice_in_one_batch_is_once(people, phone):
    body = phone.create("cards", title="Once", board=str(people.launch.sync_id))
    first, again = phone.send(body, body)
    assert (first.status, again.status) == (Status.APPLIED, Status.APPLIED)
    assert again.replayed
    assert Card.objects.filter(title="Once").count() == 1


def test_g4_a_conflict_and_a_rejection_are_answered_again(card, phone):
    old = card.sync_revision
    Card.objects.filter(pk=card.pk).update(title="Theirs")
    clash, bad = phone.update(card, base=old, title="Mine"), phone.update(card, title="")
    first = phone.send(clash, bad)
    Card.objects.filter(pk=card.pk).update(title="Theirs, later")
    again = phone.send(clash, bad)
    assert statuses(first) == statuses(again) == ["conflict", "aborted"]
    assert again[0].revision == first[0].revision
    card.refresh_from_db()
    bad = phone.update(card, title="")
    assert phone.one(bad).status is Status.REJECTED
    repeated = phone.one(bad)
    assert repeated.replayed
    assert repeated.problem["code"] == "validation_failed"
    assert again[0].conflict.server["object"]["title"] == "Theirs, later", "rendered anew"


def test_the_same_id_with_another_body_is_refused(card, phone):
    body = phone.update(card, title="One")
    phone.one(body)
    result = phone.one(body | {"fields": {"title": "Two"}})
    assert result.problem["code"] == "mutation_id_reused"
    card.refresh_from_db()
    assert card.title == "One"


def test_w5_an_unknown_mutation_below_what_was_forgotten_has_expired(card, phone):
    phone.one(phone.update(card, title="One"))
    Client.objects.update(forgotten_seq=10)
    MutationResult.objects.all().delete()
    late = phone.update(card, title="Late")
    assert phone.one(late).problem["code"] == "mutation_expired"
    phone.seq = 10
    card.refresh_from_db()
    assert phone.one(phone.update(card, title="Fresh")).status is Status.APPLIED


def test_w5_a_replay_shows_only_what_the_user_may_see_then(people, card, phone):
    phone.user = people.grace
    body = phone.update(card, title="Graces")
    assert phone.one(body).record["object"]["title"] == "Graces"
    Membership.objects.filter(user=people.grace).delete()
    Card.objects.filter(pk=card.pk).update(title="Secret")
    result = phone.one(body)
    assert (result.status, result.record, result.revision) == (Status.APPLIED, None, None)


def test_a_client_belongs_to_the_first_user_who_used_it(people, card, phone):
    phone.one(phone.update(card, title="One"))
    phone.user = people.grace
    with pytest.raises(errors.ClientMismatch):
        phone.one(phone.update(card, title="Two"))


# No silent loss


def test_g5_disjoint_fields_are_merged(card, phone):
    base = card.sync_revision
    Card.objects.filter(pk=card.pk).update(body="Theirs")
    result = phone.one(phone.update(card, base=base, title="Mine"))
    assert result.status is Status.MERGED
    card.refresh_from_db()
    assert (card.title, card.body) == ("Mine", "Theirs")


def test_g5_the_same_field_is_a_conflict_and_nothing_is_written(card, phone):
    base, before = card.sync_revision, card.title
    Card.objects.filter(pk=card.pk).update(title="Theirs")
    result = phone.one(phone.update(card, base=base, told={"title": before}, title="Mine"))
    assert result.status is Status.CONFLICT
    conflict = result.conflict
    assert (conflict.kind, conflict.fields) == (ConflictKind.UPDATE_UPDATE, ("title",))
    assert conflict.server["object"]["title"] == "Theirs"
    assert (conflict.client, conflict.base) == ({"title": "Mine"}, {"title": before})
    card.refresh_from_db()
    assert card.title == "Theirs"


def test_g5_a_change_that_is_not_sequenced_yet_is_seen(card, phone):
    """Nothing between the write and the mutation moves the entry to the log."""
    base = card.sync_revision
    body = phone.update(card, base=base, title="Mine")
    Card.objects.filter(pk=card.pk).update(title="Theirs")
    run = batches.BatchRun(
        Caller.for_user(phone.user), batches.client_of(Caller.for_user(phone.user), phone.id)
    )
    (result,) = run.results(
        batches.read_mutations(
            engine.Batch.from_json({"client_id": str(phone.id), "mutations": [body]})
        )
    )
    assert result.status is Status.CONFLICT


def test_what_others_asked_for_as_well_is_no_conflict(card, phone):
    base = card.sync_revision
    Card.objects.filter(pk=card.pk).update(title="The same")
    result = phone.one(phone.update(card, base=base, title="The same"))
    assert result.status is Status.APPLIED


def test_a_many_to_many_change_meets_another(people, card, phone):
    base = card.sync_revision
    card.labels.clear()
    label = Label.objects.create(board=people.launch, name="new")
    result = phone.one(phone.update(card, base=base, labels=[str(label.sync_id)]))
    assert result.conflict.fields == ("labels",)
    assert phone.one(phone.update(card, base=base, title="Disjoint")).status is Status.MERGED


def test_w4_the_same_clients_earlier_mutations_are_not_foreign(card, phone):
    base = card.sync_revision
    first, second = (phone.update(card, base=base, title=t) for t in ("One", "Two"))
    assert statuses(phone.send(first, second)) == ["applied", "merged"]
    assert phone.one(phone.update(card, base=base, title="Three")).status is Status.MERGED
    other = Phone(phone.user)
    assert other.one(other.update(card, base=base, title="Four")).status is Status.CONFLICT


def test_w4_created_and_changed_offline_in_one_batch(people, phone):
    id = uuid.uuid4()
    create = phone.create("cards", id, title="New", board=str(people.launch.sync_id))
    update = phone.mutation("update", "cards", id, 0, fields={"title": "Newer"})
    delete = phone.mutation("delete", "cards", id, 0)
    assert statuses(phone.send(create, update)) == ["applied", "merged"]
    assert Card.objects.get(sync_id=id).title == "Newer"
    assert phone.one(delete).status is Status.APPLIED


def test_an_update_of_what_was_deleted_is_a_conflict(card, phone):
    body = phone.update(card, title="Mine")
    card.delete()
    conflict = phone.one(body).conflict
    assert conflict.kind is ConflictKind.UPDATE_DELETE
    assert conflict.server["deleted"] is True


def test_a_delete_of_what_others_changed_is_a_conflict(card, phone):
    base = card.sync_revision
    Card.objects.filter(pk=card.pk).update(title="Theirs")
    conflict = phone.one(phone.delete(card, base=base)).conflict
    assert conflict.kind is ConflictKind.DELETE_UPDATE
    assert Card.objects.filter(pk=card.pk).exists()


def test_creates_that_meet(people, card, phone):
    board, id = str(people.launch.sync_id), card.sync_id
    same = phone.create("cards", id, title=card.title, board=board)
    assert phone.one(same).status is Status.APPLIED
    other = phone.create("cards", id, title="Another", board=board)
    assert phone.one(other).conflict.kind is ConflictKind.CREATE_CREATE
    card.delete()
    again = phone.create("cards", id, title="Back", board=board)
    assert phone.one(again).conflict.kind is ConflictKind.UPDATE_DELETE


def test_a_base_that_was_never_reached_is_unknown(card, phone):
    result = phone.one(phone.update(card, base=card.sync_revision + 5, title="Mine"))
    assert result.conflict.kind is ConflictKind.UNKNOWN_BASE
    told = {"title": card.title}
    passed = phone.one(phone.update(card, base=card.sync_revision + 5, told=told, title="Mine"))
    assert passed.status is Status.MERGED


def test_a_base_of_another_epoch_is_unknown(card, phone):
    body = phone.update(card, title="Mine") | {"epoch": str(uuid.uuid4())}
    assert phone.one(body).conflict.kind is ConflictKind.UNKNOWN_BASE


# Batches


def test_one_that_fails_stops_no_other(people, card, phone):
    results = phone.send(
        phone.update(card, title=""),
        phone.create("cards", title="Fine", board=str(people.launch.sync_id)),
        {"nonsense": True},
        phone.create("nothings", title="x"),
    )
    assert statuses(results) == ["rejected", "applied", "rejected", "rejected"]
    codes = [r.problem["code"] for r in results if r.problem]
    assert codes == ["validation_failed", "invalid", "unknown_collection"]


def test_what_stands_on_a_failure_is_aborted_and_may_be_sent_again(people, phone):
    board, card = uuid.uuid4(), uuid.uuid4()
    bad = phone.create("boards", board, name="")
    child = phone.create("cards", card, title="Child", board=str(board))
    grandchild = phone.create("comments", card=str(card), text="Grandchild")
    results = phone.send(bad, child, grandchild)
    assert statuses(results) == ["rejected", "aborted", "aborted"]
    assert results[1].problem["code"] == "dependency_failed"
    assert statuses(phone.send(bad, child, grandchild)) == ["rejected", "aborted", "aborted"]
    good = phone.create("boards", board, name="Good")
    assert statuses(phone.send(good, child, grandchild)) == ["applied"] * 3


def test_atomic_is_all_or_nothing(people, card, phone):
    fine = phone.create("cards", title="Fine", board=str(people.launch.sync_id))
    bad, last = phone.update(card, title=""), phone.update(card, body="Last")
    results = phone.send(fine, bad, last, atomic=True)
    assert statuses(results) == ["aborted", "rejected", "aborted"]
    assert not Card.objects.filter(title="Fine").exists()
    assert statuses(phone.send(fine, last, atomic=True)) == ["applied", "applied"]


def test_a_batch_above_the_limit_is_too_large(card, phone, settings):
    settings.DJANGO_SYNC = {"BATCH_SIZE": 2}
    with pytest.raises(errors.TooLarge):
        phone.send(*[phone.update(card, title=str(n)) for n in range(3)])
    assert not MutationResult.objects.exists()


# The project's own code


def test_w3_each_mutation_is_the_rest_call_that_it_stands_for(people, card, phone, monkeypatch):
    seen = []
    monkeypatch.setattr(
        api.CardViewSet,
        "check_permissions",
        lambda self, request: seen.append((self.action, request.method)),
    )
    board = str(people.launch.sync_id)
    phone.send(phone.create("cards", title="x", board=board), phone.update(card, title="y"))
    phone.send(phone.delete(card))
    asked = [pair for pair in seen if pair != ("list", "GET")]
    assert asked == [("create", "POST"), ("partial_update", "PATCH"), ("destroy", "DELETE")]


def test_a_fault_in_the_projects_code_holds_up_no_other(people, card, phone, monkeypatch, caplog):
    def perform_update(self, serializer):
        raise ZeroDivisionError

    monkeypatch.setattr(api.CardViewSet, "perform_update", perform_update)
    poison = phone.update(card, title="Poison")
    board = str(people.launch.sync_id)
    results = phone.send(poison, phone.create("cards", title="Fine", board=board))
    assert statuses(results) == ["aborted", "applied"]
    assert results[0].problem["code"] == "unavailable"
    assert "ZeroDivisionError" in caplog.text
    monkeypatch.undo()
    assert phone.one(poison).status is Status.APPLIED, "it was no result, and may be sent again"


def test_a_unique_clash_is_told(people, phone):
    Label.objects.create(board=people.launch, name="taken")
    result = phone.one(phone.create("labels", name="taken", board=str(people.launch.sync_id)))
    assert result.problem["code"] == "validation_failed"


def test_a_constraint_that_only_the_database_knows_is_told(people, phone, monkeypatch):
    monkeypatch.setattr(api.LabelSerializer, "get_validators", lambda self: [])
    Label.objects.create(board=people.launch, name="taken")
    result = phone.one(phone.create("labels", name="taken", board=str(people.launch.sync_id)))
    assert result.problem["errors"]["non_field_errors"][0]["code"] == "constraint"
    assert "label" not in str(result.problem), "no table's name"


@pytest.mark.django_db(transaction=True)
def test_w2_a_reference_that_breaks_only_at_commit_poisons_nothing(people, phone, monkeypatch):
    """A key to nothing passes the savepoint on both databases, unless constraints are asked."""

    def perform_create(self, serializer):
        serializer.save(author_id=987654)

    monkeypatch.setattr(api.CommentViewSet, "perform_create", perform_create)
    monkeypatch.setattr(api.CommentViewSet, "queryset", Comment.objects.all())
    monkeypatch.setattr(api.CommentSerializer, "get_fields", without_author)
    card = people.launch.cards.get()
    bad = phone.create("comments", card=str(card.sync_id), text="To nobody")
    fine = phone.create("cards", title="Fine", board=str(people.launch.sync_id))
    for _ in range(2):
        results = phone.send(bad, fine)
        assert statuses(results) == ["rejected", "applied"]
        assert results[0].problem["code"] == "validation_failed"
    assert Card.objects.filter(title="Fine").count() == 1


def without_author(self):
    fields = super(api.CommentSerializer, self).get_fields()
    return {name: field for name, field in fields.items() if name != "author"}


@pytest.mark.parametrize("failures", [1, 2, 5])
def test_w2_what_the_database_refuses_for_its_own_reasons_is_run_again(
    card, phone, monkeypatch, failures
):
    left = [failures]
    together = batches.BatchRun._in_one_transaction

    def failing(self, batch, failed):
        if left[0]:
            left[0] -= 1
            raise OperationalError("deadlock detected")
        return together(self, batch, failed)

    monkeypatch.setattr(batches, "PAUSE", 0)
    monkeypatch.setattr(batches.BatchRun, "_in_one_transaction", failing)
    first, second = phone.update(card, title="One"), phone.update(card, body="Two")
    assert statuses(phone.send(first, second)) == ["applied", "merged"]


def test_w2_what_never_succeeds_is_unavailable_and_no_result(card, phone, monkeypatch):
    def failing(self, batch, failed):
        raise OperationalError("deadlock detected")

    monkeypatch.setattr(batches, "PAUSE", 0)
    monkeypatch.setattr(batches.BatchRun, "_in_one_transaction", failing)
    body = phone.update(card, title="One")
    with pytest.raises(errors.Unavailable):
        phone.one(body)
    monkeypatch.undo()
    assert phone.one(body).status is Status.APPLIED


def test_w2_a_commit_that_fails_is_run_again_one_by_one(card, phone, monkeypatch):
    left = [1]
    together = batches.BatchRun._in_one_transaction

    def failing(self, batch, failed):
        results = together(self, batch, failed)
        if len(batch) > 1 and left:
            left.pop()
            raise IntegrityError("at commit")
        return results

    monkeypatch.setattr(batches.BatchRun, "_in_one_transaction", failing)
    first, second = phone.update(card, title="One"), phone.update(card, body="Two")
    results = phone.send(first, second)
    assert {r.status.took_effect for r in results} == {True}


def test_fields_that_are_unknown_or_fixed(card, phone):
    unknown = phone.one(phone.update(card, nonsense=1))
    assert unknown.problem["errors"]["nonsense"][0]["code"] == "unknown"
    fixed = phone.one(phone.update(card, created_at="2020-01-01T00:00:00Z"))
    assert fixed.problem["code"] == "field_not_writable"


def test_the_results_of_a_batch_come_in_its_order(people, phone):
    board = str(people.launch.sync_id)
    bodies = [
        phone.create("cards", title=str(n), board=board) for n in range(conf.BATCH_SIZE // 25)
    ]
    results = phone.send(*bodies)
    assert [str(r.id) for r in results] == [b["id"] for b in bodies]
    assert [r.record["object"]["title"] for r in results] == [str(n) for n in range(len(bodies))]
