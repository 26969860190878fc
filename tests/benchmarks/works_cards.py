"""Batches of the example's cards, whose serializer and viewset have code of their own.

Against the same batches carried out one by one, in the same run: what a run saves where the
project's own code takes part.
"""

from __future__ import annotations

import json
import uuid
from itertools import count
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from rest_framework.authtoken.models import Token

from django_sync.models import MutationResult, Tombstone
from django_sync.writes import runs
from example_project.boards.models import Board, Card
from tests.benchmarks.measure import Goal, Line, Work, in_turn, say
from tests.benchmarks.web import Browser
from tests.benchmarks.works_write import vacuum

SIZE = 100


class Cards:
    """A member of a board who has made cards and changed them offline: half of each."""

    def __init__(self, name: str) -> None:
        user = User.objects.create_user(name)
        Token.objects.create(user=user, key=name)
        self.board = Board.objects.create(name="Benches", owner=user)
        self.board.refresh_from_db()
        self.client, self.browser, self.seq = str(uuid.uuid4()), Browser(name), count(1)

    def mutation(self, op: str, id: Any, base: int | None, **fields: Any) -> dict[str, Any]:
        return {
            "id": str(uuid.uuid4()),
            "seq": next(self.seq),
            "op": op,
            "collection": "cards",
            "object_id": str(id),
            "base_revision": base,
            "fields": fields,
        }

    def batch(self) -> bytes:
        """Half creates, half updates of cards that are there."""
        Card.objects.bulk_create([Card(board=self.board, title="there") for _ in range(SIZE // 2)])
        there = Card.objects.filter(board=self.board).order_by("-pk")[: SIZE // 2]
        board = str(self.board.sync_id)
        new = [
            self.mutation("create", uuid.uuid4(), None, title="x", body="b" * 100, board=board)
            for _ in range(SIZE // 2)
        ]
        changed = [
            self.mutation("update", card.sync_id, card.sync_revision, title="z", votes=n)
            for n, card in enumerate(there, 1)
        ]
        return json.dumps({"client_id": self.client, "mutations": new + changed}).encode()

    def work(self, batches: int, least: int) -> Work:
        """So many batches, in which ``least`` mutations make a run."""
        made: list[bytes] = []

        def prepare() -> None:
            Card.objects.filter(board=self.board)._raw_delete("default")
            vacuum(Card, MutationResult, Tombstone)
            made[:] = [self.batch() for _ in range(batches)]

        def work() -> Work:
            before, runs.LEAST = runs.LEAST, least
            try:
                for body in made:
                    answer = self.browser.call("POST", "/sync/mutations/", body)
                    assert answer.count(b'"applied"') == SIZE, answer[:500]
            finally:
                runs.LEAST = before
            return prepare

        prepare()
        return work


def line(batches: int, pairs: int) -> Line:
    singly, together = Cards("singly"), Cards("together")
    say(f"{batches} batches of {SIZE} cards")
    costs = in_turn(singly.work(batches, SIZE * 10), together.work(batches, runs.LEAST), pairs)
    name, against = "mutations, 100 cards of the example a batch", "the same one by one"
    goal = Goal(5, of_rate=True)
    return Line(connection.vendor, name, SIZE * batches, "mutation", against, *costs, goal)
