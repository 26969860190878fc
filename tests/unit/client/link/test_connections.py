"""Sockets and streams: what they bring, what goes wrong with them, and what follows."""

from __future__ import annotations

import json
import random
from typing import Any

import httpx2
import pytest

from django_sync import errors
from django_sync.client import BearerAuth
from django_sync.testing.clocks import ManualWaker, until
from django_sync.testing.faults import Fate, FaultyTransport
from tests.unit.client.helpers import on, rows, sent, threads, titles

LADDER = ["websocket", "sse", "long-poll", "poll"]


@pytest.fixture(params=["websocket", "sse"])
def kind(request: Any) -> str:
    return str(request.param)


@pytest.fixture
def live(server: Any, link: Any) -> Any:
    """Start a client and wait for its connection; ``kind`` is the best that the server offers."""

    def live(kind: str = "websocket", **options: Any) -> Any:
        server.transports = LADDER[LADDER.index(kind) :]
        client = link(**options)
        client.start()
        until(lambda: client.status.transport == kind, f"it is live by {kind}")
        asked = server.connections.opened[-1].asked
        until(lambda: client._store.text("cursor") == asked.get("cursor"), "it has caught up")
        return client

    return live


def pulls(server: Any) -> int:
    return sum(str(r.url.path).endswith("/sync/changes/") for r in server.requests)


def passing(server: Any, waker: Any, seconds: float, condition: Any, what: str) -> None:
    """Wait for something while time passes, but not while the client has something to do."""

    def came() -> bool:
        if not condition() and server.connections.are_idle() and waker.sleeps:
            waker.advance(seconds)
        return bool(condition())

    until(came, what)


def is_soon(waker: Any) -> bool:
    """Whether it only waits a moment for further writes."""
    left = waker.asleep()
    return left is not None and left <= 0.1


def put(id: str, title: str, revision: int = 1, scope: str = "") -> dict[str, Any]:
    head = {"op": "put", "collection": "cards", "id": id, "revision": revision, "scope": scope}
    return {**head, "object": {"title": title}}


def changes(server: Any, *changes: Any, **more: Any) -> dict[str, Any]:
    frame = {"type": "changes", "changes": list(changes), "has_more": False}
    return {**frame, "epoch": server.epoch, **more}


# What they bring


def test_changes_come_as_they_are_made(server: Any, live: Any, kind: str) -> None:
    client = live(kind)
    seen: list[Any] = []
    client.on_change("cards")(lambda event: seen.append((event.kind, event.origin)))
    before = pulls(server)
    id = server.put("cards", {"title": "a"})
    until(lambda: titles(client) == ["a"], "it is there")
    server.store(("cards", id), {"title": "b"}, "", None)
    until(lambda: titles(client) == ["b"], "it is changed")
    server.delete("cards", id)
    until(lambda: titles(client) == [], "it is gone")
    assert pulls(server) == before
    assert seen == [("created", "remote"), ("updated", "remote"), ("deleted", "remote")]
    assert (client.status.link, client.status.transport) == ("live", kind)


def test_writes_go_out_at_once_and_together(server: Any, live: Any, waker: Any, kind: str) -> None:
    client = live(kind)
    waker.asleep()
    before = pulls(server)
    client.collection("cards").create({"title": "a"})
    until(lambda: is_soon(waker), "it waits a moment for more")
    client.collection("cards").create({"title": "b"})
    waker.advance(0.1)
    until(lambda: not client.outbox, "they are sent")
    over = server.connections.mutated if kind == "websocket" else sent(server)
    assert [len(batch) for batch in over] == [2]
    until(lambda: not rows(client, "outbox"), "their frames have come, nothing lies over them")
    assert titles(client) == ["a", "b"]
    assert pulls(server) == before
    assert len(server.connections.opened) == 1


def test_a_connection_catches_up_page_by_page(server: Any, live: Any, kind: str) -> None:
    client = live(kind)
    states: list[Any] = []
    client.on_status(lambda status: states.append(status.link))
    server.page_size = 2
    server.connections.by_script = True
    for n in range(5):
        server.put("cards", {"title": str(n)})
    server.connections.by_script = False
    server.connections.news()
    until(lambda: len(titles(client)) == 5, "all pages are there")
    until(lambda: states[-1] == "live", "it is live again")
    assert "catching_up" in states


