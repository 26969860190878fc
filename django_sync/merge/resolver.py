"""Settle a field that two sides changed: the interface, and the resolvers that need nothing else.

Pure: a resolver gets values and times, and returns whose value stands, or ``None`` to
leave the conflict to people. It never sees the database, the request or the user.
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

    ``field`` is its name, ``None`` where it is the whole object that one side deleted: then
    the deleting side's value is ``None`` and the other's the object's fields. ``server`` and
    ``client`` are JSON values as the serializer makes them; ``base`` is the value that the client
    started from, where ``has_base`` says that it told. ``server_at`` is when the server wrote its
    value, by the server's clock; ``client_at`` when the client did (see ``clamped``); each is
    ``None`` where it is not known.
    """

    field: str | None
    server: Any
    client: Any
    base: Any = None
    has_base: bool = False
    server_at: datetime.datetime | None = None
    client_at: datetime.datetime | None = None

    def keep_server(self) -> Resolution:
        """The server's value stands; the client's is lost, but for the ``Decision``."""
        return Resolution(Kept.SERVER, self.server)

    def keep_client(self) -> Resolution:
        """The client's value stands; the server's is lost, but for the ``Decision``."""
        return Resolution(Kept.CLIENT, self.client)

    def merge(self, value: Any) -> Resolution:
        """A value made of both stands."""
        return Resolution(Kept.MERGED, value)


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a resolver returned: whose value is kept, and that value."""

    kept: Kept
    value: Any


class Resolver(ABC):
    """Settles one overlapping field. Subclass it, name it, write ``resolve``.

    ``name`` is what a result's ``resolved`` and the ``Decision`` call it; it lasts, for both are
    kept. The same overlap must always get the same answer: a batch may be run again.
    """

    name: ClassVar[str]

    @abstractmethod
    def resolve(self, overlap: FieldOverlap) -> Resolution | None:
        """Whose value stands; ``None`` leaves the conflict open, for the client to settle."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class Manual(Resolver):
    """Nobody but people settle it: the mutation ends in a conflict."""

    name = "manual"

    def resolve(self, overlap: FieldOverlap) -> Resolution | None:
        return None


class ServerWins(Resolver):
    """What came to the server first stands."""

    name = "server_wins"

    def resolve(self, overlap: FieldOverlap) -> Resolution | None:
        return overlap.keep_server()


class ClientWins(Resolver):
    """What comes to the server last stands."""

    name = "client_wins"

    def resolve(self, overlap: FieldOverlap) -> Resolution | None:
        return overlap.keep_client()


class LastWrite(Resolver):
    """What was written last stands, and the server's of two in one moment.

    Where a time is not known, it is left open.

    The server's time is when its row was written, the client's its mutation's ``at``, which is
    taken for no earlier than the revision that it was made on and no later than its
    arrival. So a clock that is fast makes a write as late as its arrival, which every later
    one beats, and a slow one makes it as early as what its user saw.
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
    """When a client's write counts as made: ``at``, but within what can be true.

    Not before ``base_at``, when the revision that it stands on was written (``None``: not
    known), nor after its ``arrival``, which also counts where the client names no time.
    """
    told = arrival if at is None else min(at, arrival)
    return told if base_at is None else max(told, min(base_at, arrival))
