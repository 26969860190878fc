"""Resolve a field that two sides changed: the interface, and the resolvers that need nothing else.

Pure: a resolver gets values and times, and returns whose value is kept, or ``None`` to leave the
conflict to people. It never gets the database, the request or the user.
``django_sync.testing.resolvers`` is the suite that each of them has to pass.
"""

from __future__ import annotations

import datetime
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from ..protocol import Kept


@dataclass(frozen=True, slots=True)
class FieldOverlap:
    """One field that both sides changed since ``base``.

    ``field`` is its name; ``None`` for the whole object, if one side deleted it. Then the deleting
    side's value is ``None`` and the other's the object's fields. ``server`` and ``client`` are
    JSON values as the serializer makes them. ``base`` is the value that the client started from,
    if ``has_base`` is true. ``server_at`` is when the server wrote its value, by the server's
    clock; ``client_at`` when the client did (see ``clamped``); each is ``None`` if it is not known.
    """

    field: str | None
    server: Any
    client: Any
    base: Any = None
    has_base: bool = False
    server_at: datetime.datetime | None = None
    client_at: datetime.datetime | None = None

    def keep_server(self) -> Resolution:
        """Keep the server's value; the client's is kept only in the ``Decision``."""
        return Resolution(Kept.SERVER, self.server)

    def keep_client(self) -> Resolution:
        """Keep the client's value; the server's is kept only in the ``Decision``."""
        return Resolution(Kept.CLIENT, self.client)

    def merge(self, value: Any) -> Resolution:
        """Keep a value made of both."""
        return Resolution(Kept.MERGED, value)


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a resolver returned: whose value is kept, and that value."""

    kept: Kept
    value: Any


class Resolver(ABC):
    """Resolves one overlapping field. Subclass it, name it, write ``resolve``.

    A result's ``resolved`` and the ``Decision`` contain ``name``. Both are stored, so the name must
    not change. The same overlap must always get the same answer, because a batch may be run again.
    """

    name: ClassVar[str]

    @abstractmethod
    def resolve(self, overlap: FieldOverlap) -> Resolution | None:
        """Return whose value is kept; ``None`` leaves the conflict to the client."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class Manual(Resolver):
    """Only people resolve it: the mutation ends in a conflict."""

    name = "manual"

    def resolve(self, overlap: FieldOverlap) -> Resolution | None:
        return None


class ServerWins(Resolver):
    """Keep what came to the server first."""

    name = "server_wins"

    def resolve(self, overlap: FieldOverlap) -> Resolution | None:
        return overlap.keep_server()


class ClientWins(Resolver):
    """Keep what comes to the server last."""

    name = "client_wins"

    def resolve(self, overlap: FieldOverlap) -> Resolution | None:
        return overlap.keep_client()


class LastWrite(Resolver):
    """Keep what was written last, and the server's value if both have the same time.

    If a time is not known, the conflict is left open.

    The server's time is when its row was written. The client's time is its mutation's ``at``, but
    not before the revision that it was made on, and not after its arrival. So with a fast clock a
    write counts as made at its arrival, and with a slow clock as made when its user saw the base.
    """

    name = "last_write"

    def resolve(self, overlap: FieldOverlap) -> Resolution | None:
        if overlap.server_at is None or overlap.client_at is None:
            return None
        if overlap.client_at > overlap.server_at:
            return overlap.keep_client()
        return overlap.keep_server()


def clamped(
    at: datetime.datetime | None,
    base_at: datetime.datetime | None,
    arrival: datetime.datetime,
) -> datetime.datetime:
    """Return when a client's write counts as made: ``at``, within its possible bounds.

    It is not before ``base_at``, when its base revision was written (``None``: not known), and
    not after its ``arrival``, which also counts if the client sends no time.
    """
    made = arrival if at is None else min(at, arrival)
    return made if base_at is None else max(made, min(base_at, arrival))
