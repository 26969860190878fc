"""Random batches come to the same in runs and one by one: results, rows, feed, stored results."""

from __future__ import annotations

import uuid
from itertools import chain
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from django_sync import sync
from django_sync.drf.registry import registry
from django_sync.feed import sequencer
from django_sync.models import Decision, MutationResult, Tombstone
from django_sync.writes import runs
from example_project.boards.models import Card, Label
from tests.app.models import Event
from tests.integration.phone import Phone
from tests.integration.run_cases import ODD, EventViewSet, steps_of, viewset_with

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_it_was")]

POOL = [uuid.UUID(int=n, version=4) for n in range(1, 9)]
"""Ids of events: the first four are there when a batch comes."""
NAMES = ["a", "b", "c", "d", "e", "f", "g"]
CARDS = [uuid.UUID(int=n, version=4) for n in range(20, 26)]

events = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from([*NAMES, "", 7, None]),
        "seats": st.sampled_from([0, 1, 2, 3, 9, "many", 1e999, 2**40]),
        "room": st.sampled_from(["hall", "attic", "cellar"]),
        "nonsense": st.just(1),
    },
)
cards = st.fixed_dictionaries(
    {"title": st.sampled_from(["x", "y", "", "\u0000"])},
    optional={
        "board": st.sampled_from(["own", "hidden", "none"]),
        "votes": st.integers(0, 3),
        "due": st.sampled_from(["2026-01-31", None, "soon"]),
        "checklist": st.sampled_from([[], [1], {}]),
        "labels": st.sampled_from([[], ["own"], ["new"]]),
    },
)
one: Any = st.one_of(
    st.tuples(
        st.just("events"),
        st.sampled_from(["create", "update", "delete"]),
        st.sampled_from(POOL),
        st.sampled_from([0, 0, 0, 1, 5]),
        events,
    ),
    st.tuples(
        st.just("cards"),
        st.sampled_from(["create", "update", "delete"]),
        st.sampled_from(CARDS),
        st.sampled_from([0, 0, 1]),
        cards,
    ),
    st.tuples(st.just("labels"), st.just("create"), st.just(CARDS[0]), st.just(0), st.just({})),
    st.just("again"),
)


@st.composite
def alike(draw: Any) -> list[Any]:
    """Neighbours of one kind, so that there are runs to carry out."""
    op = draw(st.sampled_from(["create", "update", "delete"]))
    ids = draw(st.lists(st.sampled_from(POOL), min_size=2, max_size=6, unique=True))
    return [("events", op, id, draw(st.sampled_from([0, 0, 0, 0, 1])), draw(events)) for id in ids]


batches = st.lists(st.one_of(alike(), one.map(lambda part: [part])), min_size=1, max_size=4)


class Case:
    """A batch over rows that are there, as bodies."""

    def __init__(self, people: Any, phone: Phone) -> None:
        self.people, self.phone = people, phone
        self.own_label = people.launch.labels.get()
        self.new_label = uuid.uuid5(uuid.NAMESPACE_OID, "label")
        for n, id in enumerate(POOL[:4]):
            Event.objects.create(id=id, name=NAMES[n], room="hall" if n % 2 else "attic")
        for n, id in enumerate(CARDS[:3]):
            Card.objects.create(sync_id=id, board=people.launch, title=str(n))
        self.revisions = dict.fromkeys((*POOL[:4], *CARDS[:3]), 1)

    def bodies(self, parts: list[Any]) -> list[Any]:
        made: list[Any] = []
        for part in parts:
            if part == "again":
                made += made[-1:]
            else:
                made.append(self.body(*part))
        return made

    def body(self, collection: str, op: str, id: Any, back: int, fields: Any) -> Any:
        if collection == "labels":
            board = str(self.people.launch.sync_id)
            return self.phone.create("labels", self.new_label, name="new", board=board)
        if op == "create":
            made: Any = {"board": "own"} if collection == "cards" else {"name": f"n{id.int % 97}"}
            return self.phone.create(collection, id, **self.filled(made | fields))
        base = max(self.revisions.get(id, 1) - back, 0)
        told: dict[str, Any] = {} if op == "delete" else {"fields": self.filled(fields)}
        return self.phone.mutation(op, collection, id, base, **told)

    def filled(self, fields: Any) -> Any:
        """With ids in place of words."""
        boards = {"own": self.people.launch, "hidden": self.people.private}
        made = dict(fields)
        if "board" in made:
            board = boards.get(made["board"])
            made["board"] = str(board.sync_id if board else uuid.UUID(int=0))
        labels = {"own": self.own_label.sync_id, "new": self.new_label}
        if "labels" in made:
            made["labels"] = [str(labels[name]) for name in made["labels"]]
        return made


