"""Quick checks of the values that a DRF field certainly accepts.

A field's own ``run_validation`` makes five calls before it accepts a text. A quick check decides
for the common values of DRF's own fields, with known validators only. It returns ``empty`` if it
does not know. Then the field itself validates, and it words all errors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core import validators
from rest_framework import serializers as drf
from rest_framework.fields import empty
from rest_framework.validators import ProhibitSurrogateCharactersValidator

Check = Callable[[Any], Any]
"""From a value as it was sent to the valid value, or to ``empty``: the field must decide."""


def quick_check(field: Any) -> Check | None:
    """Return the check of a field; ``None`` if each value has to go to the field itself.

    Texts with half a surrogate pass; the caller has refused them before.
    """
    make = _MAKERS.get(type(field))
    return None if make is None else make(field)


def _text(field: Any) -> Check | None:
    known = (
        validators.MaxLengthValidator,
        validators.ProhibitNullCharactersValidator,
        ProhibitSurrogateCharactersValidator,
    )
    limits = _limits(field, known)
    if limits is None:
        return None
    most = min(limits.get(validators.MaxLengthValidator, ()), default=None)
    trims = bool(field.trim_whitespace)

    def check(value: Any) -> Any:
        if type(value) is not str:
            return empty
        text = value.strip()
        if not text or "\x00" in value:
            return empty
        text = text if trims else value
        return text if most is None or len(text) <= most else empty

    return check


def _integer(field: Any) -> Check | None:
    known = (validators.MinValueValidator, validators.MaxValueValidator)
    limits = _limits(field, known)
    if limits is None:
        return None
    least = max([-(2**63), *limits.get(validators.MinValueValidator, ())])
    most = min([2**63 - 1, *limits.get(validators.MaxValueValidator, ())])

    def check(value: Any) -> Any:
        return value if type(value) is int and least <= value <= most else empty

    return check


def _boolean(field: Any) -> Check | None:
    return None if field.validators else lambda value: value if type(value) is bool else empty


def _time(field: Any) -> Check | None:
    """Do what DRF does with a text, without the steps before and after."""
    if field.validators:
        return None

    def check(value: Any) -> Any:
        return field.to_internal_value(value) if type(value) is str and value else empty

    return check


def _limits(field: Any, known: tuple[type[Any], ...]) -> dict[type[Any], list[int]] | None:
    """Return the limits of a field's validators; ``None`` if one is unknown or not fixed."""
    found: dict[type[Any], list[int]] = {}
    for one in field.validators:
        kind = type(one)
        if kind not in known:
            return None
        if issubclass(kind, validators.BaseValidator):
            if type(one.limit_value) is not int:
                return None
            found.setdefault(kind, []).append(one.limit_value)
    return found


_MAKERS: dict[type[Any], Callable[[Any], Check | None]] = {
    drf.CharField: _text,
    drf.IntegerField: _integer,
    drf.BooleanField: _boolean,
    drf.DateTimeField: _time,
}
