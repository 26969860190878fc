"""Sessions: what the server decides for a client of a user, and the tickets to its sockets.

A client has one session at a time: opening one ends the one before. A session that
has ended, or is another user's, is answered as one that never was. All that two
processes could do at the same time is one ``UPDATE … WHERE``, or begins with one.
"""

from __future__ import annotations

import datetime
import hashlib
import secrets
import uuid
from dataclasses import dataclass

from django.db import models
from django.db.models import F
from django.utils import timezone

from .. import errors
from ..conf import conf
from ..drf.caller import Caller
from ..drf.registry import registry
from ..models import Client, Order, SyncSession
from ..models.database import atomic
from ..protocol import Json, Network, Transport
from ..protocol.ids import new_id
from . import presence, transport_choice

__all__ = [
    "Opened",
    "change_session",
    "check",
    "end_session",
    "holder",
    "open_session",
    "own_sessions",
    "redeem",
]

TICKET_BYTES = 32
PATHS = {
    Transport.WEBSOCKET: "live/ws/",
    Transport.SSE: "live/stream/",
    Transport.LONG_POLL: "live/changes/",
    Transport.POLL: "changes/",
}
"""Where each transport is, under the root of the protocol."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A session and what was decided for it; ``ticket`` where that is a WebSocket."""

    session: SyncSession
    choice: transport_choice.Choice
    ticket: str | None

    def to_json(self, root: str) -> Json:
        """What the client is told. ``root`` is the absolute address of the protocol's root."""
        return {
            "id": str(self.session.id),
            "transport": str(self.choice.transport),
            "url": address(root, self.choice.transport, self.ticket),
            "ticket": self.ticket,
            "heartbeat": conf.HEARTBEAT,
            "fallback": [str(transport) for transport in self.choice.fallback],
            "poll_interval": self.choice.poll_interval,
            "upgrade_after": self.choice.upgrade_after,
            "reasons": list(self.choice.reasons),
        }


def address(root: str, transport: Transport, ticket: str | None) -> str:
    """Where a transport is found, as a URL."""
    url = f"{root}{PATHS[transport]}"
    if transport is not Transport.WEBSOCKET:
        return url
    return f"ws{url.removeprefix('http')}?ticket={ticket}"  # http is ws, https is wss


def open_session(caller: Caller, client: Client, told: Json) -> Opened:
    """Open a session of the caller's own client; one that it had has ended then.

    Raises ``UnknownCollection``.
    """
    _check_collections(told)
    now = timezone.now()
    session = SyncSession(
        id=new_id(), user_id=caller.user.pk, client=client, opened_at=now, seen_at=now, **told
    )
    with atomic():
        # Who opens one for the same client at the same time waits here.
        locked = Client.objects.filter(id=client.id)
        locked.update(forgotten_seq=F("forgotten_seq"))
        theirs = SyncSession.objects.filter(client=client)
        _end(theirs.filter(presence.GOES_ON), SyncSession.Ending.REPLACED)
        Order.objects.filter(kind=Order.Kind.END, client=client).delete()
        opened = _decide(session)
        session.save(using=conf.DATABASE, force_insert=True)
    return opened


def change_session(caller: Caller, id: uuid.UUID, told: Json) -> Opened:
    """Take in what a client tells anew, and decide again; a ticket from before is void.

    One that expired goes on. Raises ``NotFound``, ``SessionEnded``, ``UnknownCollection``.
    """
    mine = SyncSession.objects.filter(id=id, user_id=caller.user.pk)
    with atomic():
        goes_on = {"seen_at": timezone.now(), "ended_at": None, "ending": SyncSession.Ending.OPEN}
        if not mine.filter(presence.GOES_ON).update(**goes_on):
            if mine.filter(ending=SyncSession.Ending.SERVER).exists():
                raise errors.SessionEnded
            raise errors.NotFound
        _check_collections(told)
        session = _own(caller).get(id=id)
        for name, value in told.items():
            setattr(session, name, value)
        opened = _decide(session)
        session.save(using=conf.DATABASE, update_fields=[*told, *DECIDED])
    return opened


