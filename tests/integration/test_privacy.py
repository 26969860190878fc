"""A user tries to create in, move to, refer to, read, learn the ids of another's private board.

Each way in is a row of a table. Of each the suite sees that it is refused, that nothing
was written, that the answer names nothing hidden, and that a thing which is hidden and
one which never was are answered byte for byte alike.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from rest_framework.test import APIClient

from django_sync.drf.caller import Caller
from django_sync.drf.registry import registry
from django_sync.feed import log as feed_log
from django_sync.feed import sequencer
from django_sync.models import Change, Client, MutationResult, Outbox, SyncSession, Tombstone
from example_project.boards import api as boards_api
from example_project.boards.models import Board, Card, Comment, Label, Membership

NAMES: dict[str, Any] = {"boards": Board, "labels": Label, "cards": Card, "comments": Comment}
SECRET = "hush"
"""Stands in each text of what is hidden from Ada."""
NEW = {"board": "boards", "label": "labels", "card": "cards", "comment": "comments"}


@dataclass
class World:
    """Ada, who sees Launch (owns it) and Research (looks at it), and what she does not see."""

    people: SimpleNamespace
    hidden: dict[str, uuid.UUID]
    clients: dict[str, APIClient] = field(default_factory=dict)

    def api(self, who: str) -> APIClient:
        if who not in self.clients:
            client = APIClient()
            client.force_authenticate(User.objects.get(username=who))
            self.clients[who] = client
        return self.clients[who]

    def row(self, board: str, name: str) -> Any:
        home = getattr(self.people, board)
        rows = {
            "boards": Board.objects.filter(pk=home.pk),
            "labels": home.labels.all(),
            "cards": home.cards.all(),
            "comments": Comment.objects.filter(card__board=home),
        }
        return rows[name].first()


@pytest.fixture
def world(people: SimpleNamespace) -> World:
    User.objects.create_superuser("root", password="root-demo")
    people.private.name = f"{SECRET} board"
    people.private.save()
    people.private.labels.update(name=f"{SECRET} label")
    people.private.cards.update(title=f"{SECRET} title", body=f"{SECRET} body")
    Comment.objects.filter(card__board=people.private).update(text=f"{SECRET} text")
    # something of each kind that belongs to what only others see, and no more of it here
    gone = Card.objects.create(board=people.private, title=f"{SECRET} gone")
    gone_id = gone.sync_id
    gone.delete()
    sequencer.sequence()
    found = World(people, {})
    found.hidden = {n: found.row("private", n).sync_id for n in NAMES} | {"gone": gone_id}
    return found


def everything() -> Any:
    """All that a refused attempt must leave as it was."""
    rows = [list(model.objects.order_by("pk").values()) for model in NAMES.values()]
    links = list(Card.labels.through.objects.order_by("pk").values())
    members = list(Membership.objects.order_by("pk").values())
    told = Change.objects.count(), Outbox.objects.count(), Tombstone.objects.count()
    sessions = list(SyncSession.objects.order_by("pk").values())
    return rows, links, members, told, sessions


Answer = tuple[int, str, Any]
"""HTTP status or that of a mutation's problem, its code, and the whole answer."""


def rest(
    world: World,
    who: str,
    method: str,
    path: str,
    fields: Any = None,
    id: Any = None,
    **headers: str,
) -> Answer:
    body = {"object": fields or {}} | ({} if id is None else {"id": str(id)})
    sent = None if method in ("get", "delete") else body
    response = getattr(world.api(who), method)(f"/sync/{path}", sent, format="json", **headers)
    told = json.loads(response.content or b"{}")
    return response.status_code, told.get("code", ""), told


def mutate(
    world: World, who: str, op: str, collection: str, id: Any, fields: Any = None, **members: Any
) -> Answer:
    mutation = {
        "id": str(uuid.UUID(int=7)),
        "seq": 1,
        "op": op,
        "collection": collection,
        "object_id": str(id),
        "base_revision": None if op == "create" else 1,
        "fields": fields or {},
    } | members
    client_id = uuid.uuid5(uuid.NAMESPACE_OID, f"{who}{id}")
    body = {"client_id": str(client_id), "mutations": [mutation]}
    response = world.api(who).post("/sync/mutations/", body, format="json")
    assert response.status_code == 200
    (result,) = response.json()["results"]
    if result["status"] in ("applied", "merged"):
        return 200, result["status"], result
    problem = result.get("problem", {"status": 0, "code": result["status"]})
    return problem["status"], problem["code"], result


