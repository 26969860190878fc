"""Callbacks: after the commit, in order, under no lock, and none stops another."""

from __future__ import annotations

import threading
from typing import Any

import httpx2
import pytest

from django_sync import errors
from tests.unit.client.helpers import fault, on, titles


def test_local_and_remote_changes(server: Any, client: Any) -> None:
    seen: list[Any] = []
    client.on_change("cards")(lambda e: seen.append((e.kind, e.origin, e.record, e.before)))
    cards = client.collection("cards")
    card = cards.create({"title": "a"})
    cards.update(card.id, {"title": "b"})
    cards.update(card.id, {"title": "b"})
    client.sync()
    assert [entry[:2] for entry in seen] == [("created", "local"), ("updated", "local")]
    assert seen[1][2]["title"] == "b"
    assert seen[1][3]["title"] == "a"
    server.store(("cards", card.id), {"title": "c"}, "", None)
    client.sync()
    cards.delete(card.id)
    assert [entry[:2] for entry in seen[2:]] == [("updated", "remote"), ("deleted", "local")]
    assert seen[3][2] is None
    assert seen[3][3]["title"] == "c"
    client.sync()
    assert len(seen) == 4


def test_callbacks_run_after_the_commit_and_may_write_and_sync(
    server: Any, client: Any, connect: Any
) -> None:
    second = connect()
    order: list[Any] = []

    def follow(event: Any) -> None:
        assert event.id in second.collection("cards")
        order.append(event.record["title"])
        if event.record["title"] == "a":
            client.collection("cards").create({"title": "from a callback"})
            client.sync()
            order.append("end of a")

    client.on_change("cards")(follow)
    client.collection("cards").create({"title": "a"})
    assert order == ["a", "end of a", "from a callback"]
    assert len(server.visible("ann")) == 2


def test_no_lock_is_held_while_a_callback_waits_for_another_thread(client: Any) -> None:
    done: list[Any] = []

    def wait(event: Any) -> None:
        if not done:
            thread = threading.Thread(
                target=lambda: done.append(client.collection("cards").create({"title": "b"}))
            )
            thread.start()
            thread.join(5)
            assert not thread.is_alive()

    client.on_change("cards")(wait)
    client.collection("cards").create({"title": "a"})
    assert len(done) == 1
    assert titles(client) == ["a", "b"]


def test_one_that_raises_is_logged_and_stops_no_other(
    client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[Any] = []
    client.on_change("cards")(lambda event: 1 / 0)
    client.on_change("cards")(seen.append)
    client.on_change()(seen.append)
    client.collection("cards").create({"title": "a"})
    client.collection("boards").create({"title": "b"})
    assert len(seen) == 3
    assert "ZeroDivisionError" in caplog.text


def test_decorators_return_the_function(client: Any) -> None:
    for decorate in (client.on_change("cards"), client.on_conflict, client.on_rejected):
        assert decorate(print) is print


def test_status_is_reported_when_it_changes(server: Any, client: Any) -> None:
    seen: list[Any] = []
    client.on_status(seen.append)
    client.collection("cards").create({"title": "a"})
    with fault(server, on("/sync/", httpx2.ConnectError)), pytest.raises(errors.Offline):
        client.sync()
    client.sync()
    statuses = [(status.pending, status.network) for status in seen]
    assert statuses == [
        (1, "unknown"),
        (1, "offline"),
        (1, "online"),
        (0, "online"),
    ] or statuses == [
        (1, "unknown"),
        (1, "offline"),
        (0, "online"),
        (0, "online"),
    ]
    assert isinstance(seen[1].problem, errors.Offline)
    assert seen[-1].problem is None


def test_many_threads_one_client(server: Any, client: Any) -> None:
    cards = client.collection("cards")
    counter = cards.create({"title": "counter", "n": 0})
    seen: list[Any] = []
    client.on_change("cards")(seen.append)

    def work(name: Any) -> Any:
        for n in range(10):
            cards.create({"title": f"{name}{n}"})
            cards.update(counter.id, {f"by{name}": n})
            if n % 5 == 0:
                client.sync()

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    client.sync()
    assert len(titles(client)) == 41 == len(server.visible("ann"))
    found = server.object("cards", counter.id)
    assert all(found[f"by{name}"] == 9 for name in "abcd")
    assert client.outbox == []
    assert client.conflicts == []
    assert [e.record["title"] for e in seen if e.kind == "created"].count("a0") == 1
