"""The use cases, in one place: describe, pull, mutate, and the reads and writes of REST.

Every edge (HTTP, sockets, tasks, commands) calls this, and only this.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from . import errors
from .conf import conf
from .drf.caller import Caller
from .drf.collection import DELETE, UPDATE, Action, Collection
from .drf.registry import registry
from .feed import fanout, proof, sequencer
from .feed import history as histories
from .feed import log as feed_log
from .feed import pull as feed_pull
from .feed.visibility import Visibility, keep
from .models import Client, MutationResult
from .models.database import atomic
from .protocol import (
    PROTOCOL_VERSION,
    Batch,
    Json,
    Mutation,
    Page,
    Record,
    Result,
    SessionChange,
    SessionRequest,
    Status,
    Write,
)
from .protocol.ids import new_id
from .push import endpoints, vapid
from .sessions import directives, lag, presence, transport_choice
from .sessions import lifecycle as sessions_of_clients
from .sessions import state as sessions_state
from .sessions.lifecycle import Opened
from .writes import batch as writes_batch

__all__ = [
    "Call",
    "audience",
    "change_session",
    "check_orders",
    "check_session",
    "create",
    "delete",
    "describe",
    "end_session",
    "epoch",
    "etag",
    "get",
    "heard_of",
    "history",
    "known",
    "mutate",
    "open_session",
    "page",
    "pull",
    "pull_and_subscribe",
    "redeemed",
    "refused",
    "scopes_of",
    "sessions",
    "tags",
    "ticket_holder",
    "update",
    "visibility_of",
]


def describe(caller: Caller, root: str) -> Json:
    """The service document: what a client needs before its first pull. ``root`` is its path."""
    sequencer.advance()
    state, _ = feed_log.state()
    return {
        "protocol": PROTOCOL_VERSION,
        "epoch": state.epoch,
        "server_time": timezone.now().isoformat().replace("+00:00", "Z"),
        "collections": {
            c.name: {
                "url": f"{root}{c.name}/",
                "schema_version": c.shape(caller),
                "scoped": c.scoped,
                "operations": c.operations(caller),
            }
            for c in registry
            if c.may(caller, "read")
        },
        "transports": [str(transport) for transport in transport_choice.offered(conf.TRANSPORTS)],
        "limits": {
            "page_size": conf.PAGE_SIZE,
            "batch_size": conf.BATCH_SIZE,
            "body_bytes": conf.BODY_BYTES,
            "wait_seconds": conf.WAIT_SECONDS,
        },
        **({} if (key := vapid.public_key()) is None else {"push": {"webpush": {"key": key}}}),
    }


def pull(
    caller: Caller,
    *,
    cursor: str | None = None,
    collections: Sequence[str] | None = None,
    limit: int | None = None,
) -> Page:
    """The next page of changes; see ``feed.pull`` for what it raises."""
    return _pulled(caller, cursor, collections, limit).page


def pull_and_subscribe(
    caller: Caller,
    *,
    cursor: str | None = None,
    collections: Sequence[str] | None = None,
    limit: int | None = None,
) -> tuple[Page, fanout.Subscription | None]:
    """The next page, and the caller's place in the hub; ``None`` where more is to be pulled."""
    pulled = _pulled(caller, cursor, collections, limit)
    if pulled.page.has_more:
        return pulled.page, None
    return pulled.page, fanout.Subscription.at(caller, pulled.visibility, pulled.cursor)


def _pulled(
    caller: Caller, cursor: str | None, collections: Sequence[str] | None, limit: int | None
) -> feed_pull.Pulled:
    """Pull, and note how far the caller's session is."""
    most = conf.PAGE_SIZE if limit is None else min(limit, conf.PAGE_SIZE)
    pending = directives.pending_snapshots(caller)
    if pending and cursor is not None:
        raise errors.CursorExpired("The server asks for a fresh snapshot.")
    pulled = feed_pull.pull(caller, cursor, collections, most)
    directives.fulfil(pending)
    _note_pull(caller, pulled)
    return pulled


