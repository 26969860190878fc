"""What a quick check says of a value is what the field's own validation says."""

from __future__ import annotations

import zoneinfo
from typing import Any

import pytest
from django.core import validators
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from rest_framework import serializers as drf
from rest_framework.fields import SkipField, empty

from django_sync.writes.validation import quick_check


def refuse_x(value: Any) -> None:
    """A validator of the project's own."""


class Own(drf.CharField):
    """A field of the project's own."""


FIELDS = (
    drf.CharField(),
    drf.CharField(max_length=3),
    drf.CharField(max_length=3, trim_whitespace=False),
    drf.CharField(allow_blank=True, allow_null=True),
    drf.IntegerField(),
    drf.IntegerField(min_value=2, max_value=5),
    drf.IntegerField(validators=[validators.MaxValueValidator(4), validators.MaxValueValidator(3)]),
    drf.BooleanField(),
    drf.BooleanField(allow_null=True),
    drf.DateTimeField(),
)
TEXTS = st.text(alphabet="ab \t\x00ä1", max_size=5)
TIMES = st.datetimes().map(str) | st.datetimes().map(lambda at: f"{at.isoformat()}+02:00")
VALUES = (
    TEXTS
    | TIMES
    | st.integers(-3, 8)
    | st.integers()
    | st.booleans()
    | st.none()
    | st.floats()
    | st.just(empty)
    | st.lists(TEXTS, max_size=2)
)


def outcome(validate: Any, value: Any) -> Any:
    try:
        told = validate(value)
    except (drf.ValidationError, SkipField) as error:
        return type(error), getattr(error, "detail", None)
    return type(told), told


@settings(max_examples=400)
@given(st.sampled_from(range(len(FIELDS))), VALUES)
def test_a_quick_answer_is_the_fields_own(number: int, value: Any) -> None:
    field = FIELDS[number]
    check = quick_check(field)
    assert check is not None
    with timezone.override(zoneinfo.ZoneInfo("Europe/Berlin")):
        quick = outcome(check, value)
        if quick[1] is not empty:
            assert quick == outcome(field.run_validation, value)


@pytest.mark.parametrize(
    ("number", "value"),
    [(0, "a "), (1, "abc"), (4, 7), (5, 2), (7, False), (9, "2026-01-01T00:00")],
)
def test_common_values_have_a_quick_answer(number: int, value: Any) -> None:
    check = quick_check(FIELDS[number])
    assert check is not None
    assert check(value) is not empty


@pytest.mark.parametrize(
    "field",
    [
        Own(),
        drf.EmailField(),
        drf.CharField(validators=[refuse_x]),
        drf.CharField(min_length=2),
        drf.IntegerField(validators=[validators.MaxValueValidator(lambda: 4)]),
        drf.BooleanField(validators=[refuse_x]),
        drf.DateTimeField(validators=[refuse_x]),
    ],
)
def test_what_is_not_known_is_asked_itself(field: Any) -> None:
    assert quick_check(field) is None
