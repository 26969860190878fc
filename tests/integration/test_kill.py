"""``kill -9`` of server and client at each point of an exchange, over a real wire (G3, G4)."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from django.contrib.auth.models import User
from django.db import connection
from rest_framework.authtoken.models import Token

from django_sync import errors
from django_sync.client import Backoff, SyncClient, TokenAuth
from django_sync.feed import sequencer
from django_sync.models import Change, MutationResult, Outbox
from example_project.boards.models import Card, Comment, Label
from tests import processes as p
from tests.replica import Replica, truth

from .phone import Phone

COLLECTIONS = ["boards", "labels", "cards", "comments"]


@pytest.fixture
def wired(boards: SimpleNamespace) -> SimpleNamespace:
    """The people's rows, tokens to sign in with, and a feed that has begun."""
    for name in ("ada", "grace", "alan"):
        Token.objects.create(user=User.objects.get(username=name), key=f"demo-{name}")
    sequencer.sequence()
    return boards


@pytest.fixture
def beside() -> Iterator[Callable[..., Future[Any]]]:
    """Runs a call beside the test, which meanwhile kills who is to answer it."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit


def open_client(url: str, store: Path, transport: Any = None) -> SyncClient:
    return SyncClient(
        url,
        store=store,
        auth=TokenAuth("demo-ada"),
        collections=COLLECTIONS,
        transport=transport or httpx2.HTTPTransport(),  # past any proxy of this machine
        timeout=p.DEADLINE,
        backoff=Backoff(first=0.01),
    )


@contextmanager
def opened(processes: p.Processes, store: Path) -> Iterator[SyncClient]:
    with open_client(processes.url, store) as client:
        yield client


def held(client: SyncClient) -> dict[tuple[str, uuid.UUID], tuple[int, str | None]]:
    """What the client has, as ``truth`` tells what it should have."""
    return {
        (name, uuid.UUID(record.id)): (record.revision, record.scope)
        for name in COLLECTIONS
        for record in client.collection(name).all()
    }


def contents(client: SyncClient) -> dict[str, Any]:
    return {record.id: record.object["title"] for record in client.collection("cards").all()}


def check_log() -> None:
    """Positions without gaps, and each revision of each object once, up to its last."""
    sequencer.sequence()
    assert not Outbox.objects.exists()
    positions = list(Change.objects.order_by("position").values_list("position", flat=True))
    assert positions == list(range(positions[0], positions[0] + len(positions)))
    seen: dict[Any, list[int]] = {}
    for label, id, revision in (
        Change.objects.exclude(op="m")
        .order_by("position")
        .values_list("model", "object_id", "revision")
    ):
        seen.setdefault((label, id), []).append(revision)
    for revisions in seen.values():
        assert revisions == list(range(1, len(revisions) + 1))
    for model in (Card, Comment, Label):
        label = model._meta.label_lower
        for id, last in model.objects.values_list("sync_id", "sync_revision"):
            assert len(seen[label, id]) == last


# The server


def a_batch(people: SimpleNamespace) -> tuple[dict[str, Any], list[str]]:
    """One of each kind, the statuses that they end in, on rows that others have changed since."""
    phone = Phone(people.ada)
    card, label = people.launch.cards.get(), people.launch.labels.get()
    comment = Comment.objects.get(card=card)
    board = str(people.launch.sync_id)
    Card.objects.filter(pk=card.pk).update(title="Others wrote this")
    bodies = [
        phone.create("cards", title="New", board=board),
        phone.update(card, base=1, body="mine"),
        phone.update(card, base=1, title="mine"),
        phone.update(label, name="later", nonsense=1),
        phone.delete(comment),
        phone.create("labels", name="soon", board=board),
    ]
    expected = ["applied", "merged", "conflict", "rejected", "applied", "applied"]
    return {"client_id": str(phone.id), "mutations": bodies}, expected


def post(url: str, body: Any) -> Any:
    with httpx2.Client(transport=httpx2.HTTPTransport(), timeout=p.DEADLINE) as http:
        answer = http.post(
            f"{url}mutations/", json=body, headers={"Authorization": "Token demo-ada"}
        )
    assert answer.status_code == 200, answer.text
    return answer.json()["results"]


def alike(results: Any) -> Any:
    return [{k: v for k, v in result.items() if k != "replayed"} for result in results]


def check_batch(people: SimpleNamespace, body: dict[str, Any]) -> None:
    """Each of ``a_batch`` took effect once."""
    card = people.launch.cards.get(title="Others wrote this")
    assert card.body == "mine"
    assert Card.objects.filter(title="New").count() == 1
    assert sorted(people.launch.labels.values_list("name", flat=True)) == ["soon", "urgent"]
    assert not card.comments.exists()
    assert MutationResult.objects.count() == len(body["mutations"])
    assert not MutationResult.objects.filter(status="").exists()
    check_log()


POINTS = ["received", "claimed", "written", "uncommitted", "committed"]


@pytest.mark.parametrize("point", POINTS)
def test_g4_a_server_killed_within_a_batch_and_the_batch_again(
    wired: Any, processes: p.Processes, beside: Any, point: str
) -> None:
    reader = Replica(wired.grace)
    reader.pull()
    body, expected = a_batch(wired)
    server = processes.server(point, 2) if point == "written" else processes.server(point)
    first = beside(post, processes.url, body)
    server.reaches(point)
    server.kill()
    with pytest.raises(httpx2.TransportError):
        first.result()
    done = point == "committed"
    assert Card.objects.filter(title="New").exists() == done

    processes.server()
    again, once_more = post(processes.url, body), post(processes.url, body)
    assert [result["status"] for result in again] == expected
    assert [result["replayed"] for result in again] == [done] * len(again)
    assert alike(again) == alike(once_more)
    assert all(result["replayed"] for result in once_more)
    check_batch(wired, body)
    reader.pull()
    assert reader.held() == truth(wired.grace)


@pytest.mark.postgresql
def test_g4_a_server_killed_in_the_middle_of_its_commit(
    wired: Any, processes: p.Processes, beside: Any
) -> None:
    """The database finishes a commit whose process is gone; the repeat comes before that."""
    body, expected = a_batch(wired)
    table = MutationResult._meta.db_table
    holder = processes.worker()
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION slow_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " PERFORM pg_advisory_xact_lock(1); RETURN NULL; END $$;"
            f"CREATE CONSTRAINT TRIGGER slow_commit AFTER INSERT ON {table}"
            " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow_commit()"
        )
    try:
        holder.call(p.begin)
        holder.call(take_advisory_lock)
        server = processes.server()
        first = beside(post, processes.url, body)
        p.wait_for_waiters(1)
        server.kill()
        with pytest.raises(httpx2.TransportError):
            first.result()
        assert not Card.objects.filter(title="New").exists()

        processes.server()
        second = beside(post, processes.url, body)
        p.wait_for_waiters(2)
        assert not second.done()
        holder.call(p.commit)
        again = second.result()
    finally:
        holder.kill()
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TRIGGER slow_commit ON {table}; DROP FUNCTION slow_commit()")
    assert [result["status"] for result in again] == expected
    assert all(result["replayed"] for result in again)
    assert alike(again) == alike(post(processes.url, body))
    check_batch(wired, body)


def take_advisory_lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(1)")


def edit(client: SyncClient, people: SimpleNamespace) -> set[str]:
    """What a user does offline; the ids of the mutations."""
    cards = client.collection("cards")
    new = cards.create({"board": str(people.launch.sync_id), "title": "Typed"})
    cards.update(str(people.launch.cards.get().sync_id), {"title": "Typed over"})
    client.collection("comments").create({"card": new.id, "text": "And said"})
    return {mutation.id for mutation in client.outbox}


def check_edits(client: SyncClient, people: SimpleNamespace, ids: set[str]) -> None:
    """They took effect once, under the ids that they had, and everybody has them."""
    assert (client.outbox, client.conflicts, client.rejections) == ([], [], [])
    titles = sorted(people.launch.cards.values_list("title", flat=True))
    assert titles == ["Typed", "Typed over"]
    assert [comment.text for comment in Comment.objects.filter(card__title="Typed")] == ["And said"]
    stored = MutationResult.objects.filter(client_id=client.client_id)
    assert {str(result.mutation_id) for result in stored} == ids
    assert stored.filter(status="applied").count() == len(ids)
    assert Card.objects.get(title="Typed over").sync_revision == 3  # made, labelled, typed over
    assert held(client) == truth(people.ada)
    cards = Card.objects.filter(board__in=[people.launch, people.research])
    assert contents(client) == {str(card.sync_id): card.title for card in cards}
    check_log()


on_postgresql = pytest.mark.postgresql  # SQLite has no sequencer


@pytest.mark.parametrize(
    "point",
    [
        "received",
        "written",
        "uncommitted",
        "committed",
        pytest.param("locked", marks=on_postgresql),
        pytest.param("moved", marks=on_postgresql),
        "pulled",
    ],
)
def test_g4_a_server_killed_under_a_client_that_syncs(
    wired: Any, processes: p.Processes, beside: Any, tmp_path: Path, point: str
) -> None:
    """``locked`` and ``moved`` are between the batch's commit and that of its positions."""
    server = processes.server()
    with opened(processes, tmp_path / "a.sqlite3") as client:
        client.sync()
        server.kill()
        ids = edit(client, wired)
        server = processes.server(point)
        first = beside(client.sync)
        server.reaches(point)
        server.kill()
        with pytest.raises(errors.Offline):
            first.result()
        late = point in ("locked", "moved", "pulled")
        assert {mutation.id for mutation in client.outbox} == (set() if late else ids)
        assert "Typed" in contents(client).values()

        processes.server()
        counts = client.sync()
        assert counts.applied == (0 if late else len(ids))
        check_edits(client, wired, ids)


