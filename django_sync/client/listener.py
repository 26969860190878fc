"""Who is told what each step of an exchange brought about. ``callbacks`` is one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from .store.results import Settled
from .types import Change


class Listener(Protocol):
    """All but ``behind`` and ``told`` are called under the store's lock."""

    def listened(self) -> set[str] | None: ...
    def pulled(self, changes: Sequence[Change]) -> None: ...
    def settled(self, settled: Settled) -> None: ...
    def behind(self) -> None: ...
    def told(self) -> None: ...
