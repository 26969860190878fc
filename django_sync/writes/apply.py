"""Carry one mutation out through the project's own DRF code, or say why not.

The row is locked before revisions are compared; permissions are those of the
REST call that the mutation stands for; afterwards the object must lie where its
writer may see and write. The caller of this file holds the savepoint.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from django.utils import timezone

from .. import errors
from ..drf.caller import Caller
from ..drf.collection import CREATE, DELETE, UPDATE, Action, Collection
from ..feed import log as feed_log
from ..feed.fate import deletion_of
from ..merge import Trail, find_overlap, same
from ..protocol import (
    Conflict,
    ConflictKind,
    Json,
    Kept,
    Mutation,
    ReadyRecord,
    Record,
    Status,
    Write,
)
from .resolve import Settlement, Settler

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
    """What a mutation did: revisions ``before`` (exclusive) to ``revision`` are its own.

    ``settlement`` tells what resolvers decided, where there was an overlap.
    """

    status: Status
    before: int
    revision: int | None
    record: Json | ReadyRecord | None
    scope: str | None = None
    settlement: Settlement | None = None


def tombstone(collection: Collection, id: uuid.UUID, revision: int) -> Json:
    """The record of a deleted object."""
    return {"collection": collection.name, "id": str(id), "revision": revision, "deleted": True}


def _as_sent(record: Record) -> Json | ReadyRecord:
    """The record as a result carries it: the database's text stays text."""
    return record if isinstance(record, ReadyRecord) else record.to_json()


