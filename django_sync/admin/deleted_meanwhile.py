"""An object that is deleted while its form is open: the user sees again what they typed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Model

from ..feed import log as feed_log
from ..feed.history import Actors
from ..protocol import Json
from ..protocol.ids import canonical_uuid
from .display import label_of
from .seen_state import BASE, Overlap
from .submitted_values import as_text, with_short_newlines


def deletion_message(model: type[Model], base: Json) -> str:
    """The message that the object of a form is deleted, and by whom if that is known."""
    by = who_deleted(model, base)
    return (
        f"This {model._meta.verbose_name} was deleted or moved elsewhere meanwhile"
        f"{f' by {by}' if by else ''}. What you typed for it was not saved, and is shown here"
        " once more; it is left out when you save again."
    )


def who_deleted(model: type[Model], base: Json) -> str | None:
    """The user's name; ``None`` when it is not known."""
    try:
        id = canonical_uuid(base.get("id"))
    except ValueError:
        return None
    label = label_of(model)
    trace = feed_log.tombstones(label, [id]).get(id)
    return None if trace is None else Actors(label, id, [trace.revision]).of(trace.revision)


def typed(form: Any, base: Json) -> list[Overlap]:
    """Each field that the user changed: what they saw, and what they typed. No passwords."""
    found = []
    for name, field in form.fields.items():
        secret = isinstance(field.widget, forms.PasswordInput) or isinstance(field, forms.FileField)
        if name == BASE or name not in form.base_fields or secret or field.disabled:
            continue
        sent = with_short_newlines(form[name].data)
        seen = with_short_newlines(base["fields"][name]) if name in base["fields"] else None
        yours, before = as_text(field, sent), as_text(field, seen)
        if yours != before:
            found.append(Overlap(str(form[name].label), before, "deleted", yours))
    return found
