"""A backup is restored, or a copy that lagged takes over, under clients that have gone on (F4).

Real clients over a real wire. What the server has lost, they have seen; what they have not sent,
they keep. It must be noticed at once, by whichever call comes first, also where later writes have
passed the old positions by then; and nobody brings back what the server has deleted.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest

from django_sync import errors
from django_sync.client import Change as Told
from django_sync.client import SyncClient, TokenAuth
from django_sync.feed import log as feed_log
from django_sync.feed import sequencer
from django_sync.models import MutationResult
from example_project.boards.models import Board, Card
from tests import processes as p
from tests.copies import AT_REST, KINDS, QUICK, Backup
from tests.replica import Replica, truth

from .phone import Phone
from .test_kill import COLLECTIONS, held, wired

__all__ = ["wired"]


class Wire(httpx2.HTTPTransport):
    """Keeps what the server answered: path and status."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[tuple[str, int]] = []

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        response = super().handle_request(request)
        self.answers.append((request.url.path, response.status_code))
        return response


@dataclass
class Guest:
    """Somebody's client, and what it was answered and told."""

    user: Any
    client: SyncClient
    wire: Wire
    told: list[Told] = field(default_factory=list)

    def sync(self) -> list[tuple[str, int]]:
        """One exchange; the answers that were no success."""
        self.wire.answers.clear()
        self.client.sync()
        return [answer for answer in self.wire.answers if answer[1] != 200]

    def update(self, card: Card, **fields: Any) -> None:
        self.client.collection("cards").update(str(card.sync_id), fields)

    def sees(self, card: Card) -> Any:
        return self.client.collection("cards").get(str(card.sync_id))

    def check(self) -> None:
        """It holds what its user may see now."""
        assert held(self.client) == truth(self.user)
        shown = {record.id: record["title"] for record in self.client.collection("cards").all()}
        boards = Board.objects.visible_to(self.user)
        cards = Card.objects.filter(board__in=boards)
        assert shown == {str(card.sync_id): card.title for card in cards}


@pytest.fixture
def guests(wired: Any, processes: p.Processes, tmp_path: Path) -> Iterator[SimpleNamespace]:
    """Ada and Grace, with a snapshot each of what the server serves."""
    found = {}
    for name in ("ada", "grace"):
        wire = Wire()
        client = SyncClient(
            processes.url,
            store=tmp_path / f"{name}.sqlite3",
            auth=TokenAuth(f"demo-{name}"),
            collections=COLLECTIONS,
            transport=wire,
            timeout=p.DEADLINE,
        )
        found[name] = Guest(getattr(wired, name), client, wire)
        client.on_change("cards")(found[name].told.append)
    yield SimpleNamespace(**found)
    for guest in found.values():
        guest.client.close()


class House:
    """The server, and a backup of its database."""

    def __init__(self, processes: p.Processes, backup: Backup) -> None:
        self.processes, self.backup, self.server = processes, backup, processes.server()

    def take(self) -> None:
        """Make the backup; under those kinds that need it, the server is down meanwhile."""
        if self.backup.kind in AT_REST:
            self.server.kill()
        self.backup.take()
        if self.backup.kind in AT_REST:
            self.server = self.processes.server()

    def restart(self, *stop: Any) -> p.Process:
        self.server.kill()
        self.server = self.processes.server(*stop)
        return self.server

    def restore(self) -> None:
        self.server.kill()
        self.backup.restore()
        self.server = self.processes.server()


@pytest.fixture
def house(kind: str, processes: p.Processes, tmp_path: Path) -> Iterator[House]:
    """Of the kind of backup that the test is given."""
    backup = Backup(kind, tmp_path)
    yield House(processes, backup)
    backup.close()


def make_cards(people: SimpleNamespace, *titles: str) -> SimpleNamespace:
    return SimpleNamespace(
        **{title: Card.objects.create(board=people.launch, title=title) for title in titles}
    )


def epoch() -> str:
    return feed_log.state()[0].epoch


def head() -> int:
    sequencer.sequence()
    return feed_log.state()[0].head


def retitle(card: Card, title: str) -> None:
    Card.objects.filter(sync_id=card.sync_id).update(title=title)


# What is lost, and what is kept


@dataclass
class Loss:
    """Cards that the backup has, what was done to them after it, and what Ada has not sent."""

    cards: SimpleNamespace
    late: Card
    epoch: str
    head: int


