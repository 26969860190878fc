"""Killed at any point, and two processes on one store."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.unit.client.conftest import URL
from tests.unit.client.helpers import sent, titles

HEAD = f"""
import os, signal, sys
import httpx2
from django_sync.client import Backoff, SyncClient, TokenAuth

def client(transport):
    return SyncClient({URL!r}, store=sys.argv[1], auth=TokenAuth("t-ann"),
                      collections=["boards", "cards"], transport=transport)

def die(request=None):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def start(body: Any, store: Any) -> Any:
    return subprocess.Popen(
        [sys.executable, "-c", HEAD + textwrap.dedent(body), os.fspath(store)],
        stdout=subprocess.PIPE,
        text=True,
    )


def run(body: Any, store: Any) -> Any:
    with start(body, store) as process:
        out, _ = process.communicate(timeout=60)
    return process.returncode, out


def test_killed_after_a_write_returned(server: Any, connect: Any, tmp_path: Path) -> None:
    store = tmp_path / "a.sqlite3"
    code, out = run(
        """
        cards = client(httpx2.MockTransport(die)).collection("cards")
        for n in range(100):
            cards.create({"title": str(n)})
            print(n, flush=True)
            if n == 57:
                die()
        """,
        store,
    )
    assert code == -signal.SIGKILL
    assert out.split()[-1] == "57"
    client = connect()
    assert len(titles(client)) == 58 == len(client.outbox)
    client.sync()
    assert len(server.visible("ann")) == 58


@pytest.mark.parametrize("answered", [False, True])
def test_killed_between_store_and_network(
    server: Any, connect: Any, tmp_path: Path, answered: Any
) -> None:
    """The request goes out, or its answer comes in, and the process is no more."""
    store, dump = tmp_path / "a.sqlite3", tmp_path / "dump"
    connect().sync()
    code, _ = run(
        f"""
        def answer(request):
            if request.method == "GET":
                return httpx2.Response(200, json={{"protocol": 1}})
            open({str(dump)!r}, "wb").write(request.content)
            die()

        one = client(httpx2.MockTransport(answer))
        one.collection("cards").create({{"title": "typed"}})
        one.sync()
        """,
        store,
    )
    assert code == -signal.SIGKILL
    if answered:  # The server did it, and nobody heard.
        content = dump.read_bytes()
        headers = {"Authorization": "Token t-ann"}
        server.handle(httpx2.Request("POST", URL + "mutations/", content=content, headers=headers))
    client = connect()
    assert [m.state for m in client.outbox] == ["sent"]
    assert titles(client) == ["typed"]
    client.collection("cards").create({"title": "after"})
    client.sync()
    assert sorted(o["title"] for o in server.visible("ann").values()) == ["after", "typed"]
    first = dump.read_bytes()
    assert sent(server)[-1][0]["id"].encode() in first
    assert len({batch[0]["id"] for batch in sent(server)}) == 1


def test_killed_within_a_page(server: Any, connect: Any, tmp_path: Path) -> None:
    """A page is all there with its cursor, or not at all."""
    for n in range(300):
        server.put("cards", {"title": str(n)})
    held = server.pull(server.user("ann", "t-ann"), {})
    code, _ = run(
        f"""
        import json
        from django_sync.client.store import apply as applying

        def put(*args):
            die()

        def answer(request):
            results = {{"protocol": 1, "results": []}}
            return httpx2.Response(200, json={held!r} if "changes" in str(request.url) else results)

        applying.Applying.complete = put
        client(httpx2.MockTransport(answer)).sync()
        """,
        tmp_path / "a.sqlite3",
    )
    assert code == -signal.SIGKILL
    client = connect()
    assert titles(client) == []
    assert client._store.text("cursor") is None
    client.sync()
    assert len(titles(client)) == 300


def test_two_processes_write_and_sync_one_store(server: Any, connect: Any, tmp_path: Path) -> None:
    for n in range(40):
        server.put("cards", {"title": f"s{n}"})
    server.page_size = 7
    client = connect()
    card = client.collection("cards").create({"title": "shared"})
    process = start(
        f"""
        cards = client(httpx2.MockTransport(lambda r: httpx2.Response(500))).collection("cards")
        for n in range(60):
            cards.create({{"title": f"p{{n}}"}})
            cards.update({card.id!r}, {{"p": n}})
        """,
        tmp_path / "a.sqlite3",
    )
    with process:
        n = 0
        while process.poll() is None or n < 20:
            client.collection("cards").create({"title": f"t{n}"})
            client.collection("cards").update(card.id, {"t": n})
            if n % 3 == 0:
                client.sync()
            n += 1
    assert process.returncode == 0
    client.sync()
    assert client.outbox == []
    assert client.conflicts == []
    assert client.rejections == []
    assert len(titles(client)) == 40 + 60 + n + 1 == len(server.visible("ann"))
    found = server.object("cards", card.id)
    assert (found["p"], found["t"]) == (59, n - 1)
    assert len({m.seq for m in client.outbox}) == len(client.outbox)
