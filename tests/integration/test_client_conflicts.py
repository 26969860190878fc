"""Conflicts end to end: the Python client against the example over HTTP, in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from rest_framework.authtoken.models import Token

from django_sync.client import SyncClient, TokenAuth
from example_project.boards.models import Card


@pytest.fixture
def connect(people: Any, tmp_path: Path) -> Iterator[Callable[[str], SyncClient]]:
    """A client of one of the people's."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    opened = []

    def connect(name: str) -> SyncClient:
        token = Token.objects.get_or_create(user=getattr(people, name))[0].key
        client = SyncClient(
            "http://testserver/sync/",
            store=tmp_path / f"{name}.db",
            auth=TokenAuth(token),
            collections=["boards", "labels", "cards"],
            transport=httpx2.WSGITransport(app=get_wsgi_application()),
        )
        opened.append(client)
        return client

    yield connect
    for client in opened:
        client.close()
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.parametrize("later", [False, True])
def test_keep_client_after_update_delete_brings_the_object_back_with_its_id(
    connect: Callable[[str], SyncClient], card: Card, later: bool
) -> None:
    """The example's cards have a read-only field, which the client sends along."""
    ada, grace = connect("ada"), connect("grace")
    for client in (ada, grace):
        client.sync()
    id = str(card.sync_id)
    before = ada.collection("cards").get(id)
    assert before is not None
    ada.collection("cards").update(id, {"title": "Mine"})
    grace.collection("cards").delete(id)
    grace.sync()
    if not later:
        ada.on_conflict(lambda conflict: conflict.keep_client())
    ada.sync()
    if later:
        (conflict,) = ada.conflicts
        assert (conflict.kind, conflict.server) == ("update_delete", None)
        conflict.settle(conflict.keep_client())
        ada.sync()
    for left in (ada.conflicts, ada.outbox, ada.rejections):
        assert not left
    grace.sync()
    found = Card.objects.get(sync_id=card.sync_id)
    assert (found.title, found.board_id) == ("Mine", card.board_id)
    assert [str(label.sync_id) for label in found.labels.all()] == before["labels"] != []
    for client in (ada, grace):
        record = client.collection("cards").get(id)
        assert record is not None
        assert record["title"] == "Mine"
        assert record.revision > before.revision