def test_frames_are_acknowledged_as_they_are_applied(server: Any, live: Any) -> None:
    client = live()
    connection = server.connections.wait()
    connection.wait_for("ack")
    for n in range(20):
        server.put("cards", {"title": str(n)})
    until(lambda: len(titles(client)) == 20, "all are there")
    waker = client._background._waker

    def acknowledged() -> list[int]:
        return [frame["frames"] for frame in connection.wait_for("ack")]

    passing(server, waker, 0.5, lambda: acknowledged()[-1] == 21, "the last, after a while")
    assert acknowledged() == [1, 9, 17, 21]


def test_hello_names_session_place_and_collections(server: Any, live: Any) -> None:
    client = live()
    (hello,) = server.connections.wait().wait_for("hello")
    (session,) = server.connections.sessions
    assert hello["session"] == session
    assert hello["protocol"] == 1
    assert hello["collections"] == ["boards", "cards"]
    assert server.cursors[hello["cursor"]]
    reported = server.connections.sessions[session]
    assert reported["transports"] == LADDER
    assert reported["client_id"] == client.client_id
    upgrade = next(r for r in server.requests if "upgrade" in r.headers)
    assert str(upgrade.url).startswith("wss://sync.test/sync/live/ws/?ticket=")
    assert "authorization" not in upgrade.headers


def test_a_conflict_over_a_socket_is_asked_about(server: Any, live: Any) -> None:
    id = server.put("cards", {"title": "a"})
    client = live()
    server.connections.by_script = True  # What they write is not heard of yet.
    client.on_conflict(lambda conflict: conflict.keep_client())
    server.store(("cards", id), {"title": "theirs"}, "", None)
    server.connections.by_script = False
    client.collection("cards").update(id, {"title": "mine"})
    client._background._waker.advance(0.1)
    until(
        lambda: (
            server.object("cards", id) == {"title": "mine"}
            or client._background._waker.advance(0.1)
        ),
        "it is settled and sent",
    )


# Before their cursor comes


def test_r1_what_may_be_undone_waits_for_its_cursor(server: Any, live: Any) -> None:
    """A revoked membership that comes back before the cursor would be a loss for ever."""
    server.put("cards", {"title": "in b1"}, scope="b1")
    client = live()
    connection = server.connections.wait()
    server.connections.late_cursors = True
    stood = client._store.text("cursor")
    server.put("cards", {"title": "more in b1"}, scope="b1")
    until(lambda: len(titles(client)) == 2, "a known scope's record is applied at once")
    assert client._store.text("cursor") == stood
    server.revoke("ann", "b1")
    server.put("cards", {"title": "in b2"}, scope="b2")
    until(lambda: connection.wait_for("ack")[-1]["frames"] == 4, "all have come")
    assert titles(client) == ["in b1", "more in b1"]
    connection.cut()
    server.grant("ann", "b1")
    passing(server, client._background._waker, 1, lambda: len(titles(client)) == 3, "all is there")
    assert titles(client) == ["in b1", "in b2", "more in b1"]


def test_the_first_of_a_scope_is_forgotten_with_it(server: Any, live: Any) -> None:
    """Its scope came and went, and no cursor ever knew."""
    client = live()
    connection = server.connections.wait()
    server.connections.late_cursors = True
    id = server.put("cards", {"title": "short"}, scope="b1")
    until(lambda: connection.wait_for("ack")[-1]["frames"] == 2, "it has come")
    assert titles(client) == []
    connection.send({"type": "cursor", "cursor": connection.asked["cursor"]})
    until(lambda: titles(client) == ["short"], "its cursor has come")
    assert id


def test_a_begin_waits_for_its_cursor(server: Any, live: Any) -> None:
    id = server.put("cards", {"title": "old"})
    client = live()
    server.connections.by_script = True
    connection = server.connections.wait()
    connection.send(changes(server, {"op": "begin", "collection": "cards"}, put(id, "new", 2)))
    connection.send(changes(server, put(id, "newer", 3)))
    until(lambda: connection.wait_for("ack")[-1]["frames"] == 3, "both have come")
    assert titles(client) == ["old"]
    connection.send({"type": "cursor", "cursor": "c-1"})
    until(lambda: titles(client) == ["newer"], "it comes anew")
    assert client._store.text("cursor") == "c-1"


# One feeder at a time


