"""One registered model, seen through the project's own DRF code.

A collection knows what a user sees of a model, what they may do, how an object
becomes a record and how a write is carried out. It knows nothing of the feed,
of cursors or of mutations.
"""

from __future__ import annotations

import contextlib
import json
import sys
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from django.db import models
from django.utils import timezone, translation
from rest_framework import serializers

from .. import errors
from ..capture import scope_path
from ..fields import id_field
from ..models import Tombstone
from ..models.database import connection
from ..protocol import Json, Record
from . import field_patterns
from .caller import Caller
from .exceptions import translated
from .json_sql import Joined
from .record_cache import Class, rendered
from .related import with_related
from .rendering import Plan, plan_for, usual_plan
from .schema_hash import decides_on_fields, decides_on_serializer, shape_of
from .scope_queries import ScopeQueries
from .serializers import NEW_ID, with_references

READ = ("list", "GET")
CREATE = ("create", "POST")
UPDATE = ("partial_update", "PATCH")
DELETE = ("destroy", "DELETE")
FIELDS = "_django_sync_fields"
Action = tuple[str, str]
"""A viewset's action and the HTTP method that it stands for."""

OPERATIONS: dict[str, tuple[Action, str]] = {
    "read": (READ, "get_queryset"),
    "create": (CREATE, "perform_create"),
    "update": (UPDATE, "perform_update"),
    "delete": (DELETE, "perform_destroy"),
}


