"""What has to hold of a torture, by what each remembers of it, and the figures that it gives."""

from __future__ import annotations

import bisect
import statistics
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django_sync.maintenance import doctor
from django_sync.models import Change
from tests.integration.test_kill import check_log

from .acts import ACTS, take_back
from .journal import Commit, Long, Reading, Written
from .readers import fields, truth
from .run import USERS, Story

Place = tuple[str, uuid.UUID, int]
"""A model's label, an id, a revision."""


def judge(story: Story) -> dict[str, Any]:
    """Assert all that has to hold; the figures."""
    places = check_complete(story)
    check_order(story, places)
    check_replicas(story)
    check_long(story)
    late = lateness(story)
    assert sum(map(bool, late)) * 100 <= len(late), "sequencing does not keep up"
    check_log()
    assert doctor.examine() == []
    return measure(story)


def check_variety(figures: dict[str, Any]) -> None:
    """A long one has tried everything, or it tries less than it says."""
    for name in ("rolled back", "savepoints rolled back", "deadlocks", "abandoned"):
        assert figures[name], f"no {name}"
    assert figures["acts"].keys() == {act.__name__ for act in ACTS if act is not take_back}


def all_of(story: Story) -> list[Commit]:
    assert story.long is not None
    return [*story.commits, story.long.commit]


# ── What has to hold ─────────────────────────────────────────────────────────────────────────────


def check_complete(story: Story) -> dict[Place, int]:
    """G1: the log has what writers committed, and nothing else, each once and in its scope."""
    written = list(story.first)
    for commit in all_of(story):
        written += commit.written
    rows = Change.objects.exclude(op="m").values_list(
        "model", "object_id", "revision", "scope", "position"
    )
    log: dict[Place, tuple[str | None, int]] = {}
    for label, id, revision, scope, position in rows:
        assert (label, id, revision) not in log, "a revision has two positions"
        log[label, id, revision] = scope, position
    known = {(one.label, one.id, one.revision): one for one in written}
    assert len(known) == len(written), "a revision was made twice"
    missed = known.keys() - log.keys()
    strange = {place for place in log.keys() - known.keys() if not _found_late(place, known)}
    assert not missed, f"committed, and not in the log: {sorted(missed)[:3]}"
    assert not strange, f"in the log, and committed by none of us: {_about(strange, written)}"
    wrong = [one for place, one in known.items() if log[place][0] != one.scope]
    assert not wrong, f"in a wrong scope: {wrong[:3]}"
    return {place: position for place, (_, position) in log.items()}


def _found_late(place: Place, known: Mapping[Place, Written]) -> bool:
    """Whether it was written under a card that was gone, and came again before the commit.

    The scope is found at the commit then, by one revision more that no writer sees.
    """
    label, id, revision = place
    before = known.get((label, id, revision - 1))
    return before is not None and before.scope is None


def _about(strange: Iterable[Place], written: Iterable[Written]) -> str:
    """One of them, with all that the log and the writers tell of its object."""
    place = min(strange)
    log = Change.objects.filter(object_id=place[1]).order_by("position")
    told = log.values_list("revision", "op", "columns", "scope", "position", "at")
    lines = [str(place), *map(str, told), *(str(one) for one in written if one.id == place[1])]
    return "\n".join(lines)


def check_order(story: Story, places: dict[Place, int]) -> None:
    """G2: what began after another commit had returned comes behind it."""
    spans = []
    for commit in all_of(story):
        positions = [places[one.label, one.id, one.revision] for one in commit.written]
        if positions:
            spans.append((commit.ended, commit.began, min(positions), max(positions)))
    spans.sort()
    ends, furthest, highest = [span[0] for span in spans], [0], 0
    for *_, last in spans:
        highest = max(highest, last)
        furthest.append(highest)
    for _, began, first, _ in spans:
        before = furthest[bisect.bisect_left(ends, began)]
        assert before < first, "a later transaction has an earlier position"


def check_replicas(story: Story) -> None:
    """G6: each that stayed to the end holds what its user may see, with its content."""
    truths = {user: truth(user) for user in USERS}
    assert {reading.user for reading in story.readings} == set(USERS)
    for reading in story.readings:
        expected = truths[reading.user]
        held = {
            key: (revision, scope, fields(key[0], content))
            for key, (revision, scope, content) in reading.held.items()
        }
        assert held.keys() == expected.keys(), f"{reading.user} holds other records"
        for key, state in held.items():
            assert state == expected[key], f"{reading.user} holds another state of {key}"


