"""Carry one mutation out through the project's own DRF code, or say why not.

The row is locked before revisions are compared; permissions are those of the
REST call that the mutation stands for; afterwards the object must lie where its
writer may see and write. The caller of this file holds the savepoint.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import errors, feed
from .caller import Caller
from .collection import CREATE, DELETE, UPDATE, Action, Collection
from .merge import Trail, find_overlap, same
from .protocol import Conflict, ConflictKind, Json, Mutation, Record, Status, Write

Spans = tuple[tuple[int, int], ...]
"""Revisions (above, up to) of one object that the asking client made."""
OwnSpans = Callable[[str, uuid.UUID, int], Spans]
"""From a model's label, an object's id and a base to the spans above that base."""


class Met(Exception):
    """Two writes met, and no resolver settles them."""

    def __init__(self, conflict: Conflict) -> None:
        super().__init__(conflict.kind)
        self.conflict = conflict


@dataclass(frozen=True, slots=True)
class Effect:
    """What a mutation did: revisions ``before`` (exclusive) to ``revision`` are its own."""

    status: Status
    before: int
    revision: int | None
    record: Json | None


def tombstone(collection: Collection, id: uuid.UUID, revision: int) -> Json:
    """The record of a deleted object."""
    return {"collection": collection.name, "id": str(id), "revision": revision, "deleted": True}


class Writer:
    """Writes for one caller; ``own_spans`` tells which revisions the same client made."""

    def __init__(self, caller: Caller, epoch: str, own_spans: OwnSpans) -> None:
        self.caller = caller
        self.epoch = epoch
        self.own_spans = own_spans

    def carry_out(self, collection: Collection, mutation: Mutation, *, strict: bool) -> Effect:
        """Do what the mutation asks.

        ``strict`` takes any newer revision for a conflict, as ``If-Match`` does. Raises
        ``Met`` for a conflict and a ``SyncError`` where the mutation is refused.
        """
        match mutation.op:
            case Write.CREATE:
                return self._create(collection, mutation)
            case Write.UPDATE:
                return self._update(collection, mutation, strict)
            case Write.DELETE:
                return self._delete(collection, mutation, strict)

    # The three writes

    def _create(self, collection: Collection, mutation: Mutation) -> Effect:
        id = mutation.object_id
        viewset = collection.viewset(self.caller, CREATE, data=mutation.fields)
        self._offers(collection, "create")
        collection.permit(viewset)
        if id in collection.existing([id]):
            return self._exists(collection, mutation)
        trace = feed.tombstones(collection.label, [id]).get(id)
        if trace is not None and collection.sees_scope(self.caller, trace.scope):
            gone = tombstone(collection, id, trace.revision)
            raise Met(
                self._conflict(ConflictKind.UPDATE_DELETE, mutation, tuple(mutation.fields), gone)
            )
        serializer = collection.validated(viewset, mutation.fields, id=id)
        collection.create(viewset, serializer)
        feed.check_constraints()
        landed = self._landed(collection, id, CREATE)
        before = 0 if trace is None else trace.revision
        return self._effect(collection, landed, before, Status.APPLIED)

    def _exists(self, collection: Collection, mutation: Mutation) -> Effect:
        """The id is taken: by the same content, by another, or by what is not to be seen."""
        instance = collection.find(self.caller, mutation.object_id)
        if instance is None:
            raise errors.AlreadyExists
        record = self._record(collection, instance)
        wanted = self._wanted(collection, mutation.fields, record)
        if wanted:
            server = record.to_json()
            raise Met(self._conflict(ConflictKind.CREATE_CREATE, mutation, tuple(wanted), server))
        revision = instance.sync_revision
        return Effect(Status.APPLIED, revision, revision, record.to_json())

    def _update(self, collection: Collection, mutation: Mutation, strict: bool) -> Effect:
        viewset = collection.viewset(
            self.caller, UPDATE, data=mutation.fields, id=mutation.object_id
        )
        instance = self._locked(collection, mutation, viewset, UPDATE)
        if instance is None:
            return self._already_gone(collection, mutation)
        record = self._record(collection, instance)
        collection.check_names(viewset, mutation.fields)
        wanted = self._wanted(collection, mutation.fields, record)
        self._check_overlap(collection, viewset, mutation, record, list(wanted), strict)
        current = instance.sync_revision
        unchanged = Effect(Status.APPLIED, current, current, record.to_json())
        if not wanted:
            return unchanged
        serializer = collection.validated(viewset, wanted, instance=instance)
        if collection.is_idle(instance, serializer):
            return unchanged
        collection.update(viewset, serializer)
        feed.check_constraints()
        landed = self._landed(collection, mutation.object_id, UPDATE)
        status = Status.APPLIED if mutation.base_revision == current else Status.MERGED
        return self._effect(collection, landed, current, status)

    def _delete(self, collection: Collection, mutation: Mutation, strict: bool) -> Effect:
        viewset = collection.viewset(self.caller, DELETE, id=mutation.object_id)
        instance = self._locked(collection, mutation, viewset, DELETE)
        if instance is None:
            return self._already_gone(collection, mutation)
        record = self._record(collection, instance)
        self._check_overlap(collection, viewset, mutation, record, list(record.object), strict)
        current, id = instance.sync_revision, mutation.object_id
        collection.destroy(viewset, instance)
        feed.check_constraints()
        if id in collection.existing([id]):
            return self._still_there(collection, id, current)
        trace = feed.tombstones(collection.label, [id]).get(id)
        revision = current + 1 if trace is None else trace.revision
        return Effect(Status.APPLIED, current, revision, tombstone(collection, id, revision))

    def _still_there(self, collection: Collection, id: uuid.UUID, before: int) -> Effect:
        """The project deletes by marking: the object is hidden now, or only changed."""
        instance = collection.find(self.caller, id)
        if instance is None:
            return Effect(Status.APPLIED, before, None, None)
        return self._effect(collection, instance, before, Status.APPLIED)

    # Before the write

    def _offers(self, collection: Collection, operation: str) -> None:
        if not collection.offers(operation):
            raise errors.PermissionDenied("This collection does not offer that.")

    def _locked(
        self, collection: Collection, mutation: Mutation, viewset: Any, action: Action
    ) -> Any:
        """The visible instance with its row locked, or ``None`` where it is gone.

        Seen first and locked then, so that nobody waits on what is hidden from them;
        read again where somebody wrote in between.
        """
        instance = collection.find(self.caller, mutation.object_id)
        if instance is None:
            return None
        revision = collection.lock(mutation.object_id)
        if revision != instance.sync_revision:
            instance = collection.find(self.caller, mutation.object_id)
        if instance is not None:
            self._offers(collection, str(mutation.op))
            collection.permit(viewset, instance)
            scope = instance.sync_scope
            if not collection.may_write_scope(self.caller, action, scope):
                raise errors.PermissionDenied("You may not write here.")
        return instance

    def _already_gone(self, collection: Collection, mutation: Mutation) -> Effect:
        """Deleted for all to see, or nothing that this user may know of."""
        id = mutation.object_id
        trace = feed.tombstones(collection.label, [id]).get(id)
        known = trace is not None and collection.sees_scope(self.caller, trace.scope)
        if trace is None or not known or id in collection.existing([id]):
            raise errors.NotFound
        gone = tombstone(collection, id, trace.revision)
        if mutation.op is Write.DELETE:
            return Effect(Status.APPLIED, trace.revision, trace.revision, gone)
        fields = tuple(mutation.fields)
        raise Met(self._conflict(ConflictKind.UPDATE_DELETE, mutation, fields, gone))

    def _wanted(self, collection: Collection, fields: Json, record: Record) -> Json:
        """The fields that ask for another value than they have."""
        viewset = collection.viewset(self.caller, UPDATE)
        found: Json = {}
        for name, value in fields.items():
            now = record.object.get(name)
            if name in record.object and same(value, now):
                continue
            if isinstance(value, list) and isinstance(now, list) and len(value) == len(now):
                unordered = collection.is_set(viewset, name)
                if unordered and sorted(map(str, value)) == sorted(map(str, now)):
                    continue
            found[name] = value
        return found

    def _check_overlap(
        self,
        collection: Collection,
        viewset: Any,
        mutation: Mutation,
        record: Record,
        names: list[str],
        strict: bool,
    ) -> None:
        """Raise ``Met`` where somebody else changed what this mutation stands on."""
        current = record.revision
        if mutation.base_revision == current and mutation.epoch in (None, self.epoch):
            return
        if strict:
            raise errors.RevisionConflict(record=record.to_json())
        overlap = find_overlap(
            self._trail(collection, mutation, current),
            names,
            lambda name: collection.columns(viewset, name),
            mutation.base,
            record.object,
        )
        if not overlap:
            return
        kind = overlap.kind
        if mutation.op is Write.DELETE and kind is ConflictKind.UPDATE_UPDATE:
            kind = ConflictKind.DELETE_UPDATE
        raise Met(self._conflict(kind, mutation, overlap.fields, record.to_json()))

    def _trail(self, collection: Collection, mutation: Mutation, current: int) -> Trail:
        base = mutation.base_revision or 0
        matches = mutation.epoch == self.epoch or (mutation.epoch is None and base == 0)
        if not matches or base > current:
            return Trail(base, current, (), (), epoch_matches=False)
        steps = feed.history(collection.label, mutation.object_id, base, current)
        own = self.own_spans(collection.label, mutation.object_id, base)
        return Trail(base, current, tuple(steps), own)

    # After the write

    def _landed(self, collection: Collection, id: uuid.UUID, action: Action) -> Any:
        """The instance as it is now, if it lies where this user may see and write it."""
        instance = collection.queryset(self.caller).filter(**{collection.id_name: id}).first()
        scope = collection.scope_of(id) if instance is None else instance.sync_scope
        if not collection.sees_scope(self.caller, scope):
            name = collection.scope_field
            told = {"code": "does_not_exist", "detail": "There is no such object."}
            raise errors.ValidationFailed(errors={name: [told]})
        if instance is None or not collection.may_write_scope(self.caller, action, str(scope)):
            raise errors.PermissionDenied("You may not write there.")
        return instance

    def _effect(self, collection: Collection, instance: Any, before: int, status: Status) -> Effect:
        record = self._record(collection, instance)
        if record.revision == before:
            status = Status.APPLIED
        return Effect(status, before, record.revision, record.to_json())

    def _record(self, collection: Collection, instance: Any) -> Record:
        return collection.render(self.caller, [instance])[0]

    def _conflict(
        self, kind: ConflictKind, mutation: Mutation, fields: tuple[str, ...], server: Json
    ) -> Conflict:
        return Conflict(
            kind, fields, mutation.base_revision, mutation.base, server, dict(mutation.fields)
        )