@pytest.mark.parametrize("by", ["sync", "another process"])
def test_r1_a_pull_takes_the_store_and_late_frames_are_discarded(
    server: Any, live: Any, connect: Any, by: str
) -> None:
    client = live()
    connection = server.connections.wait()
    id = server.put("cards", {"title": "a"})
    until(lambda: titles(client) == ["a"], "it is there")
    # This server tells no deletion of what a cursor does not know, so that one has to be there.
    until(lambda: client._store.text("cursor") == connection.asked["cursor"], "and its cursor")
    server.connections.by_script = True
    server.delete("cards", id)
    (client if by == "sync" else connect()).sync()
    assert titles(client) == []
    server.connections.by_script = False
    connection.send(changes(server, put(id, "a", 1)))  # was under way all the time
    until(lambda: connection.ended, "it is the feeder no more")
    assert titles(client) == []
    passing(
        server, client._background._waker, 1, lambda: len(server.connections.opened) > 1, "again"
    )
    server.put("cards", {"title": "b"})
    until(lambda: titles(client) == ["b"], "it feeds again")


def test_r1_a_page_that_was_under_way_is_discarded(server: Any, live: Any) -> None:
    client = live()
    replica, store = client._parts.replica, client._store
    pull, place = replica.begin_pull(), replica.place()
    page = {**changes(server, put("00000000-0000-4000-8000-000000000001", "x")), "cursor": "c"}
    from django_sync.protocol import Page

    turn = replica.begin_stream()
    read = Page.from_json(page)
    assert replica.apply(read, place, ["cards"], pull) is None
    assert replica.apply(read, replica.place(), ["cards"], pull) is None
    assert replica.feed([read], turn, None, ["cards"]) is not None
    assert store.text("cursor") != "c"
    replica.end_stream(turn.stream)
    assert replica.feed([read], turn, "c", ["cards"]) is None


def test_another_process_sends_and_leaves_the_pulling_to_the_connection(
    server: Any, live: Any, link: Any, waker: Any
) -> None:
    first = live()
    second_waker = ManualWaker()
    second = link(waker=second_waker)
    second.start()
    until(lambda: second_waker.asleep() and second.status.link == "live", "it waits")
    passing(server, waker, 5, lambda: len(server.connections.opened) == 2, "the first has noticed")
    until(lambda: first.status.transport == "websocket", "the first has come back")
    before = pulls(server)
    second.collection("cards").create({"title": "from the second"})
    until(lambda: is_soon(second_waker), "it is about to send")
    second_waker.advance(0.1)
    until(lambda: not second.outbox, "it is sent")
    assert pulls(server) == before
    until(lambda: not rows(second, "outbox"), "the first process's socket has brought it")


# Results and what lies over the records


def test_a_result_that_comes_before_its_frame(server: Any, live: Any, waker: Any) -> None:
    id = server.put("cards", {"title": "a"})
    client = live()
    connection = server.connections.wait()
    seen: list[Any] = []
    client.on_change("cards")(lambda event: seen.append(event.record["title"]))
    server.connections.by_script = True
    waker.asleep()
    client.collection("cards").update(id, {"title": "mine"})
    until(lambda: is_soon(waker), "it is about to be sent")
    waker.advance(0.1)
    (frame,) = connection.wait_for("mutate")
    mutation = frame["mutations"][0]
    result = {"id": mutation["id"], "status": "applied", "revision": 3}
    connection.send({"type": "results", "ref": frame["ref"], "results": [result]})
    until(lambda: not client.outbox, "it has its result")
    connection.send(changes(server, put(id, "theirs", 2)))  # theirs, before mine was merged with it
    connection.send({"type": "cursor", "cursor": "c-1"})
    until(lambda: client._store.text("cursor") == "c-1", "it is applied")
    assert titles(client) == ["mine"]
    assert [row["state"] for row in rows(client, "outbox")] == ["settled"]
    connection.send(changes(server, put(id, "mine", 3)))
    until(lambda: not rows(client, "outbox"), "the server's state has come as far")
    connection.send(changes(server, put(id, "theirs again", 4)))
    until(lambda: titles(client) == ["theirs again"], "nothing hides it")
    assert seen == ["mine", "theirs again"]


def test_a_result_that_comes_after_its_frame(server: Any, live: Any, waker: Any) -> None:
    client = live()
    connection = server.connections.wait()
    server.connections.by_script = True
    waker.asleep()
    id = client.collection("cards").create({"title": "mine"}).id
    until(lambda: is_soon(waker), "it is about to be sent")
    waker.advance(0.1)
    (frame,) = connection.wait_for("mutate")
    connection.send(changes(server, put(id, "mine", 1)))
    mutation = frame["mutations"][0]
    result = {"id": mutation["id"], "status": "applied", "revision": 1}
    connection.send({"type": "results", "ref": frame["ref"], "results": [result]})
    until(lambda: not rows(client, "outbox"), "nothing lies over it")
    assert titles(client) == ["mine"]