# The client


def sync_and_stop(url: str, store: Path, people_pk: int, point: str) -> None:
    """The life of a client process: it edits, syncs, and stops at a point."""
    from example_project.boards.models import Board

    people = SimpleNamespace(launch=Board.objects.get(pk=people_pk))
    with open_client(url, store, Stopping(point)) as client:
        if point == "snapshot":
            stop_in_pages()
        if point != "snapshot":
            client.sync()
            p.HERE.tell("edited", edit(client, people))
        if point == "edited":
            p.HERE.stop(point)
        if point == "page":
            stop_in_pages()
        if point == "results":
            stop_in_results()
        client.sync()


class Stopping(httpx2.HTTPTransport):
    """Stops around what it carries, once there is something of the user's on its way."""

    def __init__(self, point: str) -> None:
        super().__init__()
        self.point = point
        self.batches = 0

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        mutating = (
            request.url.path.endswith("/mutations/") and b'"mutations":[]' not in request.read()
        )
        self.batches += mutating
        if mutating and self.point == "leaving":
            p.HERE.stop("leaving")
        if self.batches and not mutating and self.point == "between":
            p.HERE.stop("between")
        response = super().handle_request(request)
        if mutating and self.point == "answered":
            response.read()
            p.HERE.stop("answered")
        return response


