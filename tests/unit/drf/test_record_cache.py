"""What is remembered of rendered records: by whom they are seen, for how long, how many (G2)."""

from __future__ import annotations

import uuid

from django_sync.drf.record_cache import Rendered
from django_sync.protocol import Record

ADA = ("epoch", "cards", "tag", "1", "UTC")
GRACE = ("epoch", "cards", "tag", "2", "UTC")


class Clock:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def record(revision: int = 1, id: uuid.UUID | None = None) -> Record:
    return Record("cards", id or uuid.uuid4(), revision, "board", {"title": str(revision)})


def test_what_one_class_sees_is_not_another_s() -> None:
    rendered, made = Rendered(), record()
    rendered.add(ADA, [made])
    assert rendered.known(ADA, [made.id]) == {made.id: made}
    assert rendered.known(GRACE, [made.id]) == {}


def test_g2_the_later_revision_stays_whichever_came_last() -> None:
    rendered, id = Rendered(), uuid.uuid4()
    rendered.add(ADA, [record(8, id)])
    rendered.add(ADA, [record(7, id)])
    assert rendered.known(ADA, [id])[id].revision == 8
    rendered.add(ADA, [record(9, id)])
    assert rendered.known(ADA, [id])[id].revision == 9


def test_a_record_is_remembered_for_one_generation_and_forgotten_after_two() -> None:
    clock = Clock()
    rendered, made = Rendered(seconds=10, now=clock), record()
    rendered.add(ADA, [made])
    clock.at = 10
    assert rendered.known(ADA, [made.id])
    clock.at = 19.9
    assert rendered.known(ADA, [made.id])
    clock.at = 20
    assert not rendered.known(ADA, [made.id])


def test_after_a_long_rest_nothing_old_is_told() -> None:
    clock = Clock()
    rendered, made = Rendered(seconds=10, now=clock), record()
    rendered.add(ADA, [made])
    clock.at = 1_000
    assert not rendered.known(ADA, [made.id])


def test_it_never_holds_more_than_two_generations() -> None:
    rendered = Rendered(most=10)
    made = [record() for _ in range(95)]
    for one in made:
        rendered.add(ADA, [one])
    known = rendered.known(ADA, [one.id for one in made])
    assert 1 <= len(known) <= 20
    assert made[-1].id in known
