"""A decision beside the object as it is now, and what each choice would write. Writes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest

from ..drf.caller import Caller
from ..drf.collection import CREATE, UPDATE, Collection
from ..drf.registry import registry
from ..merge import same
from ..models import Decision
from ..protocol import Json, Write
from ..writes.resolve import WHOLE
from . import permissions

NOW, SERVER, CLIENT, BASE = "now", "server", "client", "base"


@dataclass(frozen=True, slots=True)
class Row:
    """A field of a decision: the value of each side, the value now, and the choices."""

    name: str
    sides: Mapping[str, Any]
    now: Any
    overlaps: bool = True

    @property
    def choices(self) -> list[str]:
        """``now``, and each side with another value."""
        found, values = [NOW], [self.now]
        for side in (SERVER, CLIENT, BASE):
            if side in self.sides and not any(same(self.sides[side], v) for v in values):
                found.append(side)
                values.append(self.sides[side])
        return found

    def value(self, choice: str) -> Any:
        return self.now if choice == NOW else self.sides[choice]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to write; ``op`` is ``None`` when there is nothing to write."""

    op: Write | None = None
    fields: Json = field(default_factory=dict)


class Case:
    """A decision beside the object as it is now, seen by one member of staff."""

    def __init__(self, decision: Decision, site: AdminSite, request: HttpRequest) -> None:
        self.decision = decision
        self.site, self.request = site, request
        self.caller = Caller.for_user(request.user)
        self.model = permissions.model_of(decision.model)
        self.collection: Collection | None = None
        if decision.collection in registry:
            self.collection = registry.get(decision.collection)
        self.row = permissions.row_of(self.model, decision.object_id) if self.model else None
        self.revision: int | None = self.row.sync_revision if self.row is not None else None
        self.pk = None if self.row is None else self.row.pk

    def may(self, action: str) -> bool:
        """Whether staff may do this with the object."""
        if self.model is None:
            return False
        return permissions.may(self.site, self.request, action, self.model, self.row)

    @property
    def now(self) -> Json | None:
        """The object as its record shows it; ``None`` when it is deleted."""
        if self.row is None or self.collection is None:
            return None
        return dict(self.collection.render(self.caller, [self.row])[0].object)

    def rows(self) -> list[Row]:
        fields, now = self.decision.fields, self.now
        if WHOLE in fields:
            sides = {side: fields[WHOLE].get(side) for side in (SERVER, CLIENT)}
            return [Row(WHOLE, sides, now)]
        found = [
            Row(
                name,
                {side: sides[side] for side in (BASE, SERVER, CLIENT) if side in sides},
                (now or {}).get(name),
            )
            for name, sides in fields.items()
        ]
        if self.decision.is_open:
            rest = {n: v for n, v in self.decision.asked.items() if n not in fields}
            found += [Row(n, {CLIENT: v}, (now or {}).get(n), False) for n, v in rest.items()]
        return found

    def values(self, chosen: Mapping[str, str]) -> Json:
        """The value of each row for the choices made."""
        return {row.name: row.value(chosen[row.name]) for row in self.rows()}

    def plan(self, chosen: Mapping[str, str]) -> Plan:
        """What to write, for the choice of each row."""
        picked = {row.name: row for row in self.rows() if chosen[row.name] != NOW}
        if not picked:
            return Plan()
        if WHOLE not in picked:
            fields = {name: row.value(chosen[name]) for name, row in picked.items()}
            return Plan(Write.UPDATE, fields) if self.row is not None else Plan()
        wanted = picked[WHOLE].value(chosen[WHOLE])
        if wanted is None:
            return Plan(Write.DELETE)
        if self.row is None:
            base = self.decision.fields[WHOLE].get(BASE)
            return Plan(Write.CREATE, self._writable(CREATE, {**(base or {}), **wanted}))
        now = self.now or {}
        changed = {n: v for n, v in wanted.items() if not same(v, now.get(n))}
        return Plan(Write.UPDATE, self._writable(UPDATE, changed))

    def _writable(self, action: Any, fields: Json) -> Json:
        assert self.collection is not None
        known = self.collection.fields(self.collection.viewset(self.caller, action))
        return {n: v for n, v in fields.items() if n not in known or not known[n].read_only}