def lose(guests: SimpleNamespace, people: SimpleNamespace, house: House) -> Loss:
    """A history that goes on behind the backup, which both clients have seen to its end."""
    cards = make_cards(people, "edited", "described", "deleted", "sent", "plain", "going")
    for guest in (guests.ada, guests.grace):
        guest.sync()
    before = epoch()
    house.take()

    for card in (cards.edited, cards.described):
        retitle(card, "lost")
    Card.objects.filter(pk=cards.deleted.pk).delete()
    late = Card.objects.create(board=people.launch, title="late")
    guests.ada.update(cards.sent, title="sent and lost")
    for guest in (guests.ada, guests.grace):
        assert guest.sync() == []
        assert guest.sees(late)
        assert guest.sees(cards.deleted) is None
        assert guest.sees(cards.sent)["title"] == "sent and lost"
    return Loss(cards, late, before, head())


def type_offline(ada: Guest, people: SimpleNamespace, loss: Loss) -> None:
    new = ada.client.collection("cards").create(
        {"board": str(people.launch.sync_id), "title": "new"}
    )
    ada.client.collection("comments").create({"card": new.id, "text": "and said"})
    ada.update(loss.cards.edited, title="by Ada")
    ada.update(loss.cards.described, body="by Ada")
    ada.update(loss.cards.going, title="by Ada")
    ada.update(loss.late, title="by Ada")
    ada.client.collection("cards").delete(str(loss.cards.plain.sync_id))
    assert len(ada.client.outbox) == 7


def write_past(people: SimpleNamespace, loss: Loss) -> None:
    """The restored server goes on, until other entries stand where the lost ones stood."""
    Card.objects.filter(pk=loss.cards.going.pk).delete()
    while head() <= loss.head:
        retitle(people.launch.cards.get(title__startswith="A card"), f"A card at {head()}")


FOUR = [(later, first) for later in (False, True) for first in ("ada", "grace")]
WAYS = [
    pytest.param(*kind.values, later, first, marks=kind.marks)
    for kind in KINDS
    for later, first in (FOUR if kind in QUICK else FOUR[2:3])
]
"""A restore is slow in some kinds, and what comes after it is the same."""


@pytest.mark.parametrize(("kind", "later", "first"), WAYS)
def test_f4_g5_g6_a_restored_server_and_clients_that_have_gone_on(
    wired: Any, house: House, guests: Any, later: bool, first: str
) -> None:
    """Ada comes with mutations, Grace with a pull; whoever is first proves what has happened."""
    loss = lose(guests, wired, house)
    type_offline(guests.ada, wired, loss)
    house.restore()
    assert epoch() == loss.epoch, "the backup has it as it was"
    if later:
        write_past(wired, loss)
    assert (head() > loss.head) == later

    order = [guests.ada, guests.grace]
    if first == "grace":
        order.reverse()
    place = "/sync/mutations/" if first == "ada" else "/sync/changes/"
    assert order[0].sync() == [(place, 410)]
    moved = epoch()
    assert moved != loss.epoch
    assert [status for _, status in order[1].sync()] == [410]
    assert epoch() == moved, "once is enough"

    check_kept(guests.ada, wired, loss, later)
    for guest in order:
        assert guest.sync() == []
        guest.check()
        assert guest.sees(loss.cards.deleted)["title"] == "deleted", "the backup has it"
        assert guest.sees(loss.cards.sent)["title"] == "sent", "a result is final: not sent again"
        assert guest.sees(loss.late) is None
    assert not Card.objects.filter(sync_id=loss.late.sync_id).exists()
    assert Card.objects.filter(sync_id=loss.cards.going.sync_id).exists() != later


def check_kept(ada: Guest, people: SimpleNamespace, loss: Loss, later: bool) -> None:
    """Each thing that she had not sent took effect, or waits for her to see why not."""
    (new,) = people.launch.cards.filter(title="new")
    assert [comment.text for comment in new.comments.all()] == ["and said"]
    loss.cards.described.refresh_from_db()
    assert (loss.cards.described.title, loss.cards.described.body) == ("described", "by Ada")
    assert Card.objects.filter(pk=loss.cards.plain.pk).exists(), "she may have meant another"
    loss.cards.edited.refresh_from_db()
    assert loss.cards.edited.title == "edited", "what she changed was another title"
    told = {
        str(loss.cards.edited.sync_id): "unknown_base",
        str(loss.cards.plain.sync_id): "unknown_base",
        str(loss.late.sync_id): "rejected",
        **({str(loss.cards.going.sync_id): "update_delete"} if later else {}),
    }
    found = {conflict.id: conflict.kind for conflict in ada.client.conflicts}
    found |= {one.mutation.object_id: "rejected" for one in ada.client.rejections}
    assert found == told
    for conflict in ada.client.conflicts:
        conflict.settle(conflict.keep_server())


# Results and what was under way