ANY = {"HTTP_IF_MATCH": "*"}
WORDS: dict[str, dict[str, Any]] = {
    "boards": {"name": "Mine"},
    "labels": {"name": "Mine"},
    "cards": {"title": "Mine"},
    "comments": {"text": "Mine"},
}
PARENT = {"labels": "board", "cards": "board", "comments": "card"}


def of_parent(name: str, parent: Any) -> dict[str, Any]:
    return WORDS[name] | {PARENT[name]: str(parent)}


# What names something by its id: (what is tried, with that id, by Ada)

Try = Callable[..., Answer]
BY_ID: dict[str, tuple[str, int, str, Try]] = {}
"""Name of the attempt to: the kind of thing named, the status and code expected, the attempt."""


def attempt(name: str, kind: str, status: int, code: str, tried: Any) -> None:
    BY_ID[name] = (kind, status, code, tried)


for kind in NAMES:
    for method, headers in (
        ("get", {}),
        ("patch", ANY),
        ("delete", ANY),
        ("patch", {}),
        ("delete", {}),
    ):
        attempt(
            f"rest {method} {kind}{' If-Match' if headers else ''}",
            kind,
            404,
            "not_found",
            lambda w, id, k=kind, m=method, h=headers: rest(
                w, "ada", m, f"{k}/{id}/", WORDS[k], **h
            ),
        )
    attempt(
        f"rest patch {kind} If-Match with a revision",
        kind,
        404,
        "not_found",
        lambda w, id, k=kind: rest(
            w, "ada", "patch", f"{k}/{id}/", WORDS[k], HTTP_IF_MATCH='"1-x"'
        ),
    )
    attempt(
        f"rest get {kind} If-None-Match",
        kind,
        404,
        "not_found",
        lambda w, id, k=kind: rest(w, "ada", "get", f"{k}/{id}/", HTTP_IF_NONE_MATCH="*"),
    )
    attempt(
        f"rest patch {kind} with a key",
        kind,
        404,
        "not_found",
        lambda w, id, k=kind: rest(
            w,
            "ada",
            "patch",
            f"{k}/{id}/",
            WORDS[k],
            HTTP_IF_MATCH='"1-x"',
            HTTP_SYNC_CLIENT=str(uuid.UUID(int=5)),
            HTTP_IDEMPOTENCY_KEY=str(uuid.UUID(int=6)),
        ),
    )
    attempt(
        f"rest get {kind} history",
        kind,
        404,
        "not_found",
        lambda w, id, k=kind: rest(w, "ada", "get", f"{k}/{id}/history/"),
    )
    for op in ("update", "delete"):
        for base in (0, 1, 2, 2**53 - 1):
            attempt(
                f"{op} {kind} at {base}",
                kind,
                404,
                "not_found",
                lambda w, id, k=kind, o=op, b=base: mutate(
                    w, "ada", o, k, id, WORDS[k], base_revision=b
                ),
            )
    attempt(
        f"update {kind} with an unknown field",
        kind,
        404,
        "not_found",
        lambda w, id, k=kind: mutate(w, "ada", "update", k, id, {"nope": 1}),
    )
    attempt(
        f"update {kind} with nothing",
        kind,
        404,
        "not_found",
        lambda w, id, k=kind: mutate(w, "ada", "update", k, id, {}),
    )
    attempt(
        f"update {kind} with a base that would tell",
        kind,
        404,
        "not_found",
        lambda w, id, k=kind: mutate(w, "ada", "update", k, id, WORDS[k], base={"name": SECRET}),
    )