def stop_in_pages() -> None:
    """Stop with the second half of a page's changes unapplied, nothing of it committed."""
    from django_sync.client.store.apply import Applying

    original = Applying._put

    def stopping(self: Any, collection: str, changes: Any) -> None:
        half = len(changes) // 2
        original(self, collection, changes[:half])
        p.HERE.stop("page")
        original(self, collection, changes[half:])

    Applying._put = stopping  # type: ignore[method-assign]  # in a process that is killed


def stop_in_results() -> None:
    """Stop with some results entered, none of them committed."""
    from django_sync.client.store.results import Results

    original = Results._enter

    def stopping(self: Any, *args: Any) -> None:
        original(self, *args)
        p.HERE.stop("results")

    Results._enter = stopping  # type: ignore[assignment, method-assign]


@pytest.mark.parametrize("point", ["edited", "leaving", "answered", "results", "between", "page"])
def test_g3_a_client_killed_between_store_and_network(
    wired: Any, processes: p.Processes, tmp_path: Path, point: str
) -> None:
    """Killed with the edits in its store, on the wire, done, entered, and half pulled."""
    store = tmp_path / "a.sqlite3"
    processes.server()
    one = processes.worker()
    one.start(sync_and_stop, processes.url, store, wired.launch.pk, point)
    word, ids = one._hear()
    assert word == "edited"
    one.reaches(point)
    one.kill()
    sent = point not in ("edited", "leaving")
    assert MutationResult.objects.count() == (len(ids) if sent else 0)
    Card.objects.filter(board=wired.research).update(title="Meanwhile")

    with opened(processes, store) as client:
        known = point in ("between", "page")
        assert {mutation.id for mutation in client.outbox} == (set() if known else ids)
        assert {"Typed", "Typed over"} <= set(contents(client).values())
        counts = client.sync()
        assert counts.applied == (0 if known else len(ids))
        check_edits(client, wired, ids)
        assert client.sync().changes == 0


