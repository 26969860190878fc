"""One full exchange: batches, poison, results, time-outs, credentials."""

from __future__ import annotations

import datetime
import json
from typing import Any

import httpx2
import pytest

from django_sync import errors
from django_sync.client import BasicAuth, BearerAuth, TokenAuth
from tests.unit.client.helpers import fault, on, rows, sent, titles


def test_full_exchange_counts(server: Any, client: Any) -> None:
    server.put("cards", {"title": "s"})
    client.collection("cards").create({"title": "c"})
    counts = client.sync()
    assert (counts.sent, counts.applied, counts.changes) == (1, 1, 2)
    assert titles(client) == ["c", "s"]
    assert client.sync().sent == 0
    assert client.status.network == "online"


def test_batches_are_cut_to_the_servers_limit_and_keep_their_order(
    server: Any, client: Any
) -> None:
    server.batch_size = 3
    for n in range(8):
        client.collection("cards").create({"title": str(n)})
    client.sync()
    assert [[m["fields"]["title"] for m in batch] for batch in sent(server)] == [
        ["0", "1", "2"],
        ["3", "4", "5"],
        ["6", "7"],
    ]


def test_too_large_is_halved(server: Any, client: Any) -> None:
    cards = client.collection("cards")
    for n in range(9):
        cards.create({"title": str(n)})
    limit = on("mutations/", lambda r: httpx2.Response(413) if _size(r) > 2 else None)
    with fault(server, limit):
        client.sync()
    assert client.outbox == []
    assert len(titles(client)) == 9


def _size(request: httpx2.Request) -> Any:
    return len(json.loads(request.content)["mutations"])


def _poison(mark: Any, status: Any) -> Any:
    return on("mutations/", lambda r: httpx2.Response(status) if mark in r.content else None)


@pytest.mark.parametrize("status", [413, 400, 500])
def test_poison_is_set_aside_and_blocks_only_what_depends_on_it(
    server: Any, client: Any, status: Any
) -> None:
    cards, boards = client.collection("cards"), client.collection("boards")
    for n in range(5):
        cards.create({"title": str(n)})
    bad = boards.create({"title": "poison"})
    child = cards.create({"title": "child", "links": [bad.id]})
    cards.create({"title": "last"})
    with fault(server, _poison(b"poison", status)), pytest.raises(errors.SyncError):
        client.sync()
    assert [m.object_id for m in client.outbox] == [bad.id, child.id]
    assert titles(client) == ["0", "1", "2", "3", "4", "child", "last"]
    client.sync()
    assert client.outbox == []


def test_a_server_that_is_down_is_not_asked_for_each_mutation(server: Any, client: Any) -> None:
    for n in range(64):
        client.collection("cards").create({"title": str(n)})
    with (
        fault(server, on("mutations/", httpx2.Response(500))),
        pytest.raises(errors.SyncError),
    ):
        client.sync()
    assert len(sent(server)) < 20
    assert len(client.outbox) == 64


def test_rejected_puts_the_record_back_and_tells(server: Any, client: Any) -> None:
    id = server.put("cards", {"title": "a"})
    client.sync()
    rejections: list[Any] = []
    client.on_rejected(rejections.append)
    server.user("ann", "t-ann").read_only = True
    client.collection("cards").update(id, {"title": "b"})
    assert client.sync().rejected == 1
    assert client.collection("cards").get(id)["title"] == "a"
    assert rejections[0].mutation.fields == {"title": "b"}
    assert rejections[0].problem["code"] == "permission_denied"
    assert isinstance(rejections[0].error, errors.PermissionDenied)
    assert client.outbox == client.rejections == rows(client, "outbox") == []


def test_rejection_is_kept_until_a_callback_is_called(
    server: Any, client: Any, connect: Any
) -> None:
    server.user("ann", "t-ann").read_only = True
    client.collection("cards").create({"title": "typed for an hour"})
    client.sync()
    assert titles(client) == []
    client.close()
    again = connect()
    assert [r.mutation.fields for r in again.rejections] == [{"title": "typed for an hour"}]
    rejections: list[Any] = []
    again.on_rejected(rejections.append)
    again.sync()
    again.sync()
    assert len(rejections) == 1
    assert again.rejections == []


def test_aborted_stays_and_is_sent_again_unchanged(server: Any, client: Any) -> None:
    cards = client.collection("cards")
    server.writes.validate = _refuse_bad
    bad = cards.create({"title": "bad"})
    cards.create({"title": "child", "links": [bad.id]})
    counts = client.sync()
    assert (counts.rejected, counts.aborted, counts.applied) == (1, 1, 1)
    first, second = sent(server)
    assert second == first[1:]


def _refuse_bad(collection: Any, content: Any) -> Any:
    if content["title"] == "bad":
        raise errors.ValidationFailed(errors={"title": [{"code": "bad", "detail": "Bad."}]})


