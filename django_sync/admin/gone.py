"""An object that is deleted while somebody writes in its form: what they typed is shown to them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Model

from ..feed import log as feed_log
from ..feed.history import Actors
from ..protocol import Json
from ..protocol.ids import canonical_uuid
from .seen import BASE, Overlap
from .sent import plain, wording
from .telling import label_of


def told_gone(model: type[Model], base: Json) -> str:
    """That the object of a form is gone, and by whom if that is known."""
    by = who_deleted(model, base)
    return (
        f"This {model._meta.verbose_name} was deleted or taken elsewhere meanwhile"
        f"{f' by {by}' if by else ''}. What you typed for it was not saved, and is shown here"
        " once more; it is left out when you save again."
    )


def who_deleted(model: type[Model], base: Json) -> str | None:
    """The user's name; ``None`` where nobody knows."""
    try:
        id = canonical_uuid(base.get("id"))
    except ValueError:
        return None
    label = label_of(model)
    trace = feed_log.tombstones(label, [id]).get(id)
    return None if trace is None else Actors(label, id, [trace.revision]).of(trace.revision)


def typed(form: Any, base: Json) -> list[Overlap]:
    """Each field that its user changed: what they saw, and what they typed; no passwords."""
    found = []
    for name, field in form.fields.items():
        secret = isinstance(field.widget, forms.PasswordInput) or isinstance(field, forms.FileField)
        if name == BASE or name not in form.base_fields or secret or field.disabled:
            continue
        sent = plain(form[name].data)
        seen = plain(base["fields"][name]) if name in base["fields"] else None
        yours, before = wording(field, sent), wording(field, seen)
        if yours != before:
            found.append(Overlap(str(form[name].label), before, "deleted", yours))
    return found