for name, parent in (("labels", "boards"), ("cards", "boards"), ("comments", "cards")):
    attempt(
        f"rest post {name} in {parent}",
        parent,
        422,
        "validation_failed",
        lambda w, id, n=name: rest(w, "ada", "post", f"{n}/", of_parent(n, id)),
    )
    attempt(
        f"create {name} in {parent}",
        parent,
        422,
        "validation_failed",
        lambda w, id, n=name: mutate(
            w, "ada", "create", n, uuid.UUID(int=9), of_parent(n, id), base_revision=None
        ),
    )
    attempt(
        f"move {name} to {parent}",
        parent,
        422,
        "validation_failed",
        lambda w, id, n=name: mutate(
            w,
            "ada",
            "update",
            n,
            w.row("launch", n).sync_id,
            {PARENT[n]: str(id)},
            base_revision=at(w, n),
        ),
    )
    attempt(
        f"rest move {name} to {parent}",
        parent,
        422,
        "validation_failed",
        lambda w, id, n=name: rest(
            w, "ada", "patch", f"{n}/{w.row('launch', n).sync_id}/", {PARENT[n]: str(id)}, **ANY
        ),
    )
attempt(
    "label a card with it",
    "labels",
    422,
    "validation_failed",
    lambda w, id: mutate(
        w,
        "ada",
        "update",
        "cards",
        w.row("launch", "cards").sync_id,
        {"labels": [str(id)]},
        base_revision=at(w, "cards"),
    ),
)
attempt(
    "create a card with its label",
    "labels",
    422,
    "validation_failed",
    lambda w, id: mutate(
        w,
        "ada",
        "create",
        "cards",
        uuid.UUID(int=9),
        of_parent("cards", w.people.launch.sync_id) | {"labels": [str(id)]},
        base_revision=None,
    ),
)
attempt(
    "refer to a board as to a card",
    "boards",
    422,
    "validation_failed",
    lambda w, id: mutate(
        w,
        "ada",
        "create",
        "comments",
        uuid.UUID(int=9),
        of_parent("comments", id),
        base_revision=None,
    ),
)
attempt(
    "update what was deleted there",
    "gone",
    404,
    "not_found",
    lambda w, id: mutate(w, "ada", "update", "cards", id, WORDS["cards"]),
)
attempt(
    "delete what was deleted there",
    "gone",
    404,
    "not_found",
    lambda w, id: mutate(w, "ada", "delete", "cards", id),
)


def at(world: World, name: str) -> int:
    revision: int = world.row("launch", name).sync_revision
    return revision


@pytest.mark.parametrize("name", BY_ID)
def test_g7_what_is_hidden_is_as_what_never_was(world, name):
    kind, status, code, tried = BY_ID[name]
    hidden, none = world.hidden[kind], uuid.UUID(int=0x1234)
    before = everything()
    texts = []
    for id in (hidden, none):
        MutationResult.objects.all().delete()
        told = tried(world, id)
        assert told[:2] == (status, code), told
        assert everything() == before
        text = json.dumps(told[2]).replace(str(id), "ID")
        assert_nothing_hidden(world, text)
        texts.append(text)
    assert texts[0] == texts[1]


@pytest.mark.parametrize("name", BY_ID)
def test_a_superuser_who_is_no_member_is_as_much_a_stranger(world, name):
    kind, status, code, tried = BY_ID[name]
    world.clients["ada"] = world.api("root")
    before = everything()
    told = tried(world, world.hidden[kind])
    if "launch" not in tried.__code__.co_consts and "launch" not in tried.__code__.co_names:
        assert told[:2] == (status, code), told
    assert told[0] in (404, 422)
    assert everything() == before
    assert SECRET not in json.dumps(told[2])


def assert_nothing_hidden(world: World, text: str) -> None:
    assert SECRET not in text
    for id in world.hidden.values():
        assert str(id) not in text


