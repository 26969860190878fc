"""Signing in by a ticket: a pass for one socket, which a session's answer holds.

``realtime`` alone makes requests of an open socket, and says by which session it was opened.
"""

from __future__ import annotations

import uuid
from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from .. import engine


class TicketAuthentication(BaseAuthentication):
    """Takes the ticket of a handshake, and later the session that it opened."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        """The user, and the session's id; raises ``NotAuthenticated``.

        Where there is a ticket it alone counts: the cookies that a browser sends along are
        those of whoever opened the page, which may be anybody's.
        """
        held: uuid.UUID | None = getattr(request._request, "sync_session", None)
        if held is None:
            held = engine.redeemed(request.query_params["ticket"])
        return engine.ticket_holder(held), held
