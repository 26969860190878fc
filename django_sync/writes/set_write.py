"""One run: a statement that one mutation needs runs once for all mutations.

The project's code runs for each mutation in the order of the batch. Its saves are delayed if the
result is the same. Its own statements are watched, so that a change by somebody else is never taken
for the mutation's own. The caller has the savepoint, and repeats the run one by one if needed.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any

from .. import errors
from ..drf.caller import Caller
from ..drf.collection import Action, Collection
from ..drf.input import FIELDS
from ..feed import log as feed_log
from ..models.database import connection
from ..protocol import Mutation, Record
from . import inspection
from .access import Access
from .apply import Effect, Writer
from .delayed_saves import DelayedSaves
from .entries import EntriesSince
from .errors import RunSingly
from .run_serializers import RunSerializers
from .statements import Statements

Outcome = Effect | errors.SyncError
"""The result of one mutation of a run; an error is its refusal."""
REFUSALS = (errors.ValidationFailed, errors.FieldNotWritable, errors.PermissionDenied)
"""Refusals by the project's code that, before any write, do not affect the other mutations."""


class SetWrite:
    """What creates, updates and deletes of one collection have in common."""

    action: Action
    operation: str

    def __init__(
        self, caller: Caller, writer: Writer, collection: Collection, mutations: Sequence[Mutation]
    ) -> None:
        self.caller, self.writer, self.collection = caller, writer, collection
        self.mutations = mutations
        self.ids = [m.object_id for m in mutations]
        self.db = connection()
        self.saves = DelayedSaves(collection.model, len(mutations))
        self.statements = Statements(collection.model, self.saves.flush)
        self.entries = EntriesSince(collection.label, self.ids)
        self.statements.before_write = self._before_write
        self.shares_permissions = inspection.shares_permissions(collection.viewset_class)
        self.revisions: dict[uuid.UUID, int] = {}
        """The revision that each object must have in the end, where it is known."""

    def outcomes(self) -> list[Outcome]:
        """Carry the run out. Raises ``RunSingly``, and whatever the project's code raises."""
        raise NotImplementedError

    # The project's code, mutation by mutation

    def each(self, act: Callable[[Mutation], Any]) -> list[Any]:
        """What ``act`` gives for each mutation, or the refusal that it raised."""
        with self.statements.watched():
            told = [self._one(act, mutation) for mutation in self.mutations]
            with self.statements.ours():
                self.saves.flush()
        self.access.check_untouched(self.statements.written)
        return told

    access: Access

    def _one(self, act: Callable[[Mutation], Any], mutation: Mutation) -> Any:
        delayed, hooks = self.saves.count, len(self.db.run_on_commit)
        self.statements.begin(self.key_of(mutation))
        found: Any
        try:
            found = act(mutation)
        except REFUSALS as error:
            did = (self.saves.count, len(self.db.run_on_commit)) != (delayed, hooks)
            if did or self.statements.wrote:
                raise RunSingly from None
            found = error
        self._look_back(mutation, was_delayed=self.saves.count > delayed)
        return found

    def _look_back(self, mutation: Mutation, *, was_delayed: bool) -> None:
        """See what the project's code did besides."""
        if self.statements.spoilt:
            raise RunSingly(lasting=True)
        expected = self.revision_before(mutation) + was_delayed
        if self.statements.wrote:
            expected = self._check_entries(mutation, expected)
            self.saves.forget_keys()
        self.revisions[mutation.object_id] = expected
        if self.statements.wrote or self.statements.reads_own:
            self.caller.cache.clear()  # the next mutation may find something else

    def _before_write(self) -> None:
        self.entries.mark(self.saves.count)

    def _check_entries(self, mutation: Mutation, expected: int) -> int:
        """The object's revision by now; the feed must show that no other one was changed."""
        with self.statements.ours():
            self.saves.flush()
            changed = self.entries.read()
        if changed.keys() - {mutation.object_id}:
            raise RunSingly(lasting=True)
        return changed.get(mutation.object_id, expected)

    def key_of(self, mutation: Mutation) -> Any:
        """The primary key of the mutation's row as statements have it, if it has one yet."""
        return None

    def revision_before(self, mutation: Mutation) -> int:
        return 0

    # What is shared

    def viewset(self, mutation: Mutation) -> Any:
        """A viewset as for REST: each mutation has its own, for project code may look at it."""
        return self.collection.viewset(
            self.caller, self.action, data=mutation.fields, id=mutation.object_id
        )

    def begin(self, viewset: Any) -> None:
        """Ask what is asked once."""
        if not self.collection.offers(self.operation):
            raise RunSingly
        self.access = Access(self.caller, self.collection, self.action)
        if self.shares_permissions:
            self.collection.permit(viewset)

    def permit(self, viewset: Any, instance: Any = None) -> None:
        if not self.shares_permissions:
            self.collection.permit(viewset, instance)

    def serializers(self, viewset: Any) -> RunSerializers:
        return RunSerializers(self.collection, viewset, self.saves)

    def check_names(self, made: RunSerializers, viewset: Any, mutation: Mutation) -> None:
        """As for one mutation; a serializer that builds its own fields is asked itself."""
        if made.is_shared or made.is_copied:
            setattr(viewset, FIELDS, made.fields)
        self.collection.check_names(viewset, mutation.fields)

    # After the writes

    def records(self, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Record]:
        """What the viewset's query shows of these ids, in whichever scope."""
        return {record.id: record for record in self.collection.records(self.caller, ids)}

    def landed(self, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Record]:
        """The records after the writes, if all lie where their writer may see and write."""
        feed_log.check_constraints()
        found = self.records(ids) if ids else {}
        self.caller.cache.clear()
        self.access.check_again()
        astray = [id for id in ids if not self._may_lie(found.get(id))]
        if astray:
            raise RunSingly(astray)
        if any(found[id].revision != self.revisions.get(id, found[id].revision) for id in ids):
            raise RunSingly(lasting=True)  # somebody else's write is among them
        self.access.check_untouched(self.statements.written)
        return found

    def _may_lie(self, record: Record | None) -> bool:
        """Whether a record is where its writer may see and write."""
        if record is None or record.scope not in self.access.scopes:
            return False
        return self.access.may_write(record.scope)
