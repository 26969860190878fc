"""Wake-ups in memory, for tests: ``locmem.sent`` holds those of this process.

``locmem.answers`` holds the answers to the next ones, in order; after these it is ``SENT``.
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
    """One attempt: the kind, the target, and the wake-up."""

    kind: str
    target: Json
    wake: Wake


sent: list[Sent] = []
answers: deque[Receipt] = deque()
_lock = threading.Lock()


def clear() -> None:
    """Clear ``sent`` and ``answers``."""
    with _lock:
        sent.clear()
        answers.clear()


class Locmem(Sender):
    """Keeps each attempt in ``sent``. A target is anything that is not empty."""

    def check(self, target: Json) -> str:
        if not target:
            raise errors.Invalid("“push” has only a kind.")
        return "memory"

    def send(self, target: Json, wake: Wake) -> Receipt:
        with _lock:
            sent.append(Sent(self.kind, target, wake))
            return answers.popleft() if answers else Receipt(Outcome.SENT)
