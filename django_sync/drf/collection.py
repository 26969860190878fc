"""One registered model, seen through the project's own DRF code.

A collection knows what a user sees of a model, what they may do, how an object becomes a record
and how a write is done. It knows nothing of the feed, of cursors or of mutations.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from django.db import models
from django.utils import timezone, translation

from .. import errors
from ..capture import scope_path
from ..protocol import Record
from . import field_patterns
from .caller import Caller
from .exceptions import translated
from .input import Input
from .json_sql import Joined
from .record_cache import ViewerClass, rendered
from .related import with_related
from .rendering import Plan, plan_for, usual_plan
from .rows import Rows
from .schema_hash import decides_on_fields, decides_on_serializer, shape_of
from .scope_queries import ScopeQueries
from .serializers import with_references

READ = ("list", "GET")
CREATE = ("create", "POST")
UPDATE = ("partial_update", "PATCH")
DELETE = ("destroy", "DELETE")
Action = tuple[str, str]
"""A viewset's action and the HTTP method that it stands for."""

OPERATIONS: dict[str, tuple[Action, str]] = {
    "read": (READ, "get_queryset"),
    "create": (CREATE, "perform_create"),
    "update": (UPDATE, "perform_update"),
    "delete": (DELETE, "perform_destroy"),
}


