"""The suite that every resolver has to pass, for pytest; yours too.

    class TestLongest(ResolverContract):
        resolver = Longest()

For every overlap, a resolver returns a consistent resolution or ``None``. It returns the same when
it is asked again, and does not change its arguments.
"""

from __future__ import annotations

import copy
import datetime
import itertools
import json
from collections.abc import Iterator
from typing import Any, ClassVar

from ..merge import FieldOverlap, Resolution, Resolver, same
from ..protocol import Kept

NOON = datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.UTC)
TIMES = (None, NOON, NOON + datetime.timedelta(minutes=1))
VALUES: tuple[Any, ...] = (None, "", "a", "b", 0, 1.5, True, [], ["a", "b"], {"a": [1]})


def overlaps(field: str | None = "title") -> Iterator[FieldOverlap]:
    """Overlaps of each kind: of values, with and without a base, at all times."""
    for server, client in itertools.permutations(VALUES, 2):
        for server_at, client_at in itertools.product(TIMES, TIMES):
            for base, has_base in ((None, False), (None, True), ("a", True)):
                yield FieldOverlap(field, server, client, base, has_base, server_at, client_at)
    yield FieldOverlap(None, None, {"title": "a"}, None, False, NOON, NOON)
    yield FieldOverlap(None, {"title": "a"}, None, {"title": "b"}, True, NOON, NOON)


class ResolverContract:
    """Inherit it, and set ``resolver``."""

    resolver: ClassVar[Resolver]

    def test_it_has_a_name(self) -> None:
        """A word that can be kept: it stands in results and decisions."""
        assert self.resolver.name
        assert self.resolver.name == self.resolver.name.strip()

    def test_what_it_says_of_itself_is_true(self) -> None:
        """Who says that a side was kept keeps its very value; a merged one can be sent."""
        for overlap in overlaps():
            resolution = self.resolver.resolve(overlap)
            if resolution is None:
                continue
            assert isinstance(resolution, Resolution), overlap
            if resolution.kept is Kept.SERVER:
                assert same(resolution.value, overlap.server), overlap
            elif resolution.kept is Kept.CLIENT:
                assert same(resolution.value, overlap.client), overlap
            else:
                json.dumps(resolution.value, allow_nan=False)

    def test_it_answers_the_same_again(self) -> None:
        """A batch may be run again, and must end alike."""
        for overlap in overlaps():
            assert self.resolver.resolve(overlap) == self.resolver.resolve(overlap), overlap

    def test_it_leaves_alone_what_it_is_given(self) -> None:
        """The values are the mutation's own."""
        for overlap in overlaps():
            before = copy.deepcopy(overlap)
            self.resolver.resolve(overlap)
            assert overlap == before
