"""Prune beside writers, pulls and repeats, each with a connection of its own."""

from __future__ import annotations

import datetime
import threading
import time

import pytest
from django.db import connections
from django.utils import timezone

from django_sync.feed import sequencer
from django_sync.maintenance import retention
from django_sync.models import Change, Feed, MutationResult
from example_project.boards.models import Board, Card
from tests.integration.phone import Phone
from tests.processes import until
from tests.replica import Replica, truth

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]

SECONDS = 3


class Crew:
    """Threads that repeat an act until the time is up; an error in one is the test's."""

    def __init__(self):
        self.end, self.errors, self.turns = time.monotonic() + SECONDS, [], {}
        self.threads = []

    def sets(self, act):
        thread = threading.Thread(target=self._work, args=(act,), daemon=True)
        self.threads.append(thread)

    def _work(self, act):
        try:
            while not self.is_over():
                act()
                self.turns[act] = self.turns.get(act, 0) + 1
        except BaseException as error:  # noqa: BLE001  # told to the test
            self.errors.append(error)
        finally:
            connections.close_all()

    def is_over(self):
        return time.monotonic() >= self.end or bool(self.errors)

    def works(self):
        for thread in self.threads:
            thread.start()
        for thread in self.threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in self.threads)
        if self.errors:
            raise self.errors[0]
        assert all(self.turns.values())


def test_prune_beside_writers_and_pulls_loses_nothing(people):
    """G1, G2, G6: who was passed starts again, who was not goes on; all end up equal."""
    crew, tails = Crew(), [Replica(people.ada), Replica(people.grace, limit=3)]
    sequencer.sequence()

    def writes():
        card = Card.objects.create(board=people.launch, title="New")
        Card.objects.filter(board=people.launch).update(title="Changed")
        if card.pk % 2:
            card.delete()

    def prunes():
        retention.prune(keep=5, batch=3)
        state = Feed.objects.get()
        assert Change.objects.filter(position=state.floor).exists(), "cursors stand there"

    for act in (writes, prunes, tails[0].pull):
        crew.sets(act)
    crew.sets(tails[1].pull)
    crew.works()
    for replica in tails:
        replica.pull()
        assert replica.held() == truth(replica.user)


def test_f9_a_slow_snapshot_ends_while_others_write_and_prune(people):
    """Once it has a page, it is never told to start again."""
    crew, slow = Crew(), Replica(people.ada, limit=2)
    for n in range(60):
        Card.objects.create(board=people.launch, title=f"Card {n}")
    slow.page()

    def writes():
        Card.objects.filter(board=people.launch).update(title=str(time.monotonic()))

    def prunes():
        retention.prune(days=0)

    def reads():
        turn = crew.turns.get(prunes, 0)
        until(lambda: crew.is_over() or crew.turns.get(prunes, 0) > turn, "it is pruned")
        slow.page()  # would raise CursorExpired

    for act in (writes, prunes, reads):
        crew.sets(act)
    crew.works()
    slow.limit = 1000
    slow.pull()
    assert slow.held() == truth(people.ada)


def test_w5_g4_a_repeat_beside_the_prune_of_its_result_happens_once(people):
    crew, phone = Crew(), Phone(people.ada)
    body = phone.create("boards", name="Once")
    phone.one(body)

    def repeats():
        result = phone.one(body)
        assert result.replayed or result.problem["code"] == "mutation_expired"

    def forgets():
        long_ago = timezone.now() - datetime.timedelta(days=40)
        MutationResult.objects.update(at=long_ago)
        retention.prune()

    for act in (repeats, repeats, forgets):
        crew.sets(act)
    crew.works()
    assert Board.objects.filter(name="Once").count() == 1


def test_two_prunes_at_once(people):
    crew = Crew()
    crew.end = time.monotonic() + 1.5

    def writes():
        Card.objects.filter(board=people.launch).update(title=str(time.monotonic()))

    def prunes():
        retention.prune(keep=2, batch=2)

    for act in (writes, prunes, prunes):
        crew.sets(act)
    crew.works()
    retention.prune(keep=2)
    assert Change.objects.count() == 2
