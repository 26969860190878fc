"""Runs: mutations that are carried out together come to what they come to one by one."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import connection, connections, models, transaction
from django.db.models.signals import post_save, pre_delete
from django.test.utils import CaptureQueriesContext
from rest_framework import permissions, serializers
from rest_framework.test import APIClient

from django_sync import errors, sync
from django_sync.models import MutationResult
from django_sync.writes import batch as batches
from django_sync.writes import runs
from example_project.boards import api
from example_project.boards.models import Card, Membership
from tests.app.models import Doc, Event, Project
from tests.integration.phone import Phone
from tests.integration.run_cases import (
    DocViewSet,
    EventSerializer,
    EventViewSet,
    steps_of,
    viewset_with,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_it_was")]


def statuses(results):
    return [str(result.status) for result in results]


class Watched:
    """How many mutations went together, and how many one by one."""

    def __init__(self, monkeypatch):
        self.together = self.singly = 0
        original_one, original_run = batches.Transaction.carry_out, runs.Runs._carry_out_as_set

        def one(run, *args):
            self.singly += 1
            return original_one(run, *args)

        def together(run, some):
            told = original_run(run, some)
            self.together += len(some)
            return told

        monkeypatch.setattr(batches.Transaction, "carry_out", one)
        monkeypatch.setattr(runs.Runs, "_carry_out_as_set", together)


@pytest.fixture
def went(monkeypatch):
    return Watched(monkeypatch)


@pytest.fixture
def events(people):
    """A collection whose saves are plain, over a primary key that is the object's id."""
    register(EventViewSet)
    return Phone(people.ada)


def register(viewset, name="events"):
    sync.register(name, viewset)


def makes(phone, *names, **fields):
    return [phone.create("events", **{"name": name, **fields}) for name in names]


def event(phone, op, row, **fields):
    return phone.mutation(op, "events", row.sync_id, row.sync_revision, fields=fields)


def stored(phone):
    """What is kept of each mutation, in the order of ``seq``."""
    rows = MutationResult.objects.filter(client=phone.id).order_by("seq")
    return list(rows.values_list("seq", "status", "revision_before", "revision", "digest"))


# Splitting


def mutation(op="create", collection="cards", id=None, **fields):
    body = {"id": str(uuid.uuid4()), "seq": 1, "op": op, "collection": collection}
    body |= {"object_id": str(id or uuid.uuid4()), "fields": fields}
    return batches.Mutation.from_json(body | ({} if op == "create" else {"base_revision": 1}))


def test_a_run_has_one_collection_one_operation_and_no_object_twice():
    id = uuid.uuid4()
    one, two, other = mutation(), mutation(), mutation(collection="labels")
    twice = [mutation("update", id=id), mutation("update"), mutation("update", id=id)]
    found = list(runs.split([one, two, other, *twice], lambda m: True))
    assert found == [[one, two], [other], twice[:2], twice[2:]]


def test_a_run_has_no_reference_to_another_object_of_it():
    parent = mutation()
    child = mutation(parent={"is": [str(parent.object_id)]})
    assert list(runs.split([parent, child], lambda m: True)) == [[parent], [child]]


def test_what_is_not_common_stands_alone_in_its_place():
    a, b, c = mutation(), mutation(), mutation()
    assert list(runs.split([a, b, c], lambda m: m is not b)) == [[a], [b], [c]]


def test_one_id_for_two_mutations_is_no_run():
    first = mutation()
    again = batches.Mutation.from_json(mutation().to_json() | {"id": str(first.id)})
    assert list(runs.split([first, again], lambda m: True)) == [[first], [again]]


# Together, and told as one by one


def test_creates_updates_and_deletes_go_together(events, went):
    made = events.send(*makes(events, "a", "b", "c"))
    assert [(str(r.status), r.revision) for r in made] == [("applied", 1)] * 3
    rows = list(Event.objects.order_by("name"))
    changed = events.send(*(event(events, "update", row, seats=n) for n, row in enumerate(rows, 1)))
    assert [(str(r.status), r.revision) for r in changed] == [("applied", 2)] * 3
    assert [r.record["object"]["seats"] for r in changed] == [1, 2, 3]
    rows = list(Event.objects.order_by("name"))
    gone = events.send(*(event(events, "delete", row) for row in rows))
    assert [(r.record["deleted"], r.revision) for r in gone] == [(True, 3)] * 3
    assert (went.together, went.singly) == (9, 0)
    assert not Event.objects.exists()
    assert {len(steps) for steps in steps_of(Event).values()} == {3}


