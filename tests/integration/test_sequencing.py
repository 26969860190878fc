"""A pull that meets a long outbox moves a part of it, in short transactions, and says so.

Counted in transactions of ``SEQUENCE_BATCH`` entries; what that takes in seconds is measured by
``tests.benchmarks.works_sequencer``.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection

from django_sync import feed
from django_sync.models import Change, Outbox
from example_project.boards.models import Card
from tests.integration.conftest import make_people
from tests.replica import Replica, truth

pytestmark = pytest.mark.postgresql

BATCH = 3


@pytest.fixture
def boards(transactional_db: None, settings: Any) -> SimpleNamespace:
    settings.DJANGO_SYNC = {**settings.DJANGO_SYNC, "SEQUENCE_BATCH": BATCH}
    people = make_people()
    feed.sequence()
    return people


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How much each step of sequencing moved."""
    once, found = feed._sequence_once, []

    def noted(db: Any) -> int:
        assert not connection.in_atomic_block, "each step is a transaction of its own"
        found.append(once(db))
        return found[-1]

    monkeypatch.setattr(feed, "_sequence_once", noted)
    return found


def behind(board: Any, others: Any) -> None:
    """A change of one board behind a backlog of another, of eleven steps."""
    Card.objects.bulk_create(Card(board=others, title=str(n)) for n in range(10 * BATCH + 1))
    Card.objects.filter(board=board).update(title="the last")


def test_g1_a_long_backlog_is_moved_by_pull_after_pull(boards, steps):
    """With ``has_more`` where something of the caller's own is left, and a cursor that moves."""
    replica = Replica(boards.ada, ("cards",))
    replica.pull()
    assert steps == []
    behind(boards.launch, boards.private)
    pages = 0
    while True:
        before, cursor = len(steps), replica.cursor
        page = replica.page()
        assert len(steps) - before <= feed.STEPS
        if not page.has_more:
            break
        pages += 1
        assert replica.cursor != cursor
        assert page.changes == ()
    assert pages == 2
    assert sum(steps) == 10 * BATCH + 2
    assert replica.held() == truth(boards.ada, ("cards",))
    assert not Outbox.objects.exists()


def test_who_has_nothing_in_it_is_not_kept(boards, steps):
    replica = Replica(boards.grace, ("cards",))
    replica.pull()
    behind(boards.private, boards.private)
    page = replica.page()
    assert (page.changes, page.has_more) == ((), False)
    assert steps == [BATCH] * feed.STEPS
    assert Outbox.objects.exists()


def test_another_pull_gets_its_turn_between_two_steps(boards, steps, monkeypatch):
    """The lock is free there, and it does its own part, no more."""
    ada, alan = (Replica(user, ("cards",)) for user in (boards.ada, boards.alan))
    for replica in (ada, alan):
        replica.pull()
    behind(boards.launch, boards.private)
    noted, turns = feed._sequence_once, []

    def in_turn(db: Any) -> int:
        moved: int = noted(db)
        if not turns:
            turns.append(len(steps))
            assert alan.page().has_more
            turns.append(len(steps))
        return moved

    monkeypatch.setattr(feed, "_sequence_once", in_turn)
    ada.page()
    assert turns == [1, 1 + feed.STEPS]
    assert len(steps) == 2 * feed.STEPS
    for replica in (ada, alan):
        replica.pull()
    assert ada.held() == truth(boards.ada, ("cards",))
    assert alan.held() == truth(boards.alan, ("cards",))


def test_positions_have_no_gaps_and_follow_the_order_of_writing(boards, steps):
    """Over the borders of steps."""
    behind(boards.launch, boards.private)
    written = list(Outbox.objects.order_by("id").values_list("object_id", flat=True))
    first = Change.objects.count()
    feed.sequence()
    moved = Change.objects.filter(position__gt=first).order_by("position")
    assert list(moved.values_list("object_id", flat=True)) == written
    assert list(moved.values_list("position", flat=True)) == list(
        range(first + 1, first + 1 + len(written))
    )