def test_a_result_whose_change_never_comes_ends_with_a_pull(
    server: Any, live: Any, waker: Any
) -> None:
    client = live()
    connection = server.connections.wait()
    server.connections.on_frame = lambda connection, frame: frame["type"] == "mutate"
    waker.asleep()
    client.collection("cards").create({"title": "gone"})
    until(lambda: is_soon(waker), "it is about to be sent")
    waker.advance(0.1)
    (frame,) = connection.wait_for("mutate")
    mutation = frame["mutations"][0]
    result = {"id": mutation["id"], "status": "applied", "revision": 1}
    connection.send({"type": "results", "ref": frame["ref"], "results": [result]})
    until(lambda: not client.outbox, "it has its result")
    assert titles(client) == ["gone"]
    passing(server, waker, 5, lambda: not rows(client, "outbox"), "a pull has come")
    assert titles(client) == []


# What goes wrong


def broken(client: Any, server: Any, waker: Any) -> None:
    """After a connection broke: it waits a moment, comes back, and all is there."""
    server.connections.by_script = server.connections.silent = False
    server.connections.on_frame = None
    opened = len(server.connections.opened)
    server.put("cards", {"title": "after"})
    passing(server, waker, 1, lambda: "after" in titles(client), "what was missed is there")
    passing(server, waker, 1, lambda: len(server.connections.opened) > opened, "another is opened")
    until(lambda: client.status.transport == "websocket", "it is live")
    assert client.outbox == []


GARBAGE = {
    "no JSON": lambda connection, server: connection.raw(b"\x81\x03{a}"),
    "no object": lambda connection, server: connection.raw(b"\x81\x02[]"),
    "not a number": lambda connection, server: connection.raw(b'\x81\x0b{"a": NaN }'),
    "binary": lambda connection, server: connection.raw(b"\x82\x01a"),
    "no frame": lambda connection, server: connection.raw(b"\xff\xff\xff\xff"),
    "half a frame": lambda connection, server: (
        connection.raw(b'\x81\x20{"type":'),
        connection.cut(),
    ),
    "cut": lambda connection, server: connection.cut(),
    "no changes": lambda connection, server: connection.send({"type": "changes", "changes": 7}),
    "no cursor": lambda connection, server: connection.send({"type": "cursor"}),
    "no put": lambda connection, server: connection.send(
        changes(server, {"op": "put", "collection": "cards"})
    ),
}


@pytest.mark.parametrize("what", GARBAGE)
def test_what_cannot_be_read_ends_the_connection(
    server: Any, live: Any, waker: Any, what: str
) -> None:
    client = live()
    server.put("cards", {"title": "before"})
    until(lambda: titles(client) == ["before"], "it is there")
    connection = server.connections.wait()
    GARBAGE[what](connection, server)
    until(lambda: client.status.link == "offline", "it waits")
    broken(client, server, waker)
    assert titles(client) == ["after", "before"]


def test_what_is_unknown_is_skipped(
    server: Any, live: Any, caplog: pytest.LogCaptureFixture
) -> None:
    client = live()
    connection = server.connections.wait()
    connection.send({"type": "weather", "degrees": 3})
    connection.send({"type": "pong"})
    connection.send({"type": "welcome", "epoch": server.epoch})
    connection.send({"type": "results", "ref": "99", "results": []})
    connection.send({"type": "error", "ref": "98", "problem": {"code": "invalid"}})
    connection.send(changes(server, {"op": "sing", "collection": "cards"}))
    connection.ping()
    server.put("cards", {"title": "a"})
    until(lambda: titles(client) == ["a"], "it goes on")
    assert not connection.ended
    assert "weather" in caplog.text
    assert "99" in caplog.text


@pytest.mark.parametrize("frame", ["changes", "cursor"])
def test_changes_before_the_welcome_are_nobodys(
    server: Any, link: Any, waker: Any, frame: str
) -> None:
    server.transports = LADDER
    server.connections.by_script = True
    client = link()
    client.start()
    connection = server.connections.wait()
    connection.wait_for("hello")
    frames = {"changes": changes(server, put("00000000-0000-4000-8000-000000000001", "x"))}
    connection.send(frames.get(frame, {"type": "cursor", "cursor": "c-1"}))
    until(lambda: client.status.link == "offline", "it waits")
    assert titles(client) == []
    broken(client, server, waker)


