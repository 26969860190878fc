"""The use cases of REST: read and write the records of one collection.

A write here is a mutation like any other. What HTTP adds are ``ETag``, ``If-Match`` and the
``Idempotency-Key``.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass

from . import errors
from .conf import conf
from .drf.caller import Caller
from .drf.collection import DELETE, UPDATE, Action, Collection
from .drf.registry import registry
from .feed import history as feed_history
from .feed import log as feed_log
from .models import Client, MutationResult
from .protocol import Json, Mutation, Record, Result, Status, Write
from .protocol.ids import new_id
from .writes.batch import BatchRun

__all__ = [
    "Call",
    "Tagged",
    "check_known",
    "create",
    "delete",
    "etag",
    "get",
    "history",
    "page",
    "tags",
    "update",
]

Place = tuple[str, uuid.UUID]
"""A place in a list of records: scope and id of the last one."""
Tagged = tuple[Json, str]
"""A record and the ETag of exactly this content, even if another write has followed."""


@dataclass(frozen=True, slots=True)
class Call:
    """A REST write: the client and key that make it repeatable, and the ``If-Match`` it sent."""

    client_id: uuid.UUID | None = None
    key: uuid.UUID | None = None
    etag: str | None = None


# Reads


def get(caller: Caller, name: str, id: uuid.UUID) -> tuple[Record, str]:
    """Return a record and its ETag.

    Raises ``NotFound``, also for an object that the caller may not see.
    """
    collection = _collection(name)
    instance = collection.find(caller, id) if collection.may(caller, "read") else None
    if instance is None:
        raise errors.NotFound
    record = collection.render(caller, [instance])[0]
    return record, etag(caller, collection, record)


def page(
    caller: Caller, name: str, after: Place | None, limit: int | None
) -> tuple[list[Record], Place | None]:
    """Return records in the order of scope and id, and the place where the next page begins.

    A collection that may not be read is no secret, its objects are: ``PermissionDenied``.
    """
    collection = _collection(name)
    if not collection.may(caller, "read"):
        raise errors.PermissionDenied
    most = _most(limit)
    scopes = sorted(collection.scopes(caller))
    found: list[Record] = []
    if after is not None and after[0] in scopes:
        found += collection.page(caller, [after[0]], after[1], most)
    if after is not None:
        scopes = [scope for scope in scopes if scope > after[0]]
    if scopes and len(found) < most:
        found += collection.page(caller, scopes, None, most - len(found))
    place = (found[-1].scope, found[-1].id) if len(found) == most else None
    return list({record.id: record for record in found}.values()), place


def history(
    caller: Caller, name: str, id: uuid.UUID, below: int | None, limit: int | None
) -> tuple[list[Json], int | None]:
    """Return the revisions of an object, newest first, and the place where the next page begins.

    Raises ``NotFound``, also for an object that the caller may not see.
    """
    collection = _collection(name)
    if not collection.may(caller, "read"):
        raise errors.NotFound  # as for the object itself
    found, place = feed_history.history(caller, collection, id, below, _most(limit))
    return [revision.to_json() for revision in found], place


def check_known(name: str) -> None:
    """Raise ``NotFound`` if no collection has this name."""
    if name not in registry:
        raise errors.NotFound


def _collection(name: str) -> Collection:
    check_known(name)
    return registry.get(name)


def _most(limit: int | None) -> int:
    return conf.PAGE_SIZE if limit is None else min(limit, conf.PAGE_SIZE)


# Writes


def create(caller: Caller, name: str, id: uuid.UUID | None, fields: Json, call: Call) -> Tagged:
    """Create an object. Raises what the checks raise."""
    check_known(name)
    if id is None and call.client_id is not None and call.key is not None:
        id = uuid.uuid5(call.client_id, str(call.key))
    mutation = _mutation(call, Write.CREATE, name, id or new_id(), fields)
    return _tagged(caller, _run(caller, mutation, call))


def update(caller: Caller, name: str, id: uuid.UUID, fields: Json, call: Call) -> Tagged:
    """Change an object. Raises ``RevisionConflict`` if ``call.etag`` is not the current one."""
    base = _base(caller, name, id, call, UPDATE)
    mutation = _mutation(call, Write.UPDATE, name, id, fields, base)
    return _tagged(caller, _run(caller, mutation, call))


def delete(caller: Caller, name: str, id: uuid.UUID, call: Call) -> None:
    """Delete an object. Raises as ``update`` does."""
    base = _base(caller, name, id, call, DELETE)
    _run(caller, _mutation(call, Write.DELETE, name, id, {}, base), call)


def _base(caller: Caller, name: str, id: uuid.UUID, call: Call, action: Action) -> int:
    """Return the revision that ``If-Match`` stands for.

    Visibility is checked first, then permission, then the precondition. A repeat under the same
    key finds its stored result, whatever has happened since. Whether the call is a repeat is
    checked last, because the first call may have been carried out in between.
    """
    collection = _collection(name)
    try:
        return _checked_revision(caller, collection, id, call, action)
    except errors.SyncError:
        asked = next(filter(None, map(_revision_of, tags(call.etag or ""))), None)
        if asked is None or not _is_repeat(caller, call):
            raise
        return asked


def _checked_revision(
    caller: Caller, collection: Collection, id: uuid.UUID, call: Call, action: Action
) -> int:
    """Return the object's current revision, if this call may write to it now."""
    instance = collection.find(caller, id) if collection.may(caller, "read") else None
    if instance is None:
        raise errors.NotFound
    if not collection.offers({UPDATE: "update", DELETE: "delete"}[action]):
        raise errors.PermissionDenied("This collection does not offer that.")
    collection.permit(collection.viewset(caller, action, id=id), instance)
    if not collection.may_write_scope(caller, action, instance.sync_scope):
        raise errors.PermissionDenied("You may not write here.")
    if call.etag is None:
        raise errors.PreconditionRequired
    record = collection.render(caller, [instance])[0]
    if not {"*", etag(caller, collection, record)} & set(tags(call.etag)):
        raise errors.RevisionConflict(record=record.to_json())
    return record.revision


