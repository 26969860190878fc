"""Writers: each a process, a seed, and one transaction after the other.

A transaction is drawn from the seed, its number and what it finds; run again after a deadlock it
draws the same.
"""

from __future__ import annotations

import time

from django.contrib.auth.models import User
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, IntegrityError, connection, transaction

from example_project.boards.models import Card, Comment
from tests import processes as p

from .acts import ACTS, act_once
from .hand import Hand, Undone, note_deleted
from .journal import Commit, Long, Work

ATTEMPTS = 8
DEADLOCK = "40P01"


def write(seed: str) -> Work:
    """Write until the test says so."""
    work, n = Work(), 0
    with connection.cursor() as cursor:
        cursor.execute("SET deadlock_timeout = '20ms'")
    while not p.HERE.may_go.acquire(blocking=False):
        n += 1
        _try(f"{seed}/{n}", work)
    return work


def _try(seed: str, work: Work) -> None:
    """One transaction, again after each deadlock."""
    for _ in range(ATTEMPTS):
        try:
            work.commits.append(_transaction(seed, work))
        except Undone:
            work.counts["rolled back"] += 1
        except (IntegrityError, ObjectDoesNotExist):
            # What it was to write, or write under, is gone: seen at once, or at the commit.
            work.counts["refused"] += 1
        except DatabaseError as error:
            if getattr(error.__cause__, "sqlstate", None) == DEADLOCK:
                work.counts["deadlocks"] += 1
                continue
            if error.__cause__ is not None:
                raise
            work.counts["refused"] += 1  # Django found no row to save.
        return
    work.counts["given up"] += 1


def _transaction(seed: str, work: Work) -> Commit:
    hand, began = Hand(seed, work.counts), time.monotonic()
    with connection.execute_wrapper(hand.timed), transaction.atomic():
        for _ in range(hand.chance.choice([1, 1, 2, 3, 5])):
            act_once(hand, ACTS)
            hand.pause()
        if hand.chance.random() < 0.1:
            raise Undone
        closing = time.monotonic()
    ended = time.monotonic()
    return Commit(began, ended, max(hand.longest, ended - closing), tuple(hand.written))


def hold(board: int) -> Long:
    """One transaction that stays open until the test says so, on rows that no other writes."""
    hand, began = Hand("long", {}), time.monotonic()
    with transaction.atomic():
        kept, going = Card.objects.filter(position__lt=0).order_by("pk")
        Card.objects.filter(pk=kept.pk).update(title="long")
        hand.note(Card.objects.filter(pk=kept.pk))
        author = User.objects.get(username="ada")
        Comment.objects.create(card=kept, author=author, text="long")
        hand.note(Comment.objects.filter(text="long"))
        made = Card.objects.create(board_id=board, title="long", position=-1)
        hand.note(Card.objects.filter(pk=made.pk))
        going.delete()
        note_deleted(hand, [going])
        opened = time.monotonic()
        p.HERE.stop("open")
        Card.objects.filter(pk=kept.pk).update(body="long")
        hand.note(Card.objects.filter(pk=kept.pk))
        closing = time.monotonic()
    return Long(opened, closing, Commit(began, time.monotonic(), 0.0, tuple(hand.written)))
