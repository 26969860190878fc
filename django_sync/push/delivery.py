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
import logging
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Case, F, QuerySet, TextField, Value, When
from django.utils import timezone

from ..conf import conf
from ..endpoints import sender_of
from ..errors import printable
from ..ids import new_id
from ..models import Endpoint
from ..push_models import PROBLEM_LENGTH
from .awake import awake_until
from .backoff import pause
from .dispatcher import waiting
from .sender import Outcome, Receipt, Sender, Wake

__all__ = ["attempt", "deliver"]

log = logging.getLogger("django_sync.push")

LAST_START = 1.5
"""An attempt begins so many time-outs before the lease's end, at the latest."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One wake-up on its way; ``seconds`` is what the attempt took."""

    endpoint: Endpoint
    sender: Sender
    wake: Wake


@dataclass(frozen=True, slots=True)
class Done:
    """An attempt and what came of it."""

    endpoint: Endpoint
    receipt: Receipt
    seconds: float


def deliver() -> int:
    """Claim a batch of what is due, and see to it; how many rows that were. 0: nothing is due."""
    began = time.monotonic()
    claim, claimed = _claimed()
    if not claimed:
        return 0
    batch = _Batch(claim, began + conf.PUSH_LEASE - LAST_START * conf.PUSH_TIMEOUT)
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
    every = Endpoint.objects.using(conf.DATABASE)
    with transaction.atomic(using=conf.DATABASE):
        if first.query.get_compiler(conf.DATABASE).connection.features.has_select_for_update:
            ids = list(first.select_for_update(skip_locked=True)[: conf.PUSH_BATCH])
            found = every.filter(id__in=ids).update(**taken)
        else:  # one statement, which SQLite lets nobody come between
            found = waiting(now).filter(id__in=first[: conf.PUSH_BATCH]).update(**taken)
    if not found:
        return claim, []
    rows = every.filter(claim=claim).select_related("session__user").order_by("due_at")
    return claim, list(rows)


def _sorted(batch: _Batch, claimed: Sequence[Endpoint]) -> Iterator[Attempt]:
    """Those that are to be sent; the others are settled at once."""
    now = timezone.now()
    window = datetime.timedelta(seconds=conf.PUSH_WINDOW)
    gone, heard = [], []
    for endpoint in claimed:
        session, sender = endpoint.session, sender_of(endpoint.kind)
        until = awake_until(session)
        if session.ended_at is not None or not session.user.is_active:
            gone.append(endpoint)
        elif sender is None:
            batch.park(endpoint, None, f"Nobody sends “{endpoint.kind}” any more.")
        elif until is None or until <= now:
            yield attempt(endpoint, sender)
        elif endpoint.asked_at is not None and session.seen_at > endpoint.asked_at + window:
            heard.append(endpoint)  # over its own transport, after all that is noted here
        else:
            batch.postpone(endpoint, until)
    batch.delete(gone)
    batch.finish(heard, sent=False)


def attempt(endpoint: Endpoint, sender: Sender) -> Attempt:
    """The wake-up that an endpoint is to get."""
    names = [name for name in endpoint.pending.split(",") if name]
    asked = endpoint.session.collections
    if asked is not None:
        names = [name for name in names if name in asked]
    return Attempt(endpoint, sender, Wake(endpoint.session.id, tuple(names)))


def sent(one: Attempt) -> Done:
    """Make an attempt. A fault of the sender's own is as if nobody had answered."""
    began = time.monotonic()
    try:
        receipt = one.sender.send(one.endpoint.target, one.wake)
    except Exception as error:
        log.exception("a sender failed", extra=_told(one.endpoint))
        receipt = Receipt(Outcome.RETRY, problem=f"{type(error).__name__} in the sender")
    return Done(one.endpoint, receipt, time.monotonic() - began)


