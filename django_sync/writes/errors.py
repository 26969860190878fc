"""The exception that ends a run."""

from __future__ import annotations

import uuid
from collections.abc import Iterable


class RunOneByOne(Exception):
    """This run cannot share its statements: roll it back, and carry out each mutation alone.

    ``odd`` are the objects that cause this, if they are known: the mutations between them can still
    run as a set. ``lasting``: the next run of the same kind would fail in the same way.
    """

    def __init__(self, odd: Iterable[uuid.UUID] = (), *, lasting: bool = False) -> None:
        super().__init__()
        self.odd = frozenset(odd)
        self.lasting = lasting
