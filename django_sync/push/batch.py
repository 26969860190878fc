"""The rows of one claim: sent, and settled by what came of it."""

from __future__ import annotations

import datetime
import logging
import time
import uuid
from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from django.db.models import Case, F, QuerySet, TextField, Value, When
from django.utils import timezone

from ..conf import conf
from ..errors import printable
from ..models import Endpoint
from ..models.database import atomic
from ..models.push import PROBLEM_LENGTH
from .attempts import Attempt, Done, log_done, sent, told
from .backoff import pause
from .sender import Outcome, Receipt

__all__ = ["Batch"]

log = logging.getLogger("django_sync.push")


@dataclass(frozen=True, slots=True)
class Batch:
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
            log_done(one)
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
        log.warning("parked", extra=told(endpoint, status=status, problem=problem))
        self._one(endpoint).update(
            parked_at=timezone.now(),
            failures=F("failures") + 1,
            problem=shown(problem),
            claim=None,
            claimed_until=None,
        )

    def _one(self, endpoint: Endpoint) -> QuerySet[Endpoint]:
        return Endpoint.objects.filter(id=endpoint.id, claim=self.claim)

    def _locked(self, some: Iterable[Endpoint]) -> _Locked:
        return _Locked(self.claim, sorted(endpoint.id for endpoint in some))


class _Locked:
    """Rows of a claim, locked by rising id as the dispatcher locks them, within a transaction."""

    def __init__(self, claim: uuid.UUID, ids: Sequence[int]) -> None:
        self._claim, self._ids = claim, ids
        self._within = atomic()

    def __enter__(self) -> QuerySet[Endpoint]:
        self._within.__enter__()
        rows = Endpoint.objects.filter(id__in=self._ids, claim=self._claim)
        list(rows.order_by("id").select_for_update().values_list("id", flat=True))
        return rows

    def __exit__(self, *raised: object) -> None:
        self._within.__exit__(*raised)  # type: ignore[arg-type]  # Django's own are untyped here


def shown(problem: str) -> str:
    """As the column can hold it."""
    return printable(problem)[:PROBLEM_LENGTH]