@pytest.mark.parametrize("how", ["never accepts", "never welcomes", "never answers"])
def test_a_server_that_says_nothing(server: Any, link: Any, waker: Any, how: str) -> None:
    server.transports = LADDER
    if how == "never accepts":
        server.faults.append(on("live/ws/", httpx2.ReadTimeout))
    server.connections.silent = how == "never welcomes"
    client = link()
    client.start()
    if how == "never answers":
        until(lambda: client.status.transport == "websocket", "it is live")
        server.connections.silent = True
        connection = server.connections.wait()
        for _ in range(3):
            waker.asleep()
            waker.advance(12.5)
        assert len(connection.wait_for("ping", 3)) == 3
        waker.asleep()
        waker.advance(12.5)
    elif how == "never welcomes":
        assert waker.asleep() == 10
        waker.advance(10)
    until(lambda: client.status.link == "offline", "it takes the connection for dead")
    server.faults.clear()
    broken(client, server, waker)


@pytest.mark.parametrize(
    ("code", "state", "transport"),
    [
        (1000, "offline", "websocket"),
        (1001, "backing_off", "websocket"),
        (1006, "offline", "websocket"),
        (1009, "offline", "websocket"),
        (1011, "offline", "websocket"),
        (1012, "backing_off", "websocket"),
        (4400, None, "sse"),
        (4401, "backing_off", "websocket"),
        (4403, None, "sse"),
        (4408, "offline", "websocket"),
        (4410, None, "websocket"),
        (4429, "backing_off", "sse"),
        (4999, "offline", "websocket"),
    ],
)
def test_close_codes(
    server: Any, live: Any, waker: Any, code: int, state: str | None, transport: str
) -> None:
    client = live()
    statuses: list[str] = []
    client.on_status(lambda status: statuses.append(status.link))
    stood = client._store.number("pulls")
    server.connections.wait().shut(code)
    if state is not None:
        until(lambda: state in statuses, f"it is {state}")
    passing(server, waker, 1, lambda: len(server.connections.opened) > 1, "another is opened")
    until(lambda: client.status.transport == transport, f"by {transport}")
    assert set(statuses) <= {state, "live", "connecting", "catching_up"}
    server.put("cards", {"title": "after"})
    until(lambda: titles(client) == ["after"], "it is there")
    assert client._store.number("pulls") > stood


@pytest.mark.parametrize(
    ("error", "times"), [(errors.CursorExpired(), 1), (errors.InvalidCursor(), 1)]
)
def test_a_void_cursor_begins_anew(
    server: Any, live: Any, waker: Any, kind: str, error: Any, times: int
) -> None:
    server.put("cards", {"title": "a"})
    client = live(kind)
    server.connections.wait().refuse(error)
    server.connections.wait(2)
    until(lambda: client.status.transport == kind, "it is live")
    assert titles(client) == ["a"]
    asked = [r.url.params for r in server.requests if r.url.path.endswith("/sync/changes/")]
    assert "cursor" not in asked[-1]


def test_a_new_epoch_on_the_way_begins_anew(server: Any, live: Any, waker: Any, kind: str) -> None:
    server.put("cards", {"title": "a"})
    client = live(kind)
    connection = server.connections.wait()
    server.new_epoch()
    server.put("cards", {"title": "b"})
    until(lambda: connection.ended, "the server ends it")
    passing(server, waker, 1, lambda: titles(client) == ["a", "b"], "all is there")
    assert client._store.text("epoch") == server.epoch


@pytest.mark.parametrize("lost", ["before", "after"])
def test_a_socket_that_breaks_before_or_after_a_mutation(
    server: Any, live: Any, waker: Any, lost: str
) -> None:
    """The same mutation is sent again, and takes effect once (G4)."""
    client = live()

    def cut(connection: Any, frame: Any) -> bool:
        if frame["type"] != "mutate":
            return False
        if lost == "after":
            server.writes.batch(
                connection.user, {k: frame[k] for k in frame if k not in ("type", "ref")}
            )
        server.connections.mutated.append(frame["mutations"])
        connection.cut()
        return True

    server.connections.on_frame = cut
    waker.asleep()
    client.collection("cards").create({"title": "once"})
    until(lambda: is_soon(waker), "it is about to be sent")
    waker.advance(0.1)
    until(lambda: client.status.link == "offline", "it waits")
    assert [m.state for m in client.outbox] == ["sent"]
    broken(client, server, waker)
    assert [json.dumps(m) for m in sent(server)[-1]] == [
        json.dumps(m) for m in server.connections.mutated[0]
    ]
    assert sorted(o["title"] for o in server.visible("ann").values()) == ["after", "once"]


def test_results_that_do_not_come(server: Any, live: Any, waker: Any) -> None:
    client = live()
    server.connections.on_frame = lambda connection, frame: frame["type"] == "mutate"
    waker.asleep()
    client.collection("cards").create({"title": "a"})
    passing(server, waker, 1, lambda: client.status.link == "offline", "it gives up")
    broken(client, server, waker)
    assert titles(client) == ["a", "after"]