def without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: without_times(v) for k, v in value.items() if k != "created_at"}
    return [without_times(v) for v in value] if isinstance(value, list) else value


def outcome(phone: Phone, bodies: list[Any], atomic: bool) -> Any:
    """All that a batch leaves behind; undone again."""
    with transaction.atomic():
        results = phone.send(*bodies, atomic=atomic)
        kept = MutationResult.objects.filter(client=phone.id).order_by("seq", "mutation_id")
        found = {
            "results": [without_times(result.to_json()) for result in results],
            "events": list(Event.objects.order_by("id").values()),
            "cards": list(Card.objects.order_by("sync_id").values("sync_id", *CARD_COLUMNS)),
            "labels": list(Label.objects.order_by("sync_id").values("sync_id", "name")),
            "on cards": sorted(
                Card.labels.through.objects.values_list("card__sync_id", "label__sync_id")
            ),
            "feed": [steps_of(model) for model in (Event, Card, Label)],
            "tombstones": sorted(Tombstone.objects.values_list("object_id", "revision", "scope")),
            "stored": list(kept.values(*RESULT_COLUMNS)),
            "decisions": list(
                Decision.objects.order_by("mutation_id").values("mutation_id", "kind", "revision")
            ),
        }
        transaction.set_rollback(True)
    return found


CARD_COLUMNS = ("sync_revision", "sync_scope", "title", "votes", "due", "checklist", "board_id")
RESULT_COLUMNS: tuple[str, ...] = ("mutation_id", "seq", "digest", "status", "op", "model")
RESULT_COLUMNS = (*RESULT_COLUMNS, "object_id", "revision_before", "revision", "trace", "user_id")


def compare(people: Any, monkeypatch: Any, odd: str, parts: list[Any], atomic: bool) -> None:
    with transaction.atomic():
        if "events" in registry:
            registry.remove("events")
        sync.register("events", viewset_with(EventViewSet, **ODD[odd]))
        phone = Phone(people.ada)
        sequencer.sequence()
        bodies = Case(people, phone).bodies(parts)
        with monkeypatch.context() as patch:
            patch.setattr(runs, "LEAST", 10_000)
            singly = outcome(phone, bodies, atomic)
        together = outcome(phone, bodies, atomic)
        for part, found in singly.items():
            assert together[part] == found, part
        transaction.set_rollback(True)


calm = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@settings(calm, max_examples=60)
@given(st.sampled_from(sorted(ODD)), batches, st.booleans())
def test_random_batches(people: Any, monkeypatch: Any, odd: str, parts: Any, atomic: bool) -> None:
    compare(people, monkeypatch, odd, list(chain.from_iterable(parts)), atomic)


@pytest.mark.soak
@settings(calm, max_examples=3000)
@given(st.sampled_from(sorted(ODD)), batches, st.booleans())
def test_many_random_batches(
    people: Any, monkeypatch: Any, odd: str, parts: Any, atomic: bool
) -> None:
    compare(people, monkeypatch, odd, list(chain.from_iterable(parts)), atomic)
