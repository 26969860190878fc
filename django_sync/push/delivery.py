"""Delivery: claim what is due, send it, settle what came of it.

    due ──claim──> claimed ──sent──> nothing to do, or due again where more came meanwhile
     ^                │ ├─later──> due again, after a pause; parked after PUSH_ATTEMPTS
     │                │ ├─refused─> parked
     └─lease is over──┘ └─gone───> deleted

A claim is one transaction, so of several workers one has a row. It holds for ``PUSH_LEASE``
seconds, and a worker begins no attempt that could end after that; so a row is only sent twice
where a worker died (or the database was gone) between the service's answer and the note of it.
"""

from __future__ import annotations

import datetime
import time
import uuid
from collections.abc import Iterator, Sequence

from django.db.models import F
from django.utils import timezone

from ..conf import conf
from ..models import Endpoint
from ..models.database import atomic, connection
from ..protocol.ids import new_id
from ..sessions import directives
from .attempts import Attempt, attempt
from .awake import awake_until
from .batch import Batch
from .dispatcher import waiting
from .endpoints import sender_of

__all__ = ["deliver"]

LAST_START = 1.5
"""An attempt begins so many time-outs before the lease's end, at the latest."""


def deliver() -> int:
    """Claim a batch of what is due, and see to it; how many rows that were. 0: nothing is due."""
    began = time.monotonic()
    claim, claimed = _claimed()
    if not claimed:
        return 0
    batch = Batch(claim, began + conf.PUSH_LEASE - LAST_START * conf.PUSH_TIMEOUT)
    batch.send(list(_sorted(batch, claimed)))
    return len(claimed)


def _claimed() -> tuple[uuid.UUID, list[Endpoint]]:
    """Take the rows that are due longest, and that nobody has, for this worker alone."""
    now, claim = timezone.now(), new_id()
    taken = {
        "claim": claim,
        "claimed_until": now + datetime.timedelta(seconds=conf.PUSH_LEASE),
        "taken": F("asked"),
    }
    first = waiting(now).order_by("due_at").values_list("id", flat=True)
    every = Endpoint.objects.all()
    with atomic():
        if connection().features.has_select_for_update_skip_locked:
            ids = list(first.select_for_update(skip_locked=True)[: conf.PUSH_BATCH])
            found = every.filter(id__in=ids).update(**taken)
        else:  # one statement, which SQLite lets nobody come between
            found = waiting(now).filter(id__in=first[: conf.PUSH_BATCH]).update(**taken)
    if not found:
        return claim, []
    rows = every.filter(claim=claim).select_related("session__user").order_by("due_at")
    return claim, list(rows)


def _sorted(batch: Batch, claimed: Sequence[Endpoint]) -> Iterator[Attempt]:
    """Those that are to be sent; the others are settled at once."""
    now = timezone.now()
    window = datetime.timedelta(seconds=conf.PUSH_WINDOW)
    blocks = directives.blocks_of([endpoint.session for endpoint in claimed])
    gone, silenced = [], []
    for endpoint in claimed:
        session, sender = endpoint.session, sender_of(endpoint.kind)
        until = awake_until(session)
        if session.ended_at is not None or not session.user.is_active:
            gone.append(endpoint)
        elif blocks[session.id]:
            silenced.append(endpoint)  # their clients come again when their users ask
        elif sender is None:
            batch.park(endpoint, None, f"Nobody sends “{endpoint.kind}” any more.")
        elif until is None or until <= now:
            yield attempt(endpoint, sender)
        elif endpoint.asked_at is not None and session.seen_at > endpoint.asked_at + window:
            silenced.append(endpoint)  # it has heard of all that is noted here by its transport
        else:
            batch.postpone(endpoint, until)
    batch.delete(gone)
    batch.finish(silenced, sent=False)
