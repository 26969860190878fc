"""What the server orders of users and clients: blocked, the session ended, a fresh snapshot.

Orders are few and each request has to know of them, so a process reads them all at once and
remembers them for a moment (``SECONDS``). Whoever is refused is looked up once more. An order is
told at once, as a change of access is, to the connections of this process, and by a channel layer
to those of others; without one they find out at their next heartbeat.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.utils import timezone

from .. import errors
from ..drf.caller import Caller
from ..feed import notify
from ..models import Client, Order, SyncSession
from ..models.database import atomic, connection, on_commit

__all__ = [
    "block",
    "blocks_of",
    "check",
    "end",
    "forget",
    "fulfil",
    "pending_snapshots",
    "refresh",
    "unblock",
]

SECONDS = 1.0
"""For how long a process takes orders as it last saw them."""
MOST = 2000
"""Orders that a process remembers; where there are more, each request asks for its user's."""

Kind = Order.Kind


@dataclass(frozen=True, slots=True)
class Ordered:
    """An order, as a request meets it."""

    id: int
    kind: str
    client: uuid.UUID | None
    session: uuid.UUID | None

    def blocks(self, client: uuid.UUID | None) -> bool:
        return self.kind == Kind.BLOCK and self.client in (None, client)


class Remembered:
    """The orders of all users, as they were a moment ago; ``None``: too many to remember."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until = 0.0
        self._turn = 0
        self._orders: Mapping[str, Sequence[Ordered]] | None = {}

    def forget(self) -> None:
        with self._lock:
            self._turn += 1
            self._until = 0.0

    def orders(self) -> Mapping[str, Sequence[Ordered]] | None:
        with self._lock:
            if time.monotonic() < self._until:
                return self._orders
            turn = self._turn
        found = _all()
        with self._lock:
            if turn == self._turn:  # else what was read may be from before what was told
                self._orders, self._until = found, time.monotonic() + SECONDS
        return found


_remembered = Remembered()
forget = _remembered.forget
"""Look again at the next request: something was ordered, here or elsewhere."""


# What requests meet


def check(caller: Caller, client: uuid.UUID | None = None) -> None:
    """Raise ``Blocked`` or ``SessionEnded`` where that is ordered of the caller.

    ``client`` is one that the body names, beside the one that the request came with.
    """
    for order in _of(caller):
        blocked = order.blocks(caller.client_id) or (client and order.blocks(client))
        ended = order.kind == Kind.END and order.session == caller.session_id
        if (blocked or ended) and _stands(order):
            raise errors.Blocked if blocked else errors.SessionEnded


def pending_snapshots(caller: Caller) -> list[int]:
    """The orders of a fresh snapshot that the caller's client has not carried out."""
    if caller.client_id is None:
        return []
    mine = [o for o in _of(caller) if o.kind == Kind.SNAPSHOT and o.client == caller.client_id]
    return [order.id for order in mine if _stands(order)]


def fulfil(orders: Sequence[int]) -> None:
    """The client pulls anew, as was ordered."""
    if orders:
        _table().filter(id__in=orders).delete()
        on_commit(forget)


def blocks_of(sessions: Collection[SyncSession]) -> dict[uuid.UUID, list[Order]]:
    """What shuts each of these sessions out, by its id: blocks of its user, and of its client."""
    users = {session.user_id for session in sessions}
    found: dict[tuple[Any, uuid.UUID | None], Order] = {
        (block.user_id, block.client_id): block
        for block in _table().filter(kind=Kind.BLOCK, user__in=users).select_related("by")
    }
    return {
        session.id: [
            found[key]
            for key in ((session.user_id, None), (session.user_id, session.client_id))
            if key in found
        ]
        for session in sessions
    }


# What the server orders


