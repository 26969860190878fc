"""A pull that meets a long outbox moves a part of it, in short transactions, and says so.

Counted in transactions of ``SEQUENCE_BATCH`` entries; what that takes in seconds is measured by
``tests.benchmarks.works_sequencer``.
"""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection

from django_sync import engine
from django_sync.drf.caller import Caller
from django_sync.feed import fanout, pull, sequencer
from django_sync.feed import log as feed_log
from django_sync.feed.recent import Recent
from django_sync.models import Change, Outbox, PushCursor
from django_sync.push import dispatcher
from django_sync.realtime import shared_pulls
from example_project.boards.models import Card
from tests.integration.conftest import make_people
from tests.replica import Replica, truth

pytestmark = pytest.mark.postgresql

BATCH = 3


@pytest.fixture
def boards(transactional_db: None, settings: Any) -> SimpleNamespace:
    settings.DJANGO_SYNC = {**settings.DJANGO_SYNC, "SEQUENCE_BATCH": BATCH}
    people = make_people()
    sequencer.sequence()
    return people


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How much each step of sequencing moved."""
    once, found = sequencer._sequence_once, []

    def noted() -> int:
        assert not connection.in_atomic_block, "each step is a transaction of its own"
        found.append(once())
        return found[-1]

    monkeypatch.setattr(sequencer, "_sequence_once", noted)
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
        assert len(steps) - before <= sequencer.STEPS
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
    assert steps == [BATCH] * sequencer.STEPS
    assert Outbox.objects.exists()


def test_another_pull_gets_its_turn_between_two_steps(boards, steps, monkeypatch):
    """The lock is free there, and it does its own part, no more."""
    ada, alan = (Replica(user, ("cards",)) for user in (boards.ada, boards.alan))
    for replica in (ada, alan):
        replica.pull()
    behind(boards.launch, boards.private)
    noted, turns = sequencer._sequence_once, []

    def between_two() -> int:
        moved: int = noted()
        if not turns:
            turns.append(len(steps))
            assert alan.page().has_more
            turns.append(len(steps))
        return moved

    monkeypatch.setattr(sequencer, "_sequence_once", between_two)
    ada.page()
    assert turns == [1, 1 + sequencer.STEPS]
    assert len(steps) == 2 * sequencer.STEPS
    for replica in (ada, alan):
        replica.pull()
    assert ada.held() == truth(boards.ada, ("cards",))
    assert alan.held() == truth(boards.alan, ("cards",))


def test_positions_have_no_gaps_and_follow_the_order_of_writing(boards, steps):
    """Over the borders of steps."""
    behind(boards.launch, boards.private)
    written = list(Outbox.objects.order_by("id").values_list("object_id", flat=True))
    first = Change.objects.count()
    sequencer.sequence()
    moved = Change.objects.filter(position__gt=first).order_by("position")
    assert list(moved.values_list("object_id", flat=True)) == written
    assert list(moved.values_list("position", flat=True)) == list(
        range(first + 1, first + 1 + len(written))
    )


# What somebody waits for moves a part of the backlog; who comes after goes on


def as_ada(boards: Any) -> Caller:
    return Caller.for_user(boards.ada)


def describe(boards: Any, cursor: str) -> object:
    return engine.describe(as_ada(boards), "/sync/")


def mutate(boards: Any, cursor: str) -> object:
    values = {"board": str(boards.launch.sync_id), "title": "Mine"}
    create = {"id": str(uuid.uuid4()), "seq": 1, "op": "create", "collection": "cards"}
    mutation = create | {"object_id": str(uuid.uuid4()), "fields": values}
    body = {"client_id": str(uuid.uuid4()), "cursor": cursor, "mutations": [mutation]}
    (result,) = engine.mutate(as_ada(boards), body)
    assert result.status == "applied", result
    return result


def subscribed(boards: Any, cursor: str) -> fanout.Subscription:
    caller = as_ada(boards)
    visibility = engine.audience(caller, ("cards",)).visibility
    return fanout.Subscription.at(caller, visibility, pull.open_cursor(caller, cursor))


def tick(boards: Any, cursor: str) -> object:
    return fanout.tick([subscribed(boards, cursor)])


def news(boards: Any, cursor: str) -> object:
    return feed_log.news(None)


@pytest.mark.parametrize("request_", [describe, mutate, tick, news])
def test_a_request_moves_no_more_than_a_pull(
    boards: Any, steps: list[int], request_: Callable[[Any, str], object]
) -> None:
    replica = Replica(boards.ada, ("cards",))
    replica.pull()
    behind(boards.launch, boards.private)
    request_(boards, str(replica.cursor))
    assert steps == [BATCH] * sequencer.STEPS
    replica.pull()
    assert replica.held() == truth(boards.ada, ("cards",))


def test_the_hub_goes_on_until_all_is_sent(boards, steps):
    """Each tick says that the next is due, also where it found nothing for anybody."""
    replica = Replica(boards.ada, ("cards",))
    replica.pull()
    behind(boards.launch, boards.private)
    subscription, frames = subscribed(boards, str(replica.cursor)), []
    ticks, more = 0, True
    while more:
        before = len(steps)
        (delivery,), more = fanout.tick([subscription])
        assert len(steps) - before <= sequencer.STEPS
        subscription, ticks = delivery.subscription, ticks + 1
        frames += [json.loads(delivery.frame)] if delivery.frame else []
    assert ticks == 3
    changed = [change["object"]["title"] for frame in frames for change in frame["changes"]]
    assert changed == ["the last"]
    assert not frames[-1]["has_more"]


def test_who_waits_is_told_of_all_of_it(boards, steps):
    """Each look says whether the next is due."""
    head, _, _ = feed_log.news(None)
    behind(boards.launch, boards.private)
    before_all, looks, scopes, left = head, 0, set(), True
    while left:
        before = len(steps)
        head, found, left = feed_log.news(head)
        assert len(steps) - before <= sequencer.STEPS
        looks, scopes = looks + 1, scopes | set(found)
    assert looks == 3
    written = Change.objects.filter(position__gt=before_all).values_list("scope", flat=True)
    assert scopes == set(written)
    assert not Outbox.objects.exists()


def test_pulls_that_are_answered_together_come_again(boards, steps):
    """With ``has_more`` where something of the viewer's own is left, as one by one."""
    replica = Replica(boards.ada, ("cards",))
    replica.pull()
    viewer = shared_pulls.Viewer(b"ada", lambda: as_ada(boards), ("cards",), contextlib.nullcontext)
    recent, cursor = Recent(), str(replica.cursor)

    def page() -> Any:
        ask = shared_pulls.Pull(viewer, as_ada(boards), cursor, 100)
        before = len(steps)
        (answer,) = shared_pulls.answers([ask], recent)
        assert len(steps) - before <= sequencer.STEPS
        return answer

    assert not page().has_more
    behind(boards.launch, boards.private)
    pages = [page()]
    while pages[-1].has_more:
        cursor = pages[-1].cursor
        pages.append(page())
    assert [one.has_changes for one in pages] == [False, False, True]
    assert not Outbox.objects.exists()


def test_the_dispatcher_looks_through_each_part_before_it_moves_the_next(
    boards, steps, monkeypatch
):
    dispatcher.dispatch()
    behind(boards.launch, boards.private)
    begun, step = [], dispatcher._step

    def noted() -> Any:
        found = step()
        begun.append((len(steps), PushCursor.objects.get().position))
        return found

    monkeypatch.setattr(dispatcher, "_step", noted)
    dispatcher.dispatch()
    assert sorted({moved for moved, _ in begun}) == [
        sequencer.STEPS,
        2 * sequencer.STEPS,
        len(steps),
    ]
    first = max(position for moved, position in begun if moved == sequencer.STEPS)
    assert first == begun[-1][1] - sum(steps[sequencer.STEPS :])
    assert not Outbox.objects.exists()
