"""Health for load balancers: quick, without credentials, without details, and true."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.utils import OperationalError
from django.test import Client
from django.test.utils import CaptureQueriesContext

from django_sync import capture
from django_sync.feed import log as feed_log
from django_sync.maintenance import health
from django_sync.maintenance.health import Readiness
from tests.integration.wire import Site

LIVE, READY = "/sync/health/live", "/sync/health/ready"


def get(path: str, **how: Any) -> Any:
    return Client().get(path, **how)


@pytest.mark.django_db
@pytest.mark.parametrize("path", [LIVE, f"{LIVE}/"])
def test_live_asks_no_database_and_no_name(path):
    with CaptureQueriesContext(connection) as captured:
        response = get(path)
    assert (response.status_code, response.json()) == (200, {"status": "live"})
    assert response["Cache-Control"] == "no-store"
    assert len(captured) == 0


@pytest.mark.parametrize("method", ["post", "delete", "patch"])
def test_it_is_read_alone(method):
    assert getattr(Client(), method)(LIVE).status_code == 405


def test_ready_where_all_is_as_it_should_be(transactional_db, monkeypatch):
    monkeypatch.setattr(health, "ready", Readiness(health.Look(), patience=30).ready)
    response = get(READY)
    assert (response.status_code, response.json()) == (200, {"status": "ready"})


@pytest.mark.django_db
def test_what_is_looked_at(monkeypatch):
    look = health.Look()
    applied = MigrationRecorder.applied_migrations

    def one_short(recorder: Any) -> Any:
        found = applied(recorder)
        return {key: value for key, value in found.items() if key[1] != "0001_feed"}

    with monkeypatch.context() as patch:
        patch.setattr(MigrationRecorder, "applied_migrations", one_short)
        assert "0001_feed" in look()
    with monkeypatch.context() as patch:
        patch.setattr(capture, "verify", lambda using: ["a trigger that is gone"])
        assert "sync_doctor" in look()
    assert look() == ""
    with CaptureQueriesContext(connection) as captured:
        assert look() == ""
    assert len(captured) <= 3, "triggers are seen to once in a while alone"
    with monkeypatch.context() as patch:
        patch.setattr(capture, "verify", lambda using: ["a trigger that is gone"])
        assert look() == ""
        patch.setattr(health, "WHOLE_FOR", 0)
        assert "sync_doctor" in health.Look()()

    def unreadable(position: int = 0) -> Any:
        raise OperationalError("no such table")

    monkeypatch.setattr(feed_log, "state", unreadable)
    with pytest.raises(OperationalError):
        look()


def test_not_ready_says_why_in_the_log_alone_and_once(monkeypatch, caplog):
    def broken() -> str:
        raise OperationalError("password authentication failed for sync_user")

    monkeypatch.setattr(health, "ready", Readiness(broken, fresh=0).ready)
    for _ in range(3):
        response = get(READY)
        assert (response.status_code, response.json()) == (503, {"status": "unavailable"})
        assert response["Retry-After"] == "1"
    assert [r.message for r in caplog.records if r.name == "django_sync.health"] == [
        "not ready: OperationalError: password authentication failed for sync_user"
    ]


def test_one_look_serves_all_for_a_second():
    looks = []

    def look() -> str:
        looks.append(1)
        return ""

    readiness = Readiness(look, fresh=1000)
    threads = [threading.Thread(target=readiness.ready) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert readiness.ready()
    assert len(looks) == 1
    again = Readiness(look, fresh=0)
    assert again.ready()
    assert again.ready()
    assert len(looks) == 3


def test_a_database_that_hangs_is_waited_for_no_longer():
    free, looks = threading.Event(), []

    def hanging() -> str:
        looks.append(1)
        free.wait(30)
        return ""

    readiness = Readiness(hanging, patience=0.05)
    began = time.monotonic()
    assert [readiness.ready() for _ in range(3)] == [False] * 3
    assert time.monotonic() - began < 5
    assert len(looks) == 1, "nobody else is sent to hang there"
    free.set()
    until = time.monotonic() + 20
    while not readiness.ready():
        assert time.monotonic() < until


def test_a_look_that_never_ends_is_given_up_for_another():
    looks, free = [], threading.Event()

    def hanging_at_first() -> str:
        looks.append(1)
        if len(looks) == 1:
            free.wait(30)
            return "what was found long ago"
        return ""

    readiness = Readiness(hanging_at_first, patience=0.05, fresh=1000, hopeless=0.2)
    try:
        until = time.monotonic() + 20
        while not readiness.ready():
            assert time.monotonic() < until
    finally:
        free.set()
    assert len(looks) == 2
    assert readiness.ready()


async def asked(site: Site, path: str, method: str = "GET") -> tuple[int, bytes]:
    sent: list[Any] = []

    come = [{"type": "http.request"}]

    async def receive() -> Any:
        return come.pop() if come else await asyncio.Event().wait()

    async def send(event: Any) -> None:
        sent.append(event)

    scope = {"type": "http", "method": method, "path": path, "query_string": b""}
    scope["headers"] = [(b"host", b"localhost")]
    await asyncio.wait_for(site.application(scope, receive, send), 20)
    return sent[0]["status"], b"".join(e.get("body", b"") for e in sent)


@pytest.fixture
def site():
    site = Site()
    yield site
    site.application.close()


def test_under_asgi_it_waits_for_no_thread_and_tells_of_the_end(site, monkeypatch):
    monkeypatch.setattr(health, "ready", lambda: True)
    let_go = threading.Event()

    async def story():
        application = site.application
        pools = (application.request_pool, application.connection_pool, application.runner.writes)
        crowd = [pool.submit(let_go.wait, 20) for pool in pools for _ in range(8)]
        try:
            assert await asked(site, LIVE) == (200, b'{"status": "live"}')
            assert await asked(site, f"{READY}/") == (200, b'{"status": "ready"}')
            assert await asked(site, LIVE, "HEAD") == (200, b"")
            monkeypatch.setattr(health, "ready", lambda: False)
            assert (await asked(site, READY))[0] == 503
            assert (await asked(site, LIVE))[0] == 200, "it lives all the same"
            monkeypatch.setattr(health, "ready", lambda: True)
            application.loop_state._shut_down()  # as SIGTERM does
            status, body = await asked(site, READY)
            assert (status, json.loads(body)) == (503, {"status": "unavailable"})
            assert (await asked(site, LIVE))[0] == 200, "nobody kills it before it has ended"
        finally:
            let_go.set()
        assert all(one.result() for one in crowd)

    asyncio.run(story())


def test_other_paths_that_look_alike_are_none_of_it(site, transactional_db):
    async def story():
        status, body = await asked(site, "/sync/cards/health/live")
        assert status in (401, 404), body

    asyncio.run(story())
