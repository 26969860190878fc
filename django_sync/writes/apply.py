"""Carry out one mutation through the project's own DRF code, or refuse it.

The row is locked before revisions are compared. The permissions are those of the REST call that
the mutation corresponds to. After the write, the object must be where its writer may see and write
it. The caller of this file holds the savepoint.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
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
from .resolve import MutationResolver, ResolvedOverlap

Spans = tuple[tuple[int, int], ...]
"""Revisions (above, up to) of one object that the asking client made."""
OwnSpans = Callable[[str, uuid.UUID, int], Spans]
"""From a model's label, an object's id and a base to the spans above that base."""


class ConflictFound(Exception):
    """Two writes overlap, and no resolver resolves it."""

    def __init__(self, conflict: Conflict) -> None:
        super().__init__(conflict.kind)
        self.conflict = conflict


@dataclass(frozen=True, slots=True)
class Effect:
    """What a mutation did: revisions ``before`` (exclusive) to ``revision`` are its own.

    ``resolved`` is what resolvers decided, if there was an overlap.
    """

    status: Status
    before: int
    revision: int | None
    record: Json | ReadyRecord | None
    scope: str | None = None
    resolved: ResolvedOverlap | None = None


def effect_of(
    record: Record,
    before: int,
    status: Status = Status.APPLIED,
    resolved: ResolvedOverlap | None = None,
) -> Effect:
    """Return the effect of a write; the object had revision ``before`` and is ``record`` now."""
    if record.revision == before and resolved is None:
        status = Status.APPLIED
    return Effect(status, before, record.revision, _as_sent(record), record.scope, resolved)


def unchanged(record: Record, resolved: ResolvedOverlap | None = None) -> Effect:
    """Return the effect of a mutation that left nothing to write."""
    status = Status.APPLIED if resolved is None else Status.MERGED
    now = record.revision
    return Effect(status, now, now, _as_sent(record), record.scope, resolved)


def _as_sent(record: Record) -> Json | ReadyRecord:
    """Return the record as a result carries it: the database's text stays text."""
    return record if isinstance(record, ReadyRecord) else record.to_json()


def tombstone(collection: Collection, id: uuid.UUID, revision: int) -> Json:
    """Return the record of a deleted object."""
    return {"collection": collection.name, "id": str(id), "revision": revision, "deleted": True}


