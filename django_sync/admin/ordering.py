"""What staff may order of sessions: first what would happen, then, when they say so, it happens.

Whoever orders what another has ordered meanwhile does no harm, and is told.
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
from .confirming import MOST, Row, confirmation, is_confirmed
from .naming import name_of, short

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = object


@dataclass(frozen=True, slots=True)
class Ordering:
    """One thing that can be ordered: its words, its permission, what it does to whom."""

    button: str
    title: str
    explains: str
    permission: str
    does: Callable[[Any, Any], bool]
    key: Callable[[Any], Any]
    """What it is ordered of: of two sessions with one key it is done once."""
    would: Callable[[Any], str]
    """What would happen to a session; ``""``: nothing."""
    done: str
    danger: bool = False

    def makes_sense(self, session: Any, state: State, blocks: Sequence[Order]) -> bool:
        """Whether it would do anything."""
        session.block_list = blocks
        return bool(self.would(session))


def _end(session: Any) -> str:
    return "" if session.ended_at else "ends at once; its client rests until its user goes on"


def _blocked(session: Any, client: Any) -> bool:
    return any(block.client_id == client for block in session.block_list)


def _block_user(session: Any) -> str:
    if _blocked(session, None):
        return ""
    return f"{session.user} and all of their clients are shut out"


def _block_client(session: Any) -> str:
    if _blocked(session, session.client_id):
        return ""
    return f"client {short(session.client_id)} of {session.user} is shut out"


def _unblock(session: Any) -> str:
    found = []
    if _blocked(session, None):
        found.append(f"{session.user} is let in again")
    if _blocked(session, session.client_id):
        found.append(f"client {short(session.client_id)} is let in again")
    return "; ".join(found)


def _refresh(session: Any) -> str:
    return f"client {short(session.client_id)} pulls everything anew; its outbox stays"


def _unblocks(session: Any, by: Any) -> bool:
    of_user = directives.unblock(user=session.user)
    return directives.unblock(client=session.client_id) or of_user


ORDERS = {
    "end": Ordering(
        "End",
        "End sessions",
        "Sockets, streams and held pulls of these sessions are closed at once. Their clients keep "
        "what they hold and what they have not sent, say that the session was ended, and open "
        "another when their users ask, or at their next start.",
        "end",
        lambda session, by: directives.end(session.id, by=by),
        lambda session: session.id,
        _end,
        "ended",
        danger=True,
    ),
    "block_user": Ordering(
        "Block the user",
        "Block users",
        "All requests of these users to sync are refused, whichever client sends them, until they "
        "are let in again. They can still sign in elsewhere on this site. What their clients hold "
        "stays on them, and what they have not sent stays there too.",
        "block",
        lambda session, by: directives.block(user=session.user, by=by),
        lambda session: ("user", session.user_id),
        _block_user,
        "blocked",
        danger=True,
    ),
    "block_client": Ordering(
        "Block this client",
        "Block clients",
        "These installations are refused until they are let in again; their users may go on with "
        "others. A client says itself which it is: against somebody who has the credentials, "
        "block the user, and take the credentials back.",
        "block",
        lambda session, by: directives.block(client=session.client_id, by=by),
        lambda session: ("client", session.client_id),
        _block_client,
        "blocked",
        danger=True,
    ),
    "unblock": Ordering(
        "Unblock",
        "Unblock users and clients",
        "Those who are blocked are let in again. A client that was told so rests until its user "
        "tries again.",
        "block",
        _unblocks,
        lambda session: ("unblock", session.user_id, session.client_id),
        _unblock,
        "let in again",
    ),
    "refresh": Ordering(
        "Order a fresh snapshot",
        "Order fresh snapshots",
        "At their next pull these clients are told that their cursor has expired, fetch everything "
        "anew, and forget what they no longer find. What they have not sent stays in their outbox.",
        "refresh",
        lambda session, by: directives.refresh(session.client_id, by=by),
        lambda session: ("snapshot", session.client_id),
        _refresh,
        "to pull anew",
    ),
}


class OrderingMixin(ModelAdmin):
    """The actions of the list of sessions."""

    actions: Any = tuple(ORDERS)

    def may(self, request: HttpRequest, order: Ordering) -> bool:
        """Whether this member of staff may order it."""
        user: Any = request.user
        return bool(user.has_perm(f"django_sync.{order.permission}_syncsession"))

    def get_actions(self, request: HttpRequest) -> Any:
        """Those that this member of staff may order."""
        if request.method == "GET" and "_popup" in request.GET:
            return {}
        return {
            name: (_action(name), name, order.title)
            for name, order in ORDERS.items()
            if self.may(request, order)
        }

    def ordered(self, request: HttpRequest, name: str, queryset: Any) -> HttpResponse | None:
        """Show what would happen; where that was seen, have it happen."""
        order = ORDERS[name]
        sessions = list(queryset.order_by("-seen_at", "id")[: MOST + 1])
        if len(sessions) > MOST:
            messages.error(request, f"Choose {MOST} sessions at most.")
            return None
        _with_blocks(sessions)
        if is_confirmed(request):
            self._carry_out(request, order, sessions)
            return None
        now = timezone.now()
        rows = [
            Row(s.pk, name_of(s), str(s.user), state_of(s, now), order.would(s)) for s in sessions
        ]
        return confirmation(
            self,
            request,
            action=name,
            title=order.title,
            explains=order.explains,
            button=order.button,
            danger=order.danger,
            rows=rows,
        )

    def _carry_out(
        self, request: HttpRequest, order: Ordering, sessions: Sequence[SyncSession]
    ) -> None:
        done, before = 0, 0
        user: Any = request.user
        for session in {order.key(s): s for s in reversed(sessions)}.values():
            if order.does(session, user):
                done += 1
                self.log_change(request, session, f"{order.title}: {order.done}.")
            else:
                before += 1
        if done:
            messages.success(request, f"{done} {order.done}.")
        if before:
            messages.info(request, f"{before} had been {order.done} already.")


def _action(name: str) -> Callable[[Any, HttpRequest, Any], HttpResponse | None]:
    def action(page: Any, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        told: HttpResponse | None = page.ordered(request, name, queryset)
        return told

    return action


def _with_blocks(sessions: Sequence[Any]) -> None:
    """What is ordered against each, in one statement for all."""
    blocks = directives.blocks_of(sessions)
    for session in sessions:
        session.block_list = blocks[session.id]
