"""Several processes on one database: orders of commit, sequencers, writers of one object.

A worker is a process. What it runs are the functions at the top, by plain ORM or through the
engine; the test decides who stops where, and who goes on first.
"""

from __future__ import annotations

import random
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, OperationalError, connection, transaction
from django.test import Client as Browser

from django_sync import engine
from django_sync.drf.caller import Caller
from django_sync.feed import sequencer
from django_sync.models import Change, MutationResult, Outbox
from django_sync.rest import get as get_record
from django_sync.writes import result_store
from example_project.boards.models import Board, Card, Comment, Label
from tests import processes as p
from tests.replica import Replica, truth

from .phone import Phone
from .test_kill import check_log, held, opened, wired

__all__ = ["wired"]

postgresql = pytest.mark.postgresql


# ── What workers run ─────────────────────────────────────────────────────────────────────────────


def retitle(card: int, title: str) -> None:
    Card.objects.filter(pk=card).update(title=title)


def move(card: int, board: int) -> None:
    found = Card.objects.get(pk=card)
    found.board_id = board
    found.save()


def comment_on(card: int, author: int) -> None:
    Comment.objects.create(card_id=card, author_id=author, text="beside")


def put_on(comment: int, card: int) -> None:
    found = Comment.objects.get(pk=comment)
    found.card_id = card
    found.save()


def newest_in_outbox() -> int:
    found: int = Outbox.objects.order_by("-id").values_list("id", flat=True)[0]
    return found


def backend() -> int:
    connection.ensure_connection()
    pid: int = connection.connection.info.backend_pid
    return pid