def end_session(caller: Caller, id: uuid.UUID) -> None:
    """End a session of the caller's; raises ``NotFound``."""
    if not _end(_own(caller).filter(id=id), SyncSession.Ending.CLIENT):
        raise errors.NotFound


def own_sessions(caller: Caller) -> list[SyncSession]:
    """The caller's sessions that have not ended, the last seen first; ``PAGE_SIZE`` at most."""
    return list(_own(caller).order_by("-seen_at", "id")[: conf.PAGE_SIZE])


# For the socket


def redeem(ticket: str) -> SyncSession:
    """The session that a ticket is of, with its ``user``; the ticket is used up.

    Raises ``NotAuthenticated`` for one that is made up, used, late, replaced by another, or of
    somebody who may not sign in any more; which of these it was is not told.
    """
    digest, now = _digest(ticket), timezone.now()
    session = _of_ticket(digest)
    if session is None or not session.user.is_active:
        raise errors.NotAuthenticated
    sound = _open().filter(id=session.id, ticket=digest, ticket_until__gt=now)
    if not sound.update(ticket=None, ticket_until=None, seen_at=now):
        raise errors.NotAuthenticated
    session.ticket, session.ticket_until, session.seen_at = None, None, now
    return session


def holder(session_id: uuid.UUID) -> SyncSession:
    """The session by whose ticket a socket is open, with its ``user``.

    Raises ``SessionEnded`` where the server has ended it, ``NotAuthenticated`` where it has
    ended otherwise, or its user may not sign in any more.
    """
    sessions = SyncSession.objects.select_related("user")
    session = sessions.filter(id=session_id).first()
    if session is None or not session.user.is_active:
        raise errors.NotAuthenticated
    if session.ending == SyncSession.Ending.SERVER:
        raise errors.SessionEnded
    if not session.goes_on:
        raise errors.NotAuthenticated
    return session


def check(session_id: uuid.UUID, caller: Caller) -> uuid.UUID:
    """The client of a session that is the caller's and has not ended.

    Raises ``PermissionDenied``, and ``SessionEnded`` where the server has ended it.
    """
    mine = SyncSession.objects.filter(user_id=caller.user.pk, id=session_id)
    session = mine.defer("ticket").first()
    if session is not None and session.ending == SyncSession.Ending.SERVER:
        raise errors.SessionEnded
    if session is None or not session.goes_on:
        raise errors.PermissionDenied("There is no such session of yours.")
    return session.client_id


# Inside

DECIDED = ("transport", "ticket", "ticket_until")


def _decide(session: SyncSession) -> Opened:
    """What the ladder makes of the session as it is now; a ticket where it needs one."""
    choice = transport_choice.choose(
        transport_choice.Situation(
            offered=frozenset(transport_choice.offered(conf.TRANSPORTS)),
            able=frozenset(map(Transport, session.transports)),
            failed=frozenset(map(Transport, session.failed)),
            network=Network.from_json(session.network),
            foreground=session.foreground,
            poll_interval=conf.POLL_INTERVAL,
            upgrade_after=conf.UPGRADE_AFTER,
        )
    )
    ticket = None
    session.ticket = session.ticket_until = None
    if choice.transport is Transport.WEBSOCKET:
        ticket = secrets.token_urlsafe(TICKET_BYTES)
        session.ticket = _digest(ticket)
        session.ticket_until = timezone.now() + datetime.timedelta(seconds=conf.TICKET_SECONDS)
    session.transport = str(choice.transport)
    return Opened(session, choice, ticket)


def _digest(ticket: str) -> str:
    return hashlib.sha256(ticket.encode("utf-8", "surrogatepass")).hexdigest()


def _of_ticket(digest: str) -> SyncSession | None:
    return _open().select_related("user").filter(ticket=digest).first()


def _open() -> models.QuerySet[SyncSession]:
    return SyncSession.objects.filter(ended_at__isnull=True)


def _own(caller: Caller) -> models.QuerySet[SyncSession]:
    return _open().filter(user_id=caller.user.pk)


def _end(sessions: models.QuerySet[SyncSession], how: SyncSession.Ending) -> int:
    return sessions.update(ended_at=timezone.now(), ending=how, ticket=None, ticket_until=None)


def _check_collections(told: Json) -> None:
    for name in told.get("collections") or ():
        registry.get(name)
