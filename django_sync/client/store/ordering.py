"""The order of JSON values, ranges in it, and what a query asks for. Pure decisions.

The order is: null and a missing field, false, true, numbers, strings by code point, lists and
objects. The JavaScript client has the same; ``tests/vectors/indexes.json`` tests both.
"""

from __future__ import annotations

import enum
import operator
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ... import errors
from .encoding import Json, normalized, same

SUFFIXES = {"gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le}
EXACT = "exact"


class Rank(enum.IntEnum):
    """The types of JSON values, in their order."""

    NULL = 0
    FALSE = 1
    TRUE = 2
    NUMBER = 3
    TEXT = 4
    NESTED = 5


Place = tuple[int, Any]
"""A value's place in the order: its rank, and its value within the rank."""


def place_of(value: object) -> Place:
    """A value's place in the order. All lists and objects have the same place, the last one."""
    match value:
        case None:
            return Rank.NULL, 0
        case bool():
            return (Rank.TRUE if value else Rank.FALSE), 0
        case int() | float():
            return Rank.NUMBER, value
        case str():
            return Rank.TEXT, value
    return Rank.NESTED, 0


def place_in(record: Mapping[str, Any], name: str) -> Place:
    """The place of a record's field; a missing field has the place of null."""
    return place_of(record.get(name))


def equal(left: object, right: object) -> bool:
    """Whether a query takes two values as equal: 1 equals 1.0, and 1 does not equal true."""
    place = place_of(left)
    if place != place_of(right):
        return False
    return place[0] != Rank.NESTED or same(left, right)


def _kind(place: Place) -> int:
    """A number for each type: false and true have one type and two ranks."""
    return Rank.FALSE if place[0] == Rank.TRUE else place[0]


@dataclass(frozen=True)
class Part:
    """A part of the order: places of one rank, between two values if it has bounds."""

    rank: int
    low: tuple[Any, bool] | None = None
    """The lowest value, and whether the part includes it."""
    high: tuple[Any, bool] | None = None
    """The highest value, and whether the part includes it."""

    @property
    def has_values(self) -> bool:
        """Whether its places have different values."""
        return self.rank in (Rank.NUMBER, Rank.TEXT)


EVERYTHING = tuple(Part(rank) for rank in Rank)


def exactly(value: object) -> Part:
    """The part that contains all records with this value."""
    rank, content = place_of(value)
    part = Part(rank)
    return replace(part, low=(content, True), high=(content, True)) if part.has_values else part


@dataclass(frozen=True)
class Range:
    """The bounds of a field. Each is one of ``SUFFIXES`` and a place."""

    bounds: tuple[tuple[str, Place], ...]

    def holds(self, place: Place) -> bool:
        """Whether a place is within all bounds. A value of another type than the bound is not."""
        return all(
            _kind(place) == _kind(bound) and SUFFIXES[suffix](place, bound)
            for suffix, bound in self.bounds
        )

    def parts(self) -> tuple[Part, ...]:
        """The parts of the order that it covers."""
        if len({_kind(bound) for _, bound in self.bounds}) > 1:
            return ()
        rank = self.bounds[0][1][0]
        if not Part(rank).has_values:
            ranks = (Rank.NULL, Rank.FALSE, Rank.TRUE)
            return tuple(Part(r) for r in ranks if self.holds((r, 0)))
        # Of two bounds with the same value, the exclusive one is the tighter one.
        lows = [(p[1], s == "gte") for s, p in self.bounds if s in ("gt", "gte")]
        highs = [(p[1], s == "lte") for s, p in self.bounds if s in ("lt", "lte")]
        low = max(lows, key=lambda b: (b[0], not b[1]), default=None)
        high = min(highs, key=lambda b: (b[0], b[1]), default=None)
        return (Part(rank, low, high),)


@dataclass(frozen=True)
class Wanted:
    """What a query asks for: values, ranges, an order and a limit."""

    values: Json = field(default_factory=dict)
    ranges: Mapping[str, Range] = field(default_factory=dict)
    order: str | None = None
    backwards: bool = False
    limit: int | None = None

    def matches(self, record: Mapping[str, Any]) -> bool:
        """Whether a record has the values and is in the ranges."""
        return all(
            name in record and equal(record[name], value) for name, value in self.values.items()
        ) and all(
            name in record and found.holds(place_of(record[name]))
            for name, found in self.ranges.items()
        )

    def narrowed(self, asked: Mapping[str, Any], order_by: str | None, limit: int | None) -> Wanted:
        """These conditions and more; of two limits the smaller, of two orders the later one.

        Raises ``errors.Invalid`` for a condition, order or limit that is not possible.
        """
        values, ranges = dict(self.values), dict(self.ranges)
        for name, value in normalized(asked).items():
            named, suffix = _split(name)
            if suffix == EXACT:
                values[named] = value
            else:
                known = ranges[named].bounds if named in ranges else ()
                ranges[named] = Range((*known, (suffix, _bound(name, value))))
        limits = [number for number in (self.limit, _limit(limit)) if number is not None]
        found = replace(self, values=values, ranges=ranges, limit=min(limits, default=None))
        if order_by is None:
            return found
        name, backwards = _order(order_by)
        return replace(found, order=name, backwards=backwards)


def _split(name: str) -> tuple[str, str]:
    """The field and the comparison in a name such as ``due__gte``."""
    field_name, separator, suffix = name.rpartition("__")
    if not separator:
        return name, EXACT
    if not field_name or (suffix not in SUFFIXES and suffix != EXACT):
        raise errors.Invalid(
            f"“{name}” ends in no comparison: there are __gt, __gte, __lt, __lte and __exact. "
            f"A field of that name is compared by “{name}__exact”."
        )
    return field_name, suffix


def _bound(name: str, value: object) -> Place:
    place = place_of(value)
    if place[0] == Rank.NESTED:
        raise errors.Invalid(f"“{name}”: lists and objects have no order to compare by.")
    return place


def _limit(limit: object) -> int | None:
    if limit is None or (isinstance(limit, int) and not isinstance(limit, bool) and limit >= 0):
        return limit
    raise errors.Invalid("“limit” is a whole number, 0 or more.")


def _order(order_by: object) -> tuple[str, bool]:
    name = order_by.removeprefix("-") if isinstance(order_by, str) else ""
    if not name or name.rpartition("__")[2] in (*SUFFIXES, EXACT):
        raise errors.Invalid(f"“order_by” is one field, or “-” and a field: {order_by!r} is not.")
    return name, order_by != name
