"""The page before an action runs: what would happen, row by row, and a button to confirm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

MOST = 100
"""Rows of one page; for more, staff are asked to choose fewer."""


@dataclass(frozen=True, slots=True)
class Row:
    """One chosen row: its session, its user, its state, and what would happen to it.

    ``then`` is ``""`` when nothing would happen.
    """

    pk: Any
    session: str
    user: str
    state: str
    then: str


def is_confirmed(request: HttpRequest) -> bool:
    """Whether the user pressed the button."""
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
    """Show the page; its button sends ``action`` again."""
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
