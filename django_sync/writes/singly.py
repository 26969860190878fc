"""The word by which a run is given up."""

from __future__ import annotations

import uuid
from collections.abc import Iterable


class RunSingly(Exception):
    """This run cannot be carried out together; its savepoint is undone and each goes alone.

    ``odd`` are the objects that are in the way, where that is known: what lies between them can
    still go together. ``lasting`` says that the next run of the same kind would end alike.
    """

    def __init__(self, odd: Iterable[uuid.UUID] = (), *, lasting: bool = False) -> None:
        super().__init__()
        self.odd = frozenset(odd)
        self.lasting = lasting