@pytest.mark.parametrize("kind", QUICK)
def test_f4_what_was_applied_and_lost_is_taken_back_before_the_users_eyes(
    wired: Any, house: House, guests: Any
) -> None:
    """Its result was final, and the client keeps it no longer; but its user is told."""
    ada, loss = guests.ada, lose(guests, wired, house)
    assert ada.client.outbox == []
    house.restore()
    ada.told.clear()
    assert ada.sync() == [("/sync/changes/", 410)]
    (change,) = [c for c in ada.told if c.id == str(loss.cards.sent.sync_id)]
    assert (change.before["title"], change.record["title"]) == ("sent and lost", "sent")
    assert change.origin == "remote"
    assert not MutationResult.objects.exists()
    ada.check()


@pytest.mark.parametrize("kind", QUICK)
def test_f4_g4_what_was_under_way_is_carried_out_in_the_history_that_stays(
    wired: Any, house: House, guests: Any
) -> None:
    """It was committed, the answer and the commit were lost; the client sends it again."""
    ada, card = guests.ada, make_cards(wired, "card").card
    ada.sync()
    house.take()
    server = house.restart("committed")
    ada.update(card, title="under way")
    with ThreadPoolExecutor(1) as beside:
        first = beside.submit(ada.client.sync)
        server.reaches("committed")
        assert Card.objects.get(pk=card.pk).title == "under way"
        server.kill()
        with pytest.raises(errors.Offline):
            first.result()
    assert [mutation.state for mutation in ada.client.outbox] == ["sent"]
    house.restore()
    assert Card.objects.get(pk=card.pk).title == "card"
    ada.sync()
    assert ada.client.outbox == []
    stored = Card.objects.get(pk=card.pk)
    assert (stored.title, stored.sync_revision) == ("under way", 2)
    assert MutationResult.objects.get().status == "applied"
    ada.check()


# What must not happen, and twice at once


@pytest.mark.parametrize("kind", KINDS)
def test_f4_a_backup_of_just_now_disturbs_nobody(wired: Any, house: House, guests: Any) -> None:
    card = make_cards(wired, "card").card
    for guest in (guests.ada, guests.grace):
        guest.sync()
    before = epoch()
    house.take()
    house.restore()
    guests.ada.update(card, body="sent afterwards")
    retitle(card, "written afterwards")
    for guest in (guests.ada, guests.grace):
        assert guest.sync() == []
        assert guest.sees(card)["title"] == "written afterwards"
    guests.ada.check()
    assert epoch() == before


@pytest.mark.parametrize("kind", QUICK)
def test_f4_g5_a_backup_from_before_another_restore_has_an_epoch_that_was_there_before(
    wired: Any, house: House
) -> None:
    """Revisions of that epoch come twice then; a cursor of the later one tells, and it moves on."""
    phone, ada = Phone(wired.ada), Replica(wired.ada)
    card = make_cards(wired, "card").card
    ada.pull()
    first = epoch()
    house.take()
    retitle(card, "lost")
    ada.pull()
    unsent = phone.update(card, base=2, title="on what was lost") | {"epoch": first}
    feed_log.diverged(first)
    ada.pull()
    assert ada.epoch != first
    house.restore()
    retitle(card, "written since")
    assert Card.objects.get(pk=card.pk).sync_revision == 2
    assert epoch() == first

    with pytest.raises(errors.CursorExpired):
        ada.page()
    assert epoch() not in {first, ada.epoch}
    (result,) = phone.send(unsent)
    assert (result.status, result.conflict.kind) == ("conflict", "unknown_base")
    assert Card.objects.get(pk=card.pk).title == "written since"
    moved = epoch()
    ada.pull()
    assert epoch() == moved
    assert ada.held() == truth(wired.ada)


def prove(user: str, cursor: str) -> str:
    """A pull that stops where it has seen that history is another one."""
    from django.contrib.auth.models import User

    replica = Replica(User.objects.get(username=user))
    replica.cursor = cursor
    try:
        replica.page()
    except errors.CursorExpired:
        return epoch()
    raise AssertionError("it was served")


@pytest.mark.parametrize("kind", QUICK)
def test_f4_two_processes_that_notice_at_once_move_the_epoch_once(
    wired: Any, processes: p.Processes, house: House
) -> None:
    replicas = [Replica(wired.ada), Replica(wired.grace)]
    house.take()
    make_cards(wired, "lost")
    for replica in replicas:
        replica.pull()
    house.restore()
    before = epoch()
    workers = [processes.worker("diverged"), processes.worker("diverged")]
    for worker, replica in zip(workers, replicas, strict=True):
        worker.start(prove, replica.user.username, replica.cursor)
    for worker in workers:
        worker.reaches("diverged")
    assert epoch() == before
    found = []
    for worker in workers:
        worker.go()
        found.append(worker.result())
    assert found == [epoch(), epoch()]
    assert epoch() != before
    for replica in replicas:
        replica.pull()
        assert replica.held() == truth(replica.user)