class Collection:
    """A model under a name of the protocol, behind a DRF viewset class."""

    def __init__(self, name: str, viewset_class: type[Any], model: type[models.Model]) -> None:
        self.name = name
        self.viewset_class = viewset_class
        self.model = model
        self.id_name = id_field(model).name
        self._shapes: WeakKeyDictionary[type[Any], str | None] = WeakKeyDictionary()

    def __repr__(self) -> str:
        return f"<Collection {self.name}: {self.model._meta.label}>"

    @property
    def label(self) -> str:
        """The label that the model's entries in the feed carry."""
        concrete = self.model._meta.concrete_model or self.model
        return concrete._meta.label_lower

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
        """The viewset's own query, set up so that rendering asks nothing more a row."""
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

    def existing(self, ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
        """Those of these ids that have a row, whoever may see it."""
        return set(self.located(ids))

    def located(self, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, str | None]:
        """The scopes of those of these ids that have a row, whoever may see it."""
        rows = self.model._base_manager.filter(**{f"{self.id_name}__in": ids}).order_by()
        return dict(rows.values_list(self.id_name, "sync_scope"))

    def in_use(self, ids: Sequence[uuid.UUID]) -> tuple[str, list[Any]]:
        """An SQL condition and its parameters: whether any of these ids has or had a row."""
        there, bound = self._there(ids)
        among = _among(ids)[0]
        sql = (
            f"{there} OR EXISTS (SELECT 1"
            f" FROM {Tombstone._meta.db_table} WHERE model = %s AND object_id {among})"
        )
        return sql, [*bound, self.label, *bound]

    def _there(self, ids: Sequence[uuid.UUID]) -> tuple[str, list[Any]]:
        """An SQL condition and its parameters: whether any of these ids has a row."""
        quote = connection().ops.quote_name
        field: Any = id_field(self.model)
        # The id of a model that inherits its columns stands in its parent's table.
        column, table = quote(field.column), quote(field.model._meta.db_table)
        among, bound = _among(ids)
        return f"EXISTS (SELECT 1 FROM {table} WHERE {column} {among})", bound

    def any_there(self, ids: Sequence[uuid.UUID]) -> bool:
        """Whether any of these ids has a row, also one that the user may not see."""
        return self._is_so(*self._there(ids))

    def _is_so(self, sql: str, bounds: list[Any]) -> bool:
        with connection().cursor() as cursor:
            cursor.execute(f"SELECT {sql}", bounds)
            return bool(cursor.fetchone()[0])

    def any_in_use(self, ids: Sequence[uuid.UUID]) -> bool:
        """Whether any of these ids has a row or had one."""
        return self._is_so(*self.in_use(ids))

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

    def seen_again(self, caller: Caller, ids: Sequence[uuid.UUID], kind: Class) -> list[Record]:
        """The same, in a snapshot of what is committed: what ``rendered`` holds is not made anew.

        ``kind`` is who sees these alike, from ``class_of``. Where nothing of them is remembered it
        asks what ``seen`` asks, else for their revisions first, and for those alone that are other
        ones.
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

    def class_of(self, caller: Caller, epoch: str, tag: str) -> Class:
        """Who sees this collection's records as the caller does, in this thread's language.

        Labels of choices and localized numbers are of the language, so a record that was made in
        one is not shown in another.
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
        """The records of a query: from its rows where that comes to the same, else by DRF."""
        serializer, plan = self._planned(caller)
        if plan is not None:
            return plan.records(queryset)
        return self.render(caller, list(self._with_rows(queryset, serializer)))

    def _planned(self, caller: Caller) -> tuple[Any, Plan | None]:
        """The serializer, and how records come straight from rows, if they do.

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
        """Whether all of the same rights see the same of a scope; see ``SyncViewSetMixin``."""
        return bool(getattr(self.viewset_class, "shared_rendering", False))

    def viewer(self, caller: Caller) -> str:
        """Whom a record looks alike to: ``""`` for whoever has the same rights, else one user."""
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

    # Writes

    def lock(self, id: uuid.UUID, known: int) -> int | None:
        """Lock the row until the transaction ends; its revision, ``None`` where it is gone.

        ``known`` is the revision that was read in this transaction; where that has the whole
        database to itself (SQLite) it is the row's.
        """
        if not connection().features.has_select_for_update:
            return known
        rows = self.model._base_manager.select_for_update().filter(**{self.id_name: id})
        return rows.order_by().values_list("sync_revision", flat=True).first()

    def lock_many(
        self, ids: Sequence[uuid.UUID], known: Mapping[uuid.UUID, int]
    ) -> Mapping[uuid.UUID, int]:
        """Lock rows, in the order of their ids; return the revisions of the rows that exist."""
        if not connection().features.has_select_for_update:
            return known
        rows = self.model._base_manager.select_for_update().filter(**{f"{self.id_name}__in": ids})
        return dict(rows.order_by(self.id_name).values_list(self.id_name, "sync_revision"))

    def scope_of(self, id: uuid.UUID) -> str | None:
        """The scope of a row, whoever may see it."""
        rows = self.model._base_manager.filter(**{self.id_name: id})
        return rows.values_list("sync_scope", flat=True).first()

    @property
    def scope_field(self) -> str:
        """The field that decides the scope, to which an error about it belongs."""
        path = scope_path(self.model)
        return "non_field_errors" if path in (None, "self") else str(path).split("__")[0]

    def create(self, viewset: Any, serializer: Any) -> None:
        with translated():
            viewset.perform_create(serializer)

    def update(self, viewset: Any, serializer: Any) -> None:
        with translated():
            viewset.perform_update(serializer)

    def destroy(self, viewset: Any, instance: Any) -> None:
        with translated():
            viewset.perform_destroy(instance)

    def validated(
        self, viewset: Any, fields: Json, *, instance: Any = None, id: uuid.UUID | None = None
    ) -> Any:
        """The viewset's serializer over ``fields``, valid.

        Raises ``ValidationFailed`` and ``FieldNotWritable``.
        """
        context = viewset.get_serializer_context()
        if id is not None:
            context[NEW_ID] = id
        with translated():
            serializer = viewset.get_serializer(
                instance, data=fields, partial=instance is not None, context=context
            )
        if field_patterns.has_fixed_fields(type(viewset), type(serializer)):
            field_patterns.give_fields(serializer)
        self.check_names(viewset, fields, serializer.fields)
        with translated(), in_range():
            serializer.is_valid(raise_exception=True)
        refuse_unsayable(serializer.validated_data)
        return serializer

    def fields(self, viewset: Any) -> Any:
        """The fields of the viewset's serializer by name, only to be looked at."""
        if not hasattr(viewset, FIELDS):
            serializer = viewset.get_serializer()
            is_fixed = field_patterns.has_fixed_fields(type(viewset), type(serializer))
            found = field_patterns.pattern_of(type(serializer)) if is_fixed else serializer.fields
            setattr(viewset, FIELDS, found)
        return getattr(viewset, FIELDS)

    def writable(self, viewset: Any, fields: Json) -> Json:
        """These fields without those that the server alone writes."""
        known = self.fields(viewset)
        return {n: v for n, v in fields.items() if n not in known or not known[n].read_only}

    def check_names(self, viewset: Any, fields: Json, known: Any = None) -> None:
        """Raise ``ValidationFailed`` for unknown fields, ``FieldNotWritable`` for fixed ones."""
        known = known or self.fields(viewset)
        if unknown := sorted(name for name in fields if name not in known):
            told = [{"code": "unknown", "detail": "There is no such field."}]
            raise errors.ValidationFailed(errors=dict.fromkeys(unknown, told))
        if fixed := [name for name in fields if known[name].read_only]:
            fixed.sort()
            told = [{"code": "read_only", "detail": "The server alone writes this field."}]
            raise errors.FieldNotWritable(errors=dict.fromkeys(fixed, told))
        refuse_unsayable(fields)

    def is_noop(self, instance: Any, serializer: Any) -> bool:
        """Whether valid data say what the instance has already; lists of objects never do."""
        for attribute, value in serializer.validated_data.items():
            if isinstance(value, (list, dict)) and not isinstance(
                serializer.fields.get(attribute), serializers.JSONField
            ):
                return False
            if not hasattr(instance, attribute) or getattr(instance, attribute) != value:
                return False
        return True

    def columns(self, viewset: Any, name: str) -> frozenset[str] | None:
        """The columns that a serializer field stands for; ``None`` where they cannot be told."""
        field = self.fields(viewset).get(name)
        if field is None or not isinstance(field.source, str) or "." in field.source:
            return None
        known: list[Any] = [*self.model._meta.concrete_fields, *self.model._meta.many_to_many]
        for candidate in known:
            if field.source in (candidate.name, getattr(candidate, "attname", None)):
                return frozenset({candidate.column or candidate.name, candidate.name})
        return None

    def is_set(self, viewset: Any, name: str) -> bool:
        """Whether the field is a list of references, whose order means nothing."""
        return isinstance(self.fields(viewset).get(name), serializers.ManyRelatedField)


def _among(ids: Sequence[uuid.UUID]) -> tuple[str, list[Any]]:
    """SQL for being among these ids, and its one parameter."""
    if connection().vendor == "postgresql":
        return "= ANY(%s)", [list(ids)]
    return "IN (SELECT value FROM json_each(%s))", [json.dumps([id.hex for id in ids])]


@contextlib.contextmanager
def in_range() -> Iterator[None]:
    """A context for validation: raise ``ValidationFailed`` for a value that overflows."""
    try:
        yield
    except (OverflowError, UnicodeError):
        problem = {"code": "invalid", "detail": "A value is out of all range."}
        raise errors.ValidationFailed(errors={"non_field_errors": [problem]}) from None


def refuse_unsayable(fields: Json) -> None:
    """Raise ``ValidationFailed`` for values that no record could tell of later.

    JSON reads 1e999 as an infinity and writes none; it reads half a surrogate and UTF-8
    has no bytes for it. DRF makes numbers of the texts “nan” and “inf”.
    """
    wrong = [name for name, value in fields.items() if not sayable(value)]
    if wrong:
        wrong.sort()
        told = [{"code": "invalid", "detail": "JSON in UTF-8 cannot say this value."}]
        raise errors.ValidationFailed(errors=dict.fromkeys(wrong, told))


def sayable(value: Any) -> bool:
    """Whether JSON in UTF-8 has words for all that is in a value."""
    if isinstance(value, str):
        return value.isascii() or encodable(value)
    if value is None or value is True or value is False:
        return True
    if isinstance(value, (int, float)):
        return abs(value) <= sys.float_info.max  # what a Python float and a JavaScript number hold
    if isinstance(value, dict):
        return all(sayable(key) and sayable(inner) for key, inner in value.items())
    if isinstance(value, (list, tuple)):
        return all(map(sayable, value))
    return True


def encodable(text: str) -> bool:
    """Whether UTF-8 has bytes for a text: it has none for half a surrogate."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
