"""What a page says of what its user has seen: it travels hidden, and comes back with the write."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from ..protocol import Json

BASE = "sync_base"
"""The hidden field: the revision, and the fields as their user has seen them."""

GONE = "gone"
"""A member of the base: its user was told that the object is there no more."""


def base_in(sent: Any) -> Json | None:
    """What a form says it was made from; ``None`` where it does not."""
    try:
        read = json.loads(sent)
        revision, fields = int(read["revision"]), dict(read["fields"])
    except (ValueError, TypeError, KeyError):
        return None
    if not 0 <= revision < 2**63:
        return None
    return {**read, "revision": revision, "fields": fields}


@dataclass(frozen=True, slots=True)
class Overlap:
    """A field that its user changed, and others as well."""

    label: str
    base: str
    theirs: str
    yours: str


def facts(obj: Any) -> str:
    """What sync knows of an object, to be read."""
    told = (("id", obj.sync_id), ("revision", obj.sync_revision), ("scope", obj.sync_scope or ""))
    return format_html(
        '<dl class="django-sync-facts">{}</dl>',
        format_html_join("", "<div><dt>{}</dt><dd>{}</dd></div>", told),
    )


class BaseWidget(forms.HiddenInput):
    """The hidden base, and before it what can be read of the object."""

    input_type = "text"  # so that the page shows its line

    def __init__(self, obj: Any) -> None:
        super().__init__()
        self.told = facts(obj)

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        hidden = forms.HiddenInput().render(name, value, attrs, renderer)
        return format_html("{}{}", self.told, hidden)
