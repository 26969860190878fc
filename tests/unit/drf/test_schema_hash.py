"""What makes two serializers the same collection for a replica, and what makes them two."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework import serializers, viewsets

from django_sync.drf.schema_hash import decides_on_fields, decides_on_serializer, shape_of


def made(base: Any = serializers.Serializer, **members: Any) -> Any:
    return type("Made", (base,), {"__module__": __name__, **members})


def of(**fields: Any) -> str:
    return shape_of(made(**fields)())


PLAIN: Any = serializers.CharField


@pytest.mark.parametrize(
    "other",
    [
        {"title": PLAIN(), "body": PLAIN()},
        {"name": PLAIN()},
        {"title": serializers.IntegerField()},
        {"title": PLAIN(source="name")},
        {"title": PLAIN(source="author.name")},
        {"title": made(name=PLAIN())()},
        {"title": serializers.ListField(child=PLAIN())},
        {},
    ],
    ids=repr,
)
def test_f5_what_a_record_looks_like_is_its_shape(other):
    assert of(title=PLAIN()) != of(**other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (serializers.DateField(), serializers.DateField(format="%d.%m.%Y")),
        (
            serializers.SlugRelatedField(slug_field="name", read_only=True),
            serializers.SlugRelatedField(slug_field="email", read_only=True),
        ),
        (
            serializers.DecimalField(9, 2),
            serializers.DecimalField(9, 2, coerce_to_string=False),
        ),
        (serializers.ListField(child=PLAIN()), serializers.ListField(child=made(a=PLAIN())())),
        (made(a=PLAIN())(), made(b=PLAIN())()),
        (made(a=PLAIN())(many=True), made(a=PLAIN(), b=PLAIN())(many=True)),
    ],
    ids=repr,
)
def test_f5_options_and_what_is_within_belong_to_it(one, other):
    assert of(field=one) != of(field=other)


@pytest.mark.parametrize(
    "other",
    [
        PLAIN(required=False),
        PLAIN(max_length=5),
        PLAIN(help_text="What it is"),
        PLAIN(read_only=True),
    ],
    ids=repr,
)
def test_what_only_writers_notice_does_not(other):
    assert of(title=PLAIN()) == of(title=other)
    assert of(title=PLAIN()) == of(title=PLAIN(), secret=PLAIN(write_only=True))


def test_who_decides_on_fields():
    plain = made(title=PLAIN())
    assert not decides_on_fields(plain)
    for name in ("get_fields", "__init__", "get_field_names"):
        assert decides_on_fields(made(plain, **{name: lambda self: None}))
    assert not decides_on_serializer(viewsets.ModelViewSet)
    own = made(viewsets.ModelViewSet, get_serializer=lambda self: None)
    assert decides_on_serializer(made(own))
