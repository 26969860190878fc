"""Checks whether capture is complete: triggers, indexes, and ids of rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connections

from .adoption import has_unadopted
from .base import index_name
from .install import found, index_names, parts_of
from .specs import spec_for, synced_models


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem; its kind is ``missing``, ``altered``, ``stray``, ``index`` or ``unadopted``."""

    kind: str
    label: str
    name: str
    detail: str


def _parts_if_tables_exist(spec: Any, using: str) -> list[Any]:
    """The parts of a spec, or none if its tables are not there yet."""
    try:
        return parts_of(spec, using)
    except LookupError:
        return []


def verify(using: str = "default") -> list[Problem]:
    """The problems of capture on a database; an empty list if there are none."""
    specs = [spec_for(model) for model in synced_models()]
    wanted = {(p.table, p.name): p for spec in specs for p in _parts_if_tables_exist(spec, using)}
    there = {(one.table, one.name): one for one in found(using)}
    problems = []
    for key, part in wanted.items():
        table, name = key
        if key not in there:
            problems.append(Problem("missing", part.label, name, f"no trigger on {table}"))
        elif there[key].text != part.text:
            problems.append(Problem("altered", part.label, name, f"differs on {table}"))
    for table, name in there.keys() - wanted.keys():
        problems.append(Problem("stray", "", name, f"no model needs it on {table}"))
    tables, indexes = set(connections[using].introspection.table_names()), index_names(using)
    for model, spec in zip(synced_models(), specs, strict=True):
        if spec.table not in tables:
            continue
        if index_name(spec) not in indexes:
            detail = f"no index on {spec.table}"
            problems.append(Problem("index", spec.label, index_name(spec), detail))
        if has_unadopted(model, using):
            problems.append(Problem("unadopted", spec.label, "", "rows without an id or a scope"))
    return problems
