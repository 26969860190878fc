"""A client by hand: makes mutations as the wire has them, and has the engine carry them out."""

from __future__ import annotations

import uuid
from typing import Any

from django_sync import engine
from django_sync.drf.caller import Caller
from django_sync.feed import log as feed_log
from example_project.boards.models import Board, Card, Comment, Label


class Phone:
    """One installation: makes mutations and sends them."""

    def __init__(self, user: Any) -> None:
        self.user, self.id, self.seq = user, uuid.uuid4(), 0

    def mutation(self, op: str, collection: str, object_id: Any, at: Any = None, **members: Any):
        self.seq += 1
        body = {
            "id": str(uuid.uuid4()),
            "seq": self.seq,
            "op": op,
            "collection": collection,
            "object_id": str(object_id),
            "base_revision": at,
            "epoch": feed_log.state()[0].epoch,
        }
        return body | members

    def create(self, collection, id=None, **fields):
        return self.mutation("create", collection, id or uuid.uuid4(), fields=fields)

    def update(self, row, base=None, told=None, **fields):
        base = row.sync_revision if base is None else base
        return self.mutation("update", name_of(row), row.sync_id, base, fields=fields, base=told)

    def delete(self, row, base=None):
        base = row.sync_revision if base is None else base
        return self.mutation("delete", name_of(row), row.sync_id, base)

    def send(self, *bodies: Any, **envelope: Any):
        batch = {"client_id": str(self.id), "mutations": list(bodies)} | envelope
        return engine.mutate(Caller.for_user(self.user), batch)

    def one(self, body: Any, **envelope: Any):
        (result,) = self.send(body, **envelope)
        return result


def name_of(row):
    return {Board: "boards", Label: "labels", Card: "cards", Comment: "comments"}[type(row)]
