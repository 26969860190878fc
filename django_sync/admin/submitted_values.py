"""What a form submits for its fields: as texts to carry, to compare, and to show."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from .display import EMPTY


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


def with_short_newlines(sent: Any) -> Any:
    """The value with newlines of one character: browsers send two."""
    return sent.replace("\r\n", "\n") if isinstance(sent, str) else sent


def in_order(sent: Any) -> Any:
    """A list of choices in sorted order, because their order has no meaning."""
    return sorted(map(str, sent)) if isinstance(sent, list) else sent


def as_text(field: forms.Field, sent: Any) -> str:
    """What was submitted for a field, as text to show."""
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