def check_long(story: Story) -> None:
    """What others committed while it was open was read before it closed; its own came after."""
    long = story.long
    assert long is not None
    own = {one.id: one.revision for one in long.commit.written}
    for reading in story.readings:
        for id, revision in own.items():
            for arrival in reading.arrivals.get(id, ()):
                assert arrival.revision < revision or arrival.at > long.closing
    there = [r for r in story.readings if r.user == "ada" and r.pulls[0].ended < long.commit.began]
    assert len(there) >= 3, "those who see all of it"
    read = 0
    for reading in there:
        last = [pull for pull in reading.pulls if pull.ended < long.closing][-1]
        beside = [c for c in story.commits if long.open < c.ended < last.began]
        read = max(read, len(beside))
        for _, arrived in arrivals_of(reading, beside):
            assert arrived is None or arrived <= last.ended, "it waited for the long one"
    assert read, "none was committed and read beside it"


def arrivals_of(
    reading: Reading, commits: Iterable[Commit]
) -> Iterator[tuple[Commit, float | None]]:
    """When each revision, or a later one, arrived; ``None``: it went with its scope."""
    for commit in commits:
        for one in commit.written:
            arrived = [a.at for a in reading.arrivals.get(one.id, ()) if a.revision >= one.revision]
            yield commit, min(arrived, default=None)


def lateness(story: Story) -> list[int]:
    """For each revision, how many whole pulls of each watchful reader began and missed it.

    A pull gives positions first, to all that is committed, so it misses nothing but where
    another is doing just that and is waited for in vain (``SEQUENCE_WAIT_MS``).
    """
    missed = []
    for reading in (r for r in story.readings if r.user == "ada"):
        begins = [pull.began for pull in reading.pulls]
        for commit in (c for c in story.commits if c.ended > begins[0]):
            due = bisect.bisect_left(begins, commit.ended)
            for one in commit.written:
                told = reading.arrivals.get(one.id, ())
                came = [a.pull for a in told if a.revision >= one.revision]
                if came:
                    missed.append(max(0, min(came) - due))
    return missed


# ── Figures ──────────────────────────────────────────────────────────────────────────────────────


def measure(story: Story) -> dict[str, Any]:
    counts: Counter[str] = Counter()
    for work in story.work:
        counts += work.counts
    for reading in story.readings:
        counts += reading.counts
    commits, long = story.commits, story.long
    assert long is not None
    return {
        "seed": story.plan.seed,
        "seconds": round(story.seconds, 1),
        "writers": story.plan.writers,
        "commits": len(commits),
        "commits a second": round(len(commits) / story.seconds, 1),
        "changes": Change.objects.count(),
        **{name: count for name, count in sorted(counts.items()) if not name.startswith("act ")},
        "acts": {name[4:]: n for name, n in sorted(counts.items()) if name.startswith("act ")},
        "readers": len(story.readings),
        "outbox, most": max(story.waiting),
        "outbox, when writers stopped": story.waiting[-1],
        "told by a later pull than the first": sum(1 for pulls in lateness(story) if pulls),
        "lag, ms": spread(lags(story)),
        "while the long one was open": beside(story, long, within=True),
        "while it was not": beside(story, long, within=False),
    }


def lags(story: Story) -> list[float]:
    """From each commit's return to the page of the reader that never pauses."""
    reading = max(story.readings, key=lambda r: len(r.pulls))
    return [
        max(0.0, arrived - commit.ended)
        for commit, arrived in arrivals_of(reading, story.commits)
        if arrived is not None
    ]


def beside(story: Story, long: Long, *, within: bool) -> dict[str, Any]:
    """How long writers and readers waited, beside the long transaction or without it."""

    def is_within(began: float, ended: float) -> bool:
        return (long.open < began and ended < long.closing) == within

    commits = [c for c in story.commits if is_within(c.began, c.ended)]
    span = long.closing - long.open
    pulls = [
        pull.ended - pull.began
        for reading in story.readings
        for pull in reading.pulls[1:]
        if is_within(*pull)
    ]
    return {
        "commits a second": round(len(commits) / (span if within else story.seconds - span), 1),
        "longest statement of a transaction, ms": spread([c.longest for c in commits]),
        "pull, ms": spread(pulls),
    }


def spread(seconds: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    found = {"p50": cuts[49], "p99": cuts[98], "max": max(seconds)}
    return {name: round(value * 1000, 1) for name, value in found.items()}
