"""A whole site of docs/howto/operations/deployment.md: nginx, gunicorn, two uvicorn, Redis."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import socket
import uuid
from urllib.parse import urlsplit

import httpx2
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from django_sync.client import SyncClient, TokenAuth
from example_project.boards.models import Card
from tests.deployment.site import HOST, PATIENCE, Site, need_everything
from tests.integration.test_long_poll import in_a_thread, write
from tests.integration.wire import bearer

pytestmark = [pytest.mark.postgresql, pytest.mark.slow]


@pytest.fixture
def site(boards, tmp_path):
    need_everything()
    site = Site(tmp_path)
    try:
        site.start_all()
        yield site
    finally:
        site.end()


class Follower:
    """Stays connected, by socket or stream, and keeps what came and how connections ended."""

    def __init__(self, site, http):
        self.site, self.http = site, http
        self.id = str(uuid.uuid4())
        self.titles, self.cursor, self.ends = set(), "", []
        self.current = False

    async def run(self):
        while True:
            with contextlib.suppress(OSError, InvalidHandshake, httpx2.HTTPError):
                self.ends.append(await self.connected())
            self.current = False
            await asyncio.sleep(random.uniform(0, 0.3))  # as clients do, spread by chance

    async def connected(self):
        raise NotImplementedError

    def take(self, told):
        if told["type"] == "cursor":
            self.cursor = told["cursor"]
        elif told["type"] == "changes":
            self.titles |= {c["object"].get("title") for c in told["changes"] if c["op"] == "put"}
            self.current = self.current or not told["has_more"]
            return True
        return False


class BySocket(Follower):
    async def connected(self):
        told = {"client_id": self.id, "transports": ["websocket"]}
        answer = await self.http.post("/sync/sessions/", json=told)
        url = answer.raise_for_status().json()["url"]
        assert urlsplit(url)[:2] == ("wss", f"{HOST}:{self.site.port}")
        there = {"host": "127.0.0.1", "port": self.site.port, "ssl": self.site.trust()}
        async with connect(url, **there) as socket:
            await socket.send(
                json.dumps({"type": "hello", "protocol": 1, "cursor": self.cursor or None})
            )
            frames = 0
            with contextlib.suppress(ConnectionClosed):
                while True:
                    if self.take(json.loads(await socket.recv())):
                        frames += 1
                        await socket.send(json.dumps({"type": "ack", "frames": frames}))
        return socket.close_code


class ByStream(Follower):
    async def connected(self):
        asked = self.http.stream("GET", "/sync/live/stream/", params={"cursor": self.cursor})
        end = "cut"
        async with asked as answer:
            answer.raise_for_status()
            with contextlib.suppress(httpx2.RemoteProtocolError):
                async for line in answer.aiter_lines():
                    if line.startswith("data: "):
                        self.take(json.loads(line.removeprefix("data: ")))
                    elif line.startswith("retry: "):
                        end = "asked to come back"
        return end


async def until(condition, what):
    async def came():
        while not condition():
            await asyncio.sleep(0.01)

    try:
        await asyncio.wait_for(came(), PATIENCE)
    except TimeoutError:
        raise AssertionError(f"it never came to this: {what()}") from None


def test_writes_arrive_and_nothing_is_lost_when_processes_die_and_restart(site, boards):
    name, token = bearer(boards.ada)
    board = str(boards.launch.sync_id)
    client = httpx2.AsyncClient(
        base_url=f"https://127.0.0.1:{site.port}",
        headers={name: token, "Host": f"{HOST}:{site.port}"},
        verify=site.trust(),
        timeout=PATIENCE,
    )

    async def story():
        async with client as http:
            followers = [kind(site, http) for kind in (BySocket, ByStream) for _ in range(4)]
            written: set[str] = set()

            async def write(title):
                told = {"object": {"board": board, "title": title}}
                (await http.post("/sync/cards/", json=told)).raise_for_status()
                written.add(title)

            def told():
                return [(f.current, written - f.titles, f.ends) for f in followers]

            async def all_have_it():
                await until(lambda: all(f.current and written <= f.titles for f in followers), told)

            tasks = [asyncio.create_task(one.run()) for one in followers]
            await all_have_it()
            await write("To both kinds")
            await all_have_it()
            assert not any(one.ends for one in followers)

            site.kill("8001")
            await write("While one process is dead")
            await all_have_it()
            assert any(one.ends for one in followers), "nobody was on the one that was killed"
            assert not all(one.ends for one in followers), "and nobody on the other"

            site.start("8001")
            await asyncio.to_thread(site.wait_for, "8001")
            for one in followers:
                one.ends.clear()
            took = await asyncio.to_thread(site.stop, "8002")
            assert took < 8, "it waited for its streams"
            await write("While the other one is gone")
            await all_have_it()
            for kind, end in ((BySocket, 1012), (ByStream, "asked to come back")):
                assert {e for f in followers if type(f) is kind for e in f.ends} == {end}, told()

            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(story())
    assert "timeout graceful shutdown exceeded" not in site.said("8002")


@pytest.fixture
def our_host_is_here(monkeypatch):
    """The site's name stands for this machine, as DNS would have it."""
    asked = socket.getaddrinfo

    def here(host, *more, **named):
        return asked("127.0.0.1" if host in (HOST, HOST.encode()) else host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", here)


@pytest.mark.parametrize("transport", ["websocket", "sse"])
def test_our_client_over_tls(site, boards, tmp_path, our_host_is_here, transport):
    """``https`` makes ``wss``; a certificate that is not trusted lets nothing through."""
    key = bearer(boards.ada)[1].split()[1]

    def client(name, **options):
        return SyncClient(
            f"{site.url}/sync/",
            store=tmp_path / name,
            auth=TokenAuth(key),
            collections=["cards"],
            transports=[transport],
            **options,
        )

    async def story():
        trusted = httpx2.HTTPTransport(verify=site.trust())
        with client("trusted", transport=trusted) as phone, client("wary") as wary:
            cards = phone.collection("cards")
            phone.start()
            wary.start()
            await until(lambda: phone.status.transport == transport, lambda: phone.status)
            card = await write(boards.launch, "From the site")
            await until(lambda: cards.get(str(card.sync_id)), lambda: phone.status)
            made = cards.create({"board": str(boards.launch.sync_id), "title": "From the phone"})
            await until(lambda: not phone.outbox, lambda: phone.status)
            kept = await in_a_thread(Card.objects.get, sync_id=made.id)
            assert kept.title == "From the phone"
            assert phone.status.transport == transport, "it stayed on its line"

            await until(lambda: wary.status.link == "offline", lambda: wary.status)
            assert "certificate" in str(wary.status.problem).lower()
            assert len(wary.collection("cards")) == 0

    asyncio.run(story())