class Writer:
    """Writes for one caller; ``own_spans`` tells which revisions the same client made."""

    def __init__(self, caller: Caller, epoch: str, own_spans: OwnSpans) -> None:
        self.caller = caller
        self.epoch = epoch
        self.own_spans = own_spans

    def carry_out(
        self, collection: Collection, mutation: Mutation, *, strict: bool, unused: bool = False
    ) -> Effect:
        """Do what the mutation asks.

        ``strict`` takes any newer revision for a conflict, as ``If-Match`` does; ``unused`` says
        of a create that its id has neither a row nor a tombstone. Raises ``Met`` for a conflict
        and a ``SyncError`` where the mutation is refused.
        """
        match mutation.op:
            case Write.CREATE:
                return self._create(collection, mutation, unused)
            case Write.UPDATE:
                return self._update(collection, mutation, strict)
            case Write.DELETE:
                return self._delete(collection, mutation, strict)

    # The three writes

    def _create(self, collection: Collection, mutation: Mutation, unused: bool) -> Effect:
        id = mutation.object_id
        viewset = collection.viewset(self.caller, CREATE, data=mutation.fields)
        self._offers(collection, "create")
        collection.permit(viewset)
        if unused:
            return self._made(collection, viewset, mutation, 0)
        if id in collection.existing([id]):
            return self._exists(collection, mutation)
        trace = feed_log.tombstones(collection.label, [id]).get(id)
        if trace is not None and collection.sees_scope(self.caller, trace.scope):
            gone = tombstone(collection, id, trace.revision)
            raise Met(
                self._conflict(ConflictKind.UPDATE_DELETE, mutation, tuple(mutation.fields), gone)
            )
        return self._made(collection, viewset, mutation, 0 if trace is None else trace.revision)

    def _made(
        self, collection: Collection, viewset: Any, mutation: Mutation, before: int
    ) -> Effect:
        """Create the object, whose last revision was ``before``."""
        id = mutation.object_id
        serializer = collection.validated(viewset, mutation.fields, id=id)
        collection.create(viewset, serializer)
        feed_log.check_constraints()
        return self.effect(self._landed(collection, id, CREATE), before)

    def _exists(self, collection: Collection, mutation: Mutation) -> Effect:
        """The id is taken: by the same content, by another, or by what is not to be seen."""
        seen = collection.seen(self.caller, [mutation.object_id])
        if not seen:
            raise errors.AlreadyExists
        record = seen[0]
        viewset = collection.viewset(self.caller, UPDATE)
        wanted = self.wanted(collection, viewset, mutation.fields, record)
        if wanted:
            server = record.to_json()
            raise Met(self._conflict(ConflictKind.CREATE_CREATE, mutation, tuple(wanted), server))
        return self.unchanged(record, None)

    def _update(self, collection: Collection, mutation: Mutation, strict: bool) -> Effect:
        viewset = collection.viewset(
            self.caller, UPDATE, data=mutation.fields, id=mutation.object_id
        )
        instance = self._locked(collection, mutation, viewset, UPDATE)
        if instance is None:
            return self._already_gone(collection, mutation, strict)
        record = self._record(collection, instance)
        collection.check_names(viewset, mutation.fields)
        wanted = self.wanted(collection, viewset, mutation.fields, record)
        settlement = self._settled(collection, viewset, mutation, record, list(wanted), strict)
        if settlement is not None:
            left = {name: settlement.fields[name] for name in wanted}
            wanted = self.wanted(collection, viewset, left, record)
        current = instance.sync_revision
        unchanged = self.unchanged(record, settlement)
        if not wanted:
            return unchanged
        serializer = collection.validated(viewset, wanted, instance=instance)
        if collection.is_noop(instance, serializer):
            return unchanged
        collection.update(viewset, serializer)
        feed_log.check_constraints()
        landed = self._landed(collection, mutation.object_id, UPDATE)
        status = Status.APPLIED if mutation.base_revision == current else Status.MERGED
        return self.effect(landed, current, status, settlement)

    def _delete(self, collection: Collection, mutation: Mutation, strict: bool) -> Effect:
        viewset = collection.viewset(self.caller, DELETE, id=mutation.object_id)
        instance = self._locked(collection, mutation, viewset, DELETE)
        if instance is None:
            return self._already_gone(collection, mutation, strict)
        record = self._record(collection, instance)
        names = list(record.object)
        settlement = self._settled(collection, viewset, mutation, record, names, strict)
        if settlement is not None and settlement.kept is Kept.SERVER:
            return self.unchanged(record, settlement)
        current, id = instance.sync_revision, mutation.object_id
        collection.destroy(viewset, instance)
        feed_log.check_constraints()
        if id in collection.existing([id]):
            return self._still_there(collection, id, current)
        trace = feed_log.tombstones(collection.label, [id]).get(id)
        revision = current + 1 if trace is None else trace.revision
        status = Status.APPLIED if settlement is None else Status.MERGED
        gone = tombstone(collection, id, revision)
        return Effect(status, current, revision, gone, record.scope, settlement)

    def _still_there(self, collection: Collection, id: uuid.UUID, before: int) -> Effect:
        """The project deletes by marking: the object is hidden now, or only changed."""
        seen = collection.seen(self.caller, [id])
        if not seen:
            return Effect(Status.APPLIED, before, None, None)
        return self.effect(seen[0], before)

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
        instance = collection.find(self.caller, mutation.object_id, shape=False)
        if instance is None:
            return None
        revision = collection.lock(mutation.object_id, instance.sync_revision)
        if revision != instance.sync_revision:
            instance = collection.find(self.caller, mutation.object_id, shape=False)
        if instance is not None:
            self._offers(collection, str(mutation.op))
            collection.permit(viewset, instance)
            scope = instance.sync_scope
            if not collection.may_write_scope(self.caller, action, scope):
                raise errors.PermissionDenied("You may not write here.")
        return instance

    def _already_gone(self, collection: Collection, mutation: Mutation, strict: bool) -> Effect:
        """Deleted for all to see, or nothing that this user may know of."""
        id = mutation.object_id
        trace = deletion_of(collection, self.caller, id)
        if trace is None:
            raise errors.NotFound
        gone = tombstone(collection, id, trace.revision)
        if mutation.op is Write.DELETE:
            return Effect(Status.APPLIED, trace.revision, trace.revision, gone)
        kind, fields = ConflictKind.UPDATE_DELETE, tuple(mutation.fields)
        conflict = self._conflict(kind, mutation, fields, gone)
        if strict:
            raise Met(conflict)
        if self.knows(mutation, trace.revision):
            return self._restored(collection, mutation, trace)
        trail = self._trail(collection, mutation, trace.revision)
        settlement = Settler(collection, mutation, trail, timezone.now()).whole(kind, None)
        if settlement is None:
            raise Met(conflict)
        if settlement.kept is Kept.CLIENT:
            try:
                return replace(
                    self._restored(collection, mutation, trace),
                    status=Status.MERGED,
                    settlement=settlement,
                )
            except errors.ValidationFailed as error:  # what was not sent is gone for good
                raise Met(conflict) from error
        return Effect(Status.MERGED, trace.revision, trace.revision, gone, trace.scope, settlement)

    def _restored(
        self, collection: Collection, mutation: Mutation, trace: feed_log.Trace
    ) -> Effect:
        """Bring a deleted object back: who knows of its end asks for it with all its fields.

        A client cannot tell which fields of a record the server alone writes, so those
        are passed over here.
        """
        viewset = collection.viewset(self.caller, CREATE, data=mutation.fields)
        self._offers(collection, "create")
        collection.permit(viewset)
        if self.knows(mutation, trace.revision):
            mutation = replace(mutation, fields=collection.writable(viewset, mutation.fields))
        return self._made(collection, viewset, mutation, trace.revision)

    def wanted(self, collection: Collection, viewset: Any, fields: Json, record: Record) -> Json:
        """The fields that ask for another value than they have."""
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

    def knows(self, mutation: Mutation, current: int) -> bool:
        """Whether the mutation was made on the newest revision."""
        return mutation.base_revision == current and mutation.epoch in (None, self.epoch)

    def _settled(
        self,
        collection: Collection,
        viewset: Any,
        mutation: Mutation,
        record: Record,
        names: list[str],
        strict: bool,
    ) -> Settlement | None:
        """How resolvers settled what others changed of these fields; ``None``: nothing was.

        Raises ``Met`` where they leave a field open.
        """
        if self.knows(mutation, record.revision):
            return None
        if strict:
            raise errors.RevisionConflict(record=record.to_json())
        trail = self._trail(collection, mutation, record.revision)
        columns = {name: collection.columns(viewset, name) for name in names}
        overlap = find_overlap(trail, names, columns.__getitem__, mutation.base, record.object)
        if not overlap:
            return None
        settler = Settler(collection, mutation, trail, timezone.now())
        if mutation.op is Write.DELETE:
            kind = overlap.kind
            if kind is ConflictKind.UPDATE_UPDATE:
                kind = ConflictKind.DELETE_UPDATE
            settlement = settler.whole(kind, record.object)
        else:
            kind = overlap.kind
            settlement = settler.fields(kind, overlap.fields, record.object, columns)
        if settlement is None:
            raise Met(self._conflict(kind, mutation, overlap.fields, record.to_json()))
        return settlement

    def _trail(self, collection: Collection, mutation: Mutation, current: int) -> Trail:
        base = mutation.base_revision or 0
        matches = mutation.epoch == self.epoch or (mutation.epoch is None and base == 0)
        if not matches or base > current:
            return Trail(base, current, (), (), epoch_matches=False)
        steps = feed_log.history(collection.label, mutation.object_id, base - 1, current)
        own = self.own_spans(collection.label, mutation.object_id, base)
        above = tuple(step for step in steps if step.revision > base)
        base_at = next((step.at for step in steps if step.revision == base), None)
        return Trail(base, current, above, own, base_at=base_at)

    # After the write

    def _landed(self, collection: Collection, id: uuid.UUID, action: Action) -> Record:
        """The record as it is now, if it lies where this user may see and write it."""
        record = collection.record(self.caller, id)
        scope = collection.scope_of(id) if record is None else record.scope
        if not collection.sees_scope(self.caller, scope):
            name = collection.scope_field
            told = {"code": "does_not_exist", "detail": "There is no such object."}
            raise errors.ValidationFailed(errors={name: [told]})
        if record is None or not collection.may_write_scope(self.caller, action, str(scope)):
            raise errors.PermissionDenied("You may not write there.")
        return record

    def effect(
        self,
        record: Record,
        before: int,
        status: Status = Status.APPLIED,
        settlement: Settlement | None = None,
    ) -> Effect:
        """What a write did, whose object had revision ``before`` and looks like this now."""
        if record.revision == before and settlement is None:
            status = Status.APPLIED
        return Effect(status, before, record.revision, _as_sent(record), record.scope, settlement)

    def unchanged(self, record: Record, settlement: Settlement | None) -> Effect:
        """Nothing was left to write."""
        status = Status.APPLIED if settlement is None else Status.MERGED
        now = record.revision
        return Effect(status, now, now, _as_sent(record), record.scope, settlement)

    def _record(self, collection: Collection, instance: Any) -> Record:
        """The record of a locked instance."""
        made = collection.record(self.caller, instance.sync_id)
        if made is None:
            raise errors.NotFound
        return made

    def _conflict(
        self, kind: ConflictKind, mutation: Mutation, fields: tuple[str, ...], server: Json
    ) -> Conflict:
        return Conflict(
            kind, fields, mutation.base_revision, mutation.base, server, dict(mutation.fields)
        )
