"""Sessions: what the server knows of a client and its user, and the tickets to its sockets.

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
from typing import Any

from django.db import models, transaction
from django.db.models import F
from django.utils import timezone

from . import errors, ladder
from .caller import Caller
from .conf import conf
from .ids import new_id
from .models import Client, SyncSession
from .protocol import Json, Network, Transport
from .registry import registry

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
    choice: ladder.Choice
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
    with transaction.atomic(using=conf.DATABASE):
        # Who opens one for the same client at the same time waits here.
        locked = Client.objects.using(conf.DATABASE).filter(id=client.id)
        locked.update(forgotten_seq=F("forgotten_seq"))
        _end(_open().filter(client=client))
        opened = _decide(session)
        session.save(using=conf.DATABASE, force_insert=True)
    return opened


def change_session(caller: Caller, id: uuid.UUID, told: Json) -> Opened:
    """Take in what a client tells anew, and decide again; a ticket from before is void.

    Raises ``NotFound``, ``UnknownCollection``.
    """
    with transaction.atomic(using=conf.DATABASE):
        if not _own(caller).filter(id=id).update(seen_at=timezone.now()):
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
    if not _end(_own(caller).filter(id=id)):
        raise errors.NotFound


def own_sessions(caller: Caller) -> list[Json]:
    """The caller's sessions that have not ended, the last seen first; ``PAGE_SIZE`` at most."""
    found = _own(caller).order_by("-seen_at", "id")[: conf.PAGE_SIZE]
    return [_shown(session) for session in found]


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


def holder(session_id: uuid.UUID) -> Any:
    """The user of a session by whose ticket a socket is open; marks it as heard of.

    Raises ``NotAuthenticated`` where it has ended, or its user may not sign in any more.
    """
    session = _open().select_related("user").filter(id=session_id).first()
    if session is None or not session.user.is_active:
        raise errors.NotAuthenticated
    _open().filter(id=session_id).update(seen_at=timezone.now())
    return session.user


def check(session_id: uuid.UUID, caller: Caller) -> None:
    """See that a session is the caller's and has not ended; raises ``PermissionDenied``."""
    if not _own(caller).filter(id=session_id).update(seen_at=timezone.now()):
        raise errors.PermissionDenied("There is no such session of yours.")


# Inside

DECIDED = ("transport", "ticket", "ticket_until")


def _decide(session: SyncSession) -> Opened:
    """What the ladder makes of the session as it is now; a ticket where it needs one."""
    choice = ladder.choose(
        ladder.Situation(
            offered=frozenset(ladder.offered(conf.TRANSPORTS)),
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
    return SyncSession.objects.using(conf.DATABASE).filter(ended_at__isnull=True)


def _own(caller: Caller) -> models.QuerySet[SyncSession]:
    return _open().filter(user_id=caller.user.pk)


def _end(sessions: models.QuerySet[SyncSession]) -> int:
    return sessions.update(ended_at=timezone.now(), ticket=None, ticket_until=None)


def _check_collections(told: Json) -> None:
    for name in told.get("collections") or ():
        registry.get(name)


def _shown(session: SyncSession) -> Json:
    shown: dict[str, Any] = {
        "id": str(session.id),
        "client_id": str(session.client_id),
        "transport": session.transport,
        "opened_at": _written(session.opened_at),
        "seen_at": _written(session.seen_at),
    }
    return shown | {name: getattr(session, name) for name in TOLD}


TOLD = ("name", "platform", "collections", "transports", "failed", "network", "foreground")


def _written(at: datetime.datetime) -> str:
    return at.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")
