"""The use cases of the protocol: describe, pull, mutate, sessions. ``rest`` has those of REST.

HTTP, sockets, tasks and commands call these two modules and nothing below them.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import timezone

from . import errors
from .conf import conf
from .drf.caller import Caller
from .drf.registry import registry
from .feed import fanout, sequencer
from .feed import log as feed_log
from .feed import pull as feed_pull
from .feed.visibility import Visibility, current_visibility, keep
from .models import Client
from .models.database import atomic
from .protocol import (
    PROTOCOL_VERSION,
    Batch,
    Json,
    Mutation,
    Page,
    Result,
    SessionChange,
    SessionRequest,
)
from .push import endpoints, vapid
from .rest import history
from .sessions import directives, lag, lifecycle, presence, transport_choice
from .sessions import state as session_state
from .sessions.lifecycle import Opened
from .writes.batch import BatchRun, client_of, read_mutations

__all__ = [
    "audience",
    "change_session",
    "check_directives",
    "check_session",
    "describe",
    "end_session",
    "epoch",
    "history",
    "mutate",
    "note_presence",
    "note_refusal",
    "open_session",
    "pull",
    "pull_and_subscribe",
    "redeem_ticket",
    "scopes_of",
    "sessions",
    "ticket_holder",
    "visibility_of",
]


def describe(caller: Caller, root: str) -> Json:
    """Return the service document, which a client needs before its first pull.

    ``root`` is its path.
    """
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
    """Return the next page of changes; see ``feed.pull`` for what it raises."""
    return _pulled(caller, cursor, collections, limit).page


def pull_and_subscribe(
    caller: Caller,
    *,
    cursor: str | None = None,
    collections: Sequence[str] | None = None,
    limit: int | None = None,
) -> tuple[Page, fanout.Subscription | None]:
    """Return the next page and the caller's place in the hub; ``None`` if there is more to pull."""
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
    elif before is not None and before.is_tailing and presence.is_due(caller, "behind"):
        presence.note(caller, "behind", position=before.position)


def scopes_of(caller: Caller, collections: Sequence[str] | None = None) -> frozenset[str]:
    """Return the scopes in which changes of these collections concern the caller."""
    visibility = current_visibility(caller, collections)
    return frozenset(scope for _, scope in visibility.pairs())


def visibility_of(caller: Caller) -> Visibility:
    """Return all that the caller sees now."""
    return current_visibility(caller, None)


def audience(caller: Caller, collections: Sequence[str] | None) -> fanout.Audience:
    """Return what the caller sees now, as the hub needs it; cursors may name it from now on."""
    visibility = current_visibility(caller, collections)
    keep(visibility)
    return fanout.Audience.of(caller, visibility)


def epoch() -> str:
    """Return the feed's epoch."""
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
    read = read_mutations(batch)
    if batch.cursor is not None or not any(isinstance(one, Mutation) for one in read):
        client_of(caller, batch.client_id)  # else the first statement of the run does it
    if batch.cursor is not None:
        sequencer.advance()
        feed_log.check_history(feed_pull.open_cursor(caller, batch.cursor).place)
    run = BatchRun(caller, Client(id=batch.client_id), atomic=batch.atomic)
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
    client = client_of(caller, asked.client_id)
    with atomic():
        opened = lifecycle.open_session(caller, client, asked.reported)
        endpoints.forget_ended(client.id)
        if asked.push is not None:
            endpoints.keep(opened.session, asked.push, visibility_of(caller))
    return opened


def change_session(caller: Caller, id: uuid.UUID, body: Any) -> Opened:
    """Change what is known about a session, and decide on its transport anew.

    Raises ``NotFound``, ``Invalid``, ``UnknownCollection``.
    """
    asked = SessionChange.from_json(body)
    with atomic():
        opened = lifecycle.change_session(caller, id, asked.reported)
        if asked.push is not None:
            endpoints.keep(opened.session, asked.push, visibility_of(caller))
        elif asked.has_push:
            endpoints.forget(id)
    return opened


def end_session(caller: Caller, id: uuid.UUID) -> None:
    """End a session; raises ``NotFound``."""
    with atomic():
        lifecycle.end_session(caller, id)
        endpoints.forget(id)


def redeem_ticket(ticket: str) -> uuid.UUID:
    """Use up a ticket and return its session; raises ``NotAuthenticated``."""
    return lifecycle.redeem(ticket).id


def ticket_holder(session: uuid.UUID) -> tuple[Any, uuid.UUID]:
    """Return the user and the client of the session whose ticket opened a socket.

    Raises ``NotAuthenticated``, ``SessionEnded``.
    """
    held = lifecycle.holder(session)
    return held.user, held.client_id


def check_session(caller: Caller, session: uuid.UUID) -> None:
    """Note that the caller uses this session, which must be theirs.

    Raises ``PermissionDenied``, ``SessionEnded``, ``Blocked``.
    """
    caller.session_id, caller.client_id = session, lifecycle.check(session, caller)
    directives.check(caller)
    presence.note(caller, "there")


def check_directives(caller: Caller) -> None:
    """Check the directives about the caller; raise ``Blocked`` or ``SessionEnded``."""
    directives.check(caller)


def note_presence(caller: Caller, position: int | None) -> None:
    """Note that a connection is still open; ``position``: up to where it has everything.

    Raises ``CursorExpired`` if a directive asks for a fresh snapshot.
    """
    if directives.pending_snapshots(caller):
        raise errors.CursorExpired("The server asks for a fresh snapshot.")
    presence.note(caller, "there" if position is None else "level", position=position)


def note_refusal(caller: Caller, code: str) -> None:
    """Note that something was refused to the caller."""
    presence.refused(caller, code)


def sessions(caller: Caller) -> list[Json]:
    """Return the caller's sessions that have not ended, the last seen first.

    Their lag counts the changes that the caller sees.
    """
    found = lifecycle.own_sessions(caller)
    lags: Mapping[uuid.UUID, lag.Lag] = {}
    if any(session.position is not None for session in found):
        sequencer.advance()
        lags = lag.lags_within(found, sorted(scopes_of(caller)))
    now = timezone.now()
    return [session_state.session_json(session, lags.get(session.id), now) for session in found]
