"""Pulls that wait: answered when something is new, with nothing held meanwhile (R5, R8)."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
import threading
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.asgi import get_asgi_application
from django.db import connection, connections
from django.test import Client
from rest_framework.authtoken.models import Token

from django_sync.feed import log as feed_log
from django_sync.feed import sequencer
from django_sync.realtime import live
from example_project.boards import api
from example_project.boards.models import Card, Membership

PATIENCE = 20
"""Seconds after which what should come counts as not coming."""


class Server:
    """The example under ASGI, without a socket; it counts how often a pull was run."""

    def __init__(self, application=None):
        self.application: Any = application or live(get_asgi_application())
        self.runs = 0
        respond = self.application.runner.respond

        def counted(scope, body, subrequest=None, run=1):
            self.runs += subrequest is not None
            return respond(scope, body, subrequest, run)

        self.application.runner.respond = counted

    def scope(self, query: str, *headers: tuple[str, str], path="/sync/live/changes/"):
        return {
            "type": "http",
            "method": "GET",
            "path": path,
            "query_string": query.encode(),
            "headers": [(b"host", b"localhost"), *((n.encode(), v.encode()) for n, v in headers)],
        }

    async def get(self, query: str, *headers: tuple[str, str], gone: Any = None, **scope: Any):
        """Status and body of one answer; ``gone`` is an event: the client hangs up."""
        sent: list[Any] = []
        to_come = [{"type": "http.request"}]

        async def receive():
            if to_come:
                return to_come.pop()
            await (gone or asyncio.Event()).wait()
            return {"type": "http.disconnect"}

        async def send(message):
            sent.append(message)

        called = self.application(self.scope(query, *headers, **scope), receive, send)
        await asyncio.wait_for(called, PATIENCE)
        if not sent:
            return None, None
        body = b"".join(message.get("body", b"") for message in sent)
        return sent[0]["status"], json.loads(body)

    async def waiting(self, number: int) -> None:
        """Until so many wait, having pulled."""

        async def settled() -> None:
            while True:
                waiters = self.application.watch._waiters
                if len([w for w in waiters if w._scopes is not None]) == number:
                    return
                await asyncio.sleep(0.005)

        await asyncio.wait_for(settled(), PATIENCE)


@pytest.fixture
def server(boards, settings):
    settings.DJANGO_SYNC = {"WATCH_MS": 20}
    server = Server()
    yield server
    server.application.close()  # a look may be under way when the loop ends


@pytest.fixture
def token(boards):
    return bearer(boards.ada)


def bearer(user):
    return ("Authorization", f"Token {Token.objects.get_or_create(user=user)[0].key}")


async def caught_up(server, token, **scope):
    """The cursor of one who has pulled all there is."""
    cursor = ""
    while True:
        status, page = await server.get(f"cursor={cursor}&limit=1000", token, **scope)
        assert status == 200, page
        cursor = page["cursor"]
        if not page["has_more"]:
            return cursor


@sync_to_async
def in_a_thread(function, **values):
    try:
        return function(**values)
    finally:
        connections.close_all()


def write(board, title="New"):
    return in_a_thread(Card.objects.create, board=board, title=title)


def test_what_is_new_already_is_answered_at_once(server, token):
    status, page = asyncio.run(server.get("wait=25", token))
    assert (status, server.runs) == (200, 1)
    assert page["changes"]


def test_it_is_held_until_something_is_new(server, token, boards):
    async def story():
        cursor = await caught_up(server, token)
        held = asyncio.create_task(server.get(f"wait=25&cursor={cursor}", token))
        await server.waiting(1)
        assert not held.done()
        card = await write(boards.launch)
        status, page = await held
        assert status == 200
        assert [c["id"] for c in page["changes"]] == [str(card.sync_id)]

    asyncio.run(story())


def test_nothing_new_is_an_empty_page_in_the_end(server, token):
    async def story():
        cursor = await caught_up(server, token)
        server.runs = 0
        status, page = await server.get(f"wait=1&cursor={cursor}", token)
        assert (status, page["changes"], page["has_more"]) == (200, [], False)
        assert server.runs == 1

    asyncio.run(story())


def test_r5_what_comes_between_pull_and_waiting_is_not_missed(server, token, boards):
    async def story():
        cursor = await caught_up(server, token)
        written = []
        respond = server.application.runner.respond

        def writing_behind_it(*args):
            response = respond(*args)
            if not written:
                written.append(Card.objects.create(board=boards.launch, title="Between"))
                sequencer.sequence()
                connections.close_all()
            return response

        server.application.runner.respond = writing_behind_it
        _, page = await server.get(f"wait=25&cursor={cursor}", token)
        assert [c["object"]["title"] for c in page["changes"]] == ["Between"]

    asyncio.run(story())


def test_g7_a_change_elsewhere_wakes_nobody(server, token, boards):
    """Neither by an answer nor by the time that one takes: no pull is run for it."""

    async def story():
        cursor = await caught_up(server, token)
        server.runs = 0
        held = asyncio.create_task(server.get(f"wait=25&cursor={cursor}", token))
        await server.waiting(1)
        await write(boards.private, "Hidden")
        await write(boards.launch, "Seen")
        _, page = await held
        assert [c["object"]["title"] for c in page["changes"]] == ["Seen"]
        assert server.runs == 2

    asyncio.run(story())


def test_what_comes_to_nothing_for_this_user_is_waited_on(server, token, boards, monkeypatch):
    """A change that the queryset hides, in a scope that they see."""
    queryset = api.CardViewSet.get_queryset

    def without_drafts(self):
        return queryset(self).exclude(title="Draft")

    monkeypatch.setattr(api.CardViewSet, "get_queryset", without_drafts)

    async def story():
        cursor = await caught_up(server, token)
        asked = f"wait=25&cursor={cursor}&collections=cards"
        held = asyncio.create_task(server.get(asked, token))
        await server.waiting(1)
        await write(boards.launch, "Draft")
        await write(boards.launch, "Seen")
        seen: list[str] = []
        while not seen:
            _, page = await held
            seen = [c["object"]["title"] for c in page["changes"] if c["op"] == "put"]
            asked = f"wait=25&cursor={page['cursor']}&collections=cards"
            held = asyncio.create_task(server.get(asked, token))
        held.cancel()
        await asyncio.gather(held, return_exceptions=True)
        assert seen == ["Seen"]

    asyncio.run(story())


def test_r8_who_waits_holds_no_thread_and_no_connection(server, token, boards):
    opened: set[int] = set()
    respond = server.application.runner.respond

    def noting(scope, body, subrequest=None, run=1):
        response = respond(scope, body, subrequest, run)
        if subrequest is None:
            return response
        opened.add(threading.get_ident())
        assert connection.connection is None, "the connection is given back with the answer"
        return response

    server.application.runner.respond = noting

    async def story():
        cursor = await caught_up(server, token)
        before = threading.active_count()
        many = [
            asyncio.create_task(server.get(f"wait=25&cursor={cursor}", token)) for _ in range(100)
        ]
        await server.waiting(100)
        assert threading.active_count() <= before + 4 + 1  # the one that reads the feed
        await write(boards.launch)
        answers = await asyncio.gather(*many)
        assert all(page["changes"] for _, page in answers)

    asyncio.run(story())
    assert len(opened) <= 4


def test_one_look_at_the_feed_serves_all(server, token, boards, monkeypatch):
    looks = []
    news = feed_log.news

    def counted(after):
        looks.append(after)
        return news(after)

    monkeypatch.setattr(feed_log, "news", counted)

    async def story():
        cursor = await caught_up(server, token)
        many = [
            asyncio.create_task(server.get(f"wait=25&cursor={cursor}", token)) for _ in range(20)
        ]
        await server.waiting(20)
        looks.clear()
        await write(boards.launch)
        await asyncio.gather(*many)

    asyncio.run(story())
    seen = [after for after in looks if after is not None]
    assert len(set(seen)) <= 2


def test_what_comes_while_all_threads_are_busy_is_one_answer(server, token, boards):
    """Under load a held pull is run again once for many writes, not once for each."""

    async def story():
        cursor = await caught_up(server, token)
        server.runs = 0
        held = asyncio.create_task(server.get(f"wait=25&cursor={cursor}", token))
        await server.waiting(1)
        free = threading.Event()
        for _ in range(server.application.threads):
            server.application.connection_pool.submit(free.wait, PATIENCE)
        for number in range(3):
            await write(boards.launch, f"{number}")
        free.set()
        _, page = await held
        assert sorted(c["object"]["title"] for c in page["changes"]) == ["0", "1", "2"]
        assert server.runs == 2

    asyncio.run(story())


def test_who_hangs_up_is_waited_for_no_longer(server, token):
    async def story():
        cursor = await caught_up(server, token)
        gone = asyncio.Event()
        held = asyncio.create_task(server.get(f"wait=25&cursor={cursor}", token, gone=gone))
        await server.waiting(1)
        gone.set()
        assert await held == (None, None)
        assert len(server.application.watch) == 0

    asyncio.run(story())


def test_a_look_that_fails_is_made_again(server, token, boards, monkeypatch, caplog):
    news, failures = feed_log.news, []

    def failing(after):
        if after is not None and not failures:
            failures.append(after)
            raise OSError("gone")
        return news(after)

    async def story():
        cursor = await caught_up(server, token)
        monkeypatch.setattr(feed_log, "news", failing)
        held = asyncio.create_task(server.get(f"wait=25&cursor={cursor}", token))
        await server.waiting(1)
        await write(boards.launch)
        _, page = await held
        assert page["changes"]

    with caplog.at_level(logging.CRITICAL, logger="django_sync.realtime"):
        asyncio.run(story())
    assert failures


def test_a_membership_that_came_is_there_when_the_wait_ends(server, boards):
    """Access changes in tables that are not synced (R6): at the next pull, which ends the wait."""
    token = bearer(boards.grace)

    async def story():
        cursor = await caught_up(server, token)
        held = asyncio.create_task(server.get(f"wait=1&cursor={cursor}", token))
        await server.waiting(1)
        await in_a_thread(Membership.objects.create, board=boards.private, user=boards.grace)
        _, page = await held
        _, page = await server.get(f"cursor={page['cursor']}", token)
        assert "Private" in [c["object"].get("name") for c in page["changes"]]

    asyncio.run(story())


@pytest.mark.parametrize("wait", ["no", "-1", "1.5", "٣"])
def test_a_malformed_wait_is_told(server, token, wait):
    status, problem = asyncio.run(server.get(f"wait={wait}", token))
    assert (status, problem["code"]) == (400, "invalid")


def test_who_is_not_signed_in_does_not_wait(server):
    status, problem = asyncio.run(server.get("wait=25"))
    assert (status, problem["code"]) == (401, "not_authenticated")


def test_another_users_cursor_does_not_wait(server, token, boards):
    other = bearer(boards.grace)

    async def story():
        cursor = await caught_up(server, token)
        return await server.get(f"wait=25&cursor={cursor}", other)

    status, problem = asyncio.run(story())
    assert (status, problem["code"]) == (400, "invalid_cursor")


def test_a_session_is_known_to_it_as_to_any_view(server, boards):
    browser = Client()
    browser.force_login(boards.ada)
    cookie = ("Cookie", f"sessionid={browser.cookies['sessionid'].value}")

    async def story():
        cursor = await caught_up(server, cookie)
        held = asyncio.create_task(server.get(f"wait=25&cursor={cursor}", cookie))
        await server.waiting(1)
        await write(boards.launch)
        return await held

    status, page = asyncio.run(story())
    assert (status, len(page["changes"])) == (200, 1)


def test_all_else_is_handed_on(server, token):
    async def story():
        elsewhere = await server.get("", token, path="/sync/")
        none = await server.get("wait=5", token, path="/sync/live/nothing/")
        return elsewhere, none

    (status, document), (missing, problem) = asyncio.run(story())
    assert (status, document["transports"]) == (200, ["poll"])
    assert (missing, problem["code"]) == (404, "not_found")
    assert server.runs == 0


def test_without_the_wrapper_it_is_answered_at_once(boards):
    client = Client()
    client.force_login(boards.ada)
    cursor, more = "", True
    while more:
        page = client.get("/sync/live/changes/", {"wait": 25, "cursor": cursor}).json()
        cursor, more = page["cursor"], page["has_more"]
    assert client.get("/sync/live/changes/", {"wait": 25, "cursor": cursor}).json()["changes"] == []


def test_an_asgi_file_may_import_it_before_django_is_set_up():
    """As the example's does: imports stand above ``get_asgi_application()``."""
    code = "from example_project.asgi import application; print(type(application).__name__)"
    environment = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False
    )
    assert (done.stdout, done.stderr) == ("Live\n", "")


@pytest.fixture(autouse=True)
def closed():
    yield
    connections.close_all()
