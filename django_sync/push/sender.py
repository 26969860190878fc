"""What sends wake-ups of one kind: the interface, and what it is given and answers.

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
    """Not now: too many, a fault of theirs, nobody answered in time."""
    GONE = "gone"
    """The target is no more, and will not come back."""
    REFUSED = "refused"
    """It will be refused again as long as nobody changes something."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came of an attempt.

    ``status`` is the HTTP status where there was one; ``retry_after`` the seconds that the
    service asks to be left alone for.
    """

    outcome: Outcome
    status: int | None = None
    problem: str = ""
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Wake:
    """A wake-up: which session is to pull which collections. There is nothing else in it."""

    session: uuid.UUID
    collections: tuple[str, ...]

    @property
    def body(self) -> bytes:
        """The protocol's message, as JSON."""
        return self._naming(self.collections)

    def body_within(self, most: int) -> bytes:
        """The same in ``most`` bytes at most, for a service that takes no more.

        Where the names are too long, none is named: the client then pulls all that it keeps.
        """
        return self.body if len(self.body) <= most else self._naming(())

    def _naming(self, collections: tuple[str, ...]) -> bytes:
        told = {"type": "sync", "session": str(self.session), "collections": collections}
        return json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode()


class Sender(abc.ABC):
    """Sends wake-ups of one kind.

    Made once a process, with the name of the kind; ``send`` is called from several threads at a
    time and must not ask the database.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind

    @abc.abstractmethod
    def check(self, target: Json) -> str:
        """See that a target is one, when a client names it; what of it may be shown to staff.

        Raises ``errors.Invalid``. Nothing is sent or looked up.
        """

    @abc.abstractmethod
    def send(self, target: Json, wake: Wake) -> Receipt:
        """Send one. What goes wrong outside is an outcome, and no exception.

        It takes no longer than ``PUSH_TIMEOUT`` seconds.
        """
