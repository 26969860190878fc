"""The interface of a class that sends wake-ups of one kind.

Senders are swapped as Django's e-mail backends are: ``PUSH_SENDERS`` names a class for each kind.
``django_sync.testing.senders`` has the suite that each has to pass.
"""

from __future__ import annotations

import abc
import enum
import json
import uuid
from dataclasses import dataclass

from ..protocol import Json

__all__ = ["Outcome", "Receipt", "Sender", "Wake"]


class Outcome(enum.StrEnum):
    """What came of an attempt."""

    SENT = "sent"
    """The service has taken it."""
    RETRY = "retry"
    """Try again later: too many requests, a server error, or no answer in time."""
    GONE = "gone"
    """The target no longer exists, and will not come back."""
    REFUSED = "refused"
    """It will be refused again until somebody changes something."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came of an attempt.

    ``status`` is the HTTP status, if there was one. ``retry_after``: the service asks for no
    attempt within so many seconds.
    """

    outcome: Outcome
    status: int | None = None
    problem: str = ""
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Wake:
    """A wake-up: the session that should pull, and the collections that changed; no more."""

    session: uuid.UUID
    collections: tuple[str, ...]

    @property
    def body(self) -> bytes:
        """The protocol's message, as JSON."""
        return self._naming(self.collections)

    def body_within(self, most: int) -> bytes:
        """The same in ``most`` bytes at most, for a service with such a limit.

        If the names are too long, there are none: the client then pulls all its collections.
        """
        return self.body if len(self.body) <= most else self._naming(())

    def _naming(self, collections: tuple[str, ...]) -> bytes:
        message = {"type": "sync", "session": str(self.session), "collections": collections}
        return json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode()


class Sender(abc.ABC):
    """Sends wake-ups of one kind.

    It is made once in each process, with the name of the kind. ``send`` is called from several
    threads at the same time and must not use the database.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind

    @abc.abstractmethod
    def check(self, target: Json) -> str:
        """Check a target when a client names it; return the part that staff may see.

        Raises ``errors.Invalid``. Sends and looks up nothing.
        """

    @abc.abstractmethod
    def send(self, target: Json, wake: Wake) -> Receipt:
        """Send one wake-up. A failure of the service is an outcome, not an exception.

        Takes ``PUSH_TIMEOUT`` seconds at most.
        """