def test_poison_over_a_socket_is_set_aside(server: Any, live: Any, waker: Any) -> None:
    client = live()
    poison = errors.SyncError("boom").problem()

    def refuse(connection: Any, frame: Any) -> bool:
        bad = frame["type"] == "mutate" and "poison" in json.dumps(frame)
        if bad:
            connection.send({"type": "error", "ref": frame["ref"], "problem": poison})
        return bad

    server.connections.on_frame = refuse
    waker.asleep()
    for title in ("poison", "good"):
        client.collection("cards").create({"title": title})
    passing(server, waker, 0.1, lambda: client.status.problem, "it says so")
    until(lambda: [o["title"] for o in server.visible("ann").values()] == ["good"], "the other")
    assert client.status.link == "live"
    assert [m.fields["title"] for m in client.outbox] == ["poison"]


# Which transport


def test_a_connection_that_dies_early_is_left_alone_and_tried_again_later(
    server: Any, link: Any, waker: Any
) -> None:
    server.transports = LADDER
    server.connections.on_frame = lambda connection, frame: connection.cut() or True
    client = link()
    client.start()
    for _ in range(3):
        until(lambda: client.status.link == "offline" and waker.asleep() == 1, "it waits")
        waker.advance(1)
    until(lambda: client.status.transport == "sse", "it falls to the next")
    assert sum("upgrade" in r.headers for r in server.requests) == 3
    (session,) = server.connections.sessions.values()
    assert session["failed"] == ["websocket"]
    server.connections.on_frame = None
    for _ in range(2):
        waker.asleep()
        waker.advance(25)
    waker.asleep()
    assert client.status.transport == "sse"
    waker.advance(10)
    until(lambda: client.status.transport == "websocket", "it has climbed")
    assert session["failed"] == []


def test_each_time_it_is_left_alone_for_longer() -> None:
    from django_sync.client.link.transports import Choice
    from django_sync.protocol import Transport

    choice = Choice(rest=60, uniform=lambda low, high: 1.0)
    choice.offered(LADDER)
    now, rests = 0.0, list[float]()
    for _ in range(8):
        for _ in range(3):
            assert choice.best(now, sparing=False) == "websocket"
            choice.ended(Transport.WEBSOCKET, now, lived=5)
        rests.append(choice.climbs_in(Transport.SSE, now) or 0)
        now += rests[-1]
    assert rests == [60, 120, 240, 480, 960, 1920, 3600, 3600]
    choice.ended(Transport.WEBSOCKET, now, lived=61)
    for _ in range(3):
        choice.ended(Transport.WEBSOCKET, now, lived=5)
    assert choice.climbs_in(Transport.SSE, now) == 60


@pytest.mark.parametrize("status", [400, 404, 405, 426, 500])
def test_where_no_socket_can_be_opened_the_next_is_taken_at_once(
    server: Any, link: Any, waker: Any, status: int
) -> None:
    server.transports = LADDER
    server.faults.append(on("live/ws/", httpx2.Response(status)))
    client = link()
    statuses: list[str] = []
    client.on_status(lambda status: statuses.append(status.link))
    client.start()
    until(lambda: client.status.transport == "sse", "it streams")
    assert set(statuses) <= {"connecting", "catching_up", "live"}


def test_down_to_polling_and_back(server: Any, link: Any, waker: Any) -> None:
    server.transports = LADDER
    server.held.answers_at_once = True
    for path in ("live/ws/", "live/stream/"):
        server.faults.append(on(path, httpx2.Response(404)))
    client = link()
    client.start()
    until(lambda: client.status.transport == "poll", "it polls")
    server.faults.clear()
    server.held.answers_at_once = False
    passing(server, waker, 10, lambda: client.status.transport == "websocket", "it has climbed")
    server.put("cards", {"title": "a"})
    until(lambda: titles(client) == ["a"], "it is live")


def test_a_server_without_sessions_lets_no_socket_in(server: Any, link: Any) -> None:
    server.transports = LADDER
    server.has_sessions = False
    client = link()
    client.start()
    until(lambda: client.status.transport == "sse", "it streams")
    assert not any("upgrade" in r.headers for r in server.requests)


@pytest.mark.parametrize("status", [400, 403, 500])
def test_a_server_that_opens_no_session_streams_all_the_same(
    server: Any, link: Any, status: int
) -> None:
    server.transports = LADDER
    server.faults.append(on("sessions/", httpx2.Response(status)))
    client = link()
    client.start()
    until(lambda: client.status.transport == "sse", "it streams")