# Ids that exist


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("way", ["rest", "mutation", "with a key"])
def test_the_id_of_a_hidden_object_is_taken_and_nothing_else_is_told(world, kind, way):
    id, before = world.hidden[kind], everything()
    parent = "launch"
    fields = dict(WORDS[kind])
    if kind in PARENT:
        above = {"board": "boards", "card": "cards"}[PARENT[kind]]
        fields[PARENT[kind]] = str(world.row(parent, above).sync_id)
    if way == "mutation":
        status, code, told = mutate(world, "ada", "create", kind, id, fields)
        assert (status, set(told)) == (409, {"id", "status", "problem", "replayed"})
        assert "record" not in told["problem"]
    else:
        headers = {}
        if way == "with a key":
            headers = {
                "HTTP_SYNC_CLIENT": str(uuid.uuid4()),
                "HTTP_IDEMPOTENCY_KEY": str(uuid.uuid4()),
            }
        status, code, told = rest(world, "ada", "post", f"{kind}/", fields, id, **headers)
        assert set(told) == {"type", "title", "status", "detail", "code"}
    assert (status, code) == (409, "already_exists")
    assert everything() == before
    assert_nothing_hidden(world, json.dumps(told).replace(str(id), ""))


def test_even_with_the_same_content(world):
    row = world.row("private", "cards")
    fields = {"title": row.title, "body": row.body, "board": str(world.people.launch.sync_id)}
    assert mutate(world, "ada", "create", "cards", row.sync_id, fields)[1] == "already_exists"


def test_an_id_of_another_collection_says_nothing(world):
    """Ids are compared within a model: the hidden board's id is free among cards."""
    fields = of_parent("cards", world.people.launch.sync_id)
    for id in (world.hidden["boards"], uuid.uuid4()):
        status, _, told = mutate(world, "ada", "create", "cards", id, fields)
        assert (status, told["revision"]) == (200, 1)


# Reading


def walk(world: World, who: str, path: str) -> str:
    """All pages of a list or of a pull, as text."""
    text, cursor = "", ""
    url: Any = f"/sync/{path}"
    while url:
        page = world.api(who).get(url + (f"&cursor={cursor}" if cursor else "")).json()
        text += json.dumps(page)
        cursor = page.get("cursor", "")
        url = page.get("next") if "results" in page else (url if page["has_more"] else None)
    return text


@pytest.mark.parametrize(
    "path",
    [
        *(f"{name}/?limit=1" for name in NAMES),
        "changes/?limit=1",
        "changes/?limit=1000",
        *(f"changes/?collections={name}&limit=2" for name in NAMES),
    ],
)
def test_no_list_and_no_pull_holds_anything_hidden(world, path):
    assert_nothing_hidden(world, walk(world, "ada", path))
    nothing = walk(world, "root", path)
    assert_nothing_hidden(world, nothing)
    assert '"object"' not in nothing


def test_the_service_document_counts_nothing(world):
    before = world.api("ada").get("/sync/").json()
    Card.objects.bulk_create([Card(board=world.people.private, title="x") for _ in range(9)])
    after = world.api("ada").get("/sync/").json()
    assert before | {"server_time": 0} == after | {"server_time": 0}


def test_what_goes_on_elsewhere_does_not_show_in_a_tail(world):
    api = world.api("ada")
    cursor = api.get("/sync/changes/").json()["cursor"]
    for row in (world.row("private", name) for name in NAMES):
        row.save()
    Card.objects.create(board=world.people.private, title="x").delete()
    page = api.get("/sync/changes/", {"cursor": cursor, "limit": 1}).json()
    assert page["changes"] == []
    assert page["has_more"] is False


@pytest.mark.parametrize("place", ["boards", "cards"])
def test_a_place_in_a_list_cannot_be_made_up(world, place):
    after = f"{uuid.UUID(int=0)}{world.people.private.sync_id}"
    assert_nothing_hidden(world, walk(world, "ada", f"{place}/?after={after}&limit=9"))


def test_f8_a_borrowed_cursor_opens_nothing(world):
    theirs = world.api("alan").get("/sync/changes/?limit=1").json()["cursor"]
    response = world.api("ada").get("/sync/changes/", {"cursor": theirs})
    assert (response.status_code, response.json()["code"]) == (400, "invalid_cursor")
    assert_nothing_hidden(world, response.content.decode())