class Collection(Rows, Input):
    """A model under a name of the protocol, behind a DRF viewset class."""

    def __init__(self, name: str, viewset_class: type[Any], model: type[models.Model]) -> None:
        super().__init__(model)
        self.name = name
        self.viewset_class = viewset_class
        self._shapes: WeakKeyDictionary[type[Any], str | None] = WeakKeyDictionary()

    def __repr__(self) -> str:
        return f"<Collection {self.name}: {self.model._meta.label}>"

    @property
    def scoped(self) -> bool:
        return scope_path(self.model) is not None

    # The viewset

    def viewset(
        self, caller: Caller, action: Action, *, data: Any = None, id: uuid.UUID | None = None
    ) -> Any:
        """A viewset of its own, set up as the router would for this action."""
        name, method = action
        viewset = self.viewset_class()
        viewset.request = caller.request_as(method, data)
        viewset.action, viewset.format_kwarg, viewset.args = name, None, ()
        viewset.kwargs = {} if id is None else {viewset.lookup_url_kwarg or "pk": str(id)}
        viewset.action_map = {method.lower(): name}
        return viewset

    def permit(self, viewset: Any, instance: models.Model | None = None) -> None:
        """Ask the viewset's permissions; raises ``PermissionDenied`` or ``NotAuthenticated``."""
        with translated():
            viewset.check_permissions(viewset.request)
            if instance is not None:
                viewset.check_object_permissions(viewset.request, instance)

    def operations(self, caller: Caller) -> list[str]:
        """What the user may do here at all: some of read, create, update, delete."""
        return [name for name in OPERATIONS if self.may(caller, name)]

    def may(self, caller: Caller, operation: str) -> bool:
        """Whether the collection offers the operation and its permissions allow it."""
        key = (self.name, "may", operation)
        if key not in caller.cache:
            asked = OPERATIONS[operation][0]
            viewset = self._reader(caller) if asked is READ else self.viewset(caller, asked)
            caller.cache[key] = self.offers(operation) and self._permitted(viewset)
        return bool(caller.cache[key])

    def offers(self, operation: str) -> bool:
        """Whether the viewset has the operation at all (a read-only one has no others)."""
        action, method = OPERATIONS[operation]
        verbs: Sequence[str] = self.viewset_class.http_method_names
        return hasattr(self.viewset_class, method) and action[1].lower() in verbs

    def _permitted(self, viewset: Any) -> bool:
        try:
            self.permit(viewset)
        except (errors.PermissionDenied, errors.NotAuthenticated):
            return False
        return True

    # What the user sees

    def _reader(self, caller: Caller) -> Any:
        """The viewset that says what the user sees: one for a whole call."""
        key = (self.name, "reader")
        if key not in caller.cache:
            caller.cache[key] = self.viewset(caller, READ)
        return caller.cache[key]

    def scopes(self, caller: Caller) -> frozenset[str]:
        """The scopes of this collection that the user sees; none where they may not read it."""
        key = (self.name, "scopes")
        if key not in caller.cache:
            caller.cache[key] = self._scopes(caller)
        found: frozenset[str] = caller.cache[key]
        return found

    def _scopes(self, caller: Caller) -> frozenset[str]:
        if not self.may(caller, "read"):
            return frozenset()
        viewset = self._reader(caller)
        if not hasattr(viewset, "get_scopes"):
            return frozenset({""})
        queries: ScopeQueries = caller.cache.setdefault(ScopeQueries, ScopeQueries())
        function = getattr(viewset.get_scopes, "__func__", viewset.get_scopes)
        return queries.read(function, viewset.get_scopes())

    def sees_scope(self, caller: Caller, scope: str | None) -> bool:
        """Whether the user sees this scope, also where a write of this call opened it to them."""
        if scope is None:
            return False
        if scope not in self.scopes(caller):
            for known in ((self.name, "reader"), ScopeQueries):  # both hold earlier answers
                caller.cache.pop(known, None)
            caller.cache[(self.name, "scopes")] = self._scopes(caller)
        return scope in self.scopes(caller)

    def may_write_scope(self, caller: Caller, action: Action, scope: str) -> bool:
        viewset = self.viewset(caller, action)
        ask = getattr(viewset, "may_write_scope", None)
        return ask is None or bool(ask(scope))

    def queryset(self, caller: Caller, *, shape: bool = True) -> Any:
        """The viewset's own query; with ``shape``, rendering a row then needs no further query."""
        viewset = self.viewset(caller, READ)
        queryset = viewset.get_queryset().order_by()
        return self._with_rows(queryset, viewset.get_serializer()) if shape else queryset

    def _with_rows(self, queryset: Any, serializer: Any) -> Any:
        """The query, with prefetches of all rows that the serializer's declared fields show."""
        return with_related(with_references(queryset, serializer), serializer)

    def find(self, caller: Caller, id: uuid.UUID, *, shape: bool = True) -> Any:
        """The visible instance with this id, or ``None``; ``shape`` where it is to be rendered."""
        return next(iter(self.find_many(caller, [id], shape=shape)), None)

    def find_many(
        self, caller: Caller, ids: Sequence[uuid.UUID], *, shape: bool = True
    ) -> list[Any]:
        """The visible instances among these ids, each once."""
        found = self.queryset(caller, shape=shape).filter(**{f"{self.id_name}__in": ids})
        by_id = {instance.sync_id: instance for instance in found}
        seen = self.scopes(caller)
        return [instance for instance in by_id.values() if instance.sync_scope in seen]

    def page(
        self, caller: Caller, scopes: Sequence[str], after: uuid.UUID | None, limit: int
    ) -> list[Record]:
        """The first records of these scopes by scope and id, behind ``after``.

        One may come twice where the viewset's query joins many rows.
        """
        return self._records(caller, self._page(caller, scopes, after, limit))

    def page_text(
        self, caller: Caller, scopes: Sequence[str], after: uuid.UUID | None, limit: int
    ) -> Joined | None:
        """The same page as one text of its ``put`` changes; ``None`` if the database cannot."""
        _, plan = self._planned(caller)
        if plan is None or plan.text is None:
            return None
        return plan.text.page(self._page(caller, scopes, after, limit))

    def _page(
        self, caller: Caller, scopes: Sequence[str], after: uuid.UUID | None, limit: int
    ) -> Any:
        wanted: dict[str, Any] = {f"{self.id_name}__isnull": False}
        if len(scopes) == 1:
            wanted["sync_scope"] = scopes[0]
        else:
            wanted["sync_scope__in"] = scopes
        if after is not None:
            wanted[f"{self.id_name}__gt"] = after
        queryset = self.queryset(caller, shape=False).filter(**wanted)
        return queryset.order_by("sync_scope", self.id_name)[:limit]

    def seen(self, caller: Caller, ids: Sequence[uuid.UUID]) -> list[Record]:
        """The records that the user sees of these ids, each once."""
        queryset = self.queryset(caller, shape=False).filter(**{f"{self.id_name}__in": ids})
        scopes = self.scopes(caller)
        by_id = {record.id: record for record in self._records(caller, queryset)}
        return [record for record in by_id.values() if record.scope in scopes]

    def seen_cached(
        self, caller: Caller, ids: Sequence[uuid.UUID], kind: ViewerClass
    ) -> list[Record]:
        """The same in a snapshot of committed data, with records that ``rendered`` still holds.

        ``kind`` is the class of callers who see these alike, from ``class_of``. If the cache
        has none of these records, it reads what ``seen`` reads. Otherwise it reads the revisions
        first, and then only the records that have changed.
        """
        serializer, plan = self._planned(caller)
        if plan is None:
            return self.seen(caller, ids)
        kind = (*kind, type(serializer).__qualname__, timezone.get_current_timezone_name())
        known = rendered.known(kind, ids)
        made: list[Record] = []
        there: dict[uuid.UUID, Record] = {}
        if known:
            queryset = self.queryset(caller, shape=False).filter(**{f"{self.id_name}__in": ids})
            revisions = dict(queryset.order_by().values_list(self.id_name, "sync_revision"))
            for id, revision in revisions.items():
                if id in known and known[id].revision == revision:
                    there[id] = known[id]
            ids = [id for id in ids if id in revisions and id not in there]
        if ids:
            made = self.seen(caller, ids)
            rendered.add(kind, made)
        scopes = self.scopes(caller)
        return [*made, *(record for record in there.values() if record.scope in scopes)]

    def class_of(self, caller: Caller, epoch: str, tag: str) -> ViewerClass:
        """The class of those who see this collection's records as the caller does.

        This thread's language is part of it: labels of choices and localized numbers depend on it,
        so a record that was made in one language is not shown in another.
        """
        language = translation.get_language() or ""
        return (epoch, self.name, tag, self.viewer(caller), language)

    def record(self, caller: Caller, id: uuid.UUID) -> Record | None:
        """An object's record, in whichever scope; ``None`` where the query hides it."""
        queryset = self.queryset(caller, shape=False).filter(**{self.id_name: id})
        return next(iter(self._records(caller, queryset)), None)

    def records(self, caller: Caller, ids: Sequence[uuid.UUID]) -> list[Record]:
        """The records of these objects, in whichever scope, as far as the query shows them."""
        queryset = self.queryset(caller, shape=False).filter(**{f"{self.id_name}__in": ids})
        return self._records(caller, queryset)

    def count(self, caller: Caller, scopes: Iterable[str]) -> int:
        """How many objects of these scopes the user sees, about."""
        queryset = self.queryset(caller, shape=False)
        return int(queryset.filter(sync_scope__in=list(scopes)).count())

    def counted(self, caller: Caller, most: int) -> int:
        """How many objects the user sees, counted to ``most``."""
        queryset = self.queryset(caller, shape=False)
        rows = queryset.filter(sync_scope__in=list(self.scopes(caller))).order_by()
        return int(rows[:most].count())

    # Records

    def _records(self, caller: Caller, queryset: Any) -> list[Record]:
        """The records of a query: from its rows if a plan gives the same as DRF, else by DRF."""
        serializer, plan = self._planned(caller)
        if plan is not None:
            return plan.records(queryset)
        return self.render(caller, list(self._with_rows(queryset, serializer)))

    def _planned(self, caller: Caller) -> tuple[Any, Plan | None]:
        """The serializer, and the plan that makes records from rows, if there is one.

        A write of the call may have given its user another serializer, so it is asked for each
        time; the plan of each is made once a call, or once for all where no request decides on
        its fields. Times are converted as the current time zone asks, so that is part of the key.
        """
        viewset = self.viewset(caller, READ)
        serializer = viewset.get_serializer()
        kind = type(serializer)
        if field_patterns.has_fixed_fields(type(viewset), kind):
            return serializer, usual_plan(self.name, self.model, kind)
        key = (self.name, kind)
        if key not in caller.plans:
            caller.plans[key] = plan_for(self.name, self.model, serializer)
        return serializer, caller.plans[key]

    def serializer(self, caller: Caller) -> Any:
        """The serializer by which records are shown to this caller."""
        return self.viewset(caller, READ).get_serializer()

    def has_plan(self, caller: Caller) -> bool:
        """Whether records are made from rows, without a model instance for each."""
        return self._planned(caller)[1] is not None

    def render(self, caller: Caller, instances: Sequence[Any]) -> list[Record]:
        """The records of these instances, in their order."""
        if not instances:
            return []
        serializer = self.viewset(caller, READ).get_serializer(instances, many=True)
        return [
            Record(
                self.name, instance.sync_id, instance.sync_revision, instance.sync_scope, dict(made)
            )
            for instance, made in zip(instances, serializer.data, strict=True)
        ]

    @property
    def shared_rendering(self) -> bool:
        """Whether all with one visibility tag see the same of a scope; see ``SyncViewSetMixin``."""
        return bool(getattr(self.viewset_class, "shared_rendering", False))

    def viewer(self, caller: Caller) -> str:
        """Who sees the same record: ``""`` for all with one visibility tag, else one user."""
        return "" if self.shared_rendering else caller.key

    def visibility_tag(self, caller: Caller) -> str:
        """What besides row and scope decides what the user sees; see ``get_visibility_tag``."""
        ask = getattr(self._reader(caller), "get_visibility_tag", None)
        return "" if ask is None else str(ask())

    def shape(self, caller: Caller) -> str:
        """The hash of the serializer's readable fields: another shape, another collection.

        Where a serializer decides on its fields itself they may be others for each user,
        and are looked at each time.
        """
        viewset = self._reader(caller)
        kind = viewset.get_serializer_class()
        if kind not in self._shapes:
            fixed = not (decides_on_fields(kind) or decides_on_serializer(type(viewset)))
            self._shapes[kind] = shape_of(kind()) if fixed else None
        return self._shapes[kind] or shape_of(viewset.get_serializer())
