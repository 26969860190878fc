"""The permission matrix, asked cell by cell: user x collection x operation x object x path.

What is expected stands in ``permissions``, as data. Each cell is undone before the next
one; a refusal must leave all tables as they were and name nothing that is hidden.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from django_sync import engine
from django_sync.drf.caller import Caller
from django_sync.feed import log as feed_log
from django_sync.feed import sequencer
from django_sync.models import SyncSession
from example_project.boards.models import Board, Card, Comment, Label, Membership
from tests.integration import permissions as p
from tests.integration.permissions import MATRIX, WHO, Answer, Row
from tests.integration.test_privacy import SECRET, WORDS, everything

NEVER = uuid.UUID(int=0x1234)
PARENT = {"labels": "board", "cards": "board", "comments": "card"}


@dataclass
class World:
    """The board, another of the same people, one that they view, and a hidden one."""

    boards: dict[str, Board]
    users: dict[str, User]
    rows: dict[tuple[str, str], Any]
    """By collection and what the matrix calls the object."""
    hidden: list[str]
    clients: dict[str, APIClient]
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def object(self, who: str, row: Row) -> tuple[uuid.UUID, int]:
        """Id and revision of what a cell is about."""
        name = f"{who}'s" if row.object == p.ON_IT["comments"] else row.object
        if row.collection == p.SESSIONS and row.object == p.OWN:
            name = f"{who}'s"
        if row.operation == "move":
            name = f"{who}'s" if row.collection == "comments" else p.ON_IT[row.collection]
        if row.collection == "comments" and name == "anonymous's":
            name = p.OTHERS
        found = self.rows.get((row.collection, name))
        return (NEVER, 1) if found is None else (found.sync_id, found.sync_revision)

    def parent(self, row: Row) -> str:
        """The id that a create or a move names: a board's, or that of a card of it."""
        hidden = {"on what is hidden": p.TARGETS[2]}.get(row.object, row.object)
        board = next((b for name, b in self.boards.items() if hidden.endswith(name)), None)
        if board is None:
            return str(NEVER)
        home = board.cards.get() if row.collection == "comments" else board
        return str(home.sync_id)


@pytest.fixture
def world(db: None) -> World:
    users = {name: User.objects.create_user(name) for name in (*WHO, "zoe") if name != "anonymous"}
    User.objects.filter(username="staff").update(is_staff=True)
    User.objects.filter(username="superuser").update(is_staff=True, is_superuser=True)
    zoe = users["zoe"]
    homes = {
        "the board": users["owner"],
        p.TARGETS[0]: users["owner"],
        p.TARGETS[1]: zoe,
        p.TARGETS[2]: zoe,
    }
    boards = {name: Board.objects.create(name=name, owner=user) for name, user in homes.items()}
    for name, roles in {
        "the board": {
            "editor": "editor",
            "viewer": "viewer",
            "stranger": "editor",
            "deactivated": "editor",
        },
        p.TARGETS[0]: {"editor": "editor", "viewer": "editor"},
        p.TARGETS[1]: dict.fromkeys(("owner", "editor", "viewer"), "viewer"),
    }.items():
        for who, role in roles.items():
            Membership.objects.create(board=boards[name], user=users[who], role=role)
    rows: dict[tuple[str, str], Any] = {}
    for place, board in boards.items():
        word = SECRET if place == p.TARGETS[2] else "plain"
        label = Label.objects.create(board=board, name=word)
        card = Card.objects.create(board=board, title=word, body=word)
        card.labels.add(label)
        comment = Comment.objects.create(card=card, author=zoe, text=word)
        if place in ("the board", p.TARGETS[2]):
            on_it = place == "the board"
            for name, made in (("boards", board), ("labels", label), ("cards", card)):
                rows[name, p.ON_IT[name] if on_it else p.ELSEWHERE] = made
            rows["comments", p.OTHERS if on_it else p.ELSEWHERE] = comment
    Board.objects.filter(pk=boards[p.TARGETS[2]].pk).update(name=SECRET)
    for who, user in users.items():
        card = rows["cards", p.ON_IT["cards"]]
        rows["comments", f"{who}'s"] = Comment.objects.create(card=card, author=user, text=who)
    Membership.objects.filter(user=users["stranger"]).delete()
    User.objects.filter(username="deactivated").update(is_active=False)
    sequencer.sequence()
    for made in rows.values():
        made.refresh_from_db()
    hidden = [str(made.sync_id) for (_, kind), made in rows.items() if kind == p.ELSEWHERE]
    for who, user in users.items():
        opened = session_of(user, SECRET if who == "zoe" else "plain")
        kind = p.ANOTHERS if who == "zoe" else f"{who}'s"
        rows[p.SESSIONS, kind] = SimpleNamespace(sync_id=opened.id, sync_revision=1)
        hidden += [str(opened.id)] if who == "zoe" else []
    clients = {"anonymous": APIClient()}
    for who, user in users.items():
        token = Token.objects.create(user=user)
        clients[who] = APIClient(HTTP_AUTHORIZATION=f"Token {token.key}")
    return World(boards, users, rows, hidden, clients)


def session_of(user: User, name: str) -> SyncSession:
    body = {"client_id": str(client_of(user)), "transports": ["poll"], "name": name}
    return engine.open_session(Caller.for_user(user), body).session


