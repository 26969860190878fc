"""Prune: forget old changes, results, visibilities and sessions, and move the floor.

The floor is the oldest position that is still served. It moves first, in a transaction
of its own; entries below it are deleted afterwards, batch by batch, so a prune can be stopped
at any moment and the next one continues. A reader sees floor and log in one snapshot, and
so never a gap.

These are kept: the entry at the floor, because cursors point to it; the last entry, because
positions continue from it; tombstones, because no revision may be used twice (C6); a client's
highest forgotten ``seq``, because no mutation may take effect twice (W5).

Cron, Celery beat or ``sync_prune`` call ``prune()``.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from django.db import models
from django.db.models import F, Max, OuterRef, Q, Subquery
from django.db.models.functions import Greatest
from django.utils import timezone

from ..conf import conf
from ..feed import holds, sequencer
from ..models import (
    Change,
    Client,
    Decision,
    Feed,
    Hold,
    MutationResult,
    ScopeSet,
    SyncSession,
)
from ..models.database import atomic
from ..sessions import state

__all__ = ["RESULT_DAYS_LEAST", "Pruned", "prune"]

RESULT_DAYS_LEAST = 30
"""What the protocol promises of results (section 7)."""

Progress = Callable[[str, int], None]


@dataclass(slots=True)
class Pruned:
    """What a prune did, or would do: the floor before and after, and deleted rows.

    ``held`` is the position of a client that kept the floor from going further.
    """

    floor_before: int = 0
    floor: int = 0
    held: int | None = None
    changes: int = 0
    results: int = 0
    visibilities: int = 0
    """``views`` in JSON."""
    holds: int = 0
    decisions: int = 0
    sessions: int = 0
    dry_run: bool = False

    def to_json(self) -> dict[str, Any]:
        """The members that ``sync_prune --json`` prints."""
        names = {"visibilities": "views"}
        return {names.get(name, name): value for name, value in asdict(self).items()}


def prune(
    *,
    days: int | None = None,
    keep: int | None = None,
    batch: int | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Pruned:
    """Forget what is older than the settings keep, and return what was deleted.

    ``days``, ``keep`` and ``batch`` replace ``KEEP_DAYS``, ``KEEP_CHANGES`` and
    ``PRUNE_BATCH``; ``progress`` is called after each batch with what and how many so far.
    May run beside writers, pulls and other prunes. With ``dry_run`` nothing is written.
    """
    days = conf.KEEP_DAYS if days is None else days
    keep = conf.KEEP_CHANGES if keep is None else keep
    if days < 0 or keep < 0 or (batch is not None and batch < 1):
        raise ValueError("days and keep are 0 or more, batch is 1 or more")
    if not dry_run:
        sequencer.sequence()
    report, due = _floor(days, keep), _due(days)
    if dry_run:
        below = Change.objects.filter(position__lt=report.floor)
        report.dry_run, report.changes = True, below.count()
        counts = (rows.count() for rows in due)
        report.results, report.visibilities, report.holds, report.decisions, report.sessions = (
            counts
        )
        return report
    behind = Feed.objects.filter(id=1, floor__lt=report.floor)
    behind.update(floor=report.floor)
    work = _Work(batch or conf.PRUNE_BATCH, progress or _silent)
    report.changes = work.delete_changes(report.floor)
    report.results = work.delete_results(due.results)
    report.visibilities = work.delete("visibilities", due.visibilities)
    report.holds = work.delete("holds", due.holds)
    report.decisions = work.delete("decisions", due.decisions)
    # Sessions that are woken by push may sleep for any time.
    silent = SyncSession.objects.filter(state.expired(timezone.now()))
    expired = silent.filter(endpoint__isnull=True)
    expired.update(
        ended_at=timezone.now(), ending=SyncSession.Ending.EXPIRED, ticket=None, ticket_until=None
    )
    report.sessions = work.delete("sessions", due.sessions)
    return report


class _Due(NamedTuple):
    """Rows to delete besides changes."""

    results: models.QuerySet[MutationResult]
    visibilities: models.QuerySet[ScopeSet]
    holds: models.QuerySet[Hold]
    decisions: models.QuerySet[Decision]
    sessions: models.QuerySet[SyncSession]


def _due(days: int) -> _Due:
    """Rows that are older than they are kept.

    A visibility that was noted yesterday may still be in use, whatever ``days`` is.
    """
    now, day = timezone.now(), datetime.timedelta(days=1)
    asked = max(conf.RESULT_DAYS, RESULT_DAYS_LEAST)
    left = now - datetime.timedelta(hours=conf.HOLD_HOURS)
    return _Due(
        MutationResult.objects.filter(at__lt=now - asked * day),
        ScopeSet.objects.filter(used_on__lt=now.date() - max(days, 1) * day),
        Hold.objects.filter(at__lt=left),
        Decision.objects.filter(at__lt=now - conf.DECISION_DAYS * day),
        SyncSession.objects.filter(seen_at__lt=now - conf.SESSION_DAYS * day),
    )


def _silent(what: str, count: int) -> None:
    pass


def _floor(days: int, keep: int) -> Pruned:
    """The floor now, and where it should be: at an entry, or unchanged."""
    found = Feed.objects.filter(id=1).values_list("floor", flat=True).first()
    before = found or 0
    log = Change.objects.filter(position__gte=before)
    wanted = max(before, _by_age(log, days), _by_number(log, keep))
    lowest = holds.lowest(before)
    if lowest is not None and lowest < wanted:
        return Pruned(floor_before=before, floor=lowest, held=lowest)
    return Pruned(floor_before=before, floor=wanted)


def _by_age(log: models.QuerySet[Change], days: int) -> int:
    """The last entry before the first young one; cursors of its time point to it."""
    since = timezone.now() - datetime.timedelta(days=days)
    places = log.values_list("position", flat=True)
    young = places.filter(at__gte=since).order_by("position").first()
    old = places if young is None else places.filter(position__lt=young)
    return old.order_by("-position").first() or 0


def _by_number(log: models.QuerySet[Change], keep: int) -> int:
    """The entry that has ``keep - 1`` after it."""
    if not keep:
        return 0
    newest = log.order_by("-position").values_list("position", flat=True)
    return next(iter(newest[keep - 1 : keep]), 0)


@dataclass(slots=True)
class _Work:
    """Deletes in batches, each a transaction of its own, and reports the progress."""

    size: int
    progress: Progress

    def delete_changes(self, floor: int) -> int:
        """The entries below the floor; never the last one of the log."""
        log = Change.objects.all()
        last = log.aggregate(last=Max("position"))["last"] or 0
        gone, passed = 0, -1
        while True:
            below = log.filter(position__gt=passed, position__lt=min(floor, last))
            batch = below.order_by("position").values("position")[: self.size]
            upto = batch.aggregate(upto=Max("position"))["upto"]
            if upto is None:
                return gone
            gone += self._gone(below.filter(position__lte=upto))
            passed = upto
            self.progress("changes", gone)

    def delete_results(self, old: models.QuerySet[MutationResult]) -> int:
        """Results; for each client, record which ``seq`` is forgotten.

        Ids rise with time, so the walk ends at the first batch without an old one.
        """
        every, gone, passed = MutationResult.objects.all(), 0, -1
        while True:
            batch = every.filter(id__gt=passed).order_by("id").values("id")[: self.size]
            upto = batch.aggregate(upto=Max("id"))["upto"]
            within = old.filter(id__gt=passed, id__lte=upto or 0)
            with atomic():
                _note_forgotten(within)
                step = self._gone(within)
            if not step:
                return gone
            gone, passed = gone + step, upto or 0
            self.progress("results", gone)

    def delete(self, what: str, rows: models.QuerySet[Any]) -> int:
        """Rows that nothing refers to. The condition is checked again for each deleted row."""
        gone = 0
        while step := self._gone(rows.filter(pk__in=rows.order_by("pk").values("pk")[: self.size])):
            gone += step
            self.progress(what, gone)
        return gone

    def _gone(self, rows: models.QuerySet[Any]) -> int:
        return rows.delete()[0]


def _note_forgotten(results: models.QuerySet[MutationResult]) -> None:
    """Raise each client's ``forgotten_seq`` to the highest of the deleted results (W5)."""
    seqs = results.filter(client=OuterRef("pk")).order_by().values("client")
    highest = Subquery(seqs.annotate(highest=Max("seq")).values("highest"))
    clients = Client.objects.all()
    theirs = Q(pk__in=results.filter(client__isnull=False).values("client"))
    clients.filter(theirs).update(forgotten_seq=Greatest(F("forgotten_seq"), highest))