def test_a_cursor_of_ones_own_from_before_shows_nothing_after(world):
    """What Ada held when she was a member is dropped, and nothing of it is told anew."""
    membership = Membership.objects.create(board=world.people.private, user=world.people.ada)
    api = world.api("ada")
    half = api.get("/sync/changes/?limit=3").json()["cursor"]
    full = api.get("/sync/changes/").json()
    assert SECRET in json.dumps(full)
    membership.delete()
    world.row("private", "cards").save()
    for cursor in (half, full["cursor"]):
        text = json.dumps(api.get("/sync/changes/", {"cursor": cursor}).json())
        assert SECRET not in text
        assert str(world.hidden["cards"]) not in text


# Replays


def revoked_after(world: World, act: Callable[[], Answer]) -> tuple[Answer, Answer]:
    """What was answered to a member, and to the same call after they were put out."""
    membership = Membership.objects.create(
        board=world.people.private, user=world.people.ada, role="editor"
    )
    first = act()
    membership.delete()
    return first, act()


@pytest.mark.parametrize("op", ["create", "update", "delete"])
def test_w5_a_replay_after_the_membership_shows_no_record(world, op):
    id = uuid.UUID(int=9) if op == "create" else world.hidden["cards"]
    board = str(world.people.private.sync_id)
    fields = {"title": f"{SECRET}!"} | ({"board": board} if op == "create" else {})
    base = None if op == "create" else world.row("private", "cards").sync_revision
    first, again = revoked_after(
        world,
        lambda: mutate(
            world,
            "ada",
            op,
            "cards",
            id,
            {} if op == "delete" else fields,
            base_revision=base,
            epoch=feed_log.state()[0].epoch,
        ),
    )
    assert (first[1], again[1]) == ("applied", "applied")
    assert set(again[2]) == {"id", "status", "replayed"}
    assert again[2]["replayed"] is True


def test_w5_a_conflict_replayed_after_the_membership_shows_no_record(world):
    first, again = revoked_after(
        world,
        lambda: mutate(
            world, "ada", "update", "cards", world.hidden["cards"], {"title": "x"}, base_revision=99
        ),
    )
    assert first[1] == "conflict"
    assert again[:2] == (404, "not_found")
    assert_nothing_hidden(world, json.dumps(again[2]))


@pytest.mark.parametrize("method", ["post", "patch", "delete"])
def test_w5_a_key_used_again_after_the_membership_shows_no_record(world, method):
    headers = {"HTTP_SYNC_CLIENT": str(uuid.uuid4()), "HTTP_IDEMPOTENCY_KEY": str(uuid.uuid4())}
    path = "cards/" if method == "post" else f"cards/{world.hidden['cards']}/"
    fields = {"title": f"{SECRET}!"}
    if method == "post":
        fields["board"] = str(world.people.private.sync_id)
    else:
        membership = Membership.objects.create(board=world.people.private, user=world.people.ada)
        headers["HTTP_IF_MATCH"] = world.api("ada").get(f"/sync/{path}")["ETag"]
        membership.delete()
    first, again = revoked_after(world, lambda: rest(world, "ada", method, path, fields, **headers))
    assert first[0] in (200, 201, 204)
    assert again[:2] == ((204, "") if method == "delete" else (404, "not_found"))
    assert SECRET not in json.dumps(again[2])


# Another's client


def test_another_users_client_is_refused_and_tells_nothing(world):
    fields = of_parent("cards", world.people.private.sync_id)
    mutation = {
        "id": str(uuid.uuid4()),
        "seq": 1,
        "op": "create",
        "collection": "cards",
        "object_id": str(uuid.uuid4()),
        "base_revision": None,
        "fields": fields,
    }
    body = {"client_id": str(uuid.uuid4()), "mutations": [mutation]}
    assert world.api("alan").post("/sync/mutations/", body, format="json").status_code == 200
    before = everything()
    empty = body | {"mutations": []}
    for sent in (body, empty):
        response = world.api("ada").post("/sync/mutations/", sent, format="json")
        assert (response.status_code, response.json()["code"]) == (403, "client_mismatch")
        assert mutation["object_id"] not in response.content.decode()
    headers = {
        "HTTP_SYNC_CLIENT": body["client_id"],
        "HTTP_IDEMPOTENCY_KEY": mutation["id"],
        "HTTP_IF_MATCH": '"1-x"',
    }
    path = f"cards/{mutation['object_id']}/"
    assert rest(world, "ada", "patch", path, WORDS["cards"], **headers)[:2] == (404, "not_found")
    assert everything() == before
    assert Client.objects.get(pk=body["client_id"]).user == world.people.alan