def test_a_session_of_anothers_client_is_refused(server: Any, link: Any) -> None:
    server.transports = LADDER
    problem = errors.ClientMismatch().problem()
    server.faults.append(on("sessions/", httpx2.Response(403, json=problem)))
    client = link()
    client.start()
    until(lambda: client.status.link == "refused", "it stops")


def test_the_server_decides(server: Any, link: Any, waker: Any) -> None:
    server.transports = LADDER
    server.connections.wanted = "sse"
    client = link()
    client.start()
    until(lambda: client.status.transport == "sse", "as the server wants")
    server.connections.wanted = None
    for _ in range(2):
        waker.asleep()
        assert client.status.transport == "sse"
        waker.advance(25)
    waker.asleep()
    waker.advance(10)
    until(lambda: client.status.transport == "websocket", "it asked again")


@pytest.mark.parametrize("to", ["sse", "long-poll", "poll", "carrier pigeon"])
def test_an_order_to_switch_is_obeyed_for_its_time(
    server: Any, live: Any, waker: Any, to: str
) -> None:
    client = live()
    server.connections.wait().send({"type": "switch", "transport": to, "retry_after": 40})
    expected = to if to in LADDER else "poll"
    until(lambda: client.status.transport == expected, "it switches")
    server.put("cards", {"title": "a"})
    passing(server, waker, 3, lambda: titles(client) == ["a"], "changes come")
    if to == "long-poll":
        server.held.wait()
        waker.advance(40)
        server.held.release()
    passing(server, waker, 5, lambda: client.status.transport == "websocket", "it has come back")


@pytest.mark.parametrize(
    ("allowed", "used"), [(["sse"], "sse"), (["poll"], "poll"), ([], "poll"), (None, "websocket")]
)
def test_a_program_may_say_which(server: Any, link: Any, allowed: Any, used: str) -> None:
    server.transports = LADDER
    client = link(transports=allowed)
    client.start()
    until(lambda: client.status.transport == used, f"by {used}")
    able = LADDER if allowed is None else allowed
    assert server.connections.sessions
    for session in server.connections.sessions.values():
        assert session["transports"] == list(dict.fromkeys([*able, "poll"]))


def test_unknown_transports_are_refused(link: Any) -> None:
    for name in ("pigeon", "push"):
        with pytest.raises(ValueError, match=name):
            link(transports=[name])


