"""The replica: pages, cursors, snapshots, what leaves the view (R1, R3, G2, G7)."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest

from django_sync import errors
from django_sync.client.types import Counts
from tests.unit.client.helpers import fault, on, pull_only, rows, sent, titles


def page(
    changes: Any, cursor: Any = "c1", has_more: Any = False, epoch: Any = "e1", **more: Any
) -> Any:
    body = {"changes": changes, "cursor": cursor, "has_more": has_more, "epoch": epoch, **more}
    return httpx2.Response(200, content=json.dumps(body))


def put(id: Any, title: Any, revision: Any = 1, scope: Any = "b1") -> Any:
    return {
        "op": "put",
        "collection": "cards",
        "id": id,
        "revision": revision,
        "scope": scope,
        "object": {"title": title},
    }


A, B, C = (f"{n}0000000-0000-4000-8000-000000000000" for n in "abc")


@pytest.fixture
def feed(server: Any) -> Any:
    """Script the pages that are served; the requests' cursors are returned."""

    def serve(client: Any, *pages: Any) -> Any:
        waiting, cursors = list(pages), []

        def answer(request: httpx2.Request) -> Any:
            cursors.append(request.url.params.get("cursor"))
            return waiting.pop(0) if waiting else page([], cursor=cursors[-1])

        with fault(server, on("changes/", answer)):
            client.sync()
        return cursors

    return serve


def test_pages_are_pulled_until_nothing_is_left(server: Any, client: Any) -> None:
    server.page_size = 2
    for n in range(5):
        server.put("cards", {"title": str(n)})
    seen: list[Any] = []
    client.on_status(lambda status: seen.append(status.progress and status.progress.done))
    assert client.sync() == Counts(pages=3, changes=5)
    assert titles(client) == ["0", "1", "2", "3", "4"]
    assert {2, 4} <= set(seen)
    assert client.status.progress is None


def test_a_snapshot_goes_on_where_it_was_cut(server: Any, client: Any, connect: Any) -> None:
    server.page_size = 2
    for n in range(5):
        server.put("cards", {"title": str(n)})
    answers = [None, httpx2.ConnectError("cut")]

    def cut(request: httpx2.Request) -> Any:
        if answers and isinstance(error := answers.pop(0), Exception):
            raise error

    with fault(server, on("changes/", cut)), pytest.raises(errors.Offline):
        client.sync()
    assert len(client.collection("cards")) == 2
    assert client.status.progress.done == 2
    client.close()
    again = connect()
    assert again.sync().pages == 2
    assert len(again.collection("cards")) == 5


def test_g2_no_lower_revision_within_an_epoch(client: Any, feed: Any) -> None:
    feed(client, page([put(A, "new", 5)]))
    feed(client, page([put(A, "old", 4)], "c2"))
    assert titles(client) == ["new"]
    feed(client, page([{"op": "delete", "collection": "cards", "id": A, "revision": 3}], "c3"))
    assert titles(client) == ["new"]
    gone = {"op": "remove", "collection": "cards", "id": A}
    feed(client, page([gone, put(A, "again", 2)], "c4"))
    assert titles(client) == ["again"]


def test_begin_replaces_at_the_end_and_not_before(client: Any, feed: Any) -> None:
    begin = {"op": "begin", "collection": "cards"}
    feed(client, page([put(A, "a"), put(B, "b")]))
    with_more = page([begin, put(A, "a2", 1)], "c2", has_more=True)
    seen: list[Any] = []
    client.on_status(lambda status: None)
    client.on_change("cards")(lambda e: seen.append((e.kind, len(client.collection("cards")))))
    feed(client, with_more, page([put(C, "c")], "c3"))
    assert titles(client) == ["a2", "c"]
    assert seen == [("updated", 2), ("created", 2), ("deleted", 2)]


def test_begin_keeps_what_the_same_revision_shows_anew(client: Any, feed: Any) -> None:
    """A role that hides a field changes content and no revision (F5)."""
    feed(client, page([put(A, "a", 3)]))
    begin = {"op": "begin", "collection": "cards"}
    feed(client, page([begin, {**put(A, "a", 3), "object": {"less": 1}}], "c2"))
    assert client.collection("cards").get(A).object == {"less": 1}


