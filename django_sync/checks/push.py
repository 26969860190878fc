"""Checks of the settings of push: senders exist and have what they need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured

from ..conf import conf
from ..push.endpoints import sender_of
from ..push.sender import Sender

WEB_PUSH = "django_sync.push.webpush.WebPush"


def check_push(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """Each sender can be created, and the settings for sending are consistent."""
    named: Any = conf.PUSH_SENDERS
    if not isinstance(named, dict) or not named:  # E001 reports what is not a dictionary
        return []
    return [*_senders(), *_keys(), *_times(), *_private()]


def _senders() -> Iterator[checks.CheckMessage]:
    for kind, path in conf.PUSH_SENDERS.items():
        try:
            problem = "" if isinstance(sender_of(kind), Sender) else f"{path} is not a Sender."
        except (ImproperlyConfigured, TypeError) as error:
            problem = str(error)
        if problem:
            yield checks.Error(
                f"DJANGO_SYNC[“PUSH_SENDERS”]: {problem}",
                hint="Name a subclass of django_sync.push.sender.Sender by its dotted path; those "
                "that come with django_sync need pip install “django-sync[push]”.",
                id="django_sync.E020",
            )


def _keys() -> Iterator[checks.CheckMessage]:
    if WEB_PUSH not in conf.PUSH_SENDERS.values() or find_spec("py_vapid") is None:
        return
    from ..push.webpush import private_key

    try:
        private_key(conf.PUSH_VAPID_KEY)
        known = conf.PUSH_VAPID_SUBJECT.startswith(("mailto:", "https://"))
    except ValueError:
        known = False
    if not known:
        yield checks.Error(
            "Web Push has no key, or no contact address.",
            hint="python manage.py sync_vapid mailto:you@example.org prints PUSH_VAPID_KEY and "
            "PUSH_VAPID_SUBJECT.",
            id="django_sync.E021",
        )


def _times() -> Iterator[checks.CheckMessage]:
    if conf.PUSH_LEASE < 2 * conf.PUSH_TIMEOUT:
        yield checks.Error(
            f"DJANGO_SYNC[“PUSH_LEASE”] is {conf.PUSH_LEASE}, with a PUSH_TIMEOUT of "
            f"{conf.PUSH_TIMEOUT}: claims would end before attempts do.",
            hint="Let PUSH_LEASE be twice PUSH_TIMEOUT at least.",
            id="django_sync.E022",
        )


def _private() -> Iterator[checks.CheckMessage]:
    if conf.PUSH_ALLOW_PRIVATE and not settings.DEBUG:
        yield checks.Warning(
            "DJANGO_SYNC[“PUSH_ALLOW_PRIVATE”] lets users have this server send requests into its "
            "own network.",
            hint="Leave it out where DEBUG is off, or silence this where all users are trusted.",
            id="django_sync.W020",
        )
