"""What one client wrote offline, sent at once: from the first request to an empty outbox.

    python -m tests.benchmarks.works_queue NUMBER

is the part with the example's cards, in a process of its own with the example's settings; it
prints what both sides cost. A client here speaks to the application by WSGI within the process,
so that one figure holds the client's work, the server's, and PostgreSQL's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx2

from django_sync.client import SyncClient, TokenAuth
from tests.benchmarks.first_pull import MIGRATE, ROOT, database, environment, run
from tests.benchmarks.instant import Instant
from tests.benchmarks.measure import Cost, Line, Within, Work, in_turn, say, stay_connected, timed

BATCH = 500
"""Rows in a request, of both sides: the most that a server takes in one."""


def queued(
    folder: Path, collection: str, rows: Iterable[dict[str, Any]], transport: httpx2.BaseTransport
) -> SyncClient:
    """A client with so many creates in its outbox, made while nothing could be reached."""
    store = Path(tempfile.mkdtemp(dir=folder)) / "client.sqlite3"
    client = SyncClient(
        "http://localhost/sync/",
        store=store,
        collections=[collection],
        auth=TokenAuth("queue"),
        transport=transport,
    )
    with client._store.write():  # One commit for all: making them is not measured.
        for row in rows:
            client.collection(collection).create(row)
    return client


def sending(prepare: Callable[[], SyncClient], number: int) -> Work:
    """Send what waits; the client of the next round is made while nothing is measured."""
    made = [prepare()]

    def refill() -> None:
        made.pop().close()
        made.append(prepare())

    def work() -> Work:
        counts = made[0].sync()
        assert counts.applied == number, counts
        assert made[0].status.pending == 0
        return refill

    return work


def batches(rows: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(rows), BATCH):
        yield rows[start : start + BATCH]


# Notes: one serializer without code of its own, against plain DRF over the same columns


def notes(number: int, folder: Path, pairs: int) -> Iterator[Line]:
    from django.contrib.auth.models import User
    from django.core.wsgi import get_wsgi_application
    from django.db import connection
    from rest_framework.authtoken.models import Token

    from django_sync.models import MutationResult, Tombstone
    from tests.benchmarks.notes.models import Note, PlainNote
    from tests.benchmarks.web import Browser
    from tests.benchmarks.works_read import contents
    from tests.benchmarks.works_write import vacuum

    Token.objects.create(user=User.objects.create_user("queue"), key="queue")
    rows = [{**one, "at": one["at"].isoformat()} for one in contents(number, 14)]
    browser = Browser("queue")
    bodies: list[list[bytes]] = []

    def sent_plain() -> Work:
        for body in bodies[0]:
            browser.call("POST", "/plain/many/", body)
        return clear

    def clear() -> None:
        for model in (Note, PlainNote):
            model.objects.filter(room="queue")._raw_delete("default")
        for kept in (MutationResult, Tombstone):
            kept.objects.all()._raw_delete("default")
        vacuum(Note, PlainNote, MutationResult, Tombstone)
        bodies[:] = [[json.dumps(part, default=str).encode() for part in batches(rows)]]

    def prepare() -> SyncClient:
        clear()
        application = httpx2.WSGITransport(app=get_wsgi_application())
        own = [{name: value for name, value in row.items() if name != "id"} for row in rows]
        return queued(folder, "notes", own, application)

    say(f"{number:,} mutations queued offline")
    costs = in_turn(sent_plain, sending(prepare, number), pairs, warm=False)
    name, against = f"{number:,} mutations queued offline", f"DRF many=True, {BATCH} a request"
    yield Line(connection.vendor, name, 1, "queue", against, *costs, Within(10))
    say(f"{number:,} mutations queued offline, the client alone")
    alone = in_turn(lambda: None, sending(lambda: alone_with(folder, rows), number), pairs)[1]
    name = f"{name}, the client alone"
    yield Line(connection.vendor, name, 1, "queue", "the line above", costs[1], alone, None)


def alone_with(folder: Path, rows: list[dict[str, Any]]) -> SyncClient:
    return queued(folder, "notes", rows, Instant(BATCH))


# The example's cards, whose serializer and viewset have code of their own


def cards(number: int) -> Iterator[Line]:
    say(f"{number:,} mutations queued offline, the example's cards")
    with tempfile.TemporaryDirectory() as folder:
        env = environment(Path(folder)) | {"DATABASE_URL": _fresh(Path(folder))}
        with database(env):
            run(MIGRATE, env)
            argv = [sys.executable, "-m", "tests.benchmarks.works_queue", str(number)]
            process = subprocess.run(argv, env=env, cwd=ROOT, check=True, stdout=subprocess.PIPE)
            found = json.loads(process.stdout)
    name = f"{number:,} mutations queued offline, the example's cards"
    base, ours = Cost(**found["base"]), Cost(**found["ours"])
    against = f"the same serializer, many=True, {BATCH} a call"
    yield Line(found["database"], name, 1, "queue", against, base, ours, Within(10))


def _fresh(folder: Path) -> str:
    """On SQLite a file of its own; on PostgreSQL ``database`` makes one on the same server."""
    url = os.environ["DATABASE_URL"]
    return url if url.startswith("postgres") else f"sqlite:///{folder}/example.sqlite3"


def of_example(number: int) -> dict[str, Any]:
    """Both sides, in the example's process."""
    from django.contrib.auth.models import User
    from django.core.wsgi import get_wsgi_application
    from django.db import connection, transaction
    from rest_framework.authtoken.models import Token

    from example_project.boards.api import CardSerializer
    from example_project.boards.models import Board, Label

    stay_connected()
    user = User.objects.create_user("queue")
    Token.objects.create(user=user, key="queue")
    board = Board.objects.create(name="Queue", owner=user)
    label = Label.objects.create(board=board, name="new", color="#123456")
    rows = [
        {
            "board": str(board.sync_id),
            "title": f"Card {n}",
            "body": "b" * 140,
            "labels": [str(label.sync_id)] if n % 4 == 0 else [],
        }
        for n in range(number)
    ]

    def plain() -> None:
        for part in batches(rows):
            serializer = CardSerializer(data=part, many=True)
            serializer.is_valid(raise_exception=True)
            with transaction.atomic():
                serializer.save()
            assert len(json.dumps(serializer.data)) > 2

    with tempfile.TemporaryDirectory() as folder:
        application = httpx2.WSGITransport(app=get_wsgi_application())
        base = timed(plain)
        work = sending(lambda: queued(Path(folder), "cards", rows, application), number)
        ours = timed(lambda: work() and None)
    return {"database": connection.vendor, "base": asdict(base), "ours": asdict(ours)}


def lines(number: int, pairs: int) -> Iterator[Line]:
    with tempfile.TemporaryDirectory() as folder:
        yield from notes(number, Path(folder), pairs)
    yield from cards(number)


def main() -> None:
    import django

    django.setup()
    print(json.dumps(of_example(int(sys.argv[1]))))


if __name__ == "__main__":
    main()
