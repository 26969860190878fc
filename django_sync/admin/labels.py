"""Labels that the pages of sessions and endpoints share: names, states, and ages."""

from __future__ import annotations

import datetime
from typing import Any

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString


def short(client: Any) -> str:
    """The end of a client's id: ids that were made at about the same time begin alike."""
    return f"…{str(client)[-8:]}"


def name_of(session: Any) -> str:
    """The name of a session."""
    return session.name or short(session.client_id)


def state_badge(state: str) -> SafeString:
    """A state with its symbol."""
    return format_html('<span class="django-sync-state" data-state="{0}">{0}</span>', state)


def unwrapped(text: str) -> SafeString:
    """Text that is not wrapped."""
    return format_html('<span class="django-sync-brief">{}</span>', text)


def ago(at: datetime.datetime) -> SafeString:
    """How long ago that was; the element's title has the exact time."""
    seconds = max((timezone.now() - at).total_seconds(), 0)
    template = '<time class="django-sync-brief" datetime="{}" title="{}">{} ago</time>'
    return format_html(template, at.isoformat(), at, span(seconds))


def span(seconds: float) -> str:
    """A duration, rounded."""
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
