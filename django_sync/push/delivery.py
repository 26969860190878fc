"""Delivery: claim the endpoints that are due, send their wake-ups, and settle the rows.

    due ──claim──> claimed ──sent──> nothing to do, or due again if there is more by then
     ^                │ ├─retry──> due again, after a pause; parked after PUSH_ATTEMPTS
     │                │ ├─refused─> parked
     └─lease is over──┘ └─gone───> deleted

A claim is one transaction, so only one of several workers gets a row. It is valid for
``PUSH_LEASE`` seconds, and a worker begins no attempt that could end after that. So a row is sent
twice only if a worker died, or the database was down, between the service's answer and its note.
"""

from __future__ import annotations

import datetime
import logging
import random
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from django.db.models import Case, F, QuerySet, TextField, Value, When
from django.utils import timezone

from ..conf import conf
from ..errors import printable
from ..models import Endpoint, SyncSession
from ..models.database import atomic, connection
from ..models.push import PROBLEM_LENGTH
from ..protocol.ids import new_id
from ..sessions import directives
from ..sessions.state import allowed_silence
from .endpoints import due, sender_of
from .sender import Outcome, Receipt, Sender, Wake

__all__ = [
    "Attempt",
    "Claim",
    "Done",
    "attempt_of",
    "awake_until",
    "batches_due",
    "deliver",
    "pause",
    "send",
    "send_all",
]

log = logging.getLogger("django_sync.push")

LAST_START = 1.5
"""The last attempt begins this many time-outs before the lease ends."""


def send_all() -> int:
    """Send until nothing is due; return the number of rows that were handled."""
    total = 0
    while found := deliver():
        total += found
    return total


