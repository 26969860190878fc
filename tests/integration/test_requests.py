"""Requests that are not held, under ``live``: a few threads, a bounded queue (R8)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import uuid
from typing import Any

import pytest
from django.core import signals
from django.db import connection, connections
from django.http import StreamingHttpResponse
from django.urls import reverse

from django_sync import engine
from django_sync.realtime import live
from example_project.boards.models import Card
from tests.integration.test_http import batch
from tests.integration.test_long_poll import PATIENCE, bearer

POLL = "/sync/changes/"


class Request:
    """One request to an ASGI application, and its answer; ``hang_up`` ends it."""

    def __init__(self, application: Any, path: str = POLL, *parts: bytes, **scope: Any) -> None:
        self.sent: list[Any] = []
        self.gone = asyncio.Event()
        more = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
        self._to_come = [*more, {"type": "http.request"}]
        whole = {
            "type": "http",
            "method": "GET",
            "path": path,
            "query_string": b"",
            **scope,
            "headers": [(b"host", b"localhost"), *scope.get("headers", [])],
        }
        self.task = asyncio.ensure_future(application(whole, self._receive, self._send))

    async def _receive(self) -> Any:
        if self._to_come:
            return self._to_come.pop(0)
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        self.sent.append(message)

    async def answer(self) -> tuple[int, Any]:
        await asyncio.wait_for(self.task, PATIENCE)
        return self.sent[0]["status"], json.loads(self.content())

    def content(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent[1:])

    def header(self, name: bytes) -> Any:
        return dict(self.sent[0]["headers"])[name]


async def until(condition: Any) -> None:
    async def met() -> None:
        while not condition():
            await asyncio.sleep(0.002)

    await asyncio.wait_for(met(), PATIENCE)


@pytest.fixture
def ada(boards):
    return [tuple(part.encode() for part in bearer(boards.ada))]


@pytest.fixture
def wrapped(boards, settings):
    """Wraps the example's application, or another, with settings of ``DJANGO_SYNC``."""
    made: list[Any] = []

    def wrap(application: Any = None, **values: Any) -> Any:
        settings.DJANGO_SYNC = values
        made.append(live(application or nobody))
        return made[-1]

    yield wrap
    for application in made:
        application.close()
        application.runner.writes.shutdown()
    connections.close_all()


async def nobody(scope, receive, send):
    raise AssertionError("the protocol's requests are not handed on")


class Gate:
    """Stands before a function: counts who came, and lets them in when it is opened."""

    def __init__(self, monkeypatch: Any, name: str) -> None:
        self.came, self.threads, self.open = 0, set[int](), threading.Event()
        function = getattr(engine, name)

        def gated(*args: Any, **kwargs: Any) -> Any:
            self.came += 1
            self.threads.add(threading.get_ident())
            assert self.open.wait(PATIENCE)
            return function(*args, **kwargs)

        monkeypatch.setattr(engine, name, gated)


@pytest.fixture
def counted():
    """The signals of Django for the begin and the end of requests."""
    signals_sent: list[str] = []

    def began(**kwargs: Any) -> None:
        signals_sent.append("began")

    def ended(**kwargs: Any) -> None:
        signals_sent.append("ended")

    signals.request_started.connect(began)
    signals.request_finished.connect(ended)
    yield signals_sent
    signals.request_started.disconnect(began)
    signals.request_finished.disconnect(ended)


def test_r8_many_who_poll_need_no_more_threads_than_there_are(wrapped, ada, monkeypatch, counted):
    gate = Gate(monkeypatch, "pull")
    application = wrapped(LIVE_THREADS=3)

    async def story() -> None:
        many = [Request(application, headers=ada) for _ in range(30)]
        await until(lambda: gate.came == 3 and application.runner.pending == 30)
        gate.open.set()
        assert {(await request.answer())[0] for request in many} == {200}

    asyncio.run(story())
    assert (gate.came, len(gate.threads)) == (30, 3)
    assert (counted.count("began"), counted.count("ended")) == (30, 30)
    assert application.runner.pending == 0


@pytest.mark.parametrize("age", [0, None])
def test_a_threads_connection_is_kept_as_long_as_the_site_says(wrapped, ada, monkeypatch, age):
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", age)
    application = wrapped(LIVE_THREADS=1)
    seen = []

    async def story() -> None:
        for _ in range(2):
            assert (await Request(application, headers=ada).answer())[0] == 200
            seen.append(application.request_pool.submit(lambda: connection.connection).result())

    asyncio.run(story())
    application.request_pool.submit(connections.close_all).result()
    assert seen[0] is seen[1]
    assert (seen[0] is None) == (age == 0)


def test_who_finds_the_line_full_is_told_to_come_again(wrapped, ada, monkeypatch):
    gate = Gate(monkeypatch, "pull")
    application = wrapped(LIVE_QUEUE=2)

    async def story() -> None:
        first, second = (Request(application, headers=ada) for _ in range(2))
        await until(lambda: application.runner.pending == 2)
        third = Request(application, headers=ada)
        status, problem = await third.answer()
        assert (status, problem["code"]) == (503, "unavailable")
        assert third.header(b"Content-Type") == b"application/problem+json"
        assert 2 <= int(third.header(b"Retry-After")) <= 10
        gate.open.set()
        assert [(await request.answer())[0] for request in (first, second)] == [200, 200]
        assert (await Request(application, headers=ada).answer())[0] == 200

    asyncio.run(story())


