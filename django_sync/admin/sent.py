"""What a form sends for its fields: as texts that can travel, be compared, and be read."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from .telling import EMPTY


def as_sent(field: forms.Field, value: Any) -> Any:
    """A value as the field's hidden widget would send it: a text, or a list of texts."""
    widget: Any = field.hidden_widget()
    prepared = field.prepare_value(value)
    if isinstance(widget, forms.MultiWidget):
        parts: Any = widget.decompress(prepared)
        return [w.format_value(part) for w, part in zip(widget.widgets, parts, strict=False)]
    if isinstance(widget, forms.MultipleHiddenInput):
        return sorted(str(one) for one in prepared or ())
    return widget.format_value(prepared)


def plain(sent: Any) -> Any:
    """Line ends as one byte: browsers send two."""
    return sent.replace("\r\n", "\n") if isinstance(sent, str) else sent


def in_order(sent: Any) -> Any:
    """A list of choices, whose order means nothing, as a sorted one."""
    return sorted(map(str, sent)) if isinstance(sent, list) else sent


def wording(field: forms.Field, sent: Any) -> str:
    """What was sent for a field, to be read."""
    if isinstance(field, forms.JSONField):
        return str(sent or EMPTY)
    try:
        value = field.to_python(sent)
    except ValidationError:
        value = sent
    if isinstance(value, (list, tuple, QuerySet)):
        return ", ".join(sorted(str(one) for one in value if one)) or EMPTY
    if isinstance(field, forms.ChoiceField) and not isinstance(field, forms.ModelChoiceField):
        flat = dict(getattr(field.widget, "choices", ()) or ())
        value = flat.get(sent, value)
    return EMPTY if value in (None, "") else str(value)