def send(user: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    caller = Caller.for_user(User.objects.get(username=user))
    return [result.to_json() for result in engine.mutate(caller, body)]


def patch(user: str, id: uuid.UUID, etag: str, **fields: Any) -> tuple[int, dict[str, Any]]:
    """A call of REST from within this process: its status and what it answers."""
    browser = Browser(headers={"Host": "localhost"}, raise_request_exception=False)
    browser.force_login(User.objects.get(username=user))
    answer = browser.patch(
        f"/sync/cards/{id}/",
        {"object": fields},
        content_type="application/json",
        headers={"If-Match": etag},
    )
    return answer.status_code, answer.json()


def pull_until_told(user: str, limit: int) -> tuple[Any, int]:
    """Pull without a pause until the test says so; what the replica holds, and how many pulls."""
    replica, count = Replica(User.objects.get(username=user), limit=limit), 0
    replica.pull()
    p.HERE.stop("begun")
    while not p.HERE.may_go.acquire(blocking=False):
        replica.pull()
        count += 1
    replica.pull()
    return replica.held(), count


def write_at_random(seed: int, count: int) -> int:
    """Transactions of all kinds, some of them undone; how many were committed."""
    chance, done = random.Random(seed), 0
    for n in range(count):
        try:
            with transaction.atomic():
                for _ in range(chance.choice([1, 1, 2, 4])):
                    write_once(chance, f"{seed}/{n}")
                if chance.random() < 0.15:
                    raise IntegrityError
            done += 1
        except (OperationalError, IntegrityError):
            pass  # Undone by us, or by the database: a deadlock, or a card that is gone by now.
    return done


def write_once(chance: random.Random, text: str) -> None:
    boards = list(Board.objects.values_list("pk", flat=True))
    cards = list(Card.objects.values_list("pk", flat=True))
    board, card = chance.choice(boards), chance.choice(cards)
    match chance.choice(["title", "title", "many", "move", "comment", "edit", "create", "delete"]):
        case "title":
            retitle(card, text)
        case "many":
            Card.objects.filter(board=board).update(body=text)
        case "move":
            Card.objects.filter(pk=card).update(board=board)
        case "comment":
            Comment.objects.create(card_id=card, author=User.objects.get(username="ada"), text=text)
        case "edit":
            Comment.objects.filter(card=card).update(text=text)
        case "create":
            Card.objects.create(board_id=board, title=text)
        case "delete" if len(cards) > 5:
            Card.objects.filter(pk=card).delete()


def break_the_commit() -> None:
    """From now on a batch fails as where a deferred constraint is broken at the commit."""

    def broken(self: Any) -> None:
        result_store.ResultStore.close = original  # type: ignore[method-assign]  # as it was
        raise IntegrityError

    original = result_store.ResultStore.close
    result_store.ResultStore.close = broken  # type: ignore[method-assign]  # a fault, put in


# ── What tests stand on ──────────────────────────────────────────────────────────────────────────


@pytest.fixture
def readers(boards: SimpleNamespace) -> list[Replica]:
    """Replicas of all three, with a snapshot each. They pull in the test's own process."""
    replicas = [Replica(user) for user in (boards.ada, boards.grace, boards.alan)]
    for replica in replicas:
        replica.pull()
    return replicas


@pytest.fixture
def card(boards: SimpleNamespace) -> Card:
    sequencer.sequence()
    found: Card = boards.launch.cards.get()
    return found


def batch(phone: Phone, *bodies: Any) -> dict[str, Any]:
    return {"client_id": str(phone.id), "mutations": list(bodies)}


def check_replicas(readers: list[Replica]) -> None:
    for replica in readers:
        replica.pull()
        assert replica.held() == truth(replica.user)


def title(replica: Replica, card: Card) -> str:
    found: str = replica.records["cards", card.sync_id].object["title"]
    return found


# ── Orders of commit ─────────────────────────────────────────────────────────────────────────────


@postgresql
def test_g1_transactions_that_commit_out_of_order(
    boards: Any, processes: p.Processes, readers: Any, card: Card
) -> None:
    """A cursor made of the order of writing would be past the first when it commits."""
    ada, other = readers[0], Card.objects.create(board=boards.launch, title="other")
    ada.pull()
    one, two = processes.workers(2)
    one.call(p.begin)
    one.call(retitle, card.pk, "first")
    first = one.call(newest_in_outbox)
    two.call(retitle, other.pk, "second")
    assert first < two.call(newest_in_outbox)
    before = ada.cursor
    ada.pull()
    assert title(ada, other) == "second"
    assert ada.cursor != before
    one.call(p.commit)
    ada.pull()
    assert title(ada, card) == "first"
    check_replicas(readers)
    check_log()


@postgresql
def test_g1_three_transactions_and_a_pull_in_each_order_of_their_commits(
    boards: Any, processes: p.Processes, readers: Any
) -> None:
    cards = [Card.objects.create(board=boards.launch, title="as it was") for _ in range(3)]
    workers = processes.workers(3)
    for n, order in enumerate([(2, 1, 0), (1, 2, 0), (2, 0, 1)]):
        for worker, card in zip(workers, cards, strict=True):
            worker.call(p.begin)
            worker.call(retitle, card.pk, f"round {n}")
        for at, index in enumerate(order):
            workers[index].call(p.commit)
            check_replicas(readers)
            told = [title(readers[0], card) == f"round {n}" for card in cards]
            assert [told[i] for i in order] == [place <= at for place in range(3)]
    check_log()


@postgresql
@pytest.mark.parametrize("end", ["commits", "is killed"])
def test_g1_an_open_transaction_holds_up_nobody(
    boards: Any, processes: p.Processes, readers: Any, card: Card, end: str
) -> None:
    others = [Card.objects.create(board=boards.launch, title="other") for _ in range(3)]
    one, two = processes.workers(2)
    one.call(p.begin)
    one.call(retitle, card.pk, "open")
    for n, other in enumerate(others):
        two.call(retitle, other.pk, str(n))
        for replica in readers[:2]:
            replica.pull()
            assert title(replica, other) == str(n)
    if end == "commits":
        one.call(p.commit)
    else:
        one.kill()
        p.until(lambda: p.backends() == 1, "the killed one's transaction is undone")
    check_replicas(readers)
    assert (title(readers[0], card) == "open") == (end == "commits")
    check_log()


def test_g1_a_pull_does_not_wait_for_a_writer(
    boards: Any, processes: p.Processes, readers: Any, card: Card
) -> None:
    """Not on SQLite either, where a writer holds the only lock there is."""
    one = processes.worker()
    one.call(p.begin)
    one.call(retitle, card.pk, "open")
    for replica in readers:
        assert replica.pull() == []
    one.call(p.commit)
    check_replicas(readers)
    assert title(readers[0], card) == "open"


# ── Sequencers ───────────────────────────────────────────────────────────────────────────────────


@postgresql
@pytest.mark.parametrize("end", ["goes on", "is killed"])
@pytest.mark.parametrize("point", ["locked", "moved"])
def test_g1_a_pull_in_the_middle_of_sequencing(
    boards: Any, processes: p.Processes, readers: Any, card: Card, point: str, end: str
) -> None:
    """It serves what is positioned, and the rest is in a later one; writers wait for nobody."""
    ada, grace = readers[:2]
    first, third = (Card.objects.create(board=boards.launch, title="as it was") for _ in range(2))
    retitle(first.pk, "positioned")
    grace.pull()  # This positions it; Ada has not heard of it.
    mover, writer = processes.worker(point), processes.worker()
    writer.call(retitle, card.pk, "in between")
    mover.start(sequencer.sequence)
    mover.reaches(point)
    writer.call(retitle, third.pk, "afterwards")

    page = ada.page()
    assert page.has_more, "what the rows show already has no position yet"
    assert title(ada, first) == "positioned"
    assert not ada.page().has_more, "there is nothing to come back for at once"
    assert title(ada, card) == "A card of Launch"
    assert mover.is_busy()
    if end == "goes on":
        mover.go()
        assert mover.result() in (1, 2)
    else:
        mover.kill()
    check_replicas(readers)
    assert (title(ada, card), title(ada, third)) == ("in between", "afterwards")
    check_log()


def sequence_and_write(
    boards: SimpleNamespace, processes: p.Processes, writers: int, rounds: int = 1
) -> None:
    count = 60
    Card.objects.bulk_create(Card(board=boards.research, title=str(n)) for n in range(10))
    pulling = {name: processes.worker() for name in ("ada", "grace", "alan")}
    writing = processes.workers(writers)
    for name, puller in pulling.items():
        puller.start(pull_until_told, name, 7)
    for puller in pulling.values():
        puller.reaches("begun")
        puller.go()
    for n in range(rounds):
        for seed, writer in enumerate(writing):
            writer.start(write_at_random, n * writers + seed, count)
        assert sum(writer.result() for writer in writing) > writers * count // 3
    for puller in pulling.values():
        puller.go()
    for name, puller in pulling.items():
        found, pulls = puller.result()
        assert found == truth(User.objects.get(username=name))
        assert pulls
    check_log()
    late = Replica(boards.ada)
    late.pull()
    assert late.held() == truth(boards.ada)


def test_g1_processes_that_sequence_while_others_write(boards: Any, processes: p.Processes) -> None:
    """Each revision once, positions without gaps, and the last of each object with everybody."""
    sequence_and_write(boards, processes, 3)


@pytest.mark.soak
def test_g1_processes_that_sequence_while_others_write_for_long(
    boards: Any, processes: p.Processes
) -> None:
    sequence_and_write(boards, processes, 5, rounds=10)


# ── Writers of one object (W1) ───────────────────────────────────────────────────────────────────


def pair(name: str, people: SimpleNamespace, card: Card) -> tuple[Any, Any, list[str]]:
    """Two batches, and the statuses where they come in this order.

    Ada's comes first, Grace's second, both on the revision that they know.
    """
    ada, grace = Phone(people.ada), Phone(people.grace)
    board, id = str(people.launch.sync_id), uuid.uuid4()
    match name:
        case "the same field":
            bodies = ada.update(card, title="Ada"), grace.update(card, title="Grace")
            told = ["applied", "conflict"]
        case "the same field alike":
            bodies = ada.update(card, title="Both"), grace.update(card, title="Both")
            told = ["applied", "applied"]
        case "two fields":
            bodies = ada.update(card, title="Ada"), grace.update(card, body="Grace")
            told = ["applied", "merged"]
        case "an update and a delete":
            bodies = ada.update(card, title="Ada"), grace.delete(card)
            told = ["applied", "conflict"]
        case "a delete and an update":
            bodies = ada.delete(card), grace.update(card, title="Grace")
            told = ["applied", "conflict"]
        case "two deletes":
            bodies = ada.delete(card), grace.delete(card)
            told = ["applied", "applied"]
        case "one id alike":
            bodies = (
                ada.create("cards", id, title="New", board=board),
                grace.create("cards", id, title="New", board=board),
            )
            told = ["applied", "applied"]
        case "one id":
            bodies = (
                ada.create("cards", id, title="Ada", board=board),
                grace.create("cards", id, title="Grace", board=board),
            )
            told = ["applied", "conflict"]
        case "one unique name":
            bodies = (
                ada.create("labels", name="soon", board=board),
                grace.create("labels", name="soon", board=board),
            )
            told = ["applied", "rejected"]
        case "a card and its board's end":
            bodies = (
                ada.delete(people.launch),
                grace.create("comments", card=str(card.sync_id), text="Late"),
            )
            told = ["applied", "rejected"]
    return batch(ada, bodies[0]), batch(grace, bodies[1]), told


PAIRS = [
    "the same field",
    "the same field alike",
    "two fields",
    "an update and a delete",
    "a delete and an update",
    "two deletes",
    "one id alike",
    "one id",
    "one unique name",
    "a card and its board's end",
]


@pytest.mark.parametrize("name", PAIRS)
def test_w1_the_second_waits_for_the_first_and_sees_what_it_did(
    boards: Any, processes: p.Processes, readers: Any, card: Card, name: str
) -> None:
    boards.launch.refresh_from_db()
    first, second, told = pair(name, boards, card)
    one, two = processes.worker("uncommitted"), processes.worker()
    one.start(send, "ada", first)
    one.reaches("uncommitted")
    two.start(send, "grace", second)
    p.wait_for_waiters(1)
    one.go()
    results = [*one.result(), *two.result()]
    assert [result["status"] for result in results] == told
    check_replicas(readers)
    check_log()
    conflict = results[1].get("conflict")
    if conflict is not None:
        assert conflict["server"]["revision"] == results[0]["revision"]


@pytest.mark.parametrize("name", ["the same field", "one id", "one unique name", "two deletes"])
def test_w1_the_second_does_what_the_first_was_killed_over(
    boards: Any, processes: p.Processes, readers: Any, card: Card, name: str
) -> None:
    first, second, told = pair(name, boards, card)
    one, two = processes.worker("uncommitted"), processes.worker()
    one.start(send, "ada", first)
    one.reaches("uncommitted")
    two.start(send, "grace", second)
    p.wait_for_waiters(1)
    one.kill()
    (result,) = two.result()
    assert result["status"] == "applied"
    assert send("ada", first)[0]["status"] == told[1], "now it is the second"
    check_replicas(readers)
    check_log()


def test_w1_two_at_the_same_moment_and_nothing_is_lost(
    boards: Any, processes: p.Processes, readers: Any, card: Card
) -> None:
    """Whoever comes first: one is applied, and what the other says of it is true."""
    ada, grace = Phone(boards.ada), Phone(boards.grace)
    one, two = processes.workers(2)
    for n in range(6):
        card.refresh_from_db()
        same = n % 2 == 0
        mine = ada.update(card, title=f"Ada {n}")
        theirs = grace.update(card, **{"title" if same else "body": f"Grace {n}"})
        with p.gate():
            one.start(send, "ada", batch(ada, mine))
            two.start(send, "grace", batch(grace, theirs))
            p.wait_for_waiters(2)
        (first,), (second,) = one.result(), two.result()
        before = card.sync_revision
        card.refresh_from_db()
        if same:
            assert sorted([first["status"], second["status"]]) == ["applied", "conflict"]
            assert card.title == f"{'Ada' if first['status'] == 'applied' else 'Grace'} {n}"
            assert card.sync_revision == before + 1
        else:
            assert sorted([first["status"], second["status"]]) == ["applied", "merged"]
            assert (card.title, card.body) == (f"Ada {n}", f"Grace {n}")
            assert card.sync_revision == before + 2
    check_replicas(readers)
    check_log()


@pytest.mark.parametrize("stops", [True, False])
def test_g4_one_mutation_sent_by_two_processes_at_once(
    boards: Any, processes: p.Processes, readers: Any, card: Card, stops: bool
) -> None:
    phone = Phone(boards.ada)
    created = phone.create("cards", title="Once", board=str(boards.launch.sync_id))
    body = batch(phone, created, phone.update(card, title="Once as well"))
    one = processes.worker("uncommitted") if stops else processes.worker()
    two = processes.worker()
    if stops:
        one.start(send, "ada", body)
        one.reaches("uncommitted")
        two.start(send, "ada", body)
        p.wait_for_waiters(1)
        one.go()
    else:
        with p.gate():
            one.start(send, "ada", body)
            two.start(send, "ada", body)
            p.wait_for_waiters(2)
    results = one.result(), two.result()
    assert sorted(r["replayed"] for told in results for r in told) == [False] * 2 + [True] * 2
    assert [{**r, "replayed": None} for r in results[0]] == [
        {**r, "replayed": None} for r in results[1]
    ]
    assert Card.objects.filter(title="Once").count() == 1
    check_replicas(readers)
    check_log()


def test_g4_what_breaks_at_the_commit_does_not_undo_what_another_process_was_told(
    boards: Any, processes: p.Processes, card: Card
) -> None:
    """Between a failed commit and its refusal the same mutation comes again and succeeds."""
    phone = Phone(boards.ada)
    body = batch(phone, phone.update(card, title="Once"))
    one, two = processes.worker("refused"), processes.worker()
    one.call(break_the_commit)
    one.start(send, "ada", body)
    one.reaches("refused")
    (applied,) = two.call(send, "ada", body)
    one.go()
    (told,) = one.result()
    assert (applied["status"], told["status"]) == ("applied", "applied")
    assert told["replayed"]
    assert MutationResult.objects.get().status == "applied"


def test_w2_batches_that_lock_in_opposite_orders(
    boards: Any, processes: p.Processes, readers: Any, card: Card
) -> None:
    """A deadlock is no result: one of the two is run again, and both end with all applied.

    A label between the two cards keeps them out of one run, which would lock both in one order.
    """
    other = Card.objects.create(board=boards.launch, title="other")
    other.refresh_from_db()
    ada, grace = Phone(boards.ada), Phone(boards.grace)

    def label(phone: Phone) -> Any:
        return phone.create("labels", name=str(phone.id)[:8], board=str(boards.launch.sync_id))

    first = batch(ada, ada.update(card, title="Ada"), label(ada), ada.update(other, title="Ada"))
    second = batch(
        grace, grace.update(other, body="Grace"), label(grace), grace.update(card, body="Grace")
    )
    if connection.vendor == "postgresql":
        one, two = processes.worker("written"), processes.worker("written")
        one.start(send, "ada", first)
        two.start(send, "grace", second)
        for worker in (one, two):
            worker.reaches("written")
        for worker in (one, two):
            worker.go()
    else:
        one, two = processes.workers(2)
        with p.gate():
            one.start(send, "ada", first)
            two.start(send, "grace", second)
    statuses = [result["status"] for worker in (one, two) for result in worker.result()]
    assert set(statuses) <= {"applied", "merged"}
    rows = Card.objects.filter(pk__in=[card.pk, other.pk])
    assert set(rows.values_list("title", "body")) == {("Ada", "Grace")}
    check_replicas(readers)
    check_log()


@postgresql
def test_w2_a_connection_that_breaks_within_a_batch(
    boards: Any, processes: p.Processes, readers: Any, card: Card
) -> None:
    """The database throws the process out; it comes back and does the whole batch."""
    phone = Phone(boards.ada)
    body = batch(phone, phone.update(card, title="Twice tried"))
    one = processes.worker("uncommitted")
    pid = one.call(backend)
    one.start(send, "ada", body)
    one.reaches("uncommitted")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    one.go()
    (result,) = one.result()
    assert (result["status"], result["revision"]) == ("applied", card.sync_revision + 1)
    assert not result["replayed"]
    check_replicas(readers)
    check_log()


# ── REST (W1) ────────────────────────────────────────────────────────────────────────────────────


def test_w1_if_match_of_two_processes_lets_one_pass(
    boards: Any, processes: p.Processes, readers: Any, card: Card
) -> None:
    _, etag = get_record(Caller.for_user(boards.ada), "cards", card.sync_id)
    one, two = processes.worker("uncommitted"), processes.worker()
    one.start(rest, card.sync_id, etag, "Ada")
    one.reaches("uncommitted")
    two.start(rest, card.sync_id, etag, "Ada, elsewhere")
    p.wait_for_waiters(1)
    one.go()
    (passed, record), (refused, problem) = one.result(), two.result()
    assert (passed, refused) == (200, 412)
    assert problem["code"] == "revision_conflict"
    assert problem["record"] == record
    card.refresh_from_db()
    assert (card.title, card.sync_revision) == ("Ada", record["revision"])
    check_replicas(readers)


def rest(id: uuid.UUID, etag: str, title: str) -> tuple[int, dict[str, Any]]:
    return patch("ada", id, etag, title=title)


def test_w1_if_match_at_the_same_moment(boards: Any, processes: p.Processes, card: Card) -> None:
    workers = processes.workers(3)
    for n in range(4):
        _, etag = get_record(Caller.for_user(boards.ada), "cards", card.sync_id)
        before = Card.objects.get(pk=card.pk).sync_revision
        for m, worker in enumerate(workers):
            worker.start(rest, card.sync_id, etag, f"{n}/{m}")
        answers = [worker.result() for worker in workers]
        assert sorted(status for status, _ in answers) == [200, 412, 412]
        now = Card.objects.get(pk=card.pk)
        won = next(told for status, told in answers if status == 200)
        assert (now.sync_revision, now.title) == (before + 1, won["object"]["title"])
    check_log()


# ── Scopes under way (C1) ────────────────────────────────────────────────────────────────────────


def check_scopes(readers: list[Replica]) -> None:
    """Each comment lies where its card does, in its row, in its last entry, with everybody."""
    check_log()
    for found in Comment.objects.select_related("card__board"):
        scope = str(found.card.board.sync_id)
        last = Change.objects.filter(object_id=found.sync_id).exclude(op="m").latest("position")
        assert found.sync_scope == scope
        assert (last.revision, last.scope) == (found.sync_revision, scope)
    check_replicas(readers)


def at_once(processes: p.Processes, readers: list[Replica], *steps: Any) -> None:
    """The first stays open, the second begins, the first commits; everybody pulls meanwhile."""
    one, two = processes.workers(2)
    one.call(p.begin)
    one.call(*steps[0])
    two.start(*steps[1])
    p.wait_for_waiters(1)
    for replica in readers:
        replica.pull()
    assert two.is_busy()
    one.call(p.commit)
    two.result()
    check_scopes(readers)


@pytest.mark.parametrize("first", ["comment", "move"])
@pytest.mark.parametrize("to", ["research", "private"])
def test_c1_a_comment_is_inserted_while_its_card_moves(
    boards: Any, processes: p.Processes, readers: Any, card: Card, first: str, to: str
) -> None:
    steps = [
        (comment_on, card.pk, boards.ada.pk),
        (move, card.pk, getattr(boards, to).pk),
    ]
    at_once(processes, readers, *(steps if first == "comment" else reversed(steps)))
    assert Comment.objects.get(text="beside").sync_scope == str(getattr(boards, to).sync_id)


@pytest.mark.parametrize("first", ["comment", "move"])
@pytest.mark.parametrize("moving", ["the card that it leaves", "the card that it comes to"])
def test_c1_a_comment_changes_its_card_while_one_of_them_moves(
    boards: Any, processes: p.Processes, readers: Any, card: Card, first: str, moving: str
) -> None:
    comment, target = card.comments.get(), boards.research.cards.get()
    mover = card if moving == "the card that it leaves" else target
    steps = [
        (put_on, comment.pk, target.pk),
        (move, mover.pk, boards.private.pk),
    ]
    at_once(processes, readers, *(steps if first == "comment" else reversed(steps)))
    comment.refresh_from_db()
    assert comment.card == target


# ── All of it, over the wire ─────────────────────────────────────────────────────────────────────


def use(url: str, store: Path, board: str, card: str, name: str, rounds: int) -> None:
    """One user at one machine: creates, edits what all edit, syncs."""
    from .test_kill import open_client

    with open_client(url, store) as client:
        cards = client.collection("cards")
        for n in range(rounds):
            cards.create({"board": board, "title": f"{name} {n}"})
            client.sync()
            cards.update(card, {"title": f"{name} {n}"})
            client.sync()
            for conflict in client.conflicts:
                conflict.settle(conflict.keep_client())
        while client.outbox or client.conflicts:
            client.sync()
            for conflict in client.conflicts:
                conflict.settle(conflict.keep_server())
        assert client.rejections == []


def test_g6_four_clients_through_two_servers(
    wired: Any, processes: p.Processes, tmp_path: Path
) -> None:
    """No server fails on another's lock, and stores and database are equal at the end."""
    for _ in range(2):
        processes.server(PAGE_SIZE=5)
    card = wired.launch.cards.get()
    names = [f"client {n}" for n in range(4)]
    arguments = (str(wired.launch.sync_id), str(card.sync_id))
    with ThreadPoolExecutor(len(names)) as pool:
        running = [
            pool.submit(use, processes.url, tmp_path / name, *arguments, name, 4) for name in names
        ]
        for done in running:
            done.result()
    for name in names:
        with opened(processes, tmp_path / name) as client:
            client.sync()
            assert held(client) == truth(wired.ada)
    assert Card.objects.filter(title__startswith="client").count() == 17
    assert Label.objects.count() == 3
    check_log()
