"""Wake-ups in memory, for tests: ``locmem.sent`` holds those of this process.

``locmem.answers`` holds what is answered to the next ones, in their order; ``SENT`` behind.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

from .. import errors
from ..protocol import Json
from .sender import Outcome, Receipt, Sender, Wake

__all__ = ["Locmem", "Sent", "answers", "clear", "sent"]


@dataclass(frozen=True, slots=True)
class Sent:
    """One attempt: the kind, where it went, and what it said."""

    kind: str
    target: Json
    wake: Wake


sent: list[Sent] = []
answers: deque[Receipt] = deque()
_taking = threading.Lock()


def clear() -> None:
    """Forget what was sent, and what was to be answered."""
    with _taking:
        sent.clear()
        answers.clear()


class Locmem(Sender):
    """Keeps each attempt in ``sent``. A target is anything that is not empty."""

    def check(self, target: Json) -> str:
        if not target:
            raise errors.Invalid("“push” says only its kind.")
        return "memory"

    def send(self, target: Json, wake: Wake) -> Receipt:
        with _taking:
            sent.append(Sent(self.kind, target, wake))
            return answers.popleft() if answers else Receipt(Outcome.SENT)
