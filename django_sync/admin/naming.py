"""What the pages of sessions and endpoints say alike: names, states, and how long ago."""

from __future__ import annotations

import datetime
from typing import Any

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString


def short(client: Any) -> str:
    """The end of a client's id: their beginnings are alike where they were made about one time."""
    return f"…{str(client)[-8:]}"


def name_of(session: Any) -> str:
    """What a session is called."""
    return session.name or short(session.client_id)


def marked(state: str) -> SafeString:
    """A state with its mark."""
    return format_html('<span class="django-sync-state" data-state="{0}">{0}</span>', state)


def brief(text: str) -> SafeString:
    """What is not broken into lines."""
    return format_html('<span class="django-sync-brief">{}</span>', text)


def ago(at: datetime.datetime) -> SafeString:
    """How long ago that was; to the second for whoever asks the element."""
    seconds = max((timezone.now() - at).total_seconds(), 0)
    told = '<time class="django-sync-brief" datetime="{}" title="{}">{} ago</time>'
    return format_html(told, at.isoformat(), at, span(seconds))


def span(seconds: float) -> str:
    """A time that has passed, roughly."""
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