@pytest.mark.parametrize("error", [errors.CursorExpired, errors.InvalidCursor])
def test_void_cursor_is_a_snapshot_that_replaces(server: Any, client: Any, error: Any) -> None:
    keep = server.put("cards", {"title": "keep"})
    server.put("cards", {"title": "goes"})
    client.sync()
    del server.objects[next(k for k, s in server.objects.items() if s.object["title"] == "goes")]
    server.put("cards", {"title": "new"})
    client.collection("cards").update(keep, {"title": "kept"})
    with fault(server, on("mutations/", httpx2.Response(503))), pytest.raises(errors.Unavailable):
        client.sync()
    if error is errors.InvalidCursor:
        server.cursors.clear()
    else:
        server.expire_cursors()
    client.sync()
    assert titles(client) == ["kept", "new"]
    assert client.outbox == []
    assert server.object("cards", keep) == {"title": "kept"}


def test_void_cursor_forgets_nothing_before_the_end(server: Any, client: Any, feed: Any) -> None:
    server.page_size = 1
    for n in range(3):
        server.put("cards", {"title": str(n)})
    client.sync()
    server.expire_cursors()
    seen: list[Any] = []
    client.on_status(lambda status: seen.append(len(client.collection("cards"))))
    client.sync()
    assert set(seen) == {3}


def test_new_epoch_may_lower_revisions(server: Any, client: Any) -> None:
    id = server.put("cards", {"title": "a"})
    for n in range(5):
        server.store(("cards", id), {"title": str(n)}, "", None)
    client.sync()
    server.new_epoch()
    server.objects[("cards", id)].revision = 2
    server.objects[("cards", id)].object = {"title": "restored"}
    client.sync()
    record = client.collection("cards").get(id)
    assert (record["title"], record.revision) == ("restored", 2)


def test_r1_a_page_is_discarded_where_the_store_has_moved_on(
    server: Any, client: Any, connect: Any
) -> None:
    server.page_size = 1
    server.put("cards", {"title": "a"})
    server.put("cards", {"title": "b"})
    second = connect()
    second.sync()
    gone = server.put("cards", {"title": "goes"})
    late: list[Any] = []

    def overtake(request: httpx2.Request) -> Any:
        """The other process pulls, and pulls the deletion, while this answer is under way."""
        if late:
            return None
        late.append(1)
        stale = server.pull(server.users["t-ann"], dict(request.url.params))
        second.sync()
        server.delete("cards", gone)
        second.sync()
        return httpx2.Response(200, json=stale)

    with fault(server, on("changes/", overtake)):
        client.sync()
    assert titles(client) == ["a", "b"]


def test_r1_result_settles_and_writes_no_server_state(server: Any, client: Any) -> None:
    id = server.put("cards", {"title": "a"})
    client.sync()
    client.collection("cards").update(id, {"title": "mine"})
    with fault(server, on("changes/", httpx2.ConnectError)), pytest.raises(errors.Offline):
        client.sync()
    assert client.outbox == []
    assert titles(client) == ["mine"]
    assert rows(client, "records")[0]["object"] == '{"title":"a"}'
    assert rows(client, "outbox")[0]["state"] == "settled"
    client.sync()
    assert titles(client) == ["mine"]
    assert rows(client, "outbox") == []


def test_r1_a_pull_begun_before_the_result_does_not_end_the_overlay(
    server: Any, client: Any, connect: Any
) -> None:
    """The page was made before the mutation took effect: taking the overlay off would flicker."""
    id = server.put("cards", {"title": "a"})
    client.sync()
    second = connect()
    client.collection("cards").update(id, {"title": "mine"})
    done: list[Any] = []

    def overtaken(request: httpx2.Request) -> Any:
        if done:
            return None
        done.append(1)
        stale = server.pull(server.users["t-ann"], dict(request.url.params))
        with fault(server, on("changes/", httpx2.ConnectError)), pytest.raises(errors.Offline):
            second.sync()
        return httpx2.Response(200, json=stale)

    with fault(server, on("changes/", overtaken)):
        pull_only(client)
    assert titles(client) == ["mine"]
    assert rows(client, "outbox")[0]["state"] == "settled"
    client.sync()
    assert titles(client) == ["mine"]
    assert rows(client, "outbox") == []


def test_r1_a_late_result_does_not_bring_back_what_was_dropped(
    server: Any, client: Any, connect: Any
) -> None:
    id = server.put("cards", {"title": "secret", "board": "b1"}, scope="b1")
    client.sync()
    client.collection("cards").update(id, {"title": "mine"})
    second = connect()

    def revoke(request: httpx2.Request) -> Any:
        answer = httpx2.Response(200, json=server._answer(request))
        server.revoke("ann", "b1")
        pull_only(second)
        assert titles(second) == []
        return answer

    with fault(server, on("mutations/", revoke)):
        client.sync()
    assert titles(client) == []
    assert rows(client, "records") == rows(client, "outbox") == []


