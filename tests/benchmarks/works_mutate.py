"""Mutations with all their guarantees against plain DRF's writes."""

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
from tests.benchmarks import works_cards
from tests.benchmarks.measure import Goal, Line, Work, in_turn, say
from tests.benchmarks.notes.models import Note, PlainNote
from tests.benchmarks.web import Browser
from tests.benchmarks.works_read import contents
from tests.benchmarks.works_write import vacuum


class Writing:
    """One user, who writes as one installation."""

    def __init__(self, room: str = "writer") -> None:
        self.room, self.client = room, str(uuid.uuid4())
        user = User.objects.create_user(self.room)
        Token.objects.create(user=user, key=room)
        self.browser, self.seq, self.seeds = Browser(room), count(1), count(10)

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


class Changing(Writing):
    """The same user changes and deletes; each turn has rows of its own, made off the clock."""

    def rows(self, model: Any, number: int) -> list[Any]:
        """So many new rows in place of the old ones."""
        model.objects.filter(room=self.room)._raw_delete("default")
        made = [model(room=self.room, **one) for one in contents(number, next(self.seeds))]
        model.objects.bulk_create(made, batch_size=5000)
        vacuum(model, MutationResult, Tombstone)
        return made

    def changes(self, op: str, rows: list[Any]) -> list[dict[str, Any]]:
        fields = {"fields": {"title": "Another title", "n": 7}} if op == "update" else {}
        return [
            {
                "id": str(uuid.uuid4()),
                "seq": next(self.seq),
                "op": op,
                "collection": "notes",
                "object_id": str(row.id),
                "base_revision": 1,
                **fields,
            }
            for row in rows
        ]

    def ours_of(self, op: str, batches: int, size: int) -> Work:
        made: list[bytes] = []

        def prepare() -> None:
            rows = self.rows(Note, batches * size)
            listed = [rows[n : n + size] for n in range(0, len(rows), size)]
            bodies = [{"client_id": self.client, "mutations": self.changes(op, r)} for r in listed]
            made[:] = [json.dumps(body).encode() for body in bodies]

        def work() -> Work:
            for body in made:
                answer = self.browser.call("POST", "/sync/mutations/", body)
                assert answer.count(b'"applied"') == size, answer[:500]
            return prepare

        prepare()
        return work

    def drf_of(self, op: str, batches: int, size: int) -> Work:
        made: list[bytes] = []
        asked = {"title": "Another title", "n": 7} if op == "update" else {}

        def prepare() -> None:
            rows = self.rows(PlainNote, batches * size)
            listed = [rows[n : n + size] for n in range(0, len(rows), size)]
            bodies = [[{"id": str(row.id), **asked} for row in rows] for rows in listed]
            made[:] = [json.dumps(body).encode() for body in bodies]

        def work() -> Work:
            for body in made:
                self.browser.call("POST", f"/plain/{op}_many/", body)
            return prepare

        prepare()
        return work


def lines(batches: int, singles: int, pairs: int) -> Iterator[Line]:
    writing = Writing()
    say(f"{batches} batches of 100")
    told = in_turn(writing.drf(batches, 100), writing.ours(batches, 100), pairs)
    on_sqlite = connection.vendor == "sqlite"
    goal, n = Goal(1.3 if on_sqlite else 1.8, of_rate=True), 100 * batches
    name, against = "mutations, 100 a batch", "DRF many=True, .save() each"
    yield Line(connection.vendor, name, n, "mutation", against, *told, goal)
    say(f"{singles} mutations, one a request")
    told = in_turn(writing.drf(singles, 1), writing.ours(singles, 1), pairs)
    name, against = "mutations, one a request", "DRF create"
    yield Line(connection.vendor, name, singles, "mutation", against, *told, Goal(2))
    changing = Changing("changer")
    for op, against in (("update", "DRF, one save each"), ("delete", "DRF, one delete each")):
        say(f"{batches} batches of 100 {op}s")
        plain, ours = changing.drf_of(op, batches, 100), changing.ours_of(op, batches, 100)
        told = in_turn(plain, ours, pairs)
        name, goal = f"mutations, 100 {op}s a batch", Goal(3 if on_sqlite else 4, of_rate=True)
        yield Line(connection.vendor, name, n, "mutation", against, *told, goal)
    yield works_cards.line(batches, pairs)
