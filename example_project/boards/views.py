"""The pages: the board as an application, the same for a second user, and one without scripts."""

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from rest_framework.authtoken.models import Token

from . import demo, offline
from .models import Board, BoardQuerySet, Card

POLICY = (
    "default-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'; base-uri 'none'"
)


@require_safe
@never_cache
def board_page(request: HttpRequest) -> HttpResponse:
    """The application, for whoever is signed in; a form to sign in for all others.

    No board is in it: the client brings those, from its store where there is no net.
    """
    user = request.user
    if not user.is_authenticated:
        return _page(request, "boards/sign_in_page.html")
    name = user.get_username()
    return _application(request, user, store=f"boards-{name}", token="")


class SignIn(LoginView):
    """The form to sign in, for whom a page sent here, with the demo's users where there are any."""

    template_name = "boards/sign_in_page.html"
    extra_context = {"demo_users": lambda: demo.USERS if is_demo() else ()}

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        response = super().render_to_response(context, **kwargs)
        response["Content-Security-Policy"] = POLICY
        return response


@require_safe
@never_cache
@login_required
def second_user(request: HttpRequest, name: str) -> HttpResponse:
    """The application as a user of the demo sees it, with that user's token and a store of its own.

    Two windows of one browser share their cookies, and so the session; a token is the page's own.
    It is only for the demo, whose tokens everybody knows, and only where the token is the demo's.
    """
    token = None
    if is_demo() and name in demo.USERS:
        tokens = Token.objects.select_related("user")
        token = tokens.filter(key=f"demo-{name}", user__username=name, user__is_active=True).first()
    if token is None:
        raise Http404
    return _application(request, token.user, store=f"boards-as-{name}", token=token.key)


@require_safe
@never_cache
def scriptless_page(request: HttpRequest) -> HttpResponse:
    """The board named by ``?board=``, or the first, to be read where there are no scripts."""
    if not request.user.is_authenticated:
        return _page(request, "boards/sign_in_page.html")
    boards = Board.objects.visible_to(request.user)
    wanted = request.GET.get("board", "")
    board = _board(boards, wanted) if wanted else boards.first()
    columns = [] if board is None else _columns_of(board)
    return _page(request, "boards/plain.html", boards=boards, board=board, columns=columns)


@require_safe
def service_worker(request: HttpRequest) -> HttpResponse:
    """The script that keeps the application at hand, from where its scope may be the whole site.

    A browser asks for it again at each visit, and takes over a new one where a byte has changed.
    ``?module`` is the one that is woken by push.
    """
    text = offline.script(as_module="module" in request.GET)
    response = HttpResponse(text, content_type="text/javascript; charset=utf-8")
    response["Service-Worker-Allowed"] = reverse("boards")
    response["Cache-Control"] = "no-cache"
    response["Content-Security-Policy"] = POLICY
    return response


def is_demo() -> bool:
    """Whether this is the demo: its rows are there, and nobody calls it a site."""
    return bool(settings.DEBUG and settings.BOARDS_DEMO_ROWS)


def _application(request: HttpRequest, user: User, *, store: str, token: str) -> HttpResponse:
    boards = Board.objects.visible_to(user)
    writable = Board.objects.editable_by(user).values("pk")
    readable = boards.exclude(pk__in=writable).values_list("sync_id", flat=True)
    others = [name for name in demo.USERS if name != user.get_username()] if is_demo() else []
    response = _page(
        request,
        "boards/app.html",
        person=user,
        store=store,
        token=token,
        read_only=" ".join(map(str, readable)),
        others=others,
        release=offline.release(),
    )
    response["Boards-Release"] = offline.release()  # by this the service worker knows the page
    return response


def _page(request: HttpRequest, template: str, **context: Any) -> HttpResponse:
    users = demo.USERS if is_demo() else ()
    response = render(request, template, {"demo_users": users, **context})
    response["Content-Security-Policy"] = POLICY
    return response


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
