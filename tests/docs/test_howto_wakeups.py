"""The pages about wake-ups and the network, tried against a server at hand."""

from __future__ import annotations

import functools
import hashlib
import hmac
import json
import time
import wsgiref.simple_server

import httpx2
import pytest

from django_sync import client as client_module
from django_sync import errors
from django_sync.client import SyncClient, TokenAuth
from django_sync.testing.clocks import ManualWaker, until
from django_sync.testing.server import MemoryServer

from .howto import run, snippets

WEBHOOKS, SERVED, MESSAGES = snippets("wake-ups")
WORKER, ENABLES, OTHERS = snippets("browser-push")
CHANGES, HINT = snippets("network")
WAKE = {"type": "sync", "session": "", "collections": ["cards"]}


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    server = MemoryServer(["cards"])
    server.user("ada", token="demo-ada")
    return server


@pytest.fixture
def client(server):
    with SyncClient(
        "https://example.org/sync/",
        store="field.db",
        auth=TokenAuth("demo-ada"),
        collections=["cards"],
        transport=server.transport(),
        waker=ManualWaker(),
    ) as client:
        yield client


def test_a_webhook_is_told_with_the_session_and_what_comes_is_fetched(server, monkeypatch):
    monkeypatch.setenv("SECRET", "sixteen letters!")
    monkeypatch.setenv("TOKEN", "demo-ada")
    waker = ManualWaker()
    here = functools.partial(SyncClient, transport=server.transport(), waker=waker)
    monkeypatch.setattr(client_module, "SyncClient", here)
    space = run(WEBHOOKS)
    with space["client"] as client:
        until(lambda: client.status.link == "live", "it is in step")
        waker.asleep()
        [told] = [json.loads(r.content) for r in server.requests if "/sessions/" in r.url.path]
        assert told["push"]["url"] == "https://field.example/sync-hook/"
        server.put("cards", {"title": "new"})
        body, at = json.dumps(WAKE).encode(), str(int(time.time()))
        signature = hmac.new(b"sixteen letters!", f"{at}.".encode() + body, hashlib.sha256)
        headers = {"Sync-Timestamp": at, "Sync-Signature": signature.hexdigest()}
        assert space["receiver"].receive(headers, body) == 204
        until(lambda: len(client.collection("cards")) == 1, "it is here, and no time has passed")
        assert space["receiver"].receive({**headers, "Sync-Timestamp": "1"}, body) == 401


def test_the_standard_librarys_server_runs_it(monkeypatch):
    served = []

    class Server:
        def serve_forever(self):
            served.append(True)

    made = lambda host, port, app: served.append(app) or Server()  # noqa: E731  # it stands in for a function of the page
    monkeypatch.setattr(wsgiref.simple_server, "make_server", made)
    run(SERVED, receiver="the receiver")
    assert served == ["the receiver", True]


def test_a_message_is_remembered_and_fetched(server, client):
    server.put("cards", {"title": "new"})
    received = run(MESSAGES)["message_received"]
    received(client, {"type": "other"})
    assert server.requests == []
    received(client, WAKE)
    assert len(client.collection("cards")) == 1


def test_the_scripts_call_what_there_is():
    import django_sync

    folder = django_sync.__path__[0] + "/static/django_sync/"
    with open(folder + "worker.js") as file:
        assert "export function handlePush(scope, options" in file.read()
    for block in (WORKER, OTHERS):
        assert "handlePush(self" in block.body
    with open(folder + "client.js") as file:
        assert "async enablePush(" in file.read()
    assert "client.enablePush(" in ENABLES.body


def test_a_program_says_what_it_knows(server, client):
    told = run(CHANGES)
    told["network_changed"](client, "cellular", True)
    told["window_hidden"](client, True)
    network = client.status.network_state
    assert (network.type, network.metered, network.foreground) == ("cellular", True, False)
    told["window_hidden"](client, False)
    assert client.status.network_state.foreground


def test_a_portal_is_told_from_silence(server, client):
    hint = run(HINT)["hint"]
    assert hint(client) == ""
    answers = iter([httpx2.Response(200, html="Sign in"), httpx2.ConnectError("none")])

    def fault(request):
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    server.faults.append(fault)
    for said in ("sign in first", "No network"):
        with pytest.raises(errors.Offline):
            client.sync()
        assert said in hint(client)
