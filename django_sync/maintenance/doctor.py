"""Looks for problems in capture, rows, outbox and log, and repairs what it can.

Each check returns its findings as values; only ``mend`` writes. If writes may have been missed,
``mend`` raises the model's generation; if positions cannot be trusted, it begins a new epoch. Then
clients fetch everything again, and nothing is lost.
"""

from __future__ import annotations

import datetime
import logging
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import Count, Max, Min
from django.utils import timezone

from .. import capture
from ..conf import conf
from ..feed import log as feed_log
from ..feed import sequencer
from ..models import Change, Feed, Outbox, Tombstone
from ..models.database import atomic, connection
from ..protocol.ids import new_id

__all__ = ["Finding", "examine", "mend"]

log = logging.getLogger("django_sync.doctor")

EXAMPLES = 3
NEWEST = 100_000
"""So many of the newest positions are checked for gaps."""
STUCK_MINUTES = 15

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem. One that is not ``serious`` is only worth knowing.

    ``mends`` says what ``mend`` does about it; it is empty if only a person can.
    """

    kind: str
    label: str
    count: int
    detail: str
    mends: str = ""
    examples: tuple[str, ...] = ()
    serious: bool = True

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def examine(
    *, minutes: int = STUCK_MINUTES, batch: int | None = None, progress: Progress | None = None
) -> list[Finding]:
    """All findings; an empty list if there are no problems. Writes nothing.

    An entry that has waited in the outbox for more than ``minutes`` is stuck. Rows are
    read in batches; ``progress`` is called with what is checked next.
    """
    report = progress or log.debug
    found: list[Finding] = []
    report("triggers and indexes")
    found += _capture()
    for model in capture.installed_models(conf.DATABASE):
        report(model._meta.label_lower)
        found += _rows(model, batch)
    report("feed")
    found += [*_feed(), *_outbox(minutes), *_orphans()]
    return found


# Capture

_CAPTURE = {
    "missing": "a trigger is missing, so writes may have been missed",
    "altered": "a trigger was altered, so writes may have been missed",
    "stray": "a trigger exists that no model needs",
    "index": "the index over scope and id is missing",
    "unadopted": "rows have no id",
}
_PUTS_BACK = "installs the triggers again and sends the collection again"
_MENDS = {"stray": "removes it", "index": "makes it", "unadopted": "gives them one"}


def _capture() -> Iterator[Finding]:
    by: dict[tuple[str, str], list[str]] = {}
    for problem in capture.verify(conf.DATABASE):
        if problem.kind != "unadopted":
            by.setdefault((problem.kind, problem.label), []).append(
                f"{problem.name} ({problem.detail})"
            )
    for (kind, label), names in sorted(by.items()):
        examples, mends = tuple(names[:EXAMPLES]), _MENDS.get(kind, _PUTS_BACK)
        yield Finding(kind, label, len(names), _CAPTURE[kind], mends, examples)


# Rows


def _rows(model: Any, batch: int | None) -> Iterator[Finding]:
    label, using = model._meta.label_lower, conf.DATABASE
    if capture.spec_for(model).own_id:
        strangers = model._base_manager.using(using).filter(sync_id__isnull=True)
        if count := strangers.count():
            yield Finding("unadopted", label, count, _CAPTURE["unadopted"], _MENDS["unadopted"])
    count = 0
    examples: list[str] = []
    for strays in capture.wrong_scopes(model, using, batch):
        count += len(strays)
        examples += [
            f"{_id(one.id)} is in “{one.scope}” and belongs in “{one.right}”"
            for one in strays[: EXAMPLES - len(examples)]
        ]
    if count:
        mends = "computes them and sends the collection again"
        yield Finding("scope", label, count, "rows are in a wrong scope", mends, tuple(examples))
    mends = "raises them, with the table locked, and sends the collection again"
    for kind, ids, detail in (
        ("revision", capture.low_revisions(model, using), "revisions are below 1"),
        (
            "tombstone",
            capture.outlived(model, using),
            "existing objects have a revision that is not above their tombstone's",
        ),
    ):
        if ids:
            yield Finding(kind, label, len(ids), detail, mends, _some(ids))


def _id(id: Any) -> str:
    return str(uuid.UUID(str(id)))


def _some(ids: Iterable[Any]) -> tuple[str, ...]:
    return tuple(_id(id) for id in list(ids)[:EXAMPLES])


# Feed


def _feed() -> Iterator[Finding]:
    state = Feed.objects.filter(id=1).first()
    if state is None:
        yield Finding("feed", "", 1, "the feed has no state", "makes it, with a new epoch")
        return
    log_ = Change.objects.all()
    last = log_.aggregate(last=Max("position"))["last"] or 0
    repair = "corrects it and begins a new epoch: clients start with a snapshot"
    if connection().vendor != "sqlite":
        if state.head < last:
            detail = f"the head is at {state.head}, the last entry at {last}"
            yield Finding("head", "", last - state.head, detail, "moves the head there")
        elif state.head > last:
            detail = f"the head is at {state.head}, and the last entry is {last}: entries are lost"
            yield Finding("lost", "", state.head - last, detail, repair)
        newest = log_.filter(position__gt=last - NEWEST, position__gte=state.floor)
        span = newest.aggregate(low=Min("position"), high=Max("position"), number=Count("*"))
        missing = (span["high"] or 0) - (span["low"] or 1) + 1 - span["number"]
        if missing:
            detail = "positions are missing among the newest: entries are lost"
            yield Finding("lost", "", missing, detail, repair)
    if state.floor > last:
        detail = f"the floor is at {state.floor}, above the last entry, {last}"
        yield Finding("lost", "", state.floor - last, detail, repair)
    elif below := log_.filter(position__lt=state.floor).count():
        detail = "entries below the floor are still there: a prune was stopped early"
        yield Finding("leftover", "", below, detail, "", serious=False)


def _outbox(minutes: int) -> Iterator[Finding]:
    """Changes that wait for too long; ``id`` has an index, and ids rise with time."""
    since = timezone.now() - datetime.timedelta(minutes=minutes)
    oldest = Outbox.objects.order_by("id")[:1000]
    stuck = sum(entry.at < since for entry in oldest)
    if stuck:
        detail = f"the oldest changes have waited for more than {minutes} minutes for a position"
        yield Finding("outbox", "", stuck, detail, "gives them one")


def _orphans() -> Iterator[Finding]:
    """Traces of models that are not synced any more. They do no harm; models may come back."""
    known = {model._meta.label_lower for model in capture.synced_models()}
    for table, what in ((Change, "changes"), (Outbox, "changes"), (Tombstone, "tombstones")):
        labels = table.objects.exclude(model__in=known).order_by()
        for label, count in labels.values_list("model").annotate(n=Count("*")).order_by("model"):
            detail = f"{what} of a model that is not synced any more"
            yield Finding("orphan", label, count, detail, serious=False)


# Mending


def mend(findings: Iterable[Finding]) -> None:
    """Repair each finding as its ``mends`` says; examine again to see what is left."""
    kinds: dict[str, set[str]] = {}
    for finding in findings:
        if finding.mends:
            kinds.setdefault(finding.kind, set()).add(finding.label)
    if kinds.keys() & {"missing", "altered", "stray", "unadopted", "index"}:
        capture.after_migrate(conf.DATABASE)
        for label in kinds.get("missing", set()) | kinds.get("altered", set()):
            capture.move_generation(label, conf.DATABASE)
    for model in capture.installed_models(conf.DATABASE):
        label = model._meta.label_lower
        if label in kinds.get("scope", ()):
            capture.adopt(model, conf.DATABASE)
        if label in kinds.get("revision", set()) | kinds.get("tombstone", set()):
            capture.raise_revisions(model, conf.DATABASE)
    if "feed" in kinds:
        feed_log.state()
    if kinds.keys() & {"head", "lost"}:
        _correct_feed(new_epoch="lost" in kinds)
    if "outbox" in kinds:
        sequencer.sequence()


def _correct_feed(*, new_epoch: bool) -> None:
    """Set head and floor by the log; ``new_epoch`` if cursors may point to lost entries."""
    with atomic():
        state = Feed.objects.select_for_update().get(id=1)
        log_ = Change.objects.all()
        span = log_.aggregate(low=Min("position"), high=Max("position"))
        if connection().vendor != "sqlite":
            state.head = span["high"] or 0
        if state.floor > (span["high"] or 0):
            state.floor = span["low"] or 0
        if new_epoch:
            state.epoch = new_id()
        state.save(using=conf.DATABASE)