def client_of(user: User) -> uuid.UUID:
    return uuid.uuid5(NEVER, user.username)


# How a cell is asked


def asked(world: World, who: str, row: Row, path: str) -> tuple[Answer, Any]:
    """What the server makes of a cell, and all that it says."""
    if row.operation == "list":
        return listed(world, who, row, path)
    if path == p.MUTATION:
        return mutated(world, who, row)
    return called(world, who, row)


def told(response: Any) -> Any:
    body = json.loads(response.content or b"{}")
    if response.status_code >= 400:
        assert response["Content-Type"] == "application/problem+json"
        assert body["status"] == response.status_code
        assert ("WWW-Authenticate" in response) == (response.status_code == 401)
    return body


def listed(world: World, who: str, row: Row, path: str) -> tuple[Answer, Any]:
    address = {
        p.REST: f"/sync/{row.collection}/",
        p.PULL: f"/sync/changes/?collections={row.collection}",
        p.LIVE: f"/sync/live/changes/?collections={row.collection}&wait=1",
    }[path]
    response = world.clients[who].get(address)
    body = told(response)
    if response.status_code != 200:
        return (response.status_code, body["code"]), body
    assert body.get("has_more") in (None, False)
    assert body.get("next") is None
    found = {entry.get("id") for entry in body.get("results", body.get("changes"))}
    return p.SHOWN if str(world.object(who, row)[0]) in found else p.HIDDEN, body


def fields(world: World, row: Row) -> dict[str, Any]:
    if row.operation == "move":
        return {PARENT[row.collection]: world.parent(row)}
    words = {name: f"{text} {next(world.numbers)}" for name, text in WORDS[row.collection].items()}
    if row.operation == "create" and row.collection in PARENT:
        words[PARENT[row.collection]] = world.parent(row)
    return words


def body_of(world: World, row: Row) -> dict[str, Any]:
    if row.collection != p.SESSIONS:
        return {"object": fields(world, row)}
    if row.operation == "update":
        return {"foreground": False}
    zoe = world.boards[p.TARGETS[2]].owner
    theirs = client_of(zoe) if "else's" in row.object else uuid.uuid4()
    return {"client_id": str(theirs), "transports": ["poll"]}


def called(world: World, who: str, row: Row) -> tuple[Answer, Any]:
    client, root = world.clients[who], f"/sync/{row.collection}/"
    one = f"{root}{world.object(who, row)[0]}/"
    if row.operation in ("read", "history"):
        response = client.get(one if row.operation == "read" else f"{one}history/")
    elif row.operation == "create":
        response = client.post(root, body_of(world, row), format="json")
    elif row.operation == "delete":
        response = client.delete(one, HTTP_IF_MATCH="*")
    else:
        response = client.patch(one, body_of(world, row), format="json", HTTP_IF_MATCH="*")
    body, status = told(response), response.status_code
    done = {"create": 201, "delete": 204}.get(row.operation, 200)
    return p.YES if status == done else (status, body.get("code", "")), body


def mutated(world: World, who: str, row: Row) -> tuple[Answer, Any]:
    op = "update" if row.operation == "move" else row.operation
    id, revision = (uuid.uuid4(), None) if op == "create" else world.object(who, row)
    mutation = {
        "id": str(uuid.uuid4()),
        "seq": 1,
        "op": op,
        "collection": row.collection,
        "object_id": str(id),
        "base_revision": revision,
        "epoch": feed_log.state()[0].epoch,
    } | ({} if op == "delete" else {"fields": fields(world, row)})
    batch = {"client_id": str(uuid.uuid4()), "mutations": [mutation]}
    response = world.clients[who].post("/sync/mutations/", batch, format="json")
    body = told(response)
    if response.status_code != 200:
        return (response.status_code, body["code"]), body
    (result,) = body["results"]
    if result["status"] == "applied":
        return p.YES, body
    assert result["status"] == "rejected", result
    return (result["problem"]["status"], result["problem"]["code"]), body


# Each cell


def kept_to(world: World, who: str, row: Row, path: str, before: Any) -> str | None:
    """What is wrong with the answer of a cell, if anything."""
    writes = row.operation not in ("list", "read", "history")
    with transaction.atomic():
        found, said = asked(world, who, row, path)
        changed = writes and everything() != before
        transaction.set_rollback(True)
    text, known = json.dumps(said), str(world.object(who, row)[0])
    if found != row.answers[who]:
        return f"is answered {found}, not {row.answers[who]}"
    if changed != (writes and found == p.YES):
        return f"is answered {found} and has {'' if changed else 'not '}written"
    if SECRET in text or any(id in text for id in world.hidden if id != known):
        return f"tells what is hidden: {text}"
    return None


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("collection", [*p.COLLECTIONS, p.SESSIONS])
def test_g7_each_cell_is_answered_as_the_matrix_says(world, who, collection):
    cells = [(row, path) for row in MATRIX if row.collection == collection for path in row.paths]
    assert len(cells) > (20 if collection in p.COLLECTIONS else 9)
    wrong, before = {}, everything()
    for row, path in cells:
        amiss = kept_to(world, who, row, path, before)
        if amiss is not None:
            wrong[f"{row.operation} {row.object}, by {path}"] = amiss
    assert not wrong
