"""Logs: each request and frame once, by ids and numbers alone; and as JSON."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import uuid
from typing import Any

import pytest

from django_sync import logs
from django_sync.logs import FACTS, JsonFormatter
from example_project.boards.models import Card
from tests.integration.test_directives import Device, device_of, held
from tests.integration.wire import Site, bearer, in_a_thread

SECRET = "Nobody is to read this zebrafish"


@pytest.fixture
def told(caplog: Any) -> Any:
    """The lines of requests so far."""
    caplog.set_level(logging.DEBUG, "django_sync.requests")

    def told(least: int = logging.INFO) -> list[Any]:
        records = [r for r in caplog.records if r.name == "django_sync.requests"]
        return [r for r in records if r.levelno >= least]

    return told


def facts(record: logging.LogRecord) -> dict[str, Any]:
    return {name: getattr(record, name) for name in FACTS if hasattr(record, name)}


def test_a_pull_is_told_once(people, told, caplog):
    device = Device(people.ada)
    caplog.clear()
    device.pull()
    (line,) = told()
    found = facts(line)
    assert found.pop("duration_ms") > 0
    assert found == {
        "call": "sync_pull",
        "method": "GET",
        "status": 200,
        "user": str(people.ada.pk),
        "client": device.id,
        "session": device.session,
    }
    assert line.getMessage() == "GET sync_pull 200"


def test_a_batch_tells_of_its_mutations_to_an_end(people, told, caplog):
    device = Device(people.ada)
    ids = [str(uuid.uuid4()) for _ in range(30)]
    caplog.clear()
    device.send(*({"id": id, "seq": n, "op": "?"} for n, id in enumerate(ids)), {"id": SECRET})
    (line,) = told()
    assert (line.mutations, line.mutation_count) == (ids[:20], 30)


def test_a_refusal_is_told_with_its_code(people, told, caplog):
    device = Device(people.ada)
    caplog.clear()
    device.pull("none of yours")
    device.api.get("/sync/nothing/")
    assert [(r.status, r.code) for r in told()] == [(400, "invalid_cursor"), (404, "not_found")]
    assert not hasattr(told()[1], "client"), "it did not say"


def test_who_is_not_let_in_is_told_without_a_name(people, told, client):
    client.get("/sync/changes/")
    (line,) = told()
    assert (line.status, line.code, hasattr(line, "user")) == (401, "not_authenticated", False)
    assert line.levelno == logging.WARNING


def test_what_breaks_is_told_too(people, told, caplog, monkeypatch):
    device = Device(people.ada)
    caplog.clear()

    def broken(*args: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr("django_sync.feed.pull.pull", broken)
    device.api.raise_request_exception = False
    assert device.pull().status_code == 500
    (line,) = told()
    assert line.status == 500


def test_a_held_pull_is_told_once_with_its_waiting(boards, told, caplog, settings):
    settings.DJANGO_SYNC = {"WATCH_MS": 50}
    site = Site()

    async def story():
        device = await in_a_thread(device_of, boards.ada)
        token = await in_a_thread(bearer, boards.ada)
        page = await in_a_thread(lambda: device.pull().json())
        caplog.clear()
        task = asyncio.create_task(held(site, [token, *device.says.items()], page["cursor"]))
        while not any(w._scopes is not None for w in site.application.watch._waiters):
            await asyncio.sleep(0.005)
        assert told() == []
        await in_a_thread(Card.objects.create, board=boards.launch, title=SECRET)
        await task
        (line,) = told()
        assert (line.call, line.status, line.client) == ("sync_live", 200, device.id)

    asyncio.run(story())
    site.application.close()


def test_a_socket_is_told_frame_by_frame(boards, told, caplog, settings):
    settings.DJANGO_SYNC = {"WATCH_MS": 50, "TRANSPORTS": ["websocket"]}
    site = Site()

    async def story():
        device = await in_a_thread(device_of, boards.ada)
        caplog.clear()
        async with site.socket(query=f"ticket={device.ticket}") as wire:
            await wire.hello(session=device.session)
            await wire.caught_up()
            wire.say(type="ping")
            wire.say(type="mutate", ref="1", client_id=device.id, mutations=[])
            while json.loads((await wire.event())["text"])["type"] != "results":
                pass
        lines = told()
        assert [r.call for r in lines] == ["socket", "frame hello", "sync_mutations", "socket"]
        assert {(r.client, r.session, r.user) for r in lines} == {
            (device.id, device.session, str(boards.ada.pk))
        }
        often = [r.call for r in told(logging.DEBUG) if r.levelno == logging.DEBUG]
        assert {"frame ack", "frame ping", "sync_pull"} <= set(often)
        assert device.ticket not in written(told(logging.DEBUG))

    asyncio.run(story())
    site.application.close()


def test_a_stream_is_told_at_both_ends(boards, told, caplog, settings):
    settings.DJANGO_SYNC = {"WATCH_MS": 50, "TRANSPORTS": ["sse"]}
    site = Site()

    async def story():
        device = await in_a_thread(device_of, boards.ada)
        headers = [await in_a_thread(bearer, boards.ada), *device.says.items()]
        caplog.clear()
        async with site.stream(*headers) as wire:
            while (await wire.part())[0] != "cursor":
                pass
        assert [(r.call, r.client) for r in told()] == [
            ("stream", device.id),
            ("stream end", device.id),
        ]

    asyncio.run(story())
    site.application.close()


# Nothing that is nobody's business


def written(records: Any) -> str:
    """All that was logged, as JSON would have it and as text."""
    formatter = JsonFormatter()
    return "\n".join(formatter.format(r) + str(vars(r)) for r in records)


def test_no_value_no_credential_no_ticket(people, phone, card, caplog):
    caplog.set_level(logging.DEBUG)
    token = bearer(people.ada)
    device = Device(people.ada, transports=["websocket", "poll"], name=SECRET)
    device.api.credentials(HTTP_AUTHORIZATION=token[1])
    body = phone.create("cards", title=SECRET, board=str(people.launch.sync_id))
    assert device.send(body).status_code == 200
    device.send({**body, "fields": {"title": SECRET, "nothing": SECRET}})
    cursor = device.pull().json()["cursor"]
    device.pull(cursor + SECRET)
    device.api.get(f"/sync/cards/?after={SECRET}")
    device.api.post("/sync/cards/", {"object": {"title": SECRET}}, format="json")
    ours = [r for r in caplog.records if r.name.startswith("django_sync")]
    assert len(ours) >= 6
    text = written(ours)
    for secret in (
        SECRET,
        SECRET.rsplit(maxsplit=1)[-1],
        token[1].split()[1],
        device.ticket,
        cursor,
    ):
        assert secret not in text


def test_nothing_is_made_up_where_nobody_listens(people, monkeypatch):
    monkeypatch.setattr(logs.requests, "level", logging.WARNING)
    seen: list[Any] = []
    monkeypatch.setattr(logs.requests, "log", lambda *args, **more: seen.append(args))
    Device(people.ada).pull()
    assert seen == []


# The formatter


def record(message: str = "said", *args: Any, **extra: Any) -> logging.LogRecord:
    logger = logging.getLogger("somebody")
    return logger.makeRecord("somebody", logging.INFO, "f.py", 1, message, args, None, extra=extra)


def test_json_of_a_record():
    line = json.loads(JsonFormatter().format(record("%s – ü", "x", status=200, mutations=["a"])))
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "INFO",
        "logger": "somebody",
        "message": "x – ü",
        "status": 200,
        "mutations": ["a"],
    }


def test_json_is_one_line_and_keeps_no_secret():
    told = record(
        'GET "/sync/live/ws/?ticket=abc123&x=1"\nnext',
        auth_token="abc123",
        password="abc123",
        request=object(),
        body=b"abc123",
        path="/x?token=abc123",
        many=list(range(1000)),
    )
    text = JsonFormatter().format(told)
    assert "\n" not in text
    assert "abc123" not in text
    line = json.loads(text)
    assert line["message"].startswith('GET "/sync/live/ws/?ticket=…&x=1"')
    assert len(line["many"]) == 100
    assert not {"request", "body", "auth_token"} & set(line)


def test_json_has_the_exception():
    try:
        raise ValueError("ticket=abc123")
    except ValueError:
        told = record()
        told.exc_info = sys.exc_info()
    line = json.loads(JsonFormatter().format(told))
    assert "ValueError: ticket=…" in line["exception"]