def test_a_run_costs_the_same_whatever_its_size(events):
    counts = []
    events.send(*makes(events, "first"))  # the client is new once
    for number in (3, 40):
        batch = makes(events, *(uuid.uuid4().hex for _ in range(number)), room="hall")
        with CaptureQueriesContext(connection) as captured:
            events.send(*batch)
        counts.append(len(captured))
    assert counts[1] - counts[0] == 2 * 37, (
        "each asks for its unique name, behind the insert before"
    )


def test_a_refusal_stops_no_other_of_its_run(events, went):
    batch = makes(events, "a", "b", "c")
    batch[1]["fields"]["seats"] = "many"
    batch[2]["fields"]["nonsense"] = 1
    results = events.send(*batch, *makes(events, "d"))
    assert statuses(results) == ["applied", "rejected", "rejected", "applied"]
    assert (went.together, went.singly) == (4, 0)
    assert [row[1] for row in stored(events)] == statuses(results)


def test_the_second_of_one_unique_name_is_refused_by_its_validator(events):
    results = events.send(*makes(events, "same", "other", "same"))
    assert statuses(results) == ["applied", "applied", "rejected"]
    assert results[2].problem["errors"]["name"][0]["code"] == "unique"


def test_a_constraint_that_only_the_database_knows_sends_them_one_by_one(people, went):
    declared = {"extra_kwargs": {"name": {"validators": []}}}
    meta = type("Meta", (EventSerializer.Meta,), declared)
    register(viewset_with(serializer_class=type("S", (EventSerializer,), {"Meta": meta})))
    phone = Phone(people.ada)
    results = phone.send(*makes(phone, "same", "same", "b"))
    assert statuses(results) == ["applied", "rejected", "applied"]
    assert (went.together, went.singly) == (0, 3)


def test_odd_ones_go_singly_in_their_places(events, went):
    events.send(*makes(events, *"abcdefgh"))
    rows = list(Event.objects.order_by("name"))
    Event.objects.filter(pk=rows[3].pk).update(seats=9)
    went.together = went.singly = 0
    results = events.send(*(event(events, "update", row, seats=1) for row in rows))
    assert statuses(results) == ["applied"] * 3 + ["conflict"] + ["applied"] * 4
    assert (went.together, went.singly) == (7, 1)


def test_what_is_sent_again_is_replayed_and_the_rest_goes_on(events):
    first, more = makes(events, "a", "b"), makes(events, "c", "d")
    events.send(*first)
    results = events.send(*first, *more)
    assert [r.replayed for r in results] == [True, True, False, False]
    assert Event.objects.count() == 4


def test_an_atomic_batch_is_all_or_nothing(events, went):
    batch = makes(events, "a", "b", "c")
    batch[1]["fields"]["seats"] = "many"
    assert statuses(events.send(*batch, atomic=True)) == ["aborted", "rejected", "aborted"]
    assert not Event.objects.exists()
    assert [row[1] for row in stored(events)] == ["rejected"]
    batch = [makes(events, "b")[0], batch[0], batch[2]]
    assert statuses(events.send(*batch, atomic=True)) == ["applied"] * 3
    assert went.singly == 0


# The project's own code


def test_code_that_reads_an_automatic_key_right_after_save(people, went, monkeypatch):
    keys = []

    def perform_create(self, serializer):
        card = serializer.save()
        keys.append((card.pk, card.sync_id, card._state.adding, Card.objects.get(pk=card.pk)))

    monkeypatch.setattr(api.CardViewSet, "perform_create", perform_create)
    phone, board = Phone(people.ada), str(people.launch.sync_id)
    phone.send(*(phone.create("cards", title=str(n), board=board) for n in range(3)))
    found = [(c.pk, c.sync_id, False, c) for c in Card.objects.filter(title__in="012")]
    assert sorted(keys, key=lambda key: key[0]) == sorted(found, key=lambda key: key[0])
    assert went.together == 3