def test_missing_and_unknown_results_leave_the_mutation(
    server: Any, client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    client.collection("cards").create({"title": "a"})
    (mutation,) = client.outbox
    for results in ([], [{"id": mutation.id, "status": "later"}], [7, {"id": "x"}]):
        answer = httpx2.Response(200, json={"results": results})
        with fault(server, on("mutations/", answer)):
            client.sync()
        assert len(client.outbox) == 1
        assert client.outbox[0].state == "sent"
    assert "later" in caplog.text
    client.sync()
    assert client.outbox == []


def test_retry_after_is_obeyed_and_attempts_are_bounded(server: Any, connect: Any) -> None:
    waits: list[Any] = []
    client = connect(sleep=waits.append)
    client.sync()
    answers = [httpx2.Response(503, headers={"Retry-After": "7"}), httpx2.Response(429)]
    with fault(server, on("changes/", lambda r: answers.pop(0) if answers else None)):
        client.sync()
    assert waits == [7.0, 2.0]
    waits.clear()
    with fault(server, on("changes/", httpx2.Response(502))), pytest.raises(errors.Unavailable):
        client.sync()
    assert waits == [1.0, 2.0]
    assert client.status.retry_at is not None
    client.sync()
    assert client.status.retry_at is None
    assert client.status.problem is None


def test_retry_after_as_a_date_and_beyond_patience(server: Any, connect: Any) -> None:
    now = datetime.datetime(2026, 11, 22, 12, tzinfo=datetime.UTC)
    waits: list[Any] = []
    client = connect(sleep=waits.append, now=lambda: now)
    date = "Sun, 22 Nov 2026 12:10:00 GMT"
    busy = httpx2.Response(503, headers={"Retry-After": date})
    with fault(server, on("changes/", busy)), pytest.raises(errors.Unavailable) as caught:
        client.sync()
    assert waits == []
    assert caught.value.retry_after == 600
    assert client.status.retry_at == now + datetime.timedelta(minutes=10)


def test_time_outs_are_tried_again_and_no_connection_is_not(server: Any, connect: Any) -> None:
    waits: list[Any] = []
    client = connect(sleep=waits.append)
    for error, slept in ((httpx2.ReadTimeout, 2), (httpx2.ConnectError, 0)):
        waits.clear()
        with fault(server, on("changes/", error)), pytest.raises(errors.Offline):
            client.sync()
        assert len(waits) == slept
    assert client.status.network == "offline"


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.Response(200, html="<h1>Welcome to our café</h1>"),
        httpx2.Response(302, headers={"Location": "http://portal.test/"}),
        httpx2.Response(511),
        httpx2.Response(200, json=["not", "an", "object"]),
        httpx2.Response(200, json={"hello": "portal"}),
        httpx2.Response(410, text="Gone"),
    ],
)
@pytest.mark.parametrize("path", ["/sync/", "changes/", "mutations/"])
def test_answers_that_are_not_the_servers_are_offline_and_harmless(
    server: Any, connect: Any, answer: Any, path: Any
) -> None:
    first = connect()
    server.put("cards", {"title": "s"})
    first.sync()
    client = connect()
    client.collection("cards").create({"title": "c"})
    with fault(server, on(path, answer)), pytest.raises(errors.Offline):
        client.sync()
    assert titles(client) == ["c", "s"]
    client.sync()
    assert titles(client) == ["c", "s"]
    assert client.outbox == []


def test_a_protocol_that_it_does_not_speak(server: Any, client: Any) -> None:
    with (
        fault(server, on("/sync/", httpx2.Response(200, json={"protocol": 9}))),
        pytest.raises(errors.UnsupportedProtocol),
    ):
        client.sync()


def test_expired_credentials_are_renewed_once(server: Any, connect: Any) -> None:
    calls: list[Any] = []

    def renew() -> Any:
        calls.append(1)
        server.user("ann", "t2")
        return "t2"

    client = connect(auth=BearerAuth("old", renew=renew))
    client.collection("cards").create({"title": "a"})
    client.sync()
    assert len(calls) == 1
    assert client.outbox == []
    server.users.clear()
    server.user("ann", "t-other")
    client.collection("cards").create({"title": "b"})

    def renew_wrongly() -> str:
        calls.append(1)
        return "still wrong"

    client._exchange._network._auth._renew = renew_wrongly
    with pytest.raises(errors.NotAuthenticated):
        client.sync()
    assert len(calls) == 2
    assert len(client.outbox) == 1


def test_without_renewal_it_says_so_and_keeps_the_outbox(server: Any, connect: Any) -> None:
    client = connect(auth=TokenAuth("wrong"))
    client.collection("cards").create({"title": "a"})
    with pytest.raises(errors.NotAuthenticated):
        client.sync()
    assert len(client.outbox) == 1


def test_store_is_refused_to_another_server_and_user(
    server: Any, client: Any, connect: Any
) -> None:
    client.sync()
    with pytest.raises(errors.StoreMismatch):
        connect(url="https://elsewhere.test/sync/")
    server.put("cards", {"title": "ann's"})
    bob = connect(auth=TokenAuth("t-bob"))
    with pytest.raises(errors.StoreMismatch):
        bob.sync()
    assert titles(bob) == []
    server.user("ann", "t-rotated")
    connect(auth=TokenAuth("t-rotated")).sync()


def test_store_is_refused_offline_where_the_user_is_known(server: Any, connect: Any) -> None:
    connect(auth=TokenAuth("t-ann", user="ann")).sync()
    for auth in (TokenAuth("t-bob", user="bob"), BasicAuth("bob", "pw")):
        with pytest.raises(errors.StoreMismatch):
            connect(auth=auth)


def test_reset_pulls_again_and_keeps_the_outbox(server: Any, client: Any) -> None:
    server.put("cards", {"title": "s"})
    client.sync()
    client.collection("cards").create({"title": "c"})
    client.reset()
    assert titles(client) == ["c"]
    client.sync()
    assert titles(client) == ["c", "s"]
    assert client.outbox == []


def test_wipe_forgets_everything_and_another_user_may_come(
    server: Any, client: Any, connect: Any
) -> None:
    server.put("cards", {"title": "s"})
    client.sync()
    client.collection("cards").create({"title": "c"})
    before = client.client_id
    client.reset(wipe=True)
    assert titles(client) == []
    assert client.outbox == []
    assert client.client_id != before
    connect(auth=TokenAuth("t-bob")).sync()


def test_a_store_of_a_newer_version_is_refused(client: Any, connect: Any) -> None:
    client._store.set("schema_version", 99)
    with pytest.raises(errors.StoreMismatch):
        connect()