def _note_pull(caller: Caller, pulled: feed_pull.Pulled) -> None:
    """Note how far the caller's session is: at the new cursor if level with it, or at the old."""
    page, before = pulled.page, pulled.before
    if page.snapshot is not None:
        presence.note(caller, "snapshot", progress=dict(page.snapshot))
    elif not page.changes and not page.has_more:
        if presence.is_due(caller, "level"):
            presence.note(caller, "level", position=pulled.cursor.position)
    elif before is not None and before.tails and presence.is_due(caller, "behind"):
        presence.note(caller, "behind", position=before.position)


def scopes_of(caller: Caller, collections: Sequence[str] | None = None) -> frozenset[str]:
    """The scopes in which changes of these collections concern the caller."""
    visibility = feed_pull.current_visibility(caller, collections)
    return frozenset(scope for _, scope in visibility.pairs())


def visibility_of(caller: Caller) -> Visibility:
    """All that the caller sees now."""
    return feed_pull.current_visibility(caller, None)


def audience(caller: Caller, collections: Sequence[str] | None) -> fanout.Audience:
    """Who the caller is to the hub: what they see now, which cursors may name from now on."""
    visibility = feed_pull.current_visibility(caller, collections)
    keep(visibility)
    return fanout.Audience.of(caller, visibility)


def epoch() -> str:
    """The feed's epoch."""
    current, _ = feed_log.state()
    return current.epoch


def mutate(caller: Caller, body: Any) -> list[Result]:
    """Carry out a batch as the protocol's section 7 has it.

    Raises ``Invalid`` for a malformed envelope, ``TooLarge``, ``ClientMismatch``,
    ``InvalidCursor``, ``CursorExpired`` (then nothing is applied) and ``Unavailable``.
    """
    batch = Batch.from_json(body)
    if len(batch.mutations) > conf.BATCH_SIZE:
        raise errors.TooLarge(f"A batch holds at most {conf.BATCH_SIZE} mutations.")
    directives.check(caller, batch.client_id)
    read = writes_batch.read_mutations(batch)
    if batch.cursor is not None or not any(isinstance(one, Mutation) for one in read):
        writes_batch.client_of(
            caller, batch.client_id
        )  # else the first statement of the run does it
    if batch.cursor is not None:
        sequencer.advance()
        proof.check_history(proof.open_cursor(caller, batch.cursor))
    run = writes_batch.Run(caller, Client(id=batch.client_id), atomic=batch.atomic)
    return run.results(read)


# Sessions


def open_session(caller: Caller, body: Any) -> Opened:
    """Open a session.

    Raises ``Invalid``, ``UnknownCollection``, ``ClientMismatch``, ``Blocked``.
    """
    asked = SessionRequest.from_json(body)
    directives.check(caller, asked.client_id)
    if asked.push is not None:
        endpoints.check(asked.push)
    client = writes_batch.client_of(caller, asked.client_id)
    with atomic():
        opened = sessions_of_clients.open_session(caller, client, asked.told)
        endpoints.forget_ended(client.id)
        if asked.push is not None:
            endpoints.keep(opened.session, asked.push, visibility_of(caller))
    return opened


def change_session(caller: Caller, id: uuid.UUID, body: Any) -> Opened:
    """Tell a change of a session, and get the decision anew.

    Raises ``NotFound``, ``Invalid``, ``UnknownCollection``.
    """
    asked = SessionChange.from_json(body)
    with atomic():
        opened = sessions_of_clients.change_session(caller, id, asked.told)
        if asked.push is not None:
            endpoints.keep(opened.session, asked.push, visibility_of(caller))
        elif asked.tells_push:
            endpoints.forget(id)
    return opened


def end_session(caller: Caller, id: uuid.UUID) -> None:
    """End a session; raises ``NotFound``."""
    with atomic():
        sessions_of_clients.end_session(caller, id)
        endpoints.forget(id)


