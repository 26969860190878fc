"""The directives that staff may give to sessions: a page shows what would happen, they confirm.

A directive that somebody else has given meanwhile does no harm; a message says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from ..models import Order, SyncSession
from ..sessions import directives
from ..sessions.state import State, state_of
from .confirmation import MOST, Row, confirmation, is_confirmed
from .labels import name_of, short

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = object


@dataclass(frozen=True, slots=True)
class Directive:
    """A kind of directive: its texts, its permission, what it does to a session."""

    button: str
    title: str
    explains: str
    permission: str
    run: Callable[[Any, Any], bool]
    key: Callable[[Any], Any]
    """What it is about: for two sessions with the same key it runs once."""
    effect: Callable[[Any], str]
    """What would happen to a session; ``""`` when nothing would."""
    done: str
    danger: bool = False

    def has_effect(self, session: Any, state: State, blocks: Sequence[Order]) -> bool:
        """Whether it would do anything."""
        session.block_list = blocks
        return bool(self.effect(session))


def _end(session: Any) -> str:
    return "" if session.ended_at else "ends at once; its client stops until its user continues"


def _blocked(session: Any, client: Any) -> bool:
    return any(block.client_id == client for block in session.block_list)


def _block_user(session: Any) -> str:
    if _blocked(session, None):
        return ""
    return f"{session.user} and all of their clients are blocked"


def _block_client(session: Any) -> str:
    if _blocked(session, session.client_id):
        return ""
    return f"client {short(session.client_id)} of {session.user} is blocked"


def _unblock(session: Any) -> str:
    found = []
    if _blocked(session, None):
        found.append(f"{session.user} is unblocked")
    if _blocked(session, session.client_id):
        found.append(f"client {short(session.client_id)} is unblocked")
    return "; ".join(found)


def _refresh(session: Any) -> str:
    return f"client {short(session.client_id)} pulls everything again; its outbox stays"


def _unblocks(session: Any, by: Any) -> bool:
    of_user = directives.unblock(user=session.user)
    return directives.unblock(client=session.client_id) or of_user


DIRECTIVES = {
    "end": Directive(
        "End",
        "End sessions",
        "Sockets, streams and held pulls of these sessions are closed at once. Their clients keep "
        "their records and what they have not sent, report that the session was ended, and open "
        "another when their users ask, or at their next start.",
        "end",
        lambda session, by: directives.end(session.id, by=by),
        lambda session: session.id,
        _end,
        "ended",
        danger=True,
    ),
    "block_user": Directive(
        "Block the user",
        "Block users",
        "All sync requests of these users are refused, from every client, until the users are "
        "unblocked. They can still sign in elsewhere on this site. Their clients keep their "
        "records and what they have not sent.",
        "block",
        lambda session, by: directives.block(user=session.user, by=by),
        lambda session: ("user", session.user_id),
        _block_user,
        "blocked",
        danger=True,
    ),
    "block_client": Directive(
        "Block this client",
        "Block clients",
        "These installations are refused until they are unblocked. Their users may go on with "
        "others. A client itself reports its id: against somebody who has the credentials, "
        "block the user, and revoke the credentials.",
        "block",
        lambda session, by: directives.block(client=session.client_id, by=by),
        lambda session: ("client", session.client_id),
        _block_client,
        "blocked",
        danger=True,
    ),
    "unblock": Directive(
        "Unblock",
        "Unblock users and clients",
        "The blocked users and clients may sync again. A client that knows of its block stops "
        "until its user tries again.",
        "block",
        _unblocks,
        lambda session: ("unblock", session.user_id, session.client_id),
        _unblock,
        "unblocked",
    ),
    "refresh": Directive(
        "Order a fresh snapshot",
        "Order fresh snapshots",
        "At their next pull these clients learn that their cursor has expired. They fetch "
        "everything again, and delete what they no longer find. What they have not sent stays in "
        "their outbox.",
        "refresh",
        lambda session, by: directives.refresh(session.client_id, by=by),
        lambda session: ("snapshot", session.client_id),
        _refresh,
        "to pull again",
    ),
}


class DirectivesMixin(ModelAdmin):
    """The actions of the list of sessions."""

    actions: Any = tuple(DIRECTIVES)

    def may(self, request: HttpRequest, directive: Directive) -> bool:
        """Whether this member of staff may give the directive."""
        user: Any = request.user
        return bool(user.has_perm(f"django_sync.{directive.permission}_syncsession"))

    def get_actions(self, request: HttpRequest) -> Any:
        """Those that this member of staff may directive."""
        if request.method == "GET" and "_popup" in request.GET:
            return {}
        return {
            name: (_action(name), name, directive.title)
            for name, directive in DIRECTIVES.items()
            if self.may(request, directive)
        }

    def give(self, request: HttpRequest, name: str, queryset: Any) -> HttpResponse | None:
        """Show what would happen; run it once that is confirmed."""
        directive = DIRECTIVES[name]
        sessions = list(queryset.order_by("-seen_at", "id")[: MOST + 1])
        if len(sessions) > MOST:
            messages.error(request, f"Choose {MOST} sessions at most.")
            return None
        _with_blocks(sessions)
        if is_confirmed(request):
            self._carry_out(request, directive, sessions)
            return None
        now = timezone.now()
        rows = [
            Row(s.pk, name_of(s), str(s.user), state_of(s, now), directive.effect(s))
            for s in sessions
        ]
        return confirmation(
            self,
            request,
            action=name,
            title=directive.title,
            explains=directive.explains,
            button=directive.button,
            danger=directive.danger,
            rows=rows,
        )

    def _carry_out(
        self, request: HttpRequest, directive: Directive, sessions: Sequence[SyncSession]
    ) -> None:
        done, before = 0, 0
        user: Any = request.user
        for session in {directive.key(s): s for s in reversed(sessions)}.values():
            if directive.run(session, user):
                done += 1
                self.log_change(request, session, f"{directive.title}: {directive.done}.")
            else:
                before += 1
        if done:
            messages.success(request, f"{done} {directive.done}.")
        if before:
            messages.info(request, f"{before} had been {directive.done} already.")


def _action(name: str) -> Callable[[Any, HttpRequest, Any], HttpResponse | None]:
    def action(page: Any, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        response: HttpResponse | None = page.give(request, name, queryset)
        return response

    return action


def _with_blocks(sessions: Sequence[Any]) -> None:
    """Set the blocks of each session, in one statement for all."""
    blocks = directives.blocks_of(sessions)
    for session in sessions:
        session.block_list = blocks[session.id]