# Those who may look and not touch


VIEWED = [(name, op) for name in NAMES for op in ("update", "delete")]


@pytest.mark.parametrize(("name", "op"), VIEWED)
@pytest.mark.parametrize("way", ["rest", "mutation", "stale mutation"])
def test_a_viewer_reads_and_does_not_write(world, name, op, way):
    row, before = world.row("research", name), everything()
    path = f"{name}/{row.sync_id}/"
    assert rest(world, "ada", "get", path)[0] == 200
    if way == "rest":
        method = {"update": "patch", "delete": "delete"}[op]
        told = rest(world, "ada", method, path, WORDS[name], **ANY)
    else:
        base = row.sync_revision if way == "mutation" else 0
        fields = WORDS[name] if op == "update" else {}
        told = mutate(
            world,
            "ada",
            op,
            name,
            row.sync_id,
            fields,
            base_revision=base,
            epoch=feed_log.state()[0].epoch,
        )
    assert told[:2] == (403, "permission_denied"), told
    assert everything() == before


@pytest.mark.parametrize("name", PARENT)
@pytest.mark.parametrize("way", ["rest", "mutation"])
def test_a_viewer_creates_nothing(world, name, way):
    above = {"board": "boards", "card": "cards"}[PARENT[name]]
    fields, before = of_parent(name, world.row("research", above).sync_id), everything()
    if way == "rest":
        told = rest(world, "ada", "post", f"{name}/", fields)
    else:
        told = mutate(world, "ada", "create", name, uuid.uuid4(), fields)
    assert told[:2] == (403, "permission_denied")
    assert everything() == before


@pytest.mark.parametrize("way", ["rest", "mutation"])
@pytest.mark.parametrize(
    ("name", "source", "target"),
    [
        ("cards", "launch", "research"),
        ("cards", "research", "launch"),
        ("comments", "launch", "research"),
    ],
)
def test_a_move_needs_both_ends(world, name, source, target, way):
    row, before = world.row(source, name), everything()
    above = {"board": "boards", "card": "cards"}[PARENT[name]]
    fields = {PARENT[name]: str(world.row(target, above).sync_id)}
    if way == "rest":
        told = rest(world, "ada", "patch", f"{name}/{row.sync_id}/", fields, **ANY)
    else:
        told = mutate(
            world,
            "ada",
            "update",
            name,
            row.sync_id,
            fields,
            base_revision=row.sync_revision,
            epoch=feed_log.state()[0].epoch,
        )
    assert told[:2] == (403, "permission_denied")
    assert everything() == before


@pytest.mark.parametrize(("name", "op"), [("boards", "update"), ("boards", "delete")])
def test_an_editor_is_no_owner(world, name, op):
    row, before = world.row("launch", name), everything()
    told = mutate(
        world, "grace", op, name, row.sync_id, WORDS[name], base_revision=row.sync_revision
    )
    assert told[:2] == (403, "permission_denied")
    assert everything() == before


@pytest.mark.parametrize("op", ["update", "delete"])
def test_a_comment_is_its_authors(world, op):
    row, before = world.row("launch", "comments"), everything()
    told = mutate(
        world,
        "grace",
        op,
        "comments",
        row.sync_id,
        WORDS["comments"],
        base_revision=row.sync_revision,
    )
    assert told[:2] == (403, "permission_denied")
    assert everything() == before


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("boards", {"owner": "grace"}),
        ("comments", {"author": "grace"}),
        ("comments", {"created_at": "2020-01-01T00:00:00Z"}),
        ("cards", {"created_at": "2020-01-01T00:00:00Z"}),
    ],
)
@pytest.mark.parametrize("op", ["create", "update"])
def test_what_the_server_keeps_to_itself(world, name, fields, op):
    row, before = world.row("launch", name), everything()
    if op == "create":
        asked = WORDS[name] | fields
        if name in PARENT:
            above = {"board": "boards", "card": "cards"}[PARENT[name]]
            asked[PARENT[name]] = str(world.row("launch", above).sync_id)
        told = mutate(world, "ada", op, name, uuid.uuid4(), asked)
    else:
        told = mutate(
            world,
            "ada",
            op,
            name,
            row.sync_id,
            fields,
            base_revision=row.sync_revision,
            epoch=feed_log.state()[0].epoch,
        )
    assert told[:2] == (422, "field_not_writable")
    assert everything() == before