def test_delayed_keys_leave_the_next_insert_its_own(people):
    phone, board = Phone(people.ada), str(people.launch.sync_id)
    phone.send(*(phone.create("cards", title=str(n), board=board) for n in range(3)))
    after = Card.objects.create(board=people.launch, title="after")
    assert after.pk > max(Card.objects.exclude(pk=after.pk).values_list("pk", flat=True))


def test_code_that_reads_finds_what_was_saved_before(people):
    counts = []

    def perform_create(self, serializer):
        serializer.save()
        counts.append(Event.objects.count())

    register(viewset_with(perform_create=perform_create))
    phone = Phone(people.ada)
    phone.send(*makes(phone, "a", "b", "c"))
    assert counts == [1, 2, 3]


def test_validation_that_counts_rows_stops_at_the_limit(people):
    class Limited(EventSerializer):
        def validate(self, attrs):
            if Event.objects.count() >= 2:
                raise serializers.ValidationError("full")
            return attrs

    register(viewset_with(serializer_class=Limited))
    phone = Phone(people.ada)
    results = phone.send(*makes(phone, "a", "b", "c", "d"))
    assert statuses(results) == ["applied", "applied", "rejected", "rejected"]


@pytest.mark.parametrize("how", ["update", "save", "raw", "delete"])
def test_g5_code_that_changes_another_row_of_the_same_run(people, how, went):
    """It is a foreign change to the mutation of that row, whichever way it was written."""

    def perform_update(self, serializer):
        serializer.save()
        other = Event.objects.exclude(pk=serializer.instance.pk).order_by("name").last()
        if serializer.instance.name != "a":
            return
        if how == "update":
            Event.objects.filter(pk=other.pk).update(seats=50)
        elif how == "save":
            other.seats = 50
            other.save()
        elif how == "raw":
            with connection.cursor() as cursor:
                cursor.execute(f"UPDATE {Event._meta.db_table} SET seats = 50 WHERE name = 'c'")
        else:
            other.delete()

    register(viewset_with(perform_update=perform_update))
    phone = Phone(people.ada)
    phone.send(*makes(phone, "a", "b", "c"))
    rows = list(Event.objects.order_by("name"))
    results = phone.send(*(event(phone, "update", row, seats=1) for row in rows))
    assert statuses(results) == ["applied", "applied", "conflict"]


def test_code_that_writes_elsewhere_by_itself_does_not_spoil_a_run(people, went):
    def perform_create(self, serializer):
        serializer.save()
        Project.objects.create(name=serializer.instance.name)

    register(viewset_with(perform_create=perform_create))
    phone = Phone(people.ada)
    assert statuses(phone.send(*makes(phone, "a", "b", "c"))) == ["applied"] * 3
    assert Project.objects.count() == 3
    assert went.together == 3


def test_code_that_writes_what_permissions_stand_on_goes_one_by_one(people, went, monkeypatch):
    """The first card takes its writer's membership away: the others must not be written."""

    def perform_create(self, serializer):
        serializer.save()
        Membership.objects.filter(user=self.request.user, board=people.launch).delete()

    phone, board = Phone(people.grace), str(people.launch.sync_id)
    monkeypatch.setattr(api.CardViewSet, "perform_create", perform_create)
    results = phone.send(*(phone.create("cards", title=str(n), board=board) for n in range(3)))
    assert statuses(results) == ["rejected"] * 3, "nobody sees what they wrote"
    assert went.together == 0
    assert Membership.objects.filter(user=people.grace, board=people.launch).exists()


def test_permissions_that_change_within_a_run_are_asked_for_each(people, went):
    class Three(permissions.BasePermission):
        def has_permission(self, request, view):
            return request.method == "GET" or Event.objects.count() < 2

    register(viewset_with(permission_classes=[Three]))
    phone = Phone(people.ada)
    results = phone.send(*makes(phone, "a", "b", "c", "d"))
    assert statuses(results) == ["applied", "applied", "rejected", "rejected"]
    assert results[3].problem["code"] == "permission_denied"


def test_a_subclass_of_a_permission_class_is_asked_for_each(people):
    asked = []

    class Own(permissions.IsAuthenticated):
        def has_permission(self, request, view):
            asked.append(request.data.get("name"))
            return request.data.get("name") != "b"

    register(viewset_with(permission_classes=[Own]))
    phone = Phone(people.ada)
    assert statuses(phone.send(*makes(phone, "a", "b", "c"))) == ["applied", "rejected", "applied"]
    assert [name for name in asked if name] == ["a", "b", "c"]


