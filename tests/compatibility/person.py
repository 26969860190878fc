"""Ada, who uses the Python client of the checkout that is first on the path.

    person.py write ADDRESS FOLDER       her store before she updates, FOLDER/python.db
    person.py sync ADDRESS FOLDER        that store again: it syncs, settles conflicts, and
                                         what happened is printed as JSON

A store belongs to the address that it first synced with. A recorded one is ``URL`` everywhere, and
requests go to the server that happens to run.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import httpx2

from django_sync import errors
from django_sync.client import Backoff, SyncClient, TokenAuth

URL = "http://localhost:8000/sync/"
COLLECTIONS = ("boards", "labels", "cards", "comments")
PUSH = {"kind": "webhook", "url": "https://push.example.org/ada", "secret": "a secret of Ada's"}


class Cable(httpx2.HTTPTransport):
    """The way to the server. It notes what is exchanged, and can lose answers."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self._server = httpx2.URL(address)
        self.loses_answers = False
        self.exchanges: list[dict[str, Any]] = []

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        asked = request.url
        request.url = asked.copy_with(host=self._server.host, port=self._server.port)
        response = super().handle_request(request)
        response.read()
        if self.loses_answers:
            raise httpx2.ReadError("the answer is lost")
        if "/live/" not in asked.path:  # how often a held pull comes back is a matter of time
            self.exchanges.append(exchange(request, response))
        return response


def exchange(request: httpx2.Request, response: httpx2.Response) -> dict[str, Any]:
    """What was asked and answered, without what differs from run to run."""
    found: dict[str, Any] = {
        "request": f"{request.method} {request.url.path}",
        "status": response.status_code,
    }
    if request.url.path.endswith("/changes/"):
        found["cursor"] = request.url.params.get("cursor")
        body = response.json()
        found["changes"] = [
            [change["op"], change["collection"], change_key(change)] for change in body["changes"]
        ]
    if request.url.path.endswith("/mutations/"):
        found["results"] = [
            [result["id"], result["status"], result.get("replayed")]
            for result in response.json()["results"]
        ]
    return found


def change_key(change: dict[str, Any]) -> str | None:
    """What a change is about: an object, or a scope."""
    record = change.get("record") or {}
    found = change.get("id") or record.get("id") or change.get("scope")
    return None if found is None else str(found)


def open_client(cable: Cable, store: Path, name: str, **options: Any) -> SyncClient:
    return SyncClient(
        URL,
        store=store,
        collections=COLLECTIONS,
        auth=TokenAuth(f"demo-{name}"),
        transport=cable,
        transports=["long-poll"],
        backoff=Backoff(first=0.01, longest=0.02),
        indexes={"cards": ["board", "votes"]},
        **options,
    )


def card(client: SyncClient, title: str) -> str:
    (found,) = client.collection("cards").filter(title=title)
    return found.id