@pytest.mark.parametrize(
    "fields", [{"members": []}, {"sync_scope": "x"}, {"board_id": 1}, {"pk": 1}]
)
def test_what_is_no_field_is_none(world, fields):
    row, before = world.row("launch", "boards"), everything()
    told = mutate(
        world, "ada", "update", "boards", row.sync_id, fields, base_revision=row.sync_revision
    )
    assert told[:2] == (422, "validation_failed")
    (listed,) = told[2]["problem"]["errors"].values()
    assert listed[0]["code"] == "unknown"
    assert everything() == before


# Sent together


def test_one_refused_mutation_opens_nothing_for_the_next(world):
    """What a mutation saw before it was undone is not there for those that follow."""
    people, before = world.people, everything()
    mutations = [
        ("update", "boards", people.private.sync_id, {"name": "Mine"}),
        ("create", "cards", uuid.uuid4(), of_parent("cards", people.private.sync_id)),
        ("update", "cards", world.hidden["cards"], {"title": "x"}),
        ("create", "comments", uuid.uuid4(), of_parent("comments", world.hidden["cards"])),
    ]
    body = {
        "client_id": str(uuid.uuid4()),
        "mutations": [
            {
                "id": str(uuid.uuid4()),
                "seq": seq,
                "op": op,
                "collection": name,
                "object_id": str(id),
                "base_revision": None if op == "create" else 1,
                "fields": fields,
            }
            for seq, (op, name, id, fields) in enumerate(mutations)
        ],
    }
    for atomic in (False, True):
        response = world.api("ada").post(
            "/sync/mutations/", body | {"atomic": atomic}, format="json"
        )
        told = response.json()["results"]
        assert {r["status"] for r in told} <= {"rejected", "aborted"}
        assert SECRET not in json.dumps(told)
    assert everything() == before


@pytest.mark.parametrize("fault", [None, OperationalError("deadlock")])
def test_what_an_undone_write_opened_is_closed_again(world, monkeypatch, fault):
    """The project's code lets Ada in, and then the write is undone: so is her seeing."""
    private, ada, failures = world.people.private, world.people.ada, [fault]

    def let_in(self, serializer):
        Membership.objects.create(board=private, user=ada)
        serializer.save(board=private)
        assert Caller.of(self.request).cache
        if failures[0] is not None:
            collection = registry.get("cards")
            assert collection.sees_scope(Caller.of(self.request), str(private.sync_id))
            monkeypatch.undo()
            raise failures.pop()

    monkeypatch.setattr(boards_api.CardViewSet, "perform_create", let_in)
    fields = of_parent("cards", world.people.launch.sync_id)
    before = everything()
    bodies = [("create", uuid.uuid4(), fields), ("update", world.hidden["cards"], {"title": "x"})]
    sent = [
        {
            "id": str(uuid.uuid4()),
            "seq": seq,
            "op": op,
            "collection": "cards",
            "object_id": str(id),
            "base_revision": None if op == "create" else 1,
            "fields": fields,
        }
        for seq, (op, id, fields) in enumerate(bodies)
    ]
    body = {"client_id": str(uuid.uuid4()), "mutations": sent}
    first, second = world.api("ada").post("/sync/mutations/", body, format="json").json()["results"]
    assert (second["status"], second["problem"]["code"]) == ("rejected", "not_found")
    assert SECRET not in json.dumps([first, second])
    if fault is None:
        assert first["problem"]["code"] == "permission_denied"
        assert everything() == before
