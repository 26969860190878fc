"""Fixtures that several folders of tests share; their conftests import them."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from django_sync.sessions import presence
from tests.integration.phone import Phone

if TYPE_CHECKING:
    from tests.integration.wire import Header, Site

SITE_SETTINGS: dict[str, Any] = {"WATCH_MS": 50, "TRANSPORTS": ["websocket", "poll"]}
"""``DJANGO_SYNC`` of a site; a module of tests may define its own under the same name."""


# A site in this process, and its users' headers


@pytest.fixture
def site(boards: SimpleNamespace, settings: Any, request: pytest.FixtureRequest) -> Iterator[Site]:
    """The application over ASGI, with the rows of ``boards``."""
    from tests.integration.wire import Site

    settings.DJANGO_SYNC = getattr(request.module, "SITE_SETTINGS", SITE_SETTINGS)
    site = Site()
    yield site
    site.application.close()


def header_of(user: Any) -> Header:
    """The header that authenticates a user."""
    from tests.integration.wire import bearer

    return bearer(user)


@pytest.fixture
def ada(boards: SimpleNamespace) -> Header:
    """The header that authenticates Ada."""
    return header_of(boards.ada)


@pytest.fixture
def grace(boards: SimpleNamespace) -> Header:
    """The header that authenticates Grace."""
    return header_of(boards.grace)


@pytest.fixture
def alan(boards: SimpleNamespace) -> Header:
    """The header that authenticates Alan."""
    return header_of(boards.alan)


# Clients of the API


@pytest.fixture
def api(people: SimpleNamespace) -> APIClient:
    """A REST client of Ada's."""
    client = APIClient()
    client.force_authenticate(people.ada)
    return client


@pytest.fixture
def other(people: SimpleNamespace) -> Phone:
    """Another client, of Grace's."""
    return Phone(people.grace)


# Staff


def staff(name: str) -> Client:
    """A browser in which a superuser has logged in."""
    client = Client()
    client.force_login(
        User.objects.get_or_create(username=name, is_staff=True, is_superuser=True)[0]
    )
    return client


@pytest.fixture
def root(people: SimpleNamespace) -> Client:
    """The browser of a superuser."""
    return staff("root")


@pytest.fixture
def one(root: Client) -> Client:
    """The browser of one of two members of staff."""
    return root


@pytest.fixture
def two(people: SimpleNamespace) -> Client:
    """The browser of the other member of staff."""
    return staff("toor")


# Sessions


@pytest.fixture
def nothing_is_noted() -> None:
    """This process has noted no presence of sessions yet."""
    presence.forget()
