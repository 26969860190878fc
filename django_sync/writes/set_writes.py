"""The three kinds of runs: creates, updates and deletes."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import signals
from django.db.models.deletion import Collector

from .. import errors
from ..conf import conf
from ..drf.collection import CREATE, DELETE, UPDATE
from ..drf.exceptions import translated
from ..feed import log as feed_log
from ..protocol import Mutation, Status, Write
from . import inspection
from .apply import Effect, tombstone
from .errors import RunSingly
from .set_write import Outcome, SetWrite
from .statements import names_any


class Creates(SetWrite):
    """New objects, none of whose ids is in use."""

    action, operation = CREATE, "create"

    def outcomes(self) -> list[Outcome]:
        self._check_ids()
        first = self.viewset(self.mutations[0])
        self.begin(first)
        made = self.serializers(first)

        def act(mutation: Mutation) -> Mutation:
            viewset = self.viewset(mutation)
            self.permit(viewset)
            self.check_names(made, viewset, mutation)
            serializer = made.valid(viewset, mutation.fields, id=mutation.object_id)
            self.collection.create(viewset, serializer)
            return mutation

        told = self.each(act)
        found = self.landed([one.object_id for one in told if isinstance(one, Mutation)])
        return [
            self.writer.effect(found[one.object_id], 0) if isinstance(one, Mutation) else one
            for one in told
        ]

    def viewset(self, mutation: Mutation) -> Any:
        return self.collection.viewset(self.caller, CREATE, data=mutation.fields)

    def _check_ids(self) -> None:
        if self.collection.any_in_use(self.ids):
            located = self.collection.located(self.ids)
            raise RunSingly({*located, *feed_log.tombstones(self.collection.label, self.ids)})


class OnRows(SetWrite):
    """What updates and deletes have in common: their rows are there, and locked."""

    rows: dict[uuid.UUID, Any]

    def lock(self) -> None:
        """Read and lock the rows, in the order of their ids; all must be as the client saw them."""
        seen = self.collection.find_many(self.caller, self.ids, shape=False)
        self.rows = {one.sync_id: one for one in seen}
        if len(self.rows) != len(self.ids):
            raise RunSingly(set(self.ids) - self.rows.keys())
        self.before = {id: one.sync_revision for id, one in self.rows.items()}
        old = {
            m.object_id
            for m in self.mutations
            if not self.writer.knows(m, self.before[m.object_id])
        }
        if old:
            raise RunSingly(old)
        if self.collection.lock_many(self.ids, self.before) != self.before:
            raise RunSingly  # somebody wrote in between

    def key_of(self, mutation: Mutation) -> Any:
        pk = self.collection.model._meta.pk
        key = self.rows[mutation.object_id].pk
        return pk.get_db_prep_save(key, connection=self.db)

    def revision_before(self, mutation: Mutation) -> int:
        revision: int = self.before[mutation.object_id]
        return revision

    def check_permitted(self, viewset: Any, instance: Any) -> None:
        self.permit(viewset, instance)
        if not self.access.may_write(instance.sync_scope):
            raise errors.PermissionDenied("You may not write here.")

    def ask_scopes(self) -> None:
        """Ask before the first write, so that no question comes between two delayed saves."""
        for scope in {one.sync_scope for one in self.rows.values()}:
            self.access.may_write(scope)


class Updates(OnRows):
    """Changes of objects that the client knows in their newest revision."""

    action, operation = UPDATE, "update"

    def outcomes(self) -> list[Outcome]:
        first = self.viewset(self.mutations[0])
        self.begin(first)
        self.lock()
        self.ask_scopes()
        records = self.records(self.ids)
        if len(records) != len(self.ids):
            raise RunSingly(set(self.ids) - records.keys())
        made = self.serializers(first)

        def act(mutation: Mutation) -> Mutation | Effect:
            viewset, instance = self.viewset(mutation), self.rows[mutation.object_id]
            self.check_permitted(viewset, instance)
            self.check_names(made, viewset, mutation)
            record = records[mutation.object_id]
            wanted = self.writer.wanted(self.collection, viewset, mutation.fields, record)
            if not wanted:
                return self.writer.unchanged(record, None)
            serializer = made.valid(viewset, wanted, instance=instance)
            if self.collection.is_noop(instance, serializer):
                return self.writer.unchanged(record, None)
            self.collection.update(viewset, serializer)
            return mutation

        told = self.each(act)
        found = self.landed([one.object_id for one in told if isinstance(one, Mutation)])
        return [
            self.writer.effect(found[one.object_id], self.before[one.object_id])
            if isinstance(one, Mutation)
            else one
            for one in told
        ]


class Deletes(OnRows):
    """Deletes that are Django's own, of objects that the client knows in their newest revision."""

    action, operation = DELETE, "delete"

    def outcomes(self) -> list[Outcome]:
        if not inspection.deletes_plainly(self.collection.viewset_class, self.collection.model):
            raise RunSingly(lasting=True)
        self.begin(self.viewset(self.mutations[0]))
        self.lock()
        self.ask_scopes()

        def act(mutation: Mutation) -> Mutation:
            viewset = None if self.shares_permissions else self.viewset(mutation)
            self.check_permitted(viewset, self.rows[mutation.object_id])
            return mutation

        told = self.each(act)
        gone = [one.object_id for one in told if isinstance(one, Mutation)]
        self._delete(gone)
        return [self._effect(one) if isinstance(one, Mutation) else one for one in told]

    def _delete(self, ids: list[uuid.UUID]) -> None:
        with translated():
            collector = Collector(using=conf.DATABASE)
            collector.collect([self.rows[id] for id in ids])
        self._check_alone(collector)
        with translated():
            collector.delete()
        feed_log.check_constraints()
        if self.collection.any_there(ids):
            raise RunSingly(lasting=True)
        self.traces = feed_log.tombstones(self.collection.label, ids)
        if any(id in self.traces and self.traces[id].revision != self.before[id] + 1 for id in ids):
            raise RunSingly(lasting=True)

    def _check_alone(self, collector: Any) -> None:
        """One by one, each is judged after the one before it is gone: that must not matter."""
        stirred = {*collector.data, *(rows.model for rows in collector.fast_deletes)}
        stirred |= {field.model for field, _ in collector.field_updates}
        tables = {model._meta.db_table for model in stirred}
        own = self.statements.tables.own
        if any(map(_listened, stirred)) or self.statements.written:
            raise RunSingly(lasting=True)
        if names_any(self.statements.reads, {*tables, own}):
            raise RunSingly(lasting=True)
        self.access.check_untouched(tables)

    def _effect(self, mutation: Mutation) -> Effect:
        id, current = mutation.object_id, self.before[mutation.object_id]
        trace = self.traces.get(id)
        revision = current + 1 if trace is None else trace.revision
        gone = tombstone(self.collection, id, revision)
        return Effect(Status.APPLIED, current, revision, gone, self.rows[id].sync_scope, None)


def _listened(model: Any) -> bool:
    return any(s.has_listeners(model) for s in (signals.pre_delete, signals.post_delete))


KINDS: dict[Write, type[SetWrite]] = {
    Write.CREATE: Creates,
    Write.UPDATE: Updates,
    Write.DELETE: Deletes,
}
