"""Wake-ups on the terminal, for development. Takes any target of any kind."""

from __future__ import annotations

import sys
import threading

from ..protocol import Json
from .sender import Outcome, Receipt, Sender, Wake

__all__ = ["Console"]

_lock = threading.Lock()


class Console(Sender):
    """Writes each message as a line to the standard output."""

    def check(self, target: Json) -> str:
        return "the console"

    def send(self, target: Json, wake: Wake) -> Receipt:
        with _lock:
            sys.stdout.write(f"push {self.kind}: {wake.body.decode()}\n")
            sys.stdout.flush()
        return Receipt(Outcome.SENT)
