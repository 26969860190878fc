"""Which scopes a user sees of which collections, named by a hash that a cursor can carry.

A view is decided purely from values; only ``keep`` and ``recall`` touch the
database. A view is kept once for all cursors that name it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from django.utils import timezone

from ..errors import CursorExpired
from ..models import ScopeSet
from .cursor import Pair

Scopes = frozenset[str]
_COMPACT = json.JSONEncoder(separators=(",", ":"))
NOTHING = ""
"""The digest of the empty view, which is not kept."""


@dataclass(frozen=True)
class Visibility:
    """What a replica holds or shall hold: for each collection its tag and its scopes.

    The tag stands for all that its records depend on besides rows and scopes; a
    collection under another tag is another collection.
    """

    tags: Mapping[str, str] = field(default_factory=dict)
    scopes: Mapping[str, Scopes] = field(default_factory=dict)

    def encoded(self) -> str:
        """Canonical JSON; a set of scopes that several collections share stands in it once."""
        lists = sorted({tuple(sorted(found)) for found in self.scopes.values()})
        places = {listed: place for place, listed in enumerate(lists)}
        held = {
            name: [tag, places[tuple(sorted(self.scopes[name]))]]
            for name, tag in sorted(self.tags.items())
        }
        return _COMPACT.encode([lists, held])

    @classmethod
    def decoded(cls, body: str) -> Visibility:
        lists, held = json.loads(body)
        sets = [frozenset(listed) for listed in lists]
        return cls(
            tags={name: tag for name, (tag, _) in held.items()},
            scopes={name: sets[place] for name, (_, place) in held.items()},
        )

    @property
    def digest(self) -> str:
        if not self.tags:
            return NOTHING
        return hashlib.sha256(self.encoded().encode()).hexdigest()[:40]

    def pairs(self) -> Iterator[Pair]:
        for name, scopes in self.scopes.items():
            for scope in scopes:
                yield name, scope

    def holds(self, collection: str, scope: str | None) -> bool:
        return scope in self.scopes.get(collection, ())

    def with_pairs(self, pairs: Iterable[Pair], tags: Mapping[str, str]) -> Visibility:
        """This view and these pairs too, collections under ``tags``."""
        scopes: dict[str, set[str]] = {name: set(self.scopes.get(name, ())) for name in tags}
        for name, scope in pairs:
            scopes[name].add(scope)
        return Visibility(dict(tags), {name: frozenset(found) for name, found in scopes.items()})


EMPTY = Visibility()


def keep(visibility: Visibility) -> str:
    """Store a view for later pulls, note that it is in use today, and return its digest.

    A view that is pruned while it is noted is stored anew.
    """
    name = visibility.digest
    if name != NOTHING:
        today = timezone.now().date()
        known = ScopeSet.objects.filter(digest=name)
        used = known.values_list("used_on", flat=True).first()
        if used is None or (used < today and not known.update(used_on=today)):
            ScopeSet.objects.bulk_create(
                [ScopeSet(digest=name, body=visibility.encoded(), used_on=today)],
                ignore_conflicts=True,
            )
    return name


def recall(name: str) -> Visibility:
    """The view of this digest; ``CursorExpired`` where it was forgotten."""
    if name == NOTHING:
        return EMPTY
    body = ScopeSet.objects.filter(digest=name).values_list("body", flat=True).first()
    if body is None:
        raise CursorExpired("The server no longer knows what this cursor stands for.")
    return Visibility.decoded(body)