@pytest.mark.parametrize("size", [3, 1000])
def test_g3_a_client_killed_in_its_first_snapshot(
    wired: Any, processes: p.Processes, tmp_path: Path, size: int
) -> None:
    store = tmp_path / "a.sqlite3"
    Card.objects.bulk_create(Card(board=wired.launch, title=str(n)) for n in range(20))
    processes.server(PAGE_SIZE=size)
    one = processes.worker()
    one.start(sync_and_stop, processes.url, store, wired.launch.pk, "snapshot")
    one.reaches("page")
    if size == 3:  # Over a page or two that are whole.
        for _ in range(2):
            one.go()
            one.reaches("page")
    one.kill()
    with opened(processes, store) as client:
        assert len(held(client)) < len(truth(wired.ada))
        client.sync()
        assert held(client) == truth(wired.ada)


# Any moment


def rounds(people: Any, processes: p.Processes, beside: Any, folder: Path, count: int) -> None:
    """Kill the server at moments that nobody chose, while a client goes on writing."""
    server = processes.server()
    with opened(processes, folder / "a.sqlite3") as client:
        client.sync()
        board, ids = str(people.launch.sync_id), set()
        for n in range(count):
            for m in range(5):
                client.collection("cards").create({"board": board, "title": f"{n}/{m}"})
            ids |= {mutation.id for mutation in client.outbox}
            trying = beside(client.sync)
            server._pipe.poll(0.004 * (n % 12))  # It says nothing: the moment to kill it at.
            server.kill()
            server = processes.server()
            try:
                trying.result()
            except errors.Offline:
                client.sync()
        client.sync()
        assert (client.outbox, client.conflicts, client.rejections) == ([], [], [])
        assert {str(r.mutation_id) for r in MutationResult.objects.all()} == ids
        assert Card.objects.filter(title__contains="/").count() == 5 * count == len(ids)
        assert held(client) == truth(people.ada)
    check_log()


def test_g4_a_server_killed_at_any_moment(
    wired: Any, processes: p.Processes, beside: Any, tmp_path: Path
) -> None:
    rounds(wired, processes, beside, tmp_path, 8)


@pytest.mark.soak
def test_g4_a_server_killed_again_and_again(
    wired: Any, processes: p.Processes, beside: Any, tmp_path: Path
) -> None:
    rounds(wired, processes, beside, tmp_path, 200)
