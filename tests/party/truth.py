"""What a party is held against: the host's tables, and what the server once answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from .guest import Key


@dataclass(frozen=True)
class Truth:
    """A record as the tables have it, by whatever way is not under test."""

    collection: str
    id: str
    revision: int
    scope: str
    object: Mapping[str, Any]

    @property
    def key(self) -> Key:
        return self.collection, self.id


class Host(Protocol):
    """What a party asks of the application."""

    @property
    def collections(self) -> Sequence[str]:
        """The collections that guests keep in step, parents first."""
        ...

    def records(self) -> list[Truth]:
        """All objects of all collections, also those hidden from users."""
        ...

    def scopes(self) -> Mapping[str, set[str]]:
        """The scopes that each person may see now."""
        ...


@dataclass
class Answers:
    """What the server answered to one client, by mutation id: the status, and how often anew."""

    status: dict[str, str] = field(default_factory=dict)
    effects: dict[str, int] = field(default_factory=dict)

    def enter(self, results: Iterable[Mapping[str, Any]]) -> bool:
        """Note results; return whether any of them took effect just now."""
        anew = False
        for result in results:
            id, status = str(result["id"]), str(result["status"])
            if status == "aborted":
                continue
            took = status in ("applied", "merged") and not result.get("replayed")
            anew = anew or took
            self.effects[id] = self.effects.get(id, 0) + took
            assert self.effects[id] <= 1, f"G4: mutation {id} took effect twice"
            first = self.status.setdefault(id, status)
            # A conflict whose object has left the user's view since is answered as not found.
            hidden = first == "conflict" and status == "rejected"
            assert status == first or hidden, f"G4: {id} was {first}, now {status}: {result}"
        return anew


def assert_same(held: Mapping[Key, Any], truth: Mapping[Key, Any], where: str) -> None:
    """Compare records by key, and tell only what differs."""
    differs = {
        key: (held.get(key, "missing"), truth.get(key, "not to be seen"))
        for key in held.keys() | truth.keys()
        if held.get(key) != truth.get(key)
    }
    assert not differs, f"G6: {where} is not the truth: {differs}"
