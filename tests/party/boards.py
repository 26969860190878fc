"""Boards as the host of a party: the truth, by plain ORM and by hand."""

from __future__ import annotations

import datetime
from typing import Any

from example_project.boards.models import Board, Card, Comment, Label, Membership

from .party import Truth


def as_json(at: datetime.datetime) -> str:
    return at.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")


class BoardsHost:
    """What the tables say; no serializer, no scope column, no sync code is asked."""

    collections = ("boards", "labels", "cards", "comments")

    def __init__(self, people: dict[str, int]) -> None:
        self.people = people

    def scopes(self) -> dict[str, set[str]]:
        seen: dict[int, set[str]] = {pk: set() for pk in self.people.values()}
        owners = Board.objects.values_list("owner_id", "sync_id")
        members = Membership.objects.values_list("user_id", "board__sync_id")
        for user, id in [*owners, *members]:
            seen.setdefault(user, set()).add(str(id))
        return {name: seen[pk] for name, pk in self.people.items()}

    def records(self) -> list[Truth]:
        scope = {board.pk: str(board.sync_id) for board in Board.objects.all()}
        return [
            *(
                self._truth("boards", board, scope[board.pk], board_object(board))
                for board in Board.objects.select_related("owner")
            ),
            *(
                self._truth(
                    "labels",
                    label,
                    scope[label.board_id],
                    {"board": scope[label.board_id], "name": label.name, "color": label.color},
                )
                for label in Label.objects.all()
            ),
            *(
                self._truth(
                    "cards", card, scope[card.board_id], card_object(card, scope[card.board_id])
                )
                for card in Card.objects.prefetch_related("labels")
            ),
            *(
                self._truth(
                    "comments", comment, scope[comment.card.board_id], comment_object(comment)
                )
                for comment in Comment.objects.select_related("card", "author")
            ),
        ]

    def _truth(self, collection: str, row: Any, scope: str, content: dict[str, Any]) -> Truth:
        return Truth(collection, str(row.sync_id), row.sync_revision, scope, content)


def board_object(board: Board) -> dict[str, Any]:
    return {"name": board.name, "color": board.color, "owner": board.owner.username}


def card_object(card: Card, board: str) -> dict[str, Any]:
    return {
        "board": board,
        "title": card.title,
        "body": card.body,
        "column": card.column,
        "position": card.position,
        "votes": card.votes,
        "due": None if card.due is None else card.due.isoformat(),
        "checklist": card.checklist,
        "labels": sorted(str(label.sync_id) for label in card.labels.all()),
        "created_at": as_json(card.created_at),
    }


def comment_object(comment: Comment) -> dict[str, Any]:
    return {
        "card": str(comment.card.sync_id),
        "author": comment.author.username,
        "text": comment.text,
        "created_at": as_json(comment.created_at),
    }