def test_scopes_that_stand_on_the_runs_own_table_are_asked_after_each(people, went):
    def get_scopes(self):
        return list(Event.objects.filter(name="opens").values_list("room", flat=True))

    register(viewset_with(get_scopes=get_scopes))
    phone = Phone(people.ada)
    results = phone.send(*makes(phone, "a", "opens", "b"))
    assert statuses(results) == ["rejected", "applied", "applied"]
    assert went.together == 0


def test_a_query_that_looks_at_other_rows_is_asked_for_each(people, went):
    shown = Event.objects.filter(
        models.Exists(Event.objects.filter(room=models.OuterRef("room"), name="opens"))
    )
    register(viewset_with(queryset=shown))
    phone = Phone(people.ada)
    results = phone.send(*makes(phone, "a", "opens", "b"))
    assert statuses(results) == ["rejected", "applied", "applied"]
    assert went.together == 0


def test_a_trigger_of_the_projects_own_sends_its_table_one_by_one(events, went):
    table = Event._meta.db_table
    body = f"UPDATE {table} SET seats = seats + 1 WHERE name = 'a'"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "CREATE FUNCTION count_events() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                f" {body}; RETURN NULL; END $$;"
                f"CREATE TRIGGER counts AFTER INSERT ON {table} FOR EACH ROW"
                " WHEN (NEW.name <> 'a') EXECUTE FUNCTION count_events()"
            )
        else:
            cursor.execute(
                f"CREATE TRIGGER counts AFTER INSERT ON {table} WHEN NEW.name <> 'a'"
                f" BEGIN {body}; END"
            )
    results = events.send(*makes(events, "a", "b", "c"))
    assert (went.together, went.singly) == (0, 3)
    assert [r.revision for r in results] == [1, 1, 1]
    assert Event.objects.get(name="a").sync_revision == 3


def test_a_listener_hears_of_each_save_when_it_is_made(events):
    heard = []

    def listener(sender: Any, instance: Any, **kwargs: Any) -> None:
        heard.append((instance.name, Event.objects.count()))

    post_save.connect(listener, sender=Event)
    try:
        events.send(*makes(events, "a", "b"))
    finally:
        post_save.disconnect(listener, sender=Event)
    assert heard == [("a", 1), ("b", 2)]


def test_a_listener_hears_of_each_delete_before_the_next(events):
    heard = []
    events.send(*makes(events, "a", "b"))

    def listener(sender: Any, instance: Any, **kwargs: Any) -> None:
        heard.append(Event.objects.count())

    pre_delete.connect(listener, sender=Event)
    try:
        rows = Event.objects.order_by("name")
        events.send(*(event(events, "delete", row) for row in rows))
    finally:
        pre_delete.disconnect(listener, sender=Event)
    assert heard == [2, 1]


def test_an_exception_in_one_holds_up_no_other(people, caplog):
    def perform_create(self, serializer):
        serializer.save()
        if serializer.instance.name == "b":
            raise ZeroDivisionError

    register(viewset_with(perform_create=perform_create))
    phone = Phone(people.ada)
    batch = makes(phone, "a", "b", "c")
    assert statuses(phone.send(*batch)) == ["applied", "aborted", "applied"]
    assert sorted(Event.objects.values_list("name", flat=True)) == ["a", "c"]
    assert "ZeroDivisionError" in caplog.text


def test_each_mutation_sees_its_own_request(people):
    seen = []

    def perform_create(self, serializer):
        seen.append((self.request.data["name"], self.action, serializer.context["view"] is self))
        serializer.save(seats=len(seen))

    register(viewset_with(perform_create=perform_create))
    phone = Phone(people.ada)
    phone.send(*makes(phone, "a", "b"))
    assert seen == [("a", "create", True), ("b", "create", True)]
    assert list(Event.objects.order_by("name").values_list("seats", flat=True)) == [1, 2]