def redeemed(ticket: str) -> uuid.UUID:
    """The session that a ticket is of, which is used up; raises ``NotAuthenticated``."""
    return sessions_of_clients.redeem(ticket).id


def ticket_holder(session: uuid.UUID) -> tuple[Any, uuid.UUID]:
    """The user and the client of a session by whose ticket a socket is open.

    Raises ``NotAuthenticated``, ``SessionEnded``.
    """
    held = sessions_of_clients.holder(session)
    return held.user, held.client_id


def check_session(caller: Caller, session: uuid.UUID) -> None:
    """The caller speaks for this session of theirs.

    Raises ``PermissionDenied``, ``SessionEnded``, ``Blocked``.
    """
    caller.session_id, caller.client_id = session, sessions_of_clients.check(session, caller)
    directives.check(caller)
    presence.note(caller, "there")


def check_orders(caller: Caller) -> None:
    """See that nothing is ordered against the caller; raises ``Blocked``, ``SessionEnded``."""
    directives.check(caller)


def heard_of(caller: Caller, position: int | None) -> None:
    """An open connection is there still; ``position``: up to where it has everything.

    Raises ``CursorExpired`` where a fresh snapshot was ordered.
    """
    if directives.pending_snapshots(caller):
        raise errors.CursorExpired("The server asks for a fresh snapshot.")
    presence.note(caller, "there" if position is None else "level", position=position)


def refused(caller: Caller, code: str) -> None:
    """The caller was refused something."""
    presence.refused(caller, code)


def sessions(caller: Caller) -> list[Json]:
    """The caller's own sessions that have not ended, the last seen first.

    Their lag is counted in what the caller sees.
    """
    found = sessions_of_clients.own_sessions(caller)
    lags: Mapping[uuid.UUID, lag.Lag] = {}
    if any(session.position is not None for session in found):
        sequencer.advance()
        lags = lag.lags_within(found, sorted(scopes_of(caller)))
    now = timezone.now()
    return [sessions_state.shown(session, lags.get(session.id), now) for session in found]


# REST: a thin face of the same


@dataclass(frozen=True, slots=True)
class Call:
    """A REST write: the client and key that make it repeatable, and the ETag it stands on."""

    client_id: uuid.UUID | None = None
    key: uuid.UUID | None = None
    etag: str | None = None


def etag(caller: Caller, collection: Collection, record: Record) -> str:
    """The opaque tag of a record as this caller sees it."""
    state, _ = feed_log.state()
    seen = (
        f"{state.epoch} {collection.visibility_tag(caller)} {collection.shape(caller)} {caller.key}"
    )
    told = hashlib.sha256(f"{record.id} {record.revision} {seen}".encode()).hexdigest()[:20]
    return f'"{record.revision}-{told}"'


def get(caller: Caller, name: str, id: uuid.UUID) -> tuple[Record, str]:
    """A record and its ETag; raises ``NotFound``, also for what may not be seen."""
    known(name)
    collection = registry.get(name)
    instance = collection.find(caller, id) if collection.may(caller, "read") else None
    if instance is None:
        raise errors.NotFound
    record = collection.render(caller, [instance])[0]
    return record, etag(caller, collection, record)


def page(
    caller: Caller, name: str, after: tuple[str, uuid.UUID] | None, limit: int | None
) -> tuple[list[Record], tuple[str, uuid.UUID] | None]:
    """Records of a collection in the order of scope and id, and where the next page begins.

    A collection that may not be read is no secret, its objects are: ``PermissionDenied``.
    """
    known(name)
    collection = registry.get(name)
    if not collection.may(caller, "read"):
        raise errors.PermissionDenied
    most = conf.PAGE_SIZE if limit is None else min(limit, conf.PAGE_SIZE)
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
    """What became of an object, the newest first, and where the next page begins.

    Raises ``NotFound``, also for what may not be seen.
    """
    known(name)
    collection = registry.get(name)
    if not collection.may(caller, "read"):
        raise errors.NotFound  # as for the object itself
    most = conf.PAGE_SIZE if limit is None else min(limit, conf.PAGE_SIZE)
    found, place = histories.history(caller, collection, id, below, most)
    return [revision.to_json() for revision in found], place