@pytest.mark.parametrize("way", ["drop", "remove"])
def test_r3_what_leaves_the_view_goes_at_once(
    server: Any, client: Any, connect: Any, way: Any
) -> None:
    """R3: state, bases and the server's side of conflicts; what was typed is sent and refused."""
    make = {"title": "secret", "body": "secret", "board": "b1"}
    plain, clash, frozen = (server.put("cards", dict(make), scope="b1") for _ in range(3))
    client.sync()
    rejections: list[Any] = []
    client.on_rejected(lambda rejection: rejections.append(rejection.mutation.fields))
    cards = client.collection("cards")
    cards.update(clash, {"title": "typed 1"})
    server.store(("cards", clash), {**make, "title": "secret 2"}, "b1", None)
    client.sync()
    assert len(client.conflicts) == 1
    cards.update(clash, {"body": "typed 2"})
    cards.update(frozen, {"title": "typed 3"})
    with fault(server, on("mutations/", httpx2.ConnectError)), pytest.raises(errors.Offline):
        client.sync()
    cards.update(plain, {"title": "typed 4"})
    assert b"secret" in disk(client)
    if way == "drop":
        server.revoke("ann", "b1")
    else:
        for id in (plain, clash, frozen):
            server.objects[("cards", id)].scope = "elsewhere"
    pull_only(client)
    assert titles(client) == []
    assert client.conflicts == []
    assert b"secret" not in disk(client)
    client.sync()
    assert sorted(rejections, key=str) == sorted(
        [
            {"title": "typed 1", "body": "typed 2"},
            {"title": "typed 3"},
            {"title": "typed 4"},
        ],
        key=str,
    )
    assert client.outbox == []
    assert rows(client, "outbox") == []


def disk(client: Any) -> Any:
    """All bytes that the store has on the disk."""
    path = Path(client._store.path)
    files = [path, path.with_name(path.name + "-wal")]
    return b"".join(file.read_bytes() for file in files if file.exists())


def test_a_conflict_that_a_drop_overtook_is_given_up(
    server: Any, client: Any, connect: Any
) -> None:
    """R1 and R3: the result comes after the drop and brings content that is no longer visible."""
    id = server.put("cards", {"title": "secret 1", "board": "b1"}, scope="b1")
    client.sync()
    client.collection("cards").update(id, {"title": "typed"})
    server.store(("cards", id), {"title": "secret 2", "board": "b1"}, "b1", None)
    second = connect()

    def revoke(request: httpx2.Request) -> Any:
        answer = httpx2.Response(200, json=server._answer(request))
        server.revoke("ann", "b1")
        pull_only(second)
        return answer

    rejections: list[Any] = []
    client.on_rejected(rejections.append)
    with fault(server, on("mutations/", revoke)):
        client.sync()
    client.sync()
    assert client.conflicts == []
    assert len(rejections) == 1
    assert titles(client) == []
    assert b"secret" not in disk(client)


def test_deleted_elsewhere_while_typing_stays_in_sight_until_settled(
    server: Any, client: Any
) -> None:
    id = server.put("cards", {"title": "a", "body": "x"})
    client.sync()
    client.collection("cards").update(id, {"title": "typed"})
    server.delete("cards", id)
    pull_only(client)
    assert client.collection("cards").get(id).object == {"title": "typed", "body": "x"}
    assert len(client.collection("cards")) == 1
    client.sync()
    (conflict,) = client.conflicts
    assert (conflict.kind, conflict.server) == ("update_delete", None)
    conflict.settle(conflict.keep_server())
    assert titles(client) == []
    assert len(client.collection("cards")) == 0
    client.sync()
    assert rows(client, "records") == rows(client, "outbox") == []


def test_collections_come_and_go(server: Any, connect: Any) -> None:
    server.put("boards", {"title": "b"})
    server.put("cards", {"title": "c"})
    only = connect(collections=["boards"])
    only.sync()
    assert titles(only, "boards") == ["b"]
    with pytest.raises(errors.UnknownCollection):
        only.collection("cards")
    both = connect()
    both.sync()
    assert titles(both) == ["c"]
    assert titles(both, "boards") == ["b"]
    only.sync()
    assert {row["collection"] for row in rows(only, "records")} == {"boards"}


def test_what_it_does_not_know_is_skipped_with_a_log_line(
    client: Any, feed: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "django_sync.client")
    strange = [
        {"op": "sparkle", "collection": "cards"},
        {**put(B, "x"), "collection": "rockets"},
        {**put(A, "a"), "mood": "fine"},
    ]
    feed(client, page(strange, extra={"x": 1}))
    assert titles(client) == ["a"]
    assert "rockets" in caplog.text
    assert "does not know" in caplog.text