def batches_due(most: int) -> int:
    """The number of batches that are due now, counted up to ``most``."""
    rows = due(timezone.now()).order_by()[: most * conf.PUSH_BATCH].count()
    return -(-rows // conf.PUSH_BATCH)


def deliver() -> int:
    """Claim a batch of rows that are due, and handle them; return their number."""
    began = time.monotonic()
    id, claimed = _claimed()
    if not claimed:
        return 0
    claim = Claim(id, began + conf.PUSH_LEASE - LAST_START * conf.PUSH_TIMEOUT)
    claim.send(list(_attempts(claim, claimed)))
    return len(claimed)


def _claimed() -> tuple[uuid.UUID, list[Endpoint]]:
    """Claim the rows that have been due longest and that no worker has claimed."""
    now, id = timezone.now(), new_id()
    columns = {
        "claim": id,
        "claimed_until": now + datetime.timedelta(seconds=conf.PUSH_LEASE),
        "taken": F("asked"),
    }
    first = due(now).order_by("due_at").values_list("id", flat=True)
    every = Endpoint.objects.all()
    with atomic():
        if connection().features.has_select_for_update_skip_locked:
            ids = list(first.select_for_update(skip_locked=True)[: conf.PUSH_BATCH])
            found = every.filter(id__in=ids).update(**columns)
        else:  # one statement, which no other writer of SQLite can interrupt
            found = due(now).filter(id__in=first[: conf.PUSH_BATCH]).update(**columns)
    if not found:
        return id, []
    rows = every.filter(claim=id).select_related("session__user").order_by("due_at")
    return id, list(rows)


def _attempts(claim: Claim, claimed: Sequence[Endpoint]) -> Iterator[Attempt]:
    """The attempts to make; rows that need none are settled at once."""
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
            silenced.append(endpoint)  # its client comes again when its user asks
        elif sender is None:
            claim.park(endpoint, None, f"The settings name no sender for “{endpoint.kind}”.")
        elif until is None or until <= now:
            yield attempt_of(endpoint, sender)
        elif endpoint.asked_at is not None and session.seen_at > endpoint.asked_at + window:
            silenced.append(endpoint)  # its transport has brought all that is noted here
        else:
            claim.postpone(endpoint, until)
    claim.delete(gone)
    claim.finish(silenced, sent=False)


def awake_until(session: SyncSession) -> datetime.datetime | None:
    """Until when a session counts as live if no request comes; ``None`` if it is not live.

    That is until it is idle (``sessions.state``). A session in the background is not live, as it
    says itself, and neither is one that is woken by push.
    """
    silence = allowed_silence(session)
    if silence is None or not session.foreground or session.ended_at is not None:
        return None
    return session.seen_at + silence


# Attempts


@dataclass(frozen=True, slots=True)
class Attempt:
    """One wake-up to send."""

    endpoint: Endpoint
    sender: Sender
    wake: Wake


@dataclass(frozen=True, slots=True)
class Done:
    """An attempt that was made, with its receipt; ``seconds`` is how long it took."""

    endpoint: Endpoint
    receipt: Receipt
    seconds: float


def attempt_of(endpoint: Endpoint, sender: Sender) -> Attempt:
    """The wake-up for an endpoint."""
    names = [name for name in endpoint.pending.split(",") if name]
    wanted = endpoint.session.collections
    if wanted is not None:
        names = [name for name in names if name in wanted]
    return Attempt(endpoint, sender, Wake(endpoint.session.id, tuple(names)))


def send(attempt: Attempt) -> Done:
    """Make an attempt. An exception in the sender counts as no answer."""
    began = time.monotonic()
    try:
        receipt = attempt.sender.send(attempt.endpoint.target, attempt.wake)
    except Exception as error:
        log.exception("a sender failed", extra=_fields(attempt.endpoint))
        receipt = Receipt(Outcome.RETRY, problem=f"{type(error).__name__} in the sender")
    return Done(attempt.endpoint, receipt, time.monotonic() - began)


def _fields(endpoint: Endpoint, **more: object) -> dict[str, object]:
    """The fields of each log line about an endpoint; the target is a secret and not in them."""
    return {
        "endpoint": endpoint.id,
        "session": str(endpoint.session.id),
        "kind": endpoint.kind,
        "host": endpoint.host,
        **more,
    }


def _log_done(done: Done) -> None:
    receipt = done.receipt
    log.log(
        logging.INFO if receipt.outcome is Outcome.SENT else logging.WARNING,
        receipt.outcome.value,
        extra=_fields(
            done.endpoint,
            outcome=receipt.outcome.value,
            status=receipt.status,
            problem=receipt.problem,
            attempt=done.endpoint.failures + 1,
            seconds=round(done.seconds, 3),
        ),
    )


def pause(
    failures: int,
    asked: float | None,
    *,
    first: float,
    most: float,
    chance: random.Random | None = None,
) -> float:
    """Seconds until the next attempt after ``failures`` in a row: exponential, with full jitter.

    A random time up to ``first``, doubled with each failure, ``most`` at most: endpoints that
    failed at the same time are not tried again at the same time. ``asked`` is the time that the
    service asks for; then the pause is at least that, up to ``most``, plus jitter.
    """
    roll = (chance or random.SystemRandom()).uniform
    ceiling = min(most, first * 2.0 ** min(failures - 1, 60))
    if asked is None:
        return roll(0, ceiling)
    return min(asked, most) + roll(0, first)


# Rows


@dataclass(frozen=True, slots=True)
class Claim:
    """One worker's claim of rows; each statement checks that the claim is still valid."""

    id: uuid.UUID
    last_start: float

    def send(self, attempts: Sequence[Attempt]) -> None:
        """Make attempts, ``PUSH_THREADS`` at a time; settle each group that is done."""
        left = iter(attempts)
        with ThreadPoolExecutor(conf.PUSH_THREADS) as pool:
            running: set[Future[Done]] = set()
            while True:
                while len(running) < conf.PUSH_THREADS and time.monotonic() < self.last_start:
                    one = next(left, None)
                    if one is None:
                        break
                    running.add(pool.submit(send, one))
                if not running:
                    break
                done, running = wait(running, return_when=FIRST_COMPLETED)
                self.settle([future.result() for future in done])
        self.release([one.endpoint for one in left])

    def settle(self, done: Sequence[Done]) -> None:
        """Save the results of attempts."""
        for one in done:
            _log_done(one)
        self.finish([d.endpoint for d in done if d.receipt.outcome is Outcome.SENT])
        self.delete([d.endpoint for d in done if d.receipt.outcome is Outcome.GONE])
        for one in done:
            if one.receipt.outcome is Outcome.RETRY:
                self.try_again(one.endpoint, one.receipt)
            elif one.receipt.outcome is Outcome.REFUSED:
                self.park(one.endpoint, one.receipt.status, one.receipt.problem)

    def finish(self, endpoints: Sequence[Endpoint], *, sent: bool = True) -> None:
        """Nothing is due any more, except for rows with news since the claim."""
        if not endpoints:
            return
        now = timezone.now()
        again = now + datetime.timedelta(seconds=conf.PUSH_WINDOW)
        due_again = When(asked__gt=F("taken"), then=Value(again))
        still_pending = When(asked__gt=F("taken"), then=F("pending"))
        with self._locked(endpoints) as rows:
            rows.update(
                due_at=Case(due_again, default=None),
                pending=Case(still_pending, default=Value(""), output_field=TextField()),
                claim=None,
                claimed_until=None,
                **({"sent_at": now, "failures": 0, "problem": ""} if sent else {}),
            )

    def delete(self, gone: Sequence[Endpoint]) -> None:
        if gone:
            with self._locked(gone) as rows:
                rows.delete()

    def release(self, untouched: Sequence[Endpoint]) -> None:
        """Give back rows for which there was no time."""
        if untouched:
            with self._locked(untouched) as rows:
                rows.update(claim=None, claimed_until=None)

    def postpone(self, endpoint: Endpoint, until: datetime.datetime) -> None:
        """Try again when the session will be idle: its connection may have just broken."""
        self._one(endpoint).update(due_at=until, claim=None, claimed_until=None)

    def try_again(self, endpoint: Endpoint, receipt: Receipt) -> None:
        """Try again after a pause; park the row after too many failures."""
        failures = endpoint.failures + 1
        if failures >= conf.PUSH_ATTEMPTS:
            self.park(endpoint, receipt.status, receipt.problem)
            return
        seconds = pause(
            failures,
            receipt.retry_after,
            first=conf.PUSH_RETRY_SECONDS,
            most=conf.PUSH_RETRY_MOST,
        )
        self._one(endpoint).update(
            due_at=timezone.now() + datetime.timedelta(seconds=seconds),
            failures=failures,
            problem=_column_text(receipt.problem),
            claim=None,
            claimed_until=None,
        )

    def park(self, endpoint: Endpoint, status: int | None, problem: str) -> None:
        """Send no more, until staff act in the admin."""
        log.warning("parked", extra=_fields(endpoint, status=status, problem=problem))
        self._one(endpoint).update(
            parked_at=timezone.now(),
            failures=F("failures") + 1,
            problem=_column_text(problem),
            claim=None,
            claimed_until=None,
        )

    def _one(self, endpoint: Endpoint) -> QuerySet[Endpoint]:
        return Endpoint.objects.filter(id=endpoint.id, claim=self.id)

    def _locked(self, some: Iterable[Endpoint]) -> _Locked:
        return _Locked(self.id, sorted(endpoint.id for endpoint in some))


class _Locked:
    """Rows of a claim, locked by rising id as the dispatcher locks them, in a transaction."""

    def __init__(self, claim: uuid.UUID, ids: Sequence[int]) -> None:
        self._claim, self._ids = claim, ids
        self._transaction = atomic()

    def __enter__(self) -> QuerySet[Endpoint]:
        self._transaction.__enter__()
        rows = Endpoint.objects.filter(id__in=self._ids, claim=self._claim)
        list(rows.order_by("id").select_for_update().values_list("id", flat=True))
        return rows

    def __exit__(self, *raised: object) -> None:
        self._transaction.__exit__(*raised)  # type: ignore[arg-type]  # Django's own are untyped here


def _column_text(problem: str) -> str:
    """A problem as the column can hold it."""
    return printable(problem)[:PROBLEM_LENGTH]
