"""The key that browsers subscribe with stands in the service document, where there is one."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import LazySettings
from django.test import Client

from django_sync.push import vapid

PRIVATE = "MYxszt7krO8w4VGDnN9L6-FILB31ZsmwcrQrX7-KqWg"


@pytest.fixture
def keyed(settings: LazySettings) -> Any:
    def keyed(private: Any) -> None:
        settings.DJANGO_SYNC = {**getattr(settings, "DJANGO_SYNC", {}), "PUSH_VAPID_KEY": private}

    return keyed


def test_it_is_the_public_half_of_the_setting(keyed: Any) -> None:
    keyed(PRIVATE)
    found = vapid.public_key()
    assert found is not None
    assert "=" not in found
    point = base64.urlsafe_b64decode(found + "=")
    assert (len(point), point[0]) == (65, 4)
    ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)  # it is on the curve


@pytest.mark.parametrize("private", ["", None, 7, "no base64!", "c2hvcnQ", "A" * 43])
def test_without_a_key_or_with_one_that_is_none_nothing_is_offered(
    private: Any, keyed: Any
) -> None:
    keyed(private)
    assert vapid.public_key() is None


@pytest.mark.django_db
def test_it_stands_in_the_service_document(keyed: Any, django_user_model: Any) -> None:
    client = Client()
    client.force_login(django_user_model.objects.create_user("ada"))
    assert "push" not in client.get("/sync/").json()
    keyed(PRIVATE)
    assert client.get("/sync/").json()["push"] == {"webpush": {"key": vapid.public_key()}}
    assert PRIVATE not in client.get("/sync/").text