def test_a_malformed_page_is_not_applied(client: Any, feed: Any) -> None:
    feed(client, page([put(A, "a")]))
    broken = page([put(B, "b"), {"op": "put", "collection": "cards"}], "c2")
    with pytest.raises(errors.Offline):
        feed(client, broken)
    assert titles(client) == ["a"]


def test_a_cursor_that_stands_still_is_no_endless_loop(client: Any, feed: Any) -> None:
    with pytest.raises(errors.SyncError):
        feed(client, page([], "c1", has_more=True), page([], "c1", has_more=True))


def test_a_batch_on_a_void_cursor_is_sent_after_the_snapshot(server: Any, client: Any) -> None:
    id = server.put("cards", {"title": "a"})
    client.sync()
    client.collection("cards").update(id, {"title": "b"})
    server.expire_cursors()
    counts = client.sync()
    assert counts.applied == 1
    assert client.outbox == []
    assert sent(server)[0] == sent(server)[1]


def test_queries(server: Any, client: Any) -> None:
    for n in range(1203):
        server.put("cards", {"title": f"{n:04}", "even": n % 2 == 0, "n": n, 'a"b': "q"})
    client.sync()
    cards = client.collection("cards")
    for _ in range(3):
        cards.create({"title": "0000", "even": True})
    first = cards.filter(title="0000")
    assert len(first) == 4
    assert len(first.filter(even=True, n=0)) == 1
    assert len(cards.filter(even=1)) == 0
    assert len(cards.filter(even=False)) == 601
    assert len(cards.filter(**{'a"b': "q"})) == 1203
    cards.update(cards.filter(title="0700").first().id, {"title": "moved"})
    assert len(cards.filter(title="0700")) == 0
    assert len(cards.filter(title="moved")) == 1
    cards.delete(cards.filter(title="0701")[0].id)
    assert len(cards) == 1205 == len(list(cards)) == len({record.id for record in cards})
    ids = [record.id for record in cards.all()]
    assert ids == sorted(ids)
    assert ids[0] in cards
    assert cards.all()[0].id == ids[0]


def test_an_exchange_does_not_go_on_in_a_wiped_store(
    server: Any, client: Any, connect: Any
) -> None:
    """A log-out while a pull is under way must not be filled again by it."""
    server.page_size = 1
    for n in range(3):
        server.put("cards", {"title": str(n)})
    second = connect()
    calls: list[Any] = []

    def wipe(request: httpx2.Request) -> Any:
        calls.append(1)
        if len(calls) == 2:
            second.reset(wipe=True)

    with fault(server, on("changes/", wipe)), pytest.raises(errors.StoreMismatch):
        client.sync()
    assert titles(client) == []
    assert rows(client, "records") == []


def test_half_a_surrogate_pair_is_kept_and_not_written(client: Any, feed: Any) -> None:
    feed(client, page([put(A, "half \ud800"), put(B, "whole \U0001f600")]))
    assert client.collection("cards").get(A)["title"] == "half \ud800"
    assert client.collection("cards").get(B)["title"] == "whole \U0001f600"
    with pytest.raises(errors.Invalid):
        client.collection("cards").create({"title": "\ud800"})


def test_first_pull_of_61549_records_is_a_matter_of_seconds(client: Any) -> None:
    """An application on another engine took 15 minutes; the budget with a server is 15 seconds."""
    total, size = 61_549, 1_000
    body = {"body": "b" * 120, "done": False, "n": 7, "at": "2026-01-01T00:00:00Z"}

    def answer(request: httpx2.Request) -> Any:
        done = int(request.url.params.get("cursor", 0))
        until = min(done + size, total)
        ids = (f"{n:08x}-0000-4000-8000-000000000000" for n in range(done, until))
        changes = [{**put(id, "t" * 40), "object": {"title": id, **body}} for id in ids]
        return page(changes, str(until), until < total, snapshot={"done": until, "total": total})

    client._network._http._transport = httpx2.MockTransport(_scripted(answer))
    started = time.process_time()
    client.sync()
    assert time.process_time() - started < 15
    assert len(client.collection("cards")) == total


def _scripted(answer: Any) -> Any:
    def handle(request: httpx2.Request) -> Any:
        if request.url.path.endswith("changes/"):
            return answer(request)
        return httpx2.Response(200, json={"protocol": 1, "epoch": "e1", "results": []})

    return handle