def test_who_hangs_up_in_line_is_not_served(wrapped, ada, monkeypatch, counted):
    gate = Gate(monkeypatch, "pull")
    application = wrapped(LIVE_THREADS=1)

    async def story() -> None:
        first, second = (Request(application, headers=ada) for _ in range(2))
        await until(lambda: gate.came == 1 and application.runner.pending == 2)
        for request in (second, first):
            request.gone.set()
            await asyncio.wait_for(request.task, PATIENCE)
        assert application.runner.pending == 0
        gate.open.set()
        assert (await Request(application, headers=ada).answer())[0] == 200

    asyncio.run(story())
    assert gate.came == 2, "no thread ran the second one"
    assert counted == ["began", "ended"] * 2, "the first one's was finished all the same"


def test_who_hangs_up_while_sending_is_not_served(wrapped, ada, counted):
    application = wrapped()

    async def story() -> None:
        request = Request(application, POLL, method="POST", headers=ada)
        request._to_come = [{"type": "http.request", "body": b"{", "more_body": True}]
        request.gone.set()
        await asyncio.wait_for(request.task, PATIENCE)
        assert request.sent == []

    asyncio.run(story())
    assert counted == []


def test_writers_do_not_hold_up_readers(wrapped, boards, ada, monkeypatch):
    gate = Gate(monkeypatch, "mutate")
    application = wrapped(LIVE_THREADS=1)
    id = str(uuid.uuid4())
    mutation = {"id": str(uuid.uuid4()), "seq": 1, "op": "create"}
    mutation |= {"collection": "cards", "object_id": id}
    fields = {"board": str(boards.launch.sync_id), "title": "In parts"}
    body = json.dumps(batch(mutation | {"fields": fields})).encode()
    length = (b"content-length", str(len(body)).encode())
    headers = [*ada, (b"content-type", b"application/json"), length]

    async def story() -> None:
        parts = body[:40], body[40:]
        path = "/sync/mutations/"
        written = Request(application, path, *parts, method="POST", headers=headers)
        await until(lambda: gate.came == 1)
        assert (await Request(application, headers=ada).answer())[0] == 200
        gate.open.set()
        status, answer = await written.answer()
        assert (status, [result["status"] for result in answer["results"]]) == (200, ["applied"])

    asyncio.run(story())
    assert Card.objects.get(sync_id=id).title == "In parts"


def test_what_is_not_the_protocols_is_handed_on(wrapped):
    handed: list[str] = []

    async def other(scope, receive, send):
        handed.append(scope["path"])

    application = wrapped(other)
    paths = ["/", "/admin/login/", "/nowhere/changes/", "/synchronous/"]

    async def story() -> None:
        for path in paths:
            await Request(application, path).task
        await Request(application, POLL, type="websocket").task

    asyncio.run(story())
    assert handed == [*paths, POLL]


SEEN: list[Any] = []


def mounted(get_response: Any) -> Any:
    def middleware(request: Any) -> Any:
        SEEN.append(reverse("django_sync:changes"))
        return get_response(request)

    return middleware


def test_addresses_are_made_below_the_mount_of_each_request(wrapped, ada, settings):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.mounted"]
    SEEN.clear()
    application = wrapped(LIVE_THREADS=1)

    async def story() -> None:
        for root in ("/below", ""):
            request = Request(application, root + POLL, root_path=root, headers=ada)
            assert (await request.answer())[0] == 200

    asyncio.run(story())
    assert SEEN == ["/below/sync/changes/", "/sync/changes/"]


def in_parts(get_response: Any) -> Any:
    def middleware(request: Any) -> Any:
        whole = get_response(request).content

        def parts() -> Any:
            SEEN.append(threading.current_thread().name)
            yield whole[:10]
            yield whole[10:]

        return StreamingHttpResponse(parts())

    return middleware


def in_parts_later(get_response: Any) -> Any:
    def middleware(request: Any) -> Any:
        whole = get_response(request).content

        async def parts() -> Any:
            SEEN.append("the loop")
            with contextlib.suppress(GeneratorExit):
                yield whole[:10]
                yield whole[10:]

        return StreamingHttpResponse(parts())

    return middleware


@pytest.mark.parametrize(
    ("middleware", "where"), [("in_parts", "django_sync.live_0"), ("in_parts_later", "the loop")]
)
def test_what_a_middleware_streams_is_sent_and_closed(
    wrapped, ada, settings, counted, middleware, where
):
    settings.MIDDLEWARE = [f"{__name__}.{middleware}", *settings.MIDDLEWARE]
    SEEN.clear()
    application = wrapped(LIVE_THREADS=1)

    async def story() -> None:
        status, page = await Request(application, headers=ada).answer()
        assert (status, bool(page["changes"])) == (200, True)

    asyncio.run(story())
    assert [where] == SEEN
    assert counted == ["began", "ended"]


def test_a_query_that_is_no_text_is_refused(wrapped, counted):
    async def story() -> None:
        request = Request(wrapped(), query_string=b"\xff")
        await asyncio.wait_for(request.task, PATIENCE)
        assert request.sent[0]["status"] == 400

    asyncio.run(story())
    assert counted == ["began", "ended"]


def test_an_error_that_the_site_lets_out_reaches_the_server(
    wrapped, ada, settings, monkeypatch, counted
):
    def broken(*args: Any, **kwargs: Any) -> Any:
        raise LookupError("a fault")

    monkeypatch.setattr(engine, "pull", broken)
    settings.DEBUG_PROPAGATE_EXCEPTIONS = True

    async def story() -> None:
        with pytest.raises(LookupError, match="a fault"):
            await Request(wrapped(), headers=ada).task

    asyncio.run(story())
    assert counted == ["began", "ended"]
