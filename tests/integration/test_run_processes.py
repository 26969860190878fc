"""Runs between processes: killed at each step, sent twice at once, two batches in flight."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import transaction

from django_sync.feed import log as feed_log
from django_sync.feed import sequencer
from django_sync.models import Client, Feed, MutationResult
from example_project.boards.models import Card
from tests import processes as p
from tests.integration.phone import Phone
from tests.integration.test_kill import alike, beside, check_log, post, wired
from tests.integration.test_processes import batch, send

__all__ = ["beside", "wired"]


def a_run(phone: Phone, board: Any) -> dict[str, Any]:
    """Three creates and three updates, which go together."""
    rows = Card.objects.bulk_create([Card(board=board, title="old") for _ in range(3)])
    fresh = Card.objects.filter(pk__in=[row.pk for row in rows])
    new = [phone.create("cards", title="new", board=str(board.sync_id)) for _ in range(3)]
    return batch(phone, *new, *(phone.update(row, title="changed") for row in fresh))


def check_once(body: dict[str, Any]) -> None:
    assert Card.objects.filter(title="new").count() == 3
    assert [c.sync_revision for c in Card.objects.filter(title="changed")] == [2, 2, 2]
    assert MutationResult.objects.count() == len(body["mutations"])
    check_log()


@pytest.mark.parametrize(
    "point", ["claimed", "run begun", "run written", "results written", "uncommitted", "committed"]
)
def test_g4_a_server_killed_within_a_run_and_the_batch_again(
    wired: Any, processes: p.Processes, beside: Any, point: str
) -> None:
    sequencer.sequence()
    body = a_run(Phone(wired.ada), wired.launch)
    server = processes.server(point)
    first = beside(post, processes.url, body)
    server.reaches(point)
    server.kill()
    assert first.exception() is not None
    done = point == "committed"
    assert Card.objects.filter(title="new").count() == (3 if done else 0)
    processes.server()
    again, once_more = post(processes.url, body), post(processes.url, body)
    assert [(r["status"], r["replayed"]) for r in again] == [("applied", done)] * 6
    assert alike(again) == alike(once_more)
    check_once(body)


@pytest.mark.parametrize("known", [True, False])
def test_w1_two_processes_that_send_the_same_batch_at_once(
    boards: Any, processes: p.Processes, known: bool
) -> None:
    """The second waits for the first, also where both meet the client for the first time."""
    sequencer.sequence()
    phone = Phone(boards.ada)
    if known:
        Client.objects.create(id=phone.id, user=boards.ada)
    boards.launch.refresh_from_db()
    body = a_run(phone, boards.launch)
    one, two = processes.worker("uncommitted"), processes.worker()
    one.start(send, "ada", body)
    one.reaches("uncommitted")
    two.start(send, "ada", body)
    p.wait_for_waiters(1)
    one.go()
    first, second = one.result(), two.result()
    assert [r["replayed"] for r in first] == [False] * 6
    assert [r["replayed"] for r in second] == [True] * 6
    assert alike(first) == alike(second)
    check_once(body)


def test_two_batches_of_one_client_in_flight_wait_for_each_other(
    boards: Any, processes: p.Processes
) -> None:
    sequencer.sequence()
    boards.launch.refresh_from_db()
    phone, board = Phone(boards.ada), str(boards.launch.sync_id)
    bodies = [
        batch(phone, *(phone.create("cards", title="new", board=board) for _ in range(3)))
        for _ in range(2)
    ]
    one, two = processes.worker("uncommitted"), processes.worker()
    one.start(send, "ada", bodies[0])
    one.reaches("uncommitted")
    two.start(send, "ada", bodies[1])
    p.wait_for_waiters(1)
    one.go()
    for worker in (one, two):
        assert [(r["status"], r["replayed"]) for r in worker.result()] == [("applied", False)] * 3
    assert Card.objects.filter(title="new").count() == 6
    check_log()


def test_f4_an_epoch_that_moves_while_a_batch_waits_is_the_one_that_counts(
    boards: Any, processes: p.Processes
) -> None:
    """A base of the lost history is unknown, also where the batch came before the new epoch."""
    sequencer.sequence()
    phone = Phone(boards.ada)
    Client.objects.create(id=phone.id, user=boards.ada)
    card = Card.objects.create(board=boards.launch, title="old")
    card.refresh_from_db()
    body = phone.update(card, title="changed") | {"epoch": feed_log.state()[0].epoch}
    two = processes.worker()
    with transaction.atomic():
        Feed.objects.update(epoch=uuid.uuid4())
        Client.objects.select_for_update(no_key=True).get(pk=phone.id)
        two.start(send, "ada", batch(phone, body))
        p.wait_for_waiters(1)
    [result] = two.result()
    assert result["status"] == "conflict"
    assert result["conflict"]["kind"] == "unknown_base"
    card.refresh_from_db()
    assert card.title == "old"