def _is_repeat(caller: Caller, call: Call) -> bool:
    """Whether this user's client has used this key before."""
    if call.key is None:
        return False
    return MutationResult.objects.filter(
        client=call.client_id, client__user=caller.user, mutation_id=call.key
    ).exists()


def _mutation(
    call: Call, op: Write, name: str, id: uuid.UUID, fields: Json, base: int | None = None
) -> Mutation:
    """Return the call as a mutation.

    It names no epoch: the ETag was compared already, and a repeat must be the same mutation
    after the epoch has changed.
    """
    return Mutation(
        id=call.key or new_id(),
        seq=0,
        op=op,
        collection=name,
        object_id=id,
        base_revision=base,
        fields=fields,
    )


def _run(caller: Caller, mutation: Mutation, call: Call) -> Result:
    client = None
    if call.client_id is not None and call.key is not None:
        client = Client(id=call.client_id)
    (result,) = BatchRun(caller, client, strict=True).results([mutation])
    if result.status.took_effect:
        return result
    raise _refusal(result)


def _refusal(result: Result) -> errors.SyncError:
    """Return the error with which REST answers a mutation that had no effect."""
    if result.conflict is not None:
        server = result.conflict.server
        if result.status is Status.CONFLICT and result.conflict.base_revision is None:
            return errors.AlreadyExists(record=server)
        return errors.RevisionConflict(record=server)
    return errors.from_problem(result.problem or {})


def _tagged(caller: Caller, result: Result) -> Tagged:
    """Return the result's record and its ETag; raise ``NotFound`` if the result has none."""
    if result.record is None or "object" not in result.record:
        raise errors.NotFound
    record = Record.from_json(result.record)
    return result.record, etag(caller, registry.get(record.collection), record)


# ETags


def etag(caller: Caller, collection: Collection, record: Record) -> str:
    """Return the opaque tag of a record as this caller sees it."""
    state, _ = feed_log.state()
    tag = collection.visibility_tag(caller)
    seen = f"{state.epoch} {tag} {collection.shape(caller)} {caller.key}"
    digest = hashlib.sha256(f"{record.id} {record.revision} {seen}".encode()).hexdigest()[:20]
    return f'"{record.revision}-{digest}"'


def tags(header: str) -> list[str]:
    """Return the ETags of an ``If-Match`` or ``If-None-Match``.

    A proxy that compresses answers marks their tags as weak (``W/``). Our tags name content, not
    bytes, so the mark is ignored.
    """
    return [tag.strip().removeprefix("W/") for tag in header.split(",")]


def _revision_of(tag: str) -> int | None:
    """Return the revision within an ETag of ours."""
    number = tag.strip('"').split("-")[0]
    readable = number.isascii() and number.isdecimal() and len(number) < 16
    return int(number) if readable else None