def test_code_that_changes_the_fields_of_its_serializer_changes_those_alone(people):
    class Moody(EventSerializer):
        def validate_name(self, value):
            self.fields["seats"].read_only = True
            self.fields["seats"].min_value = 100
            return value

    register(viewset_with(serializer_class=Moody))
    phone = Phone(people.ada)
    assert statuses(phone.send(*makes(phone, "a", "b", seats=3))) == ["applied"] * 2


def test_a_project_that_rolls_back_its_own_savepoint(people):
    def perform_create(self, serializer):
        try:
            with transaction.atomic():
                serializer.save()
                raise KeyError
        except KeyError:
            serializer.instance = None
            serializer.save(name=serializer.validated_data["name"] + "!")

    register(viewset_with(perform_create=perform_create))
    phone = Phone(people.ada)
    assert statuses(phone.send(*makes(phone, "a", "b"))) == ["applied"] * 2
    assert sorted(Event.objects.values_list("name", flat=True)) == ["a!", "b!"]


def test_hooks_of_a_commit_run_once_for_what_took_effect(
    people, django_capture_on_commit_callbacks
):
    done = []

    def perform_create(self, serializer):
        serializer.save()
        name = serializer.instance.name
        transaction.on_commit(lambda: done.append(name))
        if name == "b":
            raise errors.PermissionDenied("no")

    register(viewset_with(perform_create=perform_create))
    phone = Phone(people.ada)
    with django_capture_on_commit_callbacks(execute=True):
        results = phone.send(*makes(phone, "a", "b", "c"))
        assert statuses(results) == ["applied", "rejected", "applied"]
        assert phone.one(makes(phone, "b")[0]).status.value == "rejected", "alone as well"
    assert done == ["a", "c"]


def test_models_that_do_more_at_a_save_are_saved_one_by_one_in_a_run(people, went):
    """``Doc`` has a generated column, and a many-to-many field: its rows are not delayed."""
    register(DocViewSet, "docs")
    phone, project = Phone(people.ada), Project.objects.create(name="p")
    project.refresh_from_db()
    new = [
        phone.create("docs", title=t, project=str(project.sync_id), meta={"n": [1]}) for t in "ab"
    ]
    assert statuses(phone.send(*new)) == ["applied"] * 2
    rows = list(Doc.objects.order_by("title"))
    changes = [
        phone.mutation("update", "docs", row.sync_id, row.sync_revision, fields={"votes": 4})
        for row in rows
    ]
    assert [r.revision for r in phone.send(*changes)] == [2, 2]
    assert went.together == 4


def test_labels_that_are_set_are_the_cards_own_change(people, went):
    phone, board = Phone(people.ada), people.launch
    labels = [str(label.sync_id) for label in board.labels.all()]
    new = [
        phone.create("cards", title=str(n), board=str(board.sync_id), labels=labels)
        for n in range(3)
    ]
    results = phone.send(*new)
    assert [(str(r.status), r.revision, r.record["object"]["labels"]) for r in results] == [
        ("applied", 2, labels)
    ] * 3
    assert went.together == 3


def test_a_run_within_a_request_that_is_atomic(people, events, monkeypatch, went):
    """``ATOMIC_REQUESTS`` does not reach the endpoint: results are committed by the run itself."""
    monkeypatch.setitem(connections["default"].settings_dict, "ATOMIC_REQUESTS", True)
    client = APIClient()
    client.force_authenticate(people.ada)
    batch = makes(events, "a", "b", "c")
    batch[2]["fields"]["seats"] = "many"
    body = {"client_id": str(events.id), "mutations": batch}
    for replayed in (False, True):
        told = client.post("/sync/mutations/", body, format="json").json()["results"]
        assert [r["status"] for r in told] == ["applied", "applied", "rejected"]
        assert {r["replayed"] for r in told} == {replayed}
    assert (went.together, went.singly) == (3, 3)


@pytest.mark.sqlite
def test_w1_on_sqlite_the_first_statement_takes_the_write_lock(events, monkeypatch):
    """Also where the project's transactions begin as readers."""
    monkeypatch.setattr(connections["default"], "transaction_mode", None)
    batch = makes(events, "a", "b")
    with CaptureQueriesContext(connection) as captured:
        events.send(*batch)
    said = [query["sql"] for query in captured.captured_queries]
    first = next(sql for sql in said if "django_sync_" in sql and '"django_sync_order"' not in sql)
    assert first.startswith("UPDATE")
