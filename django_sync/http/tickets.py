"""Authentication by a ticket. The answer that opens a session holds one; it opens one socket.

For the requests of an open socket, ``realtime`` names the session that the ticket opened.
"""

from __future__ import annotations

from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from .. import engine, errors
from .side_channel import RequestInfo


class TicketAuthentication(BaseAuthentication):
    """Accepts the ticket of a handshake, and later the session that it opened."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        """Return the user and the session's id; raise ``NotAuthenticated``.

        If there is a ticket, only the ticket counts. The browser also sends the cookies of the
        person who opened the page, who may be another user. If they are those of the ticket's user,
        the socket ends with that login, because the next person may use the page after a logout.
        """
        info = RequestInfo.of(request._request)
        session = info.session
        if session is None:
            session = engine.redeem_ticket(request.query_params["ticket"])
        user, info.client_id = engine.ticket_holder(session)
        by_login = _user_of_cookies(request._request) == user
        if info.login and not by_login:
            raise errors.NotAuthenticated("The login that this was opened by has ended.")
        info.login = by_login
        return user, session


def _user_of_cookies(http: Any) -> Any:
    """Return the user whom the request's cookies name, if the project reads them."""
    user = getattr(http, "user", None)
    return user if user is not None and user.is_authenticated else None