def changed_fields(collection: Collection, viewset: Any, fields: Json, record: Record) -> Json:
    """Return the fields that ask for another value than the record has."""
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


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes for one caller in one transaction.

    ``own_spans`` says which revisions of an object the same client made.
    """

    caller: Caller
    epoch: str
    own_spans: OwnSpans

    def carry_out(
        self, collection: Collection, mutation: Mutation, *, strict: bool, unused: bool = False
    ) -> Effect:
        """Do what the mutation asks.

        ``strict``: any newer revision is a conflict, as with ``If-Match``. ``unused``: the id of a
        create has neither a row nor a tombstone. Raises ``ConflictFound`` for a conflict and a
        ``SyncError`` if the mutation is refused.
        """
        return MutationWrite(self, collection, mutation, strict, unused).carry_out()

    def is_on_newest(self, mutation: Mutation, current: int) -> bool:
        """Whether the mutation was made on the newest revision."""
        return mutation.base_revision == current and mutation.epoch in (None, self.epoch)


@dataclass(frozen=True, slots=True)
class MutationWrite:
    """One mutation that is carried out now; see ``Writer.carry_out``."""

    writer: Writer
    collection: Collection
    mutation: Mutation
    strict: bool
    unused: bool

    @property
    def caller(self) -> Caller:
        return self.writer.caller

    @property
    def id(self) -> uuid.UUID:
        """The object's id."""
        return self.mutation.object_id

    def carry_out(self) -> Effect:
        match self.mutation.op:
            case Write.CREATE:
                return self._create()
            case Write.UPDATE:
                return self._update()
            case Write.DELETE:
                return self._delete()

    # The three writes

    def _create(self) -> Effect:
        viewset = self._viewset_to_create()
        fields = self.mutation.fields
        if self.unused:
            return self._insert(viewset, fields, 0)
        if self.id in self.collection.existing([self.id]):
            return self._compare_with_existing()
        trace = self._trace()
        if trace is not None and self.collection.sees_scope(self.caller, trace.scope):
            gone = tombstone(self.collection, self.id, trace.revision)
            raise self._conflict(ConflictKind.UPDATE_DELETE, fields, gone)
        return self._insert(viewset, fields, 0 if trace is None else trace.revision)

    def _viewset_to_create(self) -> Any:
        viewset = self.collection.viewset(self.caller, CREATE, data=self.mutation.fields)
        self._check_offered("create")
        self.collection.permit(viewset)
        return viewset

    def _insert(self, viewset: Any, fields: Json, before: int) -> Effect:
        """Create the object, whose last revision was ``before``."""
        serializer = self.collection.validated(viewset, fields, id=self.id)
        self.collection.create(viewset, serializer)
        feed_log.check_constraints()
        return effect_of(self._record_after_write(CREATE), before)

    def _compare_with_existing(self) -> Effect:
        """The id is in use: by the same content, by other content, or by a hidden object."""
        seen = self.collection.seen(self.caller, [self.id])
        if not seen:
            raise errors.AlreadyExists
        record = seen[0]
        viewset = self.collection.viewset(self.caller, UPDATE)
        changed = changed_fields(self.collection, viewset, self.mutation.fields, record)
        if changed:
            raise self._conflict(ConflictKind.CREATE_CREATE, changed, record.to_json())
        return unchanged(record)

    def _update(self) -> Effect:
        collection, mutation = self.collection, self.mutation
        viewset = collection.viewset(self.caller, UPDATE, data=mutation.fields, id=self.id)
        instance = self._locked(viewset, UPDATE)
        if instance is None:
            return self._write_to_deleted()
        record = self._record()
        collection.check_names(viewset, mutation.fields)
        changed = changed_fields(collection, viewset, mutation.fields, record)
        resolved = self._resolved(viewset, record, list(changed))
        if resolved is not None:
            left = {name: resolved.fields[name] for name in changed}
            changed = changed_fields(collection, viewset, left, record)
        current = instance.sync_revision
        nothing_written = unchanged(record, resolved)
        if not changed:
            return nothing_written
        serializer = collection.validated(viewset, changed, instance=instance)
        if collection.is_noop(instance, serializer):
            return nothing_written
        collection.update(viewset, serializer)
        feed_log.check_constraints()
        after = self._record_after_write(UPDATE)
        status = Status.APPLIED if mutation.base_revision == current else Status.MERGED
        return effect_of(after, current, status, resolved)

    def _delete(self) -> Effect:
        viewset = self.collection.viewset(self.caller, DELETE, id=self.id)
        instance = self._locked(viewset, DELETE)
        if instance is None:
            return self._write_to_deleted()
        record = self._record()
        resolved = self._resolved(viewset, record, list(record.object))
        if resolved is not None and resolved.kept is Kept.SERVER:
            return unchanged(record, resolved)
        current = instance.sync_revision
        self.collection.destroy(viewset, instance)
        feed_log.check_constraints()
        if self.id in self.collection.existing([self.id]):
            return self._marked_as_deleted(current)
        trace = self._trace()
        revision = current + 1 if trace is None else trace.revision
        status = Status.APPLIED if resolved is None else Status.MERGED
        gone = tombstone(self.collection, self.id, revision)
        return Effect(status, current, revision, gone, record.scope, resolved)

    def _marked_as_deleted(self, before: int) -> Effect:
        """The project deletes by marking: the object is hidden now, or only changed."""
        seen = self.collection.seen(self.caller, [self.id])
        if not seen:
            return Effect(Status.APPLIED, before, None, None)
        return effect_of(seen[0], before)

    # Before the write

    def _check_offered(self, operation: str) -> None:
        if not self.collection.offers(operation):
            raise errors.PermissionDenied("This collection does not offer that.")

    def _locked(self, viewset: Any, action: Action) -> Any:
        """Return the visible instance with its row locked; ``None`` if it is gone.

        It is read before it is locked, so that no user waits for a row that is hidden from them.
        It is read again if another write came in between.
        """
        collection = self.collection
        instance = collection.find(self.caller, self.id, shape=False)
        if instance is None:
            return None
        revision = collection.lock(self.id, instance.sync_revision)
        if revision != instance.sync_revision:
            instance = collection.find(self.caller, self.id, shape=False)
        if instance is not None:
            self._check_offered(str(self.mutation.op))
            collection.permit(viewset, instance)
            if not collection.may_write_scope(self.caller, action, instance.sync_scope):
                raise errors.PermissionDenied("You may not write here.")
        return instance

    def _record(self) -> Record:
        """Return the record of the locked instance."""
        made = self.collection.record(self.caller, self.id)
        if made is None:
            raise errors.NotFound
        return made

    # A deleted object

    def _trace(self) -> feed_log.Trace | None:
        """Return what is left of a deleted object."""
        return feed_log.tombstones(self.collection.label, [self.id]).get(self.id)

    def _write_to_deleted(self) -> Effect:
        """Update or delete an object that is deleted; ``NotFound`` if this may not be known."""
        trace = deletion_of(self.collection, self.caller, self.id)
        if trace is None:
            raise errors.NotFound
        gone = tombstone(self.collection, self.id, trace.revision)
        if self.mutation.op is Write.DELETE:
            return Effect(Status.APPLIED, trace.revision, trace.revision, gone)
        conflict = self._conflict(ConflictKind.UPDATE_DELETE, self.mutation.fields, gone)
        if self.strict:
            raise conflict
        if self.writer.is_on_newest(self.mutation, trace.revision):
            return self._restore(trace)
        resolved = self._resolver(self._trail(trace.revision)).resolve_whole(
            ConflictKind.UPDATE_DELETE, None
        )
        if resolved is None:
            raise conflict
        if resolved.kept is Kept.CLIENT:
            try:
                effect = self._restore(trace)
            except errors.ValidationFailed as error:  # the fields that were not sent are lost
                raise conflict from error
            return replace(effect, status=Status.MERGED, resolved=resolved)
        return Effect(Status.MERGED, trace.revision, trace.revision, gone, trace.scope, resolved)

    def _restore(self, trace: feed_log.Trace) -> Effect:
        """Create a deleted object again.

        A client that knows of the deletion sends all its fields. It cannot distinguish fields that
        only the server writes, so those are left out here.
        """
        viewset = self._viewset_to_create()
        fields = self.mutation.fields
        if self.writer.is_on_newest(self.mutation, trace.revision):
            fields = self.collection.writable(viewset, fields)
        return self._insert(viewset, fields, trace.revision)

    # An overlap with what others wrote

    def _resolved(self, viewset: Any, record: Record, names: list[str]) -> ResolvedOverlap | None:
        """Resolve what others changed of these fields; ``None`` if they changed nothing.

        Raises ``ConflictFound`` if a resolver leaves a field open.
        """
        if self.writer.is_on_newest(self.mutation, record.revision):
            return None
        if self.strict:
            raise errors.RevisionConflict(record=record.to_json())
        trail = self._trail(record.revision)
        columns = {name: self.collection.columns(viewset, name) for name in names}
        base = self.mutation.base
        overlap = find_overlap(trail, names, columns.__getitem__, base, record.object)
        if not overlap:
            return None
        kind, resolver = overlap.kind, self._resolver(trail)
        if self.mutation.op is Write.DELETE:
            if kind is ConflictKind.UPDATE_UPDATE:
                kind = ConflictKind.DELETE_UPDATE
            resolved = resolver.resolve_whole(kind, record.object)
        else:
            resolved = resolver.resolve_fields(kind, overlap.fields, record.object, columns)
        if resolved is None:
            raise self._conflict(kind, overlap.fields, record.to_json())
        return resolved

    def _resolver(self, trail: Trail) -> MutationResolver:
        return MutationResolver(self.collection, self.mutation, trail, timezone.now())

    def _trail(self, current: int) -> Trail:
        """Return what is known of the object between the mutation's base and ``current``."""
        mutation, label = self.mutation, self.collection.label
        base, epoch = mutation.base_revision or 0, self.writer.epoch
        matches = mutation.epoch == epoch or (mutation.epoch is None and base == 0)
        if not matches or base > current:
            return Trail(base, current, (), (), epoch_matches=False)
        steps = feed_log.history(label, self.id, base - 1, current)
        own = self.writer.own_spans(label, self.id, base)
        above = tuple(step for step in steps if step.revision > base)
        base_at = next((step.at for step in steps if step.revision == base), None)
        return Trail(base, current, above, own, base_at=base_at)

    def _conflict(self, kind: ConflictKind, fields: Iterable[str], server: Json) -> ConflictFound:
        mutation, client = self.mutation, dict(self.mutation.fields)
        base, revision = mutation.base, mutation.base_revision
        return ConflictFound(Conflict(kind, tuple(fields), revision, base, server, client))

    # After the write

    def _record_after_write(self, action: Action) -> Record:
        """Return the record as it is now, if this user may see and write it where it is."""
        collection = self.collection
        record = collection.record(self.caller, self.id)
        scope = collection.scope_of(self.id) if record is None else record.scope
        if not collection.sees_scope(self.caller, scope):
            problem = {"code": "does_not_exist", "detail": "There is no such object."}
            raise errors.ValidationFailed(errors={collection.scope_field: [problem]})
        if record is None or not collection.may_write_scope(self.caller, action, str(scope)):
            raise errors.PermissionDenied("You may not write there.")
        return record