Told = tuple[Json, str]
"""A record and its ETag: that of these very words, whoever has written since."""


def create(caller: Caller, name: str, id: uuid.UUID | None, fields: Json, call: Call) -> Told:
    """Create an object over REST. Raises what the checks raise."""
    known(name)
    if id is None and call.client_id is not None and call.key is not None:
        id = uuid.uuid5(call.client_id, str(call.key))
    mutation = _mutation(call, Write.CREATE, name, id or new_id(), fields)
    return _told(caller, _run(caller, mutation, call))


def update(caller: Caller, name: str, id: uuid.UUID, fields: Json, call: Call) -> Told:
    """Change an object over REST.

    Raises ``RevisionConflict`` where ``call.etag`` is not the current one.
    """
    base = _base(caller, name, id, call, UPDATE)
    mutation = _mutation(call, Write.UPDATE, name, id, fields, base)
    return _told(caller, _run(caller, mutation, call))


def delete(caller: Caller, name: str, id: uuid.UUID, call: Call) -> None:
    """Delete an object over REST."""
    base = _base(caller, name, id, call, DELETE)
    _run(caller, _mutation(call, Write.DELETE, name, id, {}, base), call)


def known(name: str) -> None:
    """Raise ``NotFound`` where no collection has this name."""
    if name not in registry:
        raise errors.NotFound


def _base(caller: Caller, name: str, id: uuid.UUID, call: Call, action: Action) -> int:
    """The revision that ``If-Match`` stands for.

    Visibility is asked first, then permission, then the precondition. A repeat under the
    same key finds its stored result whatever has happened since; that it is one is asked
    last, for the first call may have been carried out in between.
    """
    known(name)
    try:
        return _asserted(caller, registry.get(name), id, call, action)
    except errors.SyncError:
        asked = next(filter(None, map(revision_of, tags(call.etag or ""))), None)
        if asked is None or not _is_repeat(caller, call):
            raise
        return asked


def _asserted(
    caller: Caller, collection: Collection, id: uuid.UUID, call: Call, action: Action
) -> int:
    """The revision of an object on which this call may stand as things are now."""
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


def tags(header: str) -> list[str]:
    """The ETags of an ``If-Match`` or ``If-None-Match``.

    What compresses answers on the way marks their tags as weak (``W/``); ours name
    content, not bytes, so they stand for the same still.
    """
    return [tag.strip().removeprefix("W/") for tag in header.split(",")]


def revision_of(tag: str) -> int | None:
    """The revision within an ETag of ours."""
    number = tag.strip('"').split("-")[0]
    readable = number.isascii() and number.isdecimal() and len(number) < 16
    return int(number) if readable else None


def _mutation(
    call: Call, op: Write, name: str, id: uuid.UUID, fields: Json, base: int | None = None
) -> Mutation:
    """The call as a mutation.

    It names no epoch: the ETag was compared, and a repeat is the same mutation still when
    the epoch has moved on.
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
    (result,) = writes_batch.Run(caller, client, strict=True).results([mutation])
    if result.status.took_effect:
        return result
    raise _refusal(result)


def _refusal(result: Result) -> errors.SyncError:
    """A result that REST answers with an error."""
    if result.conflict is not None:
        server = result.conflict.server
        if result.status is Status.CONFLICT and result.conflict.base_revision is None:
            return errors.AlreadyExists(record=server)
        return errors.RevisionConflict(record=server)
    return errors.from_problem(result.problem or {})


def _told(caller: Caller, result: Result) -> Told:
    """The result's record, if there still is one to be told of."""
    if result.record is None or "object" not in result.record:
        raise errors.NotFound
    record = Record.from_json(result.record)
    return result.record, etag(caller, registry.get(record.collection), record)