def block(*, user: Any = None, client: Client | uuid.UUID | None = None, by: Any = None) -> bool:
    """Shut a user, or one client of a user's, out of sync, at once and until ``unblock``.

    What was applied stays applied; what the client has not sent stays in its outbox. ``by`` is
    who orders it. Returns ``False`` where it was ordered before. Raises ``Client.DoesNotExist``.
    """
    owner, one = _whom(user, client)
    with atomic():
        _, new = _table().get_or_create(
            kind=Kind.BLOCK, user_id=owner, client=one, defaults={"by": by}
        )
        sessions = SyncSession.objects.filter(user_id=owner)
        sessions = sessions if one is None else sessions.filter(client=one)
        sessions.filter(ticket__isnull=False).update(ticket=None, ticket_until=None)
        _tell(owner)
    return bool(new)


def unblock(*, user: Any = None, client: Client | uuid.UUID | None = None) -> bool:
    """Take a block back; whether there was one. Clients come again when their users ask."""
    owner, one = _whom(user, client)
    with atomic():
        blocks = _table().filter(kind=Kind.BLOCK, user_id=owner)
        found = blocks.filter(client__isnull=True) if one is None else blocks.filter(client=one)
        gone = found.delete()[0]
        _tell(owner)
    return bool(gone)


def end(session: SyncSession | uuid.UUID, *, by: Any = None) -> bool:
    """End a session at once; its client opens another when its user asks, or at its next start.

    Returns ``False`` where it has ended already.
    """
    id = session.id if isinstance(session, SyncSession) else session
    sessions = SyncSession.objects.filter(id=id, ended_at__isnull=True)
    with atomic():
        ended = sessions.update(
            ended_at=timezone.now(),
            ending=SyncSession.Ending.SERVER,
            ticket=None,
            ticket_until=None,
        )
        if ended:
            found = SyncSession.objects.get(id=id)
            _table().get_or_create(
                session=found,
                defaults={
                    "kind": Kind.END,
                    "user_id": found.user_id,
                    "client_id": found.client_id,
                    "by": by,
                },
            )
            _tell(found.user_id)
    return bool(ended)


def refresh(client: Client | uuid.UUID, *, by: Any = None) -> bool:
    """Have a client pull anew, from a snapshot; its outbox stays.

    Its pulls and sockets are answered ``cursor_expired`` until it comes without a cursor.
    Returns ``False`` where that was ordered before, and not done yet.
    """
    owner, one = _whom(None, client)
    with atomic():
        _, new = _table().get_or_create(
            kind=Kind.SNAPSHOT, user_id=owner, client=one, defaults={"by": by}
        )
        _tell(owner)
    return bool(new)


# Inside


def _table() -> models.QuerySet[Order]:
    return Order.objects.all()


def _whom(user: Any, client: Client | uuid.UUID | None) -> tuple[Any, Client | None]:
    """Whose an order is, and the client."""
    if (user is None) == (client is None):
        raise TypeError("Name a user or a client.")
    if client is None:
        return user.pk, None
    if not isinstance(client, Client):
        client = Client.objects.get(id=client)
    return client.user_id, client


def _tell(user_id: Any) -> None:
    on_commit(forget)
    notify.invalidate_key(str(user_id))


def _of(caller: Caller) -> Sequence[Ordered]:
    """The orders that concern the caller's user; within a transaction they are read anew."""
    if connection().in_atomic_block:
        return _ordered(_table().filter(user_id=caller.user.pk)).get(caller.key, ())
    orders = _remembered.orders()
    if orders is None:
        orders = _ordered(_table().filter(user_id=caller.user.pk))
    return orders.get(caller.key, ())


def _stands(order: Ordered) -> bool:
    """Whether an order that is remembered is there still."""
    return _table().filter(id=order.id).exists()


def _all() -> Mapping[str, Sequence[Ordered]] | None:
    found = _ordered(_table().order_by()[: MOST + 1])
    return found if sum(map(len, found.values())) <= MOST else None


def _ordered(rows: models.QuerySet[Order]) -> dict[str, list[Ordered]]:
    found: dict[str, list[Ordered]] = {}
    columns = ("user_id", "id", "kind", "client_id", "session_id")
    for user, id, kind, client, session in rows.values_list(*columns):
        found.setdefault(str(user), []).append(Ordered(id, kind, client, session))
    return found