def test_without_wsproto_there_is_no_websocket(
    server: Any, link: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    server.transports = LADDER
    client = link()
    client.start()
    until(lambda: client.status.transport == "sse", "it streams")
    (session,) = server.connections.sessions.values()
    assert session["transports"] == LADDER[1:]


def test_sparing_closes_the_connection(server: Any, live: Any, waker: Any, kind: str) -> None:
    client = live(kind)
    client.network(foreground=False)
    until(lambda: client.status.transport == "poll", "it polls")
    assert server.connections.wait().ended
    client.network(foreground=True)
    until(lambda: client.status.transport == kind, "it has come back")


# Credentials


def test_a_token_that_ends_is_renewed_over_http(server: Any, live: Any, waker: Any) -> None:
    tokens = ["t-new"]
    client = live(auth=BearerAuth("t-ann", renew=lambda: tokens.pop() if tokens else None))
    server.users["t-new"] = server.users.pop("t-ann")
    server.connections.wait().shut(4401)
    passing(server, waker, 1, lambda: len(server.connections.opened) > 1, "another is opened")
    until(lambda: client.status.transport == "websocket", "it is live")
    assert tokens == []
    del server.users["t-new"]
    server.connections.wait(2).shut(4401)
    passing(server, waker, 1, lambda: client.status.link == "auth_required", "it waits")


# Beginning and end


def test_stop_ends_the_connection_and_its_thread(server: Any, live: Any, kind: str) -> None:
    client = live(kind)
    for n in range(1, 4):
        client.stop()
        assert threads() == []
        assert server.connections.opened[-1].ended
        assert client._store.number("stream") == 0
        client.start()
        server.connections.wait(n + 1)
    until(lambda: client.status.transport == kind, "it is live")
    client.close()
    assert threads() == []


@pytest.mark.parametrize("what", ["write", "sync", "stop", "close"])
def test_a_callback_may_do_anything(
    server: Any, live: Any, waker: Any, kind: str, what: str
) -> None:
    client = live(kind)
    done: list[str] = []

    def act(event: Any) -> None:
        if done or event.origin == "local":
            return
        done.append(what)
        if what == "write":
            client.collection("cards").create({"title": "mine"})
        else:
            getattr(client, what)()

    client.on_change("cards")(act)
    server.put("cards", {"title": "theirs"})
    until(lambda: done, "it is called")
    if what in ("stop", "close"):
        until(lambda: not threads(), "the threads have ended")
        return
    passing(server, waker, 0.1, lambda: not client.outbox, "it is sent")
    passing(server, waker, 0.1, lambda: client.status.transport == kind, "it goes on")


def test_wait_until_synced_while_live(server: Any, live: Any, kind: str) -> None:
    client = live(kind)
    server.connections.by_script = True
    server.put("cards", {"title": "theirs"})
    client.collection("cards").create({"title": "mine"})
    server.connections.by_script = False
    client.wait_until_synced(60)
    assert titles(client) == ["mine", "theirs"]
    assert client.outbox == []


def test_reset_while_live(server: Any, live: Any, kind: str) -> None:
    server.put("cards", {"title": "a"})
    client = live(kind)
    client.reset()
    until(lambda: titles(client) == ["a"], "it is there again")
    until(lambda: client.status.transport == kind, "it is live")
    client.reset(wipe=True)
    assert titles(client) == []
    assert threads() == []


# What networks do


@pytest.mark.parametrize("seed", range(8))
def test_it_converges_in_any_weather(server: Any, link: Any, waker: Any, seed: int) -> None:
    drawn = random.Random(seed)
    server.transports = LADDER if seed % 2 else LADDER[1:]
    server.held.answers_at_once = True
    weights = dict.fromkeys(Fate, 1) | {Fate.DELIVERED: 30}
    network = FaultyTransport(server.transport(), random.Random(seed), weights=weights)
    client = link(transport=network, auth=BearerAuth("t-ann", renew=lambda: "t-ann"))
    client.start()
    for n in range(60):
        match drawn.randrange(6):
            case 0 | 1:
                client.collection("cards").create({"title": f"c{n:02}"})
            case 2 | 3:
                server.put("cards", {"title": f"s{n:02}"}, scope=drawn.choice(["", "b1", "b2"]))
            case 4:
                server.revoke("ann", "b1")
            case 5:
                server.grant("ann", "b1")
        if (left := waker.asleep()) is not None:
            waker.advance(left)
        else:
            client.start()
    waker.asleep()
    network.heal()
    client.start()
    waker.advance(300)
    client.wait_until_synced(60)
    passing(
        server, waker, 1, lambda: client.status.transport in ("websocket", "sse"), "a connection"
    )
    server.put("cards", {"title": "last"})
    expected = sorted(record["title"] for record in server.visible("ann").values())
    until(lambda: titles(client) == expected, "it converges")
    assert client.outbox == []


# Found by leaving a line of the code out


def test_a_page_of_a_catch_up_waits_for_its_cursor(server: Any, live: Any) -> None:
    id = server.put("cards", {"title": "old"})
    client = live()
    connection = server.connections.wait()
    server.connections.by_script = True
    connection.send(changes(server, put(id, "new", 2), has_more=True))
    until(lambda: connection.wait_for("ack")[-1]["frames"] == 2, "it has come")
    assert titles(client) == ["old"]
    connection.send({"type": "cursor", "cursor": "c-1"})
    until(lambda: titles(client) == ["new"], "its cursor has come")


def test_a_session_that_has_ended_is_opened_anew(server: Any, live: Any, waker: Any) -> None:
    client = live()
    server.connections.sessions.clear()
    server.connections.wait().cut()
    passing(server, waker, 1, lambda: len(server.connections.opened) > 1, "another is opened")
    until(lambda: client.status.transport == "websocket", "it is live")
    assert len(server.connections.sessions) == 1


def test_a_welcome_of_another_epoch_begins_anew(server: Any, live: Any, waker: Any) -> None:
    server.put("cards", {"title": "a"})
    client = live()
    stood = client._store.text("cursor")
    server.connections.on_frame = lambda connection, frame: (
        connection.send({"type": "welcome", "epoch": "another"}) or frame["type"] == "hello"
    )
    server.connections.wait().cut()
    passing(server, waker, 1, lambda: len(server.connections.opened) > 1, "another is opened")
    server.connections.wait(2).wait_for("hello")
    server.connections.on_frame = None
    passing(server, waker, 1, lambda: client.status.transport == "websocket", "it is live")
    asked = [r.url.params for r in server.requests if r.url.path.endswith("/sync/changes/")]
    assert any("cursor" not in params for params in asked[1:])
    assert client._store.text("cursor") != stood
