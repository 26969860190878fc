"""The page between an order and its doing: what would happen, row by row, and one button."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

MOST = 100
"""Rows of one page; who would order more is asked to choose fewer."""


@dataclass(frozen=True, slots=True)
class Row:
    """One that was chosen: its session and user, how it stands, and what would become of it.

    ``then`` is ``""`` where nothing would.
    """

    pk: Any
    session: str
    user: str
    state: str
    then: str


def is_confirmed(request: HttpRequest) -> bool:
    """Whether this is the button's answer."""
    return request.POST.get("confirmed") == "yes"


def confirmation(
    page: Any,
    request: HttpRequest,
    *,
    action: str,
    title: str,
    explains: str,
    button: str,
    danger: bool,
    rows: Sequence[Row],
) -> HttpResponse:
    """Show it; the button asks for ``action`` once more."""
    context = {
        **page.admin_site.each_context(request),
        "title": title,
        "opts": page.opts,
        "action": action,
        "explains": explains,
        "button": button,
        "danger": danger,
        "rows": rows,
        "does_something": any(row.then for row in rows),
        "checkbox": ACTION_CHECKBOX_NAME,
    }
    return TemplateResponse(request, "admin/django_sync/confirm.html", context)
