"""How the pages show things: values as text, columns by their labels."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.db.models import Model

EMPTY = "—"
MOST = 2000
"""Characters of a value that are kept for the history page."""


def text(value: Any) -> str:
    """A value of a record, to be read."""
    if value is None or value == "":
        return EMPTY
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    return json.dumps(value, ensure_ascii=False, indent=1 if isinstance(value, dict) else None)


def label_of(model: type[Model]) -> str:
    """The label that the model's entries in the feed carry."""
    return (model._meta.concrete_model or model)._meta.label_lower


def named(model: type[Model], columns: Iterable[str]) -> list[str]:
    """The labels of the fields behind an entry's columns, as the forms have them."""
    known: dict[str, str] = {}
    fields: list[Any] = [*model._meta.concrete_fields, *model._meta.many_to_many]
    for field in fields:
        for name in (field.name, getattr(field, "attname", field.name), field.column):
            known[str(name)] = str(field.verbose_name)
    return list(dict.fromkeys(known.get(column, column) for column in columns))
