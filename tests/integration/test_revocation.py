"""Rights that end and begin, end to end: real clients, their disks, and their outboxes (G7)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from rest_framework.authtoken.models import Token

from django_sync import errors
from django_sync.client import SyncClient, TokenAuth
from django_sync.feed import log as feed_log
from django_sync.feed import sequencer
from django_sync.merge import ClientWins, ServerWins
from example_project.boards import api as boards_api
from example_project.boards.models import Card, Comment, Membership
from tests.access_app import registered
from tests.access_app.models import Notice
from tests.integration import test_privacy
from tests.integration.conftest import in_process
from tests.integration.test_privacy import NAMES, SECRET, everything, mutate, revoked_after
from tests.integration.test_rights import on_disk

Connect = Callable[..., SyncClient]
world = test_privacy.world


@pytest.fixture
def connect(db: None, tmp_path: Path) -> Iterator[Connect]:
    opened: list[SyncClient] = []

    def connect(user: User, *names: str) -> SyncClient:
        client = SyncClient(
            "http://testserver/sync/",
            store=tmp_path / f"{user.username}.sqlite3",
            collections=names or tuple(NAMES),
            auth=TokenAuth(Token.objects.get_or_create(user=user)[0].key),
            transport=transport,
        )
        opened.append(client)
        return client

    with in_process() as transport:
        yield connect
    for client in opened:
        client.close()


def held(client: SyncClient) -> dict[str, int]:
    client.sync()
    return {name: len(client.collection(name)) for name in NAMES}


# A membership


@pytest.fixture
def grace(people: SimpleNamespace) -> Any:
    """An editor of Launch, where all texts are secret to those who are not on it."""
    Card.objects.filter(board=people.launch).update(title=SECRET, body=SECRET)
    Comment.objects.filter(card__board=people.launch).update(text=SECRET)
    return people.grace


def test_g7_a_revoked_membership_empties_the_disk_and_a_granted_one_fills_it(
    people, grace, connect, tmp_path
):
    client = connect(grace)
    assert held(client) == {"boards": 2, "labels": 2, "cards": 2, "comments": 2}
    client.close()
    assert any(SECRET.encode() in file.read_bytes() for file in tmp_path.iterdir())
    Membership.objects.filter(board=people.launch, user=grace).delete()
    client = connect(grace)
    assert held(client) == {"boards": 1, "labels": 1, "cards": 1, "comments": 1}
    assert not on_disk(client, tmp_path, SECRET)
    Membership.objects.create(board=people.launch, user=grace, role="viewer")
    client = connect(grace)
    assert held(client) == {"boards": 2, "labels": 2, "cards": 2, "comments": 2}


def test_g7_what_waits_for_a_board_that_was_closed_is_refused_and_told(people, grace, connect):
    client = connect(grace)
    client.sync()
    card = people.launch.cards.get()
    id = str(card.sync_id)
    cards = client.collection("cards")
    cards.update(id, {"title": "Mine"})
    cards.create({"title": "New", "board": str(people.launch.sync_id)})
    Membership.objects.filter(board=people.launch, user=grace).delete()
    sequencer.sequence()
    before = everything()
    client.sync()
    assert everything() == before
    told = {rejection.problem["code"] for rejection in client.rejections}
    assert told == {"not_found", "validation_failed"}
    assert SECRET not in repr(client.rejections)
    assert id not in {str(record.id) for record in cards.all()}


def test_an_editor_who_is_made_a_viewer_keeps_reading_and_writes_no_more(people, grace, connect):
    client = connect(grace)
    client.sync()
    id = str(people.launch.cards.get().sync_id)
    client.collection("cards").update(id, {"title": "Mine"})
    Membership.objects.filter(user=grace).update(role="viewer")
    client.sync()
    assert [rejection.problem["code"] for rejection in client.rejections] == ["permission_denied"]
    assert held(client) == {"boards": 2, "labels": 2, "cards": 2, "comments": 2}
    assert not Card.objects.filter(title="Mine").exists()


# A group's permission


def test_g7_a_permission_that_a_group_loses_takes_the_records(as_it_was, connect, tmp_path):
    registered.register_all()
    ada = User.objects.create_user("ada")
    crew = Group.objects.create(name="Crew")
    of_notices = Permission.objects.filter(content_type__app_label=Notice._meta.app_label)
    view, change = (of_notices.get(codename=f"{verb}_notice") for verb in ("view", "change"))
    crew.permissions.set([view, change])
    ada.groups.add(crew)
    notice = Notice.objects.create(group=crew, text=SECRET)
    client = connect(ada, "notices")
    client.sync()
    notices = client.collection("notices")
    assert [record.object["text"] for record in notices.all()] == [SECRET]

    crew.permissions.remove(change)
    notices.update(str(notice.sync_id), {"text": "x"})
    client.sync()
    assert [rejection.problem["code"] for rejection in client.rejections] == ["permission_denied"]

    crew.permissions.remove(view)
    client.sync()
    assert len(notices) == 0
    assert not on_disk(client, tmp_path, SECRET)
    crew.permissions.add(view)
    client = connect(ada, "notices")
    client.sync()
    assert len(client.collection("notices")) == 1


# An account


@pytest.mark.parametrize("way", ["deactivated", "token taken"])
def test_who_may_not_sign_in_keeps_replica_and_outbox_and_goes_on_later(
    people, grace, connect, way
):
    client = connect(grace)
    client.sync()
    client.collection("boards").create({"name": "Made meanwhile"})
    before = held_now(client)
    if way == "deactivated":
        User.objects.filter(pk=grace.pk).update(is_active=False)
    else:
        Token.objects.filter(user=grace).delete()
    for _ in range(2):
        with pytest.raises(errors.NotAuthenticated):
            client.sync()
    assert (held_now(client), len(client.outbox)) == (before, 1)
    client.close()
    User.objects.filter(pk=grace.pk).update(is_active=True)
    again = connect(grace)
    assert len(again.outbox) == 1
    again.sync()
    assert len(again.outbox) == 0


def held_now(client: SyncClient) -> dict[str, int]:
    return {name: len(client.collection(name)) for name in NAMES}


# What resolvers settled


@pytest.mark.parametrize(("resolver", "kept"), [(ClientWins(), "client"), (ServerWins(), "server")])
def test_g7_a_settled_mutation_that_is_sent_again_after_the_rights_tells_no_values(
    world, monkeypatch, resolver, kept
):
    monkeypatch.setattr(boards_api.CardViewSet, "resolvers", {"*": resolver})
    row = world.row("private", "cards")
    base, epoch = row.sync_revision, feed_log.state()[0].epoch
    Card.objects.filter(pk=row.pk).update(title=f"{SECRET} newer")
    first, again = revoked_after(
        world,
        lambda: mutate(
            world,
            "ada",
            "update",
            "cards",
            row.sync_id,
            {"title": "Mine"},
            base_revision=base,
            epoch=epoch,
        ),
    )
    assert (first[1], again[1]) == ("merged", "merged")
    assert set(again[2]) == {"id", "status", "replayed", "resolved"}
    (told,) = again[2]["resolved"]
    assert (set(told), told["field"], told["kept"]) == ({"field", "by", "kept"}, "title", kept)
    assert SECRET not in json.dumps(again[2])


@pytest.mark.parametrize("op", ["update", "delete"])
def test_g7_no_resolver_is_asked_about_what_is_hidden(world, monkeypatch, op):
    """A resolver sees both sides: it must not be one's way to the other."""

    class Nosy(ClientWins):
        def resolve(self, conflict: Any) -> Any:
            raise AssertionError(conflict)

    monkeypatch.setattr(boards_api.CardViewSet, "resolvers", {"*": Nosy()})
    monkeypatch.setattr(boards_api.CardViewSet, "delete_resolver", Nosy())
    before = everything()
    for id in (world.hidden["cards"], world.hidden["gone"]):
        told = mutate(world, "ada", op, "cards", id, {"title": "x"}, base_revision=0)
        assert told[:2] == (404, "not_found")
    assert everything() == before
