"""Checks of the keys of ``DJANGO_SYNC``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured

from ..conf import SETTINGS
from ..maintenance.retention import RESULT_DAYS_LEAST
from ..protocol import Transport
from ..sessions.transport_choice import PREFERENCE
from ..writes.resolve import default_resolver

MAY_BE_ZERO = ("RETRIES", "WAIT_SECONDS")


def check_settings(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """Each key of ``DJANGO_SYNC`` is known and of its type."""
    return list(_settings(getattr(settings, "DJANGO_SYNC", {})))


def _settings(given: Any) -> Iterator[checks.CheckMessage]:
    if not isinstance(given, dict):
        yield checks.Error(
            "DJANGO_SYNC is not a dictionary.",
            hint="Write DJANGO_SYNC = {“PAGE_SIZE”: 500}, for instance.",
            id="django_sync.E009",
        )
        return
    for name, value in given.items():
        if name not in SETTINGS:
            yield checks.Warning(
                f"DJANGO_SYNC has a key “{name}” that is not a setting.",
                hint=f"The settings are {', '.join(sorted(SETTINGS))}.",
                id="django_sync.W001",
            )
        elif not _fits(name, value):
            kind = SETTINGS[name].kind.__name__
            yield checks.Error(
                f"DJANGO_SYNC[“{name}”] is {value!r}.",
                hint=f"It takes {kind}, for instance {SETTINGS[name].default!r}.",
                id="django_sync.E001",
            )
    days = given.get("RESULT_DAYS", RESULT_DAYS_LEAST)
    if isinstance(days, int) and days < RESULT_DAYS_LEAST:
        yield checks.Warning(
            f"DJANGO_SYNC[“RESULT_DAYS”] is {days}, but results are kept for "
            f"{RESULT_DAYS_LEAST} days at least.",
            hint="The protocol promises that to clients; leave the key out, or set more.",
            id="django_sync.W007",
        )
    yield from _transports(given.get("TRANSPORTS"))
    try:
        default_resolver()
    except ImproperlyConfigured as problem:
        yield checks.Error(
            str(problem),
            hint="Name a class of django_sync.merge, or one of your own that subclasses Resolver.",
            id="django_sync.E011",
        )
    alias = given.get("DATABASE", "default")
    if isinstance(alias, str) and alias not in settings.DATABASES:
        yield checks.Error(
            f"DJANGO_SYNC[“DATABASE”] names “{alias}”, which is not in DATABASES.",
            hint=f"Name one of {', '.join(settings.DATABASES)}.",
            id="django_sync.E002",
        )


def _transports(named: Any) -> Iterator[checks.CheckMessage]:
    listed = named if isinstance(named, list) else []
    unknown = [name for name in listed if name not in PREFERENCE]
    if unknown:
        yield checks.Error(
            f"DJANGO_SYNC[“TRANSPORTS”] names {', '.join(map(str, unknown))}.",
            hint=f"This release serves {', '.join(PREFERENCE)}.",
            id="django_sync.E012",
        )
    elif Transport.WEBSOCKET in listed and find_spec("channels") is None:
        yield checks.Error(
            "DJANGO_SYNC[“TRANSPORTS”] names websocket, but Channels is not installed.",
            hint="pip install “django-sync[realtime]”, or leave websocket out.",
            id="django_sync.E013",
        )


def _fits(name: str, value: Any) -> bool:
    """Whether a setting has its type; a number is a limit, and only a few may be 0."""
    kind = SETTINGS[name].kind
    if name == "PUSH_SENDERS":
        return isinstance(value, dict) and all(
            isinstance(t, str) for t in (*value, *value.values())
        )
    if kind is dict:  # numbers by transport
        by_transport = isinstance(value, dict) and set(value) <= set(PREFERENCE)
        return by_transport and all(_is_number(number, 1) for number in value.values())
    if kind is not int:
        return isinstance(value, kind)
    return _is_number(value, 0 if name in MAY_BE_ZERO else 1)


def _is_number(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least
