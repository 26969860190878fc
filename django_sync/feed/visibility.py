"""Which scopes a user sees of which collections, named by a digest that a cursor can carry.

``current_visibility`` finds out what a user sees now. What a replica holds was seen at an earlier
pull, so a visibility is stored (``keep``, ``recall``), once for all cursors that name it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from django.utils import timezone

from ..drf.caller import Caller
from ..drf.collection import Collection
from ..drf.registry import registry
from ..drf.schema_hash import digest
from ..errors import CursorExpired
from ..models import ScopeSet
from . import log as feed_log
from .cursor import Pair

Scopes = frozenset[str]
_COMPACT = json.JSONEncoder(separators=(",", ":"))
NOTHING = ""
"""The digest of the empty visibility, which is not stored."""


@dataclass(frozen=True)
class Visibility:
    """What a replica holds or is to hold: for each collection its tag and its scopes.

    The tag is a digest of all that the records depend on besides rows and scopes. A collection
    under another tag is another collection.
    """

    tags: Mapping[str, str] = field(default_factory=dict)
    scopes: Mapping[str, Scopes] = field(default_factory=dict)

    def encoded(self) -> str:
        """Canonical JSON; a set of scopes that several collections share is in it once."""
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
        """This visibility with these pairs added, collections under ``tags``."""
        scopes: dict[str, set[str]] = {name: set(self.scopes.get(name, ())) for name in tags}
        for name, scope in pairs:
            scopes[name].add(scope)
        return Visibility(dict(tags), {name: frozenset(found) for name, found in scopes.items()})


EMPTY = Visibility()


def current_visibility(
    caller: Caller, names: Sequence[str] | None, generations: Mapping[str, int] | None = None
) -> Visibility:
    """What the caller sees now of these collections, or of all that they may read.

    ``generations`` are the feed's, where they were read already.
    """
    if names is None:
        wanted = [c for c in registry if c.may(caller, "read")]
    else:
        wanted = [registry.get(name) for name in names]
    if generations is None:
        generations = feed_log.generations()
    return Visibility(
        tags={c.name: _tag(caller, c, generations.get(c.label, 0)) for c in wanted},
        scopes={c.name: c.scopes(caller) for c in wanted},
    )


def _tag(caller: Caller, collection: Collection, generation: int) -> str:
    if not collection.may(caller, "read"):
        return "hidden"
    return digest(str(generation), collection.visibility_tag(caller), collection.shape(caller))[:10]


def keep(visibility: Visibility) -> str:
    """Store a visibility for later pulls, note that it is in use today, and return its digest.

    One that is pruned meanwhile is stored again.
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
    """The visibility of this digest; raises ``CursorExpired`` where it was pruned."""
    if name == NOTHING:
        return EMPTY
    body = ScopeSet.objects.filter(digest=name).values_list("body", flat=True).first()
    if body is None:
        raise CursorExpired("The server no longer knows what this cursor stands for.")
    return Visibility.decoded(body)