@dataclass(frozen=True, slots=True)
class _Batch:
    """Rows that one claim holds; each statement asks whether it still does."""

    claim: uuid.UUID
    last_start: float

    def send(self, attempts: Sequence[Attempt]) -> None:
        """Make them, ``PUSH_THREADS`` at a time, and settle each group that has ended."""
        left = iter(attempts)
        with ThreadPoolExecutor(conf.PUSH_THREADS) as pool:
            running: set[Future[Done]] = set()
            while True:
                while len(running) < conf.PUSH_THREADS and time.monotonic() < self.last_start:
                    one = next(left, None)
                    if one is None:
                        break
                    running.add(pool.submit(sent, one))
                if not running:
                    break
                ended, running = wait(running, return_when=FIRST_COMPLETED)
                self.settle([future.result() for future in ended])
        self.release([one.endpoint for one in left])

    def settle(self, done: Sequence[Done]) -> None:
        """Note what came of attempts."""
        for one in done:
            _log(one)
        self.finish([d.endpoint for d in done if d.receipt.outcome is Outcome.SENT])
        self.delete([d.endpoint for d in done if d.receipt.outcome is Outcome.GONE])
        for one in done:
            if one.receipt.outcome is Outcome.RETRY:
                self.try_again(one.endpoint, one.receipt)
            elif one.receipt.outcome is Outcome.REFUSED:
                self.park(one.endpoint, one.receipt.status, one.receipt.problem)

    def finish(self, ended: Sequence[Endpoint], *, sent: bool = True) -> None:
        """Nothing is to be done any more, but where news was noted since the claim."""
        if not ended:
            return
        now = timezone.now()
        again = now + datetime.timedelta(seconds=conf.PUSH_WINDOW)
        more = When(asked__gt=F("taken"), then=Value(again))
        still = When(asked__gt=F("taken"), then=F("pending"))
        with self._locked(ended) as rows:
            rows.update(
                due_at=Case(more, default=None),
                pending=Case(still, default=Value(""), output_field=TextField()),
                claim=None,
                claimed_until=None,
                **({"sent_at": now, "failures": 0, "problem": ""} if sent else {}),
            )

    def delete(self, gone: Sequence[Endpoint]) -> None:
        if gone:
            with self._locked(gone) as rows:
                rows.delete()

    def release(self, untouched: Sequence[Endpoint]) -> None:
        """Give back what there was no time for."""
        if untouched:
            with self._locked(untouched) as rows:
                rows.update(claim=None, claimed_until=None)

    def postpone(self, endpoint: Endpoint, until: datetime.datetime) -> None:
        """Look again when the session would be idle: it may have died a moment ago."""
        self._one(endpoint).update(due_at=until, claim=None, claimed_until=None)

    def try_again(self, endpoint: Endpoint, receipt: Receipt) -> None:
        """After a pause; parked where it has failed too often."""
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
            problem=shown(receipt.problem),
            claim=None,
            claimed_until=None,
        )

    def park(self, endpoint: Endpoint, status: int | None, problem: str) -> None:
        """Leave it to the admin."""
        log.warning("parked", extra=_told(endpoint, status=status, problem=problem))
        self._one(endpoint).update(
            parked_at=timezone.now(),
            failures=F("failures") + 1,
            problem=shown(problem),
            claim=None,
            claimed_until=None,
        )

    def _one(self, endpoint: Endpoint) -> QuerySet[Endpoint]:
        return Endpoint.objects.using(conf.DATABASE).filter(id=endpoint.id, claim=self.claim)

    def _locked(self, some: Iterable[Endpoint]) -> _Locked:
        return _Locked(self.claim, sorted(endpoint.id for endpoint in some))


class _Locked:
    """Rows of a claim, locked by rising id as the dispatcher locks them, within a transaction."""

    def __init__(self, claim: uuid.UUID, ids: Sequence[int]) -> None:
        self._claim, self._ids = claim, ids
        self._within = transaction.atomic(using=conf.DATABASE)

    def __enter__(self) -> QuerySet[Endpoint]:
        self._within.__enter__()
        rows = Endpoint.objects.using(conf.DATABASE).filter(id__in=self._ids, claim=self._claim)
        list(rows.order_by("id").select_for_update().values_list("id", flat=True))
        return rows

    def __exit__(self, *raised: object) -> None:
        self._within.__exit__(*raised)  # type: ignore[arg-type]  # Django's own are untyped here


def shown(problem: str) -> str:
    """As the column can hold it."""
    return printable(problem)[:PROBLEM_LENGTH]


def _told(endpoint: Endpoint, **more: object) -> dict[str, object]:
    """What each line of the log says of an endpoint: no target, for that is a secret."""
    return {
        "endpoint": endpoint.id,
        "session": str(endpoint.session.id),
        "kind": endpoint.kind,
        "host": endpoint.host,
        **more,
    }


def _log(done: Done) -> None:
    receipt = done.receipt
    level = logging.INFO if receipt.outcome is Outcome.SENT else logging.WARNING
    log.log(
        level,
        receipt.outcome.value,
        extra=_told(
            done.endpoint,
            outcome=receipt.outcome.value,
            status=receipt.status,
            problem=receipt.problem,
            attempt=done.endpoint.failures + 1,
            seconds=round(done.seconds, 3),
        ),
    )
