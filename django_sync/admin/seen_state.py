"""What a page's user has seen: the page carries it hidden, and sends it back with the write."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from ..protocol import Json

BASE = "sync_base"
"""The hidden field: the revision, and the fields as the user has seen them."""

GONE = "gone"
"""A member of the base: the user has been shown that the object is deleted."""


def base_in(sent: Any) -> Json | None:
    """What a form says it was made from; ``None`` if it does not."""
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
    """A field that both the user and others changed."""

    label: str
    base: str
    theirs: str
    yours: str


def facts(obj: Any) -> str:
    """The id, revision and scope of an object, as HTML."""
    rows = (("id", obj.sync_id), ("revision", obj.sync_revision), ("scope", obj.sync_scope or ""))
    return format_html(
        '<dl class="django-sync-facts">{}</dl>',
        format_html_join("", "<div><dt>{}</dt><dd>{}</dd></div>", rows),
    )


class BaseWidget(forms.HiddenInput):
    """The hidden base, and before it the facts about the object."""

    input_type = "text"  # so that the page shows its row

    def __init__(self, obj: Any) -> None:
        super().__init__()
        self.facts = facts(obj)

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        hidden = forms.HiddenInput().render(name, value, attrs, renderer)
        return format_html("{}{}", self.facts, hidden)
