"""A torture from its empty database to its figures: who takes part, when, and what is asked of it.

The process that runs it is a reader like the others, and looks at the outbox besides.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from django.contrib.auth.models import User

from django_sync.feed import sequencer
from django_sync.models import Outbox
from example_project.boards.models import Board, Card, Label, Membership
from tests import processes as p

from . import readers, writers
from .hand import Hand
from .journal import Commit, Long, Reading, Work, Written
from .readers import ALL, Tail

USERS = ("ada", "grace", "alan")


@dataclass(frozen=True)
class Plan:
    """How much of it. ``long`` is how long the long transaction stays open, in seconds."""

    seed: int
    seconds: float
    writers: int
    newcomers: int
    long: float


@dataclass
class Story:
    """All that was seen of one torture."""

    plan: Plan
    first: list[Written] = field(default_factory=list)
    work: list[Work] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    long: Long | None = None
    seconds: float = 0.0
    waiting: list[int] = field(default_factory=list)
    """Committed entries without a position, each time that somebody looked."""

    @property
    def commits(self) -> list[Commit]:
        """Those of the writers; the long one is not among them."""
        return [commit for work in self.work for commit in work.commits]


def make_world(story: Story) -> dict[str, frozenset[str] | None]:
    """Six boards, and which of them each sees: Ada all, the others a half each."""
    ada, *others = (User.objects.create(username=name) for name in USERS)
    boards = [Board.objects.create(name=f"Board {n}", owner=ada) for n in range(6)]
    halves = boards[:3], boards[3:]
    for user, half in zip(others, halves, strict=True):
        for board in half:
            Membership.objects.create(board=board, user=user, role="editor")
    for board in boards:
        Label.objects.bulk_create(Label(board=board, name=name) for name in ("urgent", "later"))
        Card.objects.bulk_create(Card(board=board, title=f"Card {n}") for n in range(8))
    Card.objects.bulk_create(Card(board=boards[0], title="kept", position=-1) for _ in range(2))
    hand = Hand("first", {})
    for model in (Board, Label, Card):
        hand.note(model._default_manager.all())
    story.first = hand.written
    return {
        "ada": None,
        "grace": frozenset(str(board.sync_id) for board in halves[0]),
        "alan": frozenset(str(board.sync_id) for board in halves[1]),
    }


def run(plan: Plan, processes: p.Processes) -> Story:
    """The torture itself; who fails in it fails it. ``verdict`` judges what it tells."""
    story = Story(plan)
    scopes = make_world(story)
    watcher = Tail("ada", 1000, ALL)
    watcher.read()
    reading = _start_readers(plan, processes, scopes)
    long = processes.worker()
    writing = processes.workers(plan.writers)
    began = time.monotonic()
    for number, writer in enumerate(writing):
        writer.start(writers.write, f"{plan.seed}.{number}")

    _watch(story, watcher, plan.seconds * 0.2)
    long.start(writers.hold, Board.objects.earliest("pk").pk)
    long.reaches("open")
    _watch(story, watcher, plan.long)
    watcher.read()
    assert not any(r.object.get("title") == "long" for r in watcher.records.values())
    long.go()
    story.long = long.result()
    watcher.read()
    for one in story.long.commit.written:
        assert watcher.reading.arrivals[one.id][-1].revision >= one.revision, "it came too late"
    _watch(story, watcher, began + plan.seconds - time.monotonic())

    for writer in writing:
        writer.go()
    story.work = [writer.result() for writer in writing]
    story.seconds = time.monotonic() - began
    story.waiting.append(Outbox.objects.count())
    for reader in reading:
        reader.go()
    for reader in reading:
        told = reader.result()
        story.readings += told if isinstance(told, list) else [told]
    story.readings.append(watcher.close())
    sequencer.sequence()
    return story


def _start_readers(
    plan: Plan, processes: p.Processes, scopes: dict[str, frozenset[str] | None]
) -> list[p.Process]:
    """The first pulls most often: what it sees is the measure of the lag."""
    following = [("ada", 1000, 0.02), ("ada", 50, 0.3), ("grace", 40, 0.3), ("alan", 7, 0.3)]
    started = []
    for user, limit, every in following:
        started.append(processes.worker())
        started[-1].start(readers.follow, user, limit, scopes[user], every)
    for number in range(plan.newcomers):
        started.append(processes.worker())
        started[-1].start(readers.come_and_go, f"{plan.seed}.new.{number}", scopes)
    for reader in started:
        reader.reaches("begun")
        reader.go()
    return started


def _watch(story: Story, watcher: Tail, seconds: float) -> None:
    """Read and look at the outbox, a few times a second, for so long."""
    end, never = time.monotonic() + seconds, threading.Event()
    while time.monotonic() < end:
        watcher.read()
        story.waiting.append(Outbox.objects.count())
        never.wait(0.2)
