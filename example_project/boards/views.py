"""The page: the boards that the user may see, one of them open, made by the server."""

from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from . import demo
from .models import Board, BoardQuerySet, Card

POLICY = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'"


@require_safe
def board_page(request: HttpRequest) -> HttpResponse:
    """Show the board named by ``?board=``, or the first; whoever is not signed in gets a form."""
    context = {"demo_users": demo.USERS, **_boards_of(request.user, request.GET.get("board", ""))}
    response = render(request, "boards/page.html", context)
    response["Content-Security-Policy"] = POLICY
    return response


def _boards_of(user: User | AnonymousUser, wanted: str) -> dict[str, Any]:
    boards = Board.objects.visible_to(user)
    board = _board(boards, wanted) if wanted else boards.first()
    columns = [] if board is None else _columns_of(board)
    return {"boards": boards, "board": board, "columns": columns}


def _board(boards: BoardQuerySet, wanted: str) -> Board:
    try:
        return boards.get(pk=wanted)
    except (Board.DoesNotExist, ValueError):
        raise Http404 from None


def _columns_of(board: Board) -> list[tuple[str, list[Card]]]:
    cards = list(board.cards.prefetch_related("labels", "comments__author"))
    return [
        (column.label, [card for card in cards if card.column == column]) for column in Card.Column
    ]
