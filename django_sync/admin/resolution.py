"""How staff decide: they settle an open conflict, or bring back a value that lost.

Both are a new write like any other, through the collection's serializer. The row is locked, it
must be at the revision that staff saw, and a decision that somebody else has settled meanwhile
is refused. This module knows nothing of pages.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils import timezone

from ..conf import conf
from ..drf.collection import CREATE, DELETE, UPDATE, Collection
from ..drf.registry import registry
from ..drf.serializers import vouch
from ..feed import log as feed_log
from ..fields import id_field
from ..merge import same
from ..models import Decision
from ..models.database import atomic
from ..protocol import Json, Kept, Write
from ..protocol.ids import canonical_uuid
from . import permissions
from .conflict_case import Case, Plan
from .display import MOST, text
from .writes import lock, note

RIGHTS = {Write.CREATE: "add", Write.UPDATE: "change", Write.DELETE: "delete"}
FLAGS = {Write.CREATE: ADDITION, Write.UPDATE: CHANGE, Write.DELETE: DELETION}
WORDS = {Write.CREATE: "added", Write.UPDATE: "changed", Write.DELETE: "deleted"}


class Outdated(Exception):
    """The object or the decision has changed since staff saw it."""


@dataclass(frozen=True, slots=True)
class Look:
    """What staff saw when they chose."""

    revision: int | None
    was_open: bool


def settle(
    decision: Decision,
    site: AdminSite,
    request: HttpRequest,
    chosen: Mapping[str, str],
    look: Look,
) -> Plan:
    """Write what was chosen, and mark an open decision as settled by staff.

    Raises ``Outdated``, ``PermissionDenied``, and ``SyncError`` if the serializer refuses. The
    object is locked before the decision, as mutations of clients do.
    """
    with atomic():
        model = permissions.model_of(decision.model)
        if model is None:
            raise Outdated
        found = lock(model, **{id_field(model).name: decision.object_id})
        rows = Decision.objects.select_for_update()
        current = rows.filter(pk=decision.pk).first()
        if current is None or (found, current.is_open) != (look.revision, look.was_open):
            raise Outdated
        case = Case(current, site, request)
        if not case.may("change"):
            raise PermissionDenied
        plan, kept = case.plan(chosen), case.values(chosen)
        revision = found if plan.op is None else StaffWrite(case, plan).carry_out()
        if current.is_open:
            _stamp(current, request.user, kept, revision)
    return plan


def _stamp(decision: Decision, user: Any, values: Json, revision: int | None) -> None:
    """Record in an open decision which side's value staff kept."""
    for name, sides in decision.fields.items():
        value, kept = values[name], Kept.MERGED
        for side in (Kept.CLIENT, Kept.SERVER):
            if same(value, sides.get(str(side))):
                kept = side
        sides |= {"by": "staff", "kept": str(kept)}
        if kept is Kept.MERGED:
            sides["value"] = value
    decision.by, decision.settled_at = Decision.By.STAFF, timezone.now()
    decision.settled_by, decision.revision = user, revision
    names = ["fields", "by", "settled_at", "settled_by", "revision"]
    decision.save(using=conf.DATABASE, update_fields=names)


class StaffWrite:
    """One plan, carried out through the collection's own serializer and ``perform_`` methods."""

    def __init__(self, case: Case, plan: Plan) -> None:
        assert case.collection is not None
        self.case, self.plan, self.id = case, plan, case.decision.object_id
        self.collection: Collection = case.collection

    def prepared(self) -> tuple[Any, Any]:
        """The viewset and the valid serializer; raises ``PermissionDenied`` and ``SyncError``."""
        op, case = self.plan.op, self.case
        if op is None or not case.may(RIGHTS[op]):
            raise PermissionDenied
        if op is Write.DELETE:
            return self.collection.viewset(case.caller, DELETE, id=self.id), None
        action, new = (CREATE, self.id) if op is Write.CREATE else (UPDATE, None)
        fields = self.plan.fields
        viewset = self.collection.viewset(case.caller, action, data=fields, id=self.id)
        self._vouch(viewset, fields)
        return viewset, self.collection.validated(viewset, fields, instance=case.row, id=new)

    def _vouch(self, viewset: Any, fields: Json) -> None:
        """References resolve among what staff may view, not among what the API shows them."""
        for name, value in fields.items():
            known: Any = self.collection.fields(viewset).get(name)
            relation = getattr(known, "child_relation", known)
            queryset = getattr(relation, "queryset", None)
            if queryset is None or not registry.of_model(queryset.model):
                continue
            for id in filter(None, map(_uuid, value if isinstance(value, list) else [value])):
                row = permissions.row_of(queryset.model, id)
                site, request = self.case.site, self.case.request
                if row is not None and permissions.may(site, request, "view", queryset.model, row):
                    vouch(self.case.caller, queryset.model, row)

    def carry_out(self) -> int:
        """Write; the object's revision afterwards."""
        now = self.case.now or {}
        before = self._last() if self.case.revision is None else self.case.revision
        viewset, serializer = self.prepared()
        if self.plan.op is Write.DELETE:
            self.collection.destroy(viewset, self.case.row)
        elif self.plan.op is Write.CREATE:
            self.collection.create(viewset, serializer)
        else:
            self.collection.update(viewset, serializer)
        feed_log.check_constraints()
        row = permissions.row_of(self.collection.model, self.id)
        after = self._last() if row is None else int(row.sync_revision)
        self._log(row or self.case.row, now, (before, after))
        return after

    def _last(self) -> int:
        """The last revision of an object that is deleted."""
        trace = feed_log.tombstones(self.collection.label, [self.id]).get(self.id)
        return 0 if trace is None else trace.revision

    def _log(self, row: Any, now: Json, revisions: tuple[int, int]) -> None:
        """Enter the write in the feed's history, and in the admin's."""
        op = self.plan.op
        user: Any = self.case.request.user
        assert op is not None
        values = {
            name: {"before": text(now.get(name))[:MOST], "after": text(value)[:MOST]}
            for name, value in self.plan.fields.items()
        }
        note(user, op, self.collection.label, self.id, revisions, values)
        change = {"fields": list(self.plan.fields)} if op is Write.UPDATE else {}
        LogEntry.objects.create(
            user_id=user.pk,
            content_type=ContentType.objects.get_for_model(self.collection.model),
            object_id=str(self.case.pk if row is self.case.row else row.pk),
            object_repr=str(row)[:200],
            action_flag=FLAGS[op],
            change_message=json.dumps([{WORDS[op]: change}]),
        )


def _uuid(value: Any) -> uuid.UUID | None:
    try:
        return canonical_uuid(value)
    except ValueError:
        return None
