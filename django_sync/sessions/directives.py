"""Directives of the server to users and clients: block, end a session, pull a fresh snapshot.

A directive is a row of ``Order``. There are few, and each request has to know them, so a process
reads all of them at once and caches them for ``SECONDS``. Before a request is refused, its
directive is read again. A new directive is announced at once, as a change of access is: to the
connections of this process, and by a channel layer to those of other processes. Without a layer,
these find it at their next heartbeat.
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
"""How long a process uses the directives that it has read."""
MOST = 2000
"""Directives that a process caches; if there are more, each request reads those of its user."""

Kind = Order.Kind


@dataclass(frozen=True, slots=True)
class Directive:
    """A directive, as requests check it."""

    id: int
    kind: str
    client: uuid.UUID | None
    session: uuid.UUID | None

    def blocks(self, client: uuid.UUID | None) -> bool:
        return self.kind == Kind.BLOCK and self.client in (None, client)


ByUser = Mapping[str, Sequence[Directive]]


class DirectiveCache:
    """The directives of all users, read at most ``SECONDS`` ago."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until = 0.0
        self._version = 0
        self._cached: ByUser | None = {}

    def forget(self) -> None:
        with self._lock:
            self._version += 1
            self._until = 0.0

    def by_user(self) -> ByUser | None:
        """The directives by user; ``None`` if there are too many to cache."""
        with self._lock:
            if time.monotonic() < self._until:
                return self._cached
            version = self._version
        found = _all()
        with self._lock:
            if version == self._version:  # else a directive may have come after the read
                self._cached, self._until = found, time.monotonic() + SECONDS
        return found


_cache = DirectiveCache()
forget = _cache.forget
"""Read the directives again at the next request: this or another process has written one."""


# What requests check


def check(caller: Caller, client: uuid.UUID | None = None) -> None:
    """Raise ``Blocked`` or ``SessionEnded`` if there is such a directive for the caller.

    ``client`` is one that the body names, besides the client that the request came with.
    """
    for directive in _of(caller):
        blocked = directive.blocks(caller.client_id) or (client and directive.blocks(client))
        ended = directive.kind == Kind.END and directive.session == caller.session_id
        if (blocked or ended) and _exists(directive):
            raise errors.Blocked if blocked else errors.SessionEnded


def pending_snapshots(caller: Caller) -> list[int]:
    """The directives for a fresh snapshot that the caller's client has not fulfilled."""
    if caller.client_id is None:
        return []
    mine = [d for d in _of(caller) if d.kind == Kind.SNAPSHOT and d.client == caller.client_id]
    return [directive.id for directive in mine if _exists(directive)]


def fulfil(directives: Sequence[int]) -> None:
    """The client pulls a fresh snapshot: delete these directives."""
    if directives:
        _table().filter(id__in=directives).delete()
        on_commit(forget)


def blocks_of(sessions: Collection[SyncSession]) -> dict[uuid.UUID, list[Order]]:
    """The blocks of each session's user and of its client, by the session's id."""
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


# What staff and the project decide


def block(*, user: Any = None, client: Client | uuid.UUID | None = None, by: Any = None) -> bool:
    """Shut a user, or one client of a user, out of sync, at once and until ``unblock``.

    What was applied stays applied; what the client has not sent stays in its outbox. ``by`` is the
    user who decides it. Returns ``False`` if there is such a block already. Raises
    ``Client.DoesNotExist``.
    """
    owner, one = _owner(user, client)
    with atomic():
        _, new = _table().get_or_create(
            kind=Kind.BLOCK, user_id=owner, client=one, defaults={"by": by}
        )
        sessions = SyncSession.objects.filter(user_id=owner)
        sessions = sessions if one is None else sessions.filter(client=one)
        sessions.filter(ticket__isnull=False).update(ticket=None, ticket_until=None)
        _announce(owner)
    return bool(new)


def unblock(*, user: Any = None, client: Client | uuid.UUID | None = None) -> bool:
    """Remove a block; return whether there was one. Clients come again when their users ask."""
    owner, one = _owner(user, client)
    with atomic():
        blocks = _table().filter(kind=Kind.BLOCK, user_id=owner)
        found = blocks.filter(client__isnull=True) if one is None else blocks.filter(client=one)
        gone = found.delete()[0]
        _announce(owner)
    return bool(gone)


def end(session: SyncSession | uuid.UUID, *, by: Any = None) -> bool:
    """End a session at once; its client opens another when its user asks, or at its next start.

    Returns ``False`` if it has ended already.
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
            _announce(found.user_id)
    return bool(ended)


def refresh(client: Client | uuid.UUID, *, by: Any = None) -> bool:
    """Have a client pull a fresh snapshot; its outbox stays.

    Its pulls and sockets get ``cursor_expired`` until it comes without a cursor. Returns ``False``
    if there is such a directive already.
    """
    owner, one = _owner(None, client)
    with atomic():
        _, new = _table().get_or_create(
            kind=Kind.SNAPSHOT, user_id=owner, client=one, defaults={"by": by}
        )
        _announce(owner)
    return bool(new)


# Rows


def _table() -> models.QuerySet[Order]:
    return Order.objects.all()


def _owner(user: Any, client: Client | uuid.UUID | None) -> tuple[Any, Client | None]:
    """The key of the user whom a directive concerns, and the client."""
    if (user is None) == (client is None):
        raise TypeError("Name a user or a client.")
    if client is None:
        return user.pk, None
    if not isinstance(client, Client):
        client = Client.objects.get(id=client)
    return client.user_id, client


def _announce(user_id: Any) -> None:
    on_commit(forget)
    notify.invalidate_key(str(user_id))


def _of(caller: Caller) -> Sequence[Directive]:
    """The directives for the caller's user; in a transaction they are read anew."""
    if connection().in_atomic_block:
        return _by_user(_table().filter(user_id=caller.user.pk)).get(caller.key, ())
    by_user = _cache.by_user()
    if by_user is None:
        by_user = _by_user(_table().filter(user_id=caller.user.pk))
    return by_user.get(caller.key, ())


def _exists(directive: Directive) -> bool:
    """Whether a directive of the cache still exists."""
    return _table().filter(id=directive.id).exists()


def _all() -> ByUser | None:
    found = _by_user(_table().order_by()[: MOST + 1])
    return found if sum(map(len, found.values())) <= MOST else None


def _by_user(rows: models.QuerySet[Order]) -> dict[str, list[Directive]]:
    found: dict[str, list[Directive]] = {}
    columns = ("user_id", "id", "kind", "client_id", "session_id")
    for user, id, kind, client, session in rows.values_list(*columns):
        found.setdefault(str(user), []).append(Directive(id, kind, client, session))
    return found
