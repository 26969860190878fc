"""The sequencer: gives committed changes their positions.

On PostgreSQL a trigger writes an outbox, and a reader of the feed moves what is committed into
the log, under the lock of the one ``Feed`` row. So the order of positions is the order in which
changes became visible, and no writer waits for another. On SQLite, with its single writer, there
is nothing to move: the log's own id is the position.
"""

from __future__ import annotations

import logging
from typing import Any

from django.db import OperationalError

from ..conf import conf
from ..models.database import atomic, connection
from ..protocol.ids import new_id
from .dialects import dialect
from .tables import CHANGE, FEED, OUTBOX

log = logging.getLogger("django_sync.feed")

STEPS = 4
"""The most sequencing transactions in one request or tick; if more is left, another follows."""


def sequence() -> int:
    """Give positions to what is committed and has none; return how many got one.

    It runs in transactions of its own, unless one is open already (as in a ``TestCase``). Where
    another sequencer holds the lock for longer than ``SEQUENCE_WAIT_MS``, it stops at what has a
    position by then. A long outbox takes its time, so this is for commands; a request calls
    ``advance``.
    """
    moved = 0
    while has_unsequenced():
        step = _sequence_once()
        moved += step
        if step < conf.SEQUENCE_BATCH:
            break
    return moved


def catch_up() -> bool:
    """Sequence in at most ``STEPS`` transactions; return whether more may be left.

    So a pull does not wait until a long outbox is moved completely, and the lock is free between
    the transactions.
    """
    return all(_sequence_once() == conf.SEQUENCE_BATCH for _ in range(STEPS))


def advance() -> bool:
    """``catch_up``, if the outbox holds anything; return whether there is more to do."""
    return has_unsequenced() and catch_up()


def has_unsequenced() -> bool:
    """Whether the outbox holds anything. Creates the feed's row where there is none yet."""
    with connection().cursor() as cursor:
        cursor.execute(
            f"SELECT EXISTS (SELECT 1 FROM {OUTBOX}), EXISTS (SELECT 1 FROM {FEED} WHERE id = 1)"
        )
        unsequenced, there = cursor.fetchone()
        if not there:
            create_feed(cursor)
        return bool(unsequenced)


def _sequence_once() -> int:
    """One transaction: the lock in one statement, the move in a later one.

    In one statement, or at REPEATABLE READ, the snapshot would be older than the lock, and
    positions would be given twice.
    """
    try:
        with atomic(), connection().cursor() as cursor:
            head = dialect().lock_feed(cursor, conf.SEQUENCE_WAIT_MS)
            if head is None:
                head = create_feed(cursor)
            return dialect().move(cursor, head, conf.SEQUENCE_BATCH) - head
    except OperationalError as error:
        if not dialect().is_lock_timeout(error):
            raise
        log.info("another process is sequencing; serving what is positioned")
        return 0


def create_feed(cursor: Any) -> int:
    """Create the feed's row with a new epoch, and return its head: that of the log, if any."""
    cursor.execute(f"SELECT COALESCE(max(position), 0) FROM {CHANGE}")
    (head,) = cursor.fetchone()
    cursor.execute(
        f"INSERT INTO {FEED} (id, epoch, head, floor) VALUES (1, %s, %s, 0)"
        " ON CONFLICT (id) DO NOTHING",
        [dialect().id(new_id()), head],
    )
    cursor.execute(f"SELECT head FROM {FEED} WHERE id = 1")
    return int(cursor.fetchone()[0])
