"""Commits that may have changed the feed are announced, once a transaction, and no others."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from django.db.models import F

from django_sync.feed import notify
from example_project.boards.models import Board, Card, Membership


@pytest.fixture
def notified(boards, monkeypatch):
    calls: list[object] = []
    monkeypatch.setattr(notify, "_notifiers", [calls.append])
    return calls


@pytest.mark.parametrize(
    ("sql", "is_write"),
    [
        ('INSERT INTO "boards_card" ("title") VALUES (1)', True),
        ('INSERT OR IGNORE INTO "boards_card" VALUES (1)', True),
        ("  update boards_card set title = 1", True),
        ('UPDATE "public"."boards_card" SET "title" = 1', True),
        ('DELETE FROM "boards_card" WHERE 1', True),
        ('INSERT INTO "boards_card_labels" VALUES (1)', True),
        ('INSERT INTO "django_session" VALUES (1)', False),
        ('SELECT * FROM "boards_card"', False),
        ('UPDATE "boards_cardigan" SET "x" = 1', False),
        ('INSERT INTO "notes" VALUES (\'DELETE FROM "boards_card"\')', False),
        ("", False),
    ],
)
def test_what_is_a_write(sql, is_write):
    assert notify.is_write(sql) is is_write


def test_each_way_to_write_notifies(notified, boards):
    def unlabel():
        Card.objects.filter(labels__isnull=False).first().labels.clear()

    ways = [
        lambda: Card.objects.create(board=boards.launch, title="x"),
        lambda: Card.objects.update(votes=F("votes") + 1),
        lambda: Card.objects.bulk_create([Card(board=boards.launch, title="y")]),
        unlabel,
        lambda: connection.cursor().execute("UPDATE boards_card SET votes = 7"),
        lambda: Card.objects.first().delete(),
    ]
    for way in ways:
        notified.clear()
        way()
        assert notified, way


def test_a_transaction_notifies_once_and_after_its_commit(notified, boards):
    with transaction.atomic():
        for number in range(3):
            Card.objects.create(board=boards.launch, title=str(number))
        assert notified == []
    assert notified == [None]


def undone(boards):
    """A write that is rolled back, to its savepoint where there is one."""
    with transaction.atomic():
        Card.objects.create(board=boards.launch, title="never")
        transaction.set_rollback(True)


def test_what_is_rolled_back_notifies_nobody(notified, boards):
    undone(boards)
    assert notified == []


def test_a_savepoint_that_is_rolled_back_takes_no_ring_of_others_with_it(notified, boards):
    with transaction.atomic():
        undone(boards)
        Board.objects.filter(pk=boards.launch.pk).update(name="Kept")
    assert notified == [None]


def test_what_is_not_synced_notifies_nobody(notified, boards):
    Membership.objects.filter(user=boards.grace).delete()
    assert notified == []


def test_a_notifier_that_breaks_fails_no_write(boards, monkeypatch, caplog):
    def broken(key):
        raise OSError("no notifier")

    monkeypatch.setattr(notify, "_notifiers", [broken])
    with caplog.at_level("CRITICAL", logger="django_sync.announce"):
        card = Card.objects.create(board=boards.launch, title="kept")
    assert Card.objects.filter(pk=card.pk).exists()


def test_invalidate_waits_for_the_commit(notified, boards):
    with transaction.atomic():
        notify.invalidate(boards.ada)
        assert notified == []
    assert notified == [str(boards.ada.pk)]


def test_a_transaction_begun_by_hand_is_written_and_not_announced(notified, boards):
    """Django lets nobody wait for its commit; a write must not fail for that."""
    transaction.set_autocommit(False)
    try:
        Card.objects.filter(board=boards.launch).update(title="by hand")
        transaction.commit()
    finally:
        transaction.rollback()
        transaction.set_autocommit(True)
    assert not notified
    assert Card.objects.filter(title="by hand").exists()
