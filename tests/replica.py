"""A replica in a dozen lines, and the truth that it is held against.

The replica does what `protocol.md` tells a client to do and nothing cleverer; the
truth comes from the tables by plain ORM, past everything that is under test.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.models import User

from django_sync import engine, errors
from django_sync.drf.caller import Caller
from django_sync.protocol import Change, Op, Page
from example_project.boards.models import Board, Card, Comment, Label

MODELS = {"boards": Board, "labels": Label, "cards": Card, "comments": Comment}


class Replica:
    """One user's copy, held by pulling through the engine."""

    def __init__(
        self, user: User, collections: tuple[str, ...] | None = None, limit: int = 1000
    ) -> None:
        self.user, self.collections, self.limit = user, collections, limit
        self.cursor: str | None = None
        self.records: dict[tuple[str, uuid.UUID], Any] = {}
        self.unseen: set[tuple[str, uuid.UUID]] = set()
        self.log: list[Change] = []
        self.epoch = ""

    def page(self) -> Page:
        """Fetch one page and apply it."""
        page = engine.pull(
            Caller.for_user(self.user),
            cursor=self.cursor,
            collections=self.collections,
            limit=self.limit,
        )
        for change in page.changes:
            self.apply(change, same_epoch=page.epoch == self.epoch)
        self.log += page.changes
        self.cursor, self.epoch = page.cursor, page.epoch
        if not page.has_more:
            for key in self.unseen:
                self.records.pop(key, None)
            self.unseen.clear()
        return page

    def pull(self) -> list[Change]:
        """Pull until there is no more; the changes that came."""
        start = len(self.log)
        try:
            while self.page().has_more:
                pass
        except (errors.CursorExpired, errors.InvalidCursor):
            self.cursor, self.unseen = None, set(self.records)
            return self.pull()
        return self.log[start:]

    def apply(self, change: Change, *, same_epoch: bool) -> None:
        match change.op:
            case Op.PUT:
                key = (change.collection, change.record.id)
                known = self.records.get(key)
                if known is not None and same_epoch:
                    assert change.record.revision >= known.revision, "G2: a revision fell"
                self.records[key] = change.record
                self.unseen.discard(key)
            case Op.DELETE | Op.REMOVE:
                assert change.id is not None
                self.records.pop((change.collection, change.id), None)
            case Op.DROP:
                for key in [k for k, r in self.records.items() if k[0] == change.collection]:
                    if self.records[key].scope == change.scope:
                        del self.records[key]
            case Op.BEGIN:
                self.unseen |= {key for key in self.records if key[0] == change.collection}

    def held(self) -> dict[tuple[str, uuid.UUID], tuple[int, str]]:
        return {key: (r.revision, r.scope) for key, r in self.records.items()}


def truth(
    user: User, collections: tuple[str, ...] | None = None
) -> dict[tuple[str, uuid.UUID], tuple[int, str]]:
    """What the user may see according to the tables: revision and scope by collection and id."""
    boards = set(Board.objects.visible_to(user).values_list("pk", flat=True))
    mine = {
        "boards": Board.objects.filter(pk__in=boards),
        "labels": Label.objects.filter(board__in=boards).select_related("board"),
        "cards": Card.objects.filter(board__in=boards).select_related("board"),
        "comments": Comment.objects.filter(card__board__in=boards).select_related("card__board"),
    }
    return {
        (name, row.sync_id): (row.sync_revision, str(board_of(row).sync_id))
        for name, rows in mine.items()
        if collections is None or name in collections
        for row in rows
    }


def board_of(row: Any) -> Board:
    match row:
        case Board():
            return row
        case Comment():
            return row.card.board
        case _:
            board: Board = row.board
            return board
