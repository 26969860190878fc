"""The members of a record, and where each comes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import models

from .kinds import Kind

Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Cell:
    """One member of an object: the lookup that reads it, and what becomes of its value.

    ``kind`` says how the database writes it; ``None`` where ``convert`` has to.
    """

    name: str
    lookup: str
    convert: Convert
    kind: Kind | None = None


@dataclass(frozen=True, slots=True)
class ManyCell:
    """A list of references, by the table between: the key that it is of, and the listed id."""

    name: str
    through: type[models.Model]
    source: str
    target: str
