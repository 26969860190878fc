"""Ada's and Grace's clients in one process with the example, and what is to be seen of a card."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.utils import timezone
from rest_framework.authtoken.models import Token

from django_sync.client import SyncClient, TokenAuth
from django_sync.client.store.encoding import loads
from django_sync.client.store.overlay import server_row
from django_sync.maintenance import retention
from example_project.boards.models import Board, Card, Label, Membership
from tests.integration.conflicts import Act, Json, Kind, Values


class Table:
    """Ada's and Grace's clients, and the cards that they write to while offline."""

    def __init__(self, people: Any, folder: Path, transport: Any) -> None:
        self.people, self.folder, self.transport = people, folder, transport
        repair = Board.objects.create(name="Repair", owner=people.ada)
        Membership.objects.create(board=repair, user=people.grace, role="editor")
        self.boards = {"Launch": people.launch, "Repair": repair}
        self.urgent = Label.objects.get(board=people.launch)
        self.clients: list[SyncClient] = []

    def connect(self, name: str, hours: int = 0) -> SyncClient:
        client = SyncClient(
            "http://testserver/sync/",
            store=self.folder / f"{name}.db",
            auth=TokenAuth(Token.objects.create(user=getattr(self.people, name)).key),
            collections=["boards", "labels", "cards"],
            transport=self.transport,
            now=lambda: timezone.now() + datetime.timedelta(hours=hours),
        )
        self.clients.append(client)
        return client

    def card(self, before: Values) -> str:
        """The id of a card as it was before, or of one that is not there yet."""
        if before is None:
            return str(uuid.uuid4())
        card = Card.objects.create(
            board=self.boards[before["board"]], title=before["title"], body=before["body"]
        )
        card.labels.add(self.urgent)
        return str(card.sync_id)

    def wire(self, values: Json) -> Json:
        """The values as a record has them: ids in place of names."""
        found = dict(values)
        if "board" in values:
            found["board"] = str(self.boards[values["board"]].sync_id)
        if "labels" in values:
            found["labels"] = [str(self.urgent.sync_id)] * len(values["labels"])
        return found

    def whole(self, kind: Kind, values: Values) -> Values:
        """All that the table tells of a card."""
        if values is None:
            return None
        start = {"board": "Launch"} if kind.before is None else kind.before
        return self.wire(start | values)

    def act(self, client: SyncClient, acts: Mapping[str, Act]) -> None:
        """What somebody does to cards while offline."""
        cards = client.collection("cards")
        for id, (op, fields) in acts.items():
            match op:
                case "create":
                    cards.create(self.wire(fields), id=id)
                case "update":
                    cards.update(id, self.wire(fields))
                case "delete":
                    cards.delete(id)

    def forget(self) -> None:
        """Prune the log, but for the one entry that is always kept."""
        Card.objects.create(board=self.boards["Launch"], title="Another")
        retention.prune(days=0, keep=0)


def on_server(id: str, told: Values) -> tuple[Values, int]:
    """The row in the database, by plain ORM: what is told of a card, and its revision."""
    card = Card.objects.filter(sync_id=id).first()
    if card is None:
        return None, 0
    found = {
        "title": card.title,
        "body": card.body,
        "board": str(card.board.sync_id),
        "labels": [str(label.sync_id) for label in card.labels.all()],
    }
    return {name: found[name] for name in told or found}, int(card.sync_revision)


def beneath(client: SyncClient, id: str) -> tuple[Values, int]:
    """The server's record as the client's store has it, whole, whatever its outbox wants."""
    with client._store.read() as db:
        row = server_row(db, ("cards", id))
    if row is None or row["deleted"]:
        return None, 0
    return loads(row["object"]), int(row["revision"])


def seen(client: SyncClient, id: str, told: Values) -> Values:
    """What the client's user sees of what is told."""
    record = client.collection("cards").get(id)
    return None if record is None else {name: record[name] for name in told or record.object}
