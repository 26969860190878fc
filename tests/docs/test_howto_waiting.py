"""The page about long polling: its application holds a pull, and its commands are understood."""

from __future__ import annotations

import asyncio
import re
import shlex

import uvicorn
from django.test import Client
from django.urls import resolve

from django_sync.conf import SETTINGS
from tests.integration.test_long_poll import Server, bearer, caught_up, write

from .howto import page, run, snippets

APPLICATION, OFFERED, NGINX = snippets("long-polling")


def test_the_application_holds_a_pull_until_something_is_new(boards, settings):
    settings.DJANGO_SYNC = run(OFFERED)["DJANGO_SYNC"]
    name, value = token = bearer(boards.ada)
    answer = Client().get("/sync/", headers={name: value})
    assert answer.json()["transports"] == ["long-poll", "poll"]
    server = Server(run(APPLICATION)["application"])

    async def story():
        cursor = await caught_up(server, token)
        held = asyncio.create_task(server.get(f"wait=25&cursor={cursor}", token))
        await server.waiting(1)
        card = await write(boards.launch)
        assert [change["id"] for change in (await held)[1]["changes"]] == [str(card.sync_id)]

    try:
        asyncio.run(story())
    finally:
        server.application.close()


def test_uvicorn_knows_the_options():
    """It is not started here: the tutorial starts one, and that takes a process."""
    (command,) = re.findall(r"`(uvicorn [^`]+)`", page("long-polling"))
    asked = uvicorn.main.make_context("uvicorn", shlex.split(command)[1:]).params
    assert (asked["app"], asked["lifespan"]) == ("mysite.asgi:application", "off")
    assert asked["timeout_graceful_shutdown"] == 5


def test_what_nginx_is_told_fits():
    """It is not run: the suite asks for no nginx. What can go wrong is checked without."""
    found = re.findall(r"^location (\S+) +{ proxy_pass http://\S+;(.*)}$", NGINX.body, re.MULTILINE)
    assert [path for path, _ in found] == ["/sync/live/", "/"]
    assert resolve("/sync/live/changes/").view_name
    (seconds,) = re.findall(r"proxy_read_timeout (\d+)s;", found[0][1])
    assert int(seconds) > int(SETTINGS["WAIT_SECONDS"].default)
