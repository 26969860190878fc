"""Mutations with all their guarantees against plain DRF's creates."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from itertools import count
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from rest_framework.authtoken.models import Token

from django_sync.models import MutationResult, Tombstone
from tests.benchmarks.measure import Goal, Line, Work, in_turn, say
from tests.benchmarks.notes.models import Note, PlainNote
from tests.benchmarks.web import Browser
from tests.benchmarks.works_read import contents
from tests.benchmarks.works_write import vacuum


class Writing:
    """One user, who writes as one installation."""

    def __init__(self) -> None:
        self.room, self.client = "writer", str(uuid.uuid4())
        user = User.objects.create_user(self.room)
        Token.objects.create(user=user, key="writer")
        self.browser, self.seq, self.seeds = Browser("writer"), count(1), count(10)

    def fields(self, number: int) -> list[dict[str, Any]]:
        return [
            {**one, "id": str(one["id"]), "at": one["at"].isoformat()}
            for one in contents(number, next(self.seeds))
        ]

    def mutations(self, number: int) -> list[dict[str, Any]]:
        return [
            {
                "id": str(uuid.uuid4()),
                "seq": next(self.seq),
                "op": "create",
                "collection": "notes",
                "object_id": one.pop("id"),
                "fields": one,
            }
            for one in self.fields(number)
        ]

    def ours(self, batches: int, size: int) -> Work:
        """So many batches; they are made off the clock, for the next turn after each."""
        made: list[bytes] = []

        def prepare() -> None:
            Note.objects.filter(room=self.room)._raw_delete("default")
            for model in (MutationResult, Tombstone):
                model.objects.all()._raw_delete("default")
            vacuum(Note, MutationResult, Tombstone)
            made[:] = [
                json.dumps({"client_id": self.client, "mutations": self.mutations(size)}).encode()
                for _ in range(batches)
            ]

        def work() -> Work:
            for body in made:
                answer = self.browser.call("POST", "/sync/mutations/", body)
                assert answer.count(b'"applied"') == size, answer[:500]
            return prepare

        prepare()
        return work

    def drf(self, batches: int, size: int) -> Work:
        made: list[bytes] = []

        def prepare() -> None:
            PlainNote.objects.filter(room=self.room)._raw_delete("default")
            vacuum(PlainNote)
            bodies: list[Any] = [self.fields(size) for _ in range(batches)]
            made[:] = [json.dumps(body if size > 1 else body[0]).encode() for body in bodies]

        def work() -> Work:
            for body in made:
                self.browser.call("POST", "/plain/many/" if size > 1 else "/plain/", body)
            return prepare

        prepare()
        return work


def lines(batches: int, singles: int, pairs: int) -> Iterator[Line]:
    writing = Writing()
    say(f"{batches} batches of 100")
    told = in_turn(writing.drf(batches, 100), writing.ours(batches, 100), pairs)
    goal, n = Goal(1.5, of_rate=True), 100 * batches
    name, against = "mutations, 100 a batch", "DRF many=True, .save() each"
    yield Line(connection.vendor, name, n, "mutation", against, *told, goal)
    say(f"{singles} mutations, one a request")
    told = in_turn(writing.drf(singles, 1), writing.ours(singles, 1), pairs)
    name, against = "mutations, one a request", "DRF create"
    yield Line(connection.vendor, name, singles, "mutation", against, *told, Goal(1.3))