def write(address: str, folder: Path) -> None:
    """Ada's store as it is before she updates her program."""
    cable, other = Cable(address), Cable(address)
    ada = open_client(cable, folder / "python.db", "ada", push=PUSH)
    grace = open_client(other, folder / "other.db", "grace")
    ada.sync()
    grace.sync()
    cards, theirs = ada.collection("cards"), grace.collection("cards")
    (board,) = ada.collection("boards").filter(name="Launch")
    labels = ada.collection("labels").filter(board=board.id)
    seeded = {number: card(ada, f"Python {number}") for number in range(1, 13)}

    # Applied: a create, an update, a delete.
    made = cards.create({"board": board.id, "title": "Made by Ada", "labels": [labels[0].id]})
    ada.collection("comments").create({"card": made.id, "text": "Made with it"})
    cards.update(seeded[1], {"body": "Written by Ada", "due": "2030-05-01"})
    cards.delete(seeded[2])
    ada.sync()
    cards.update(made.id, {"checklist": [{"text": "Ü – “ß”", "done": True}]})
    ada.sync()

    # Settled by a resolver; in conflict; refused.
    theirs.update(seeded[3], {"column": "done"})
    theirs.update(seeded[4], {"votes": 5})
    grace.sync()
    cards.update(seeded[3], {"column": "doing"})
    cards.update(seeded[4], {"votes": 7})
    cards.update(card(ada, "Find the moth"), {"title": "Ada may only look at this"})
    ada.sync()
    assert len(ada.conflicts) == len(ada.rejections) == 1

    # A session, which a webhook wakes.
    ada.start()
    ada.wait_until_synced(30)
    until(lambda: ada.status.transport == "long-poll")
    ada.stop()

    # Applied, and Ada does not know: the answer was lost. Grace has written after it.
    cards.update(seeded[5], {"title": "Ada's title, sent once"})
    cable.loses_answers = True
    try:
        ada.sync()
    except errors.Offline:
        pass
    else:
        raise AssertionError("an answer came")
    grace.sync()
    theirs.update(seeded[5], {"title": "Grace's title, after Ada's"})

    # Never sent. Grace has changed two of the cards, another field of one, the same of the other.
    new = cards.create({"board": board.id, "title": "Not sent", "labels": [labels[1].id]})
    ada.collection("comments").create({"card": new.id, "text": "Not sent either"})
    cards.update(seeded[6], {"body": "Ada's body"})
    cards.update(seeded[7], {"votes": 70})
    cards.update(seeded[8], {"title": "Ada's title, not sent"})
    cards.delete(seeded[9])
    theirs.update(seeded[6], {"title": "Grace's title"})
    theirs.update(seeded[7], {"votes": 77})
    theirs.delete(seeded[10])
    grace.sync()
    ada.close()
    grace.close()
    json.dump({}, sys.stdout)


def sync(address: str, folder: Path) -> None:
    """Open the store that there is, and print what comes of it."""
    cable = Cable(address)
    ada = open_client(cable, folder / "python.db", "ada", push=PUSH)
    found: dict[str, Any] = {"client_id": ada.client_id, "before": overview(ada)}
    ada.sync()
    found["synced"] = overview(ada)
    old, new = sorted(ada.conflicts, key=lambda conflict: conflict.mutation.seq)
    found["settled"] = [old.settle(old.keep_client()), new.settle(new.keep_server())]
    ada.sync()
    found["after"] = overview(ada)
    found["exchanges"] = list(cable.exchanges)
    found["contents"] = contents(ada)
    found["tables"] = tables(cable, ada)
    ada.start()
    ada.wait_until_synced(30)
    until(lambda: ada.status.transport == "long-poll")
    found["live"] = ada.status.transport
    ada.close()
    json.dump(found, sys.stdout)


def overview(client: SyncClient) -> dict[str, Any]:
    """What waits in the client's store."""
    return {
        "records": {name: len(client.collection(name)) for name in COLLECTIONS},
        "many votes": sorted(r.id for r in client.collection("cards").filter(votes__gte=5)),
        "outbox": [
            [one.id, one.op, one.collection, one.object_id, one.state, one.fields]
            for one in client.outbox
        ],
        "conflicts": [
            [one.kind, sorted(one.fields), one.mutation.id, dict(one.client)]
            for one in client.conflicts
        ],
        "rejections": [[one.mutation.id, one.problem["code"]] for one in client.rejections],
    }


def contents(client: SyncClient) -> dict[str, Any]:
    return {
        f"{name}/{record.id}": [record.revision, record.scope, record.object]
        for name in COLLECTIONS
        for record in client.collection(name)
    }


def tables(cable: Cable, client: SyncClient) -> dict[str, Any]:
    """Every record as REST reads it from the server's tables for Ada."""
    found = {}
    with httpx2.Client(transport=cable, headers=TokenAuth("demo-ada").headers()) as http:
        for name in COLLECTIONS:
            place: str | None = f"{client.url}{name}/"
            while place is not None:
                page = http.get(place).raise_for_status().json()
                place = page["next"]
                for record in page["results"]:
                    key = f"{name}/{record['id']}"
                    found[key] = [record["revision"], record["scope"], record["object"]]
    return found


def until(condition: Any) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it never came to this"
        time.sleep(0.01)


if __name__ == "__main__":
    {"write": write, "sync": sync}[sys.argv[1]](sys.argv[2], Path(sys.argv[3]))
