"""What ``realtime`` and the views say to each other beside the HTTP messages.

``realtime`` runs a view for a client that is connected. It puts a ``RequestInfo`` on Django's
request as ``request.sync``, and reads a ``ResponseInfo`` from the response as ``response.sync``.
No client can set either: neither is part of what is sent.

At run time this file imports nothing of Django, because an ``asgi.py`` imports ``realtime`` before
it has set up Django.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..feed.fanout import Audience, Subscription


@dataclass(slots=True)
class RequestInfo:
    """What a view knows about a request that ``realtime`` makes.

    ``run``: how often this request of a client has been run, this time included; 0 if it is an
    ordinary request. ``follows``: the connection follows the feed. ``session``: the session of the
    ticket that opened the socket. ``client_id``: the client of that session.
    ``login``: the cookies were those of the ticket's user when the socket was opened. ``frame``:
    the body is a frame as it came, with a type and a ref. ``position``: the position in the feed up
    to which the client has everything, if it is known. ``held``: the request may run again, and the
    code that holds it writes its log line.
    """

    run: int = 0
    follows: bool = False
    session: uuid.UUID | None = None
    client_id: uuid.UUID | None = None
    login: bool = False
    frame: bool = False
    position: int | None = None
    held: bool = False

    @classmethod
    def of(cls, request: Any) -> RequestInfo:
        """Return what ``realtime`` has put on Django's request; an empty one if it has not."""
        found = getattr(request, "sync", None)
        return found if isinstance(found, cls) else cls()


@dataclass(slots=True)
class ResponseInfo:
    """What ``realtime`` knows about the response of a view.

    ``user``: the key of the user, if access was granted to a request of ``realtime``. ``log``: the
    fields of the log line. ``scopes``: the scopes whose changes concern a held pull.
    ``subscription``: the place in the feed from which a connection follows, if its pulls have
    reached the end. ``audience``: what the user of a connection sees now. ``session`` and
    ``login``: as in ``RequestInfo``, for the requests that follow.
    """

    user: str | None = None
    log: dict[str, Any] | None = None
    scopes: frozenset[str] | None = None
    subscription: Subscription | None = None
    audience: Audience | None = None
    session: uuid.UUID | None = None
    login: bool = False

    @classmethod
    def of(cls, response: Any) -> ResponseInfo:
        """Return what a view has put on its response; an empty one if no view of ours answered."""
        found = getattr(response, "sync", None)
        return found if isinstance(found, cls) else cls()
