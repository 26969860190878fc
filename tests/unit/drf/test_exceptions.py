"""What DRF and Django raise, said in our words."""

from __future__ import annotations

import contextlib

import pytest
from django.core import exceptions as django
from django.db.models import ProtectedError, RestrictedError
from django.http import Http404, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from hypothesis import given
from hypothesis import strategies as st
from rest_framework import exceptions as drf

from django_sync import errors
from django_sync.drf.exceptions import flatten, translate, translated
from django_sync.http.coding import SyncParser, SyncRenderer
from django_sync.http.problems import problem_response


@pytest.mark.parametrize(
    ("raised", "ours"),
    [
        (drf.ParseError(), errors.Invalid),
        (drf.AuthenticationFailed(), errors.NotAuthenticated),
        (drf.NotAuthenticated(), errors.NotAuthenticated),
        (drf.PermissionDenied(), errors.PermissionDenied),
        (django.PermissionDenied(), errors.PermissionDenied),
        (drf.NotFound(), errors.NotFound),
        (Http404(), errors.NotFound),
        (drf.MethodNotAllowed("PUT"), errors.MethodNotAllowed),
        (drf.NotAcceptable(), errors.NotAcceptable),
        (drf.UnsupportedMediaType("text/plain"), errors.UnsupportedMediaType),
        (drf.Throttled(wait=3), errors.Throttled),
        (drf.ValidationError("x"), errors.ValidationFailed),
        (django.ValidationError("x"), errors.ValidationFailed),
        (ProtectedError("x", set()), errors.ValidationFailed),
        (RestrictedError("x", set()), errors.ValidationFailed),
        (django.RequestDataTooBig(), errors.TooLarge),
        (django.TooManyFieldsSent(), errors.Invalid),
        (django.BadRequest(), errors.Invalid),
        (MultiPartParserError(), errors.Invalid),
        (UnreadablePostError(), errors.Invalid),
        (errors.CursorExpired(), errors.CursorExpired),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_each_has_its_word(raised, ours):
    assert type(translate(raised)) is ours
    with pytest.raises(ours), translated():
        raise raised


@pytest.mark.parametrize("raised", [ValueError("x"), KeyError("x"), drf.APIException("x")])
def test_a_fault_is_not_talked_over(raised):
    assert translate(raised) is None
    with pytest.raises(type(raised)), translated():
        raise raised


def test_what_is_not_found_is_not_named():
    for raised in (Http404("No Board matches pk 7"), drf.NotFound("Board 7")):
        assert translate(raised).detail == errors.NotFound.title()


def test_protected_objects_are_not_named():
    told = translate(ProtectedError("Cannot delete: Comment 7 of hush", set()))
    assert told is not None
    assert "hush" not in str(told.problem())


def test_a_refusals_own_words_are_kept():
    assert translate(drf.PermissionDenied("Not on Sundays.")).detail == "Not on Sundays."


def test_throttles_say_when():
    response = problem_response(translate(drf.Throttled(wait=2.1)))
    assert (response.status_code, response["Retry-After"]) == (429, "3")
    assert problem_response(errors.Unavailable())["Retry-After"] == "1"
    assert "Retry-After" not in problem_response(errors.NotFound())


BLANK = drf.ErrorDetail("Say something.", "blank")


@pytest.mark.parametrize(
    ("detail", "expected"),
    [
        ([BLANK], {"non_field_errors": ["blank"]}),
        ({"title": [BLANK]}, {"title": ["blank"]}),
        ({"title": [BLANK, BLANK]}, {"title": ["blank", "blank"]}),
        ({"labels": [{}, {"name": [BLANK]}]}, {"labels.name": ["blank"]}),
        ({"labels": {"0": [BLANK]}}, {"labels.0": ["blank"]}),
        ({"a": {"b": {"c": [BLANK]}}}, {"a.b.c": ["blank"]}),
        ({1: [BLANK]}, {"1": ["blank"]}),
        (["plain"], {"non_field_errors": ["invalid"]}),
        ({}, {}),
    ],
)
def test_flatten(detail, expected):
    found = flatten(detail)
    assert {name: [e["code"] for e in listed] for name, listed in found.items()} == expected


def test_djangos_validation_errors_name_their_fields():
    raised = django.ValidationError({"title": django.ValidationError("Say something.", "blank")})
    assert translate(raised).errors == {"title": [{"code": "blank", "detail": "Say something."}]}


# JSON in and out

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec=None)), inner),
    max_leaves=10,
)


class Stream:
    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    def read(self, most: int) -> bytes:
        return self.raw[:most]


@given(values)
def test_whatever_is_stored_can_be_sent_and_read(value):
    sent = SyncRenderer().render(value)
    back = SyncParser().parse(Stream(sent or b"null"))
    if value == value and "inf" not in repr(value) and "nan" not in repr(value):
        assert back == value


@given(st.binary())
def test_no_bytes_are_more_than_invalid(raw):
    with contextlib.suppress(errors.Invalid):
        SyncParser().parse(Stream(raw))


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", '{"a": -Infinity}'])
def test_numbers_that_are_no_json(text):
    with pytest.raises(errors.Invalid):
        SyncParser().parse(Stream(text.encode()))


def test_no_more_is_read_than_the_limit(settings):
    settings.DJANGO_SYNC = {"BODY_BYTES": 10}
    assert SyncParser().parse(Stream(b'"01234567"')) == "01234567"
    with pytest.raises(errors.TooLarge):
        SyncParser().parse(Stream(b'"012345678"'))
