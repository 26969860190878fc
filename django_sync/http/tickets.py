"""Signing in by a ticket: a pass for one socket, which a session's answer holds.

``realtime`` alone makes requests of an open socket, and says by which session it was opened.
"""

from __future__ import annotations

import uuid
from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from .. import engine, errors


class TicketAuthentication(BaseAuthentication):
    """Takes the ticket of a handshake, and later the session that it opened."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        """The user, and the session's id; raises ``NotAuthenticated``.

        Where there is a ticket it alone counts: the cookies that a browser sends along are
        those of whoever opened the page, which may be anybody's. Where they are the holder's own,
        the socket ends with that login: who logs out has left the page to the next.
        """
        asked: Any = request._request
        held: uuid.UUID | None = getattr(asked, "sync_session", None)
        if held is None:
            held = engine.redeem_ticket(request.query_params["ticket"])
        holder, asked.sync_client = engine.ticket_holder(held)
        by_login = _signed_in(asked) == holder
        if getattr(asked, "sync_login", False) and not by_login:
            raise errors.NotAuthenticated("The login that this was opened by has ended.")
        asked.sync_login = by_login
        return holder, held


def _signed_in(asked: Any) -> Any:
    """Whom the request's cookies say, where the project has them looked at."""
    user = getattr(asked, "user", None)
    return user if user is not None and user.is_authenticated else None
