"""Indexes in the client's store: the vectors that both clients keep, and that nothing is scanned."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from django_sync.client import SyncClient
from django_sync.testing.server import MemoryServer

VECTORS = json.loads((Path(__file__).resolve().parents[2] / "vectors/indexes.json").read_text())
Connect = Callable[..., SyncClient]
INDEXED = {"cards": VECTORS["indexes"]}


def asked(query: dict[str, Any]) -> dict[str, Any]:
    """A query of the vectors as Python spells it."""
    found: dict[str, Any] = {}
    for name, value in query["where"].items():
        if isinstance(value, dict) and set(value) <= {"gt", "gte", "lt", "lte"}:
            found |= {f"{name}__{suffix}": bound for suffix, bound in value.items()}
        else:
            found[name] = value
    if "orderBy" in query:
        found["order_by"] = query["orderBy"]
    if "limit" in query:
        found["limit"] = query["limit"]
    return found


@pytest.fixture
def filled(server: MemoryServer, connect: Connect) -> Callable[..., SyncClient]:
    def filled(name: str, **options: Any) -> SyncClient:
        for record in VECTORS["records"]:
            server.put("cards", record["object"], id=record["id"])
        client = connect(name, **options)
        client.sync()
        return client

    return filled


def edit(client: SyncClient) -> None:
    cards = client.collection("cards")
    for one in VECTORS["local"]:
        match one["op"]:
            case "create":
                cards.create(one["fields"], id=one["id"])
            case "update":
                cards.update(one["id"], one["fields"])
            case "delete":
                cards.delete(one["id"])


@pytest.mark.parametrize("indexes", [INDEXED, None])
def test_what_the_vectors_find(filled: Connect, indexes: Any) -> None:
    client = filled("a", indexes=indexes)
    cards = client.collection("cards")
    for expected in ("stored", "ids"):
        for query in VECTORS["queries"]:
            found = [record.id for record in cards.filter(**asked(query))]
            assert found == query[expected], query
        if expected == "stored":
            edit(client)
