"""The log of the feed: reads committed changes in the order of their positions.

``sequencer`` gives the positions; ``dialects`` knows what each database asks for. This file knows
nothing of users, collections or cursors.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import logging
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .. import errors
from ..merge import Step
from ..models import Change, Feed
from ..models.database import atomic, connection
from ..protocol.ids import new_id
from . import sequencer
from .dialects import dialect
from .tables import CHANGE, GENERATION, OUTBOX, TOMBSTONE

log = logging.getLogger("django_sync.feed")

Place = tuple[str, int, int]
"""Epoch, position and mark: an entry in one history of the feed."""


@dataclass(frozen=True, slots=True)
class State:
    """The feed as one database snapshot shows it; ``mark`` is that of the head."""

    epoch: str
    head: int
    floor: int
    mark: int


@dataclass(frozen=True, slots=True)
class Overview:
    """What a pull needs of the feed before it reads entries, all from one statement.

    ``mark`` belongs to the entry at the requested position (``None``: no such entry).
    ``generations`` counts how often capture of each model had a gap, by label. ``unsequenced``:
    the outbox holds committed changes that have no position yet.
    """

    state: State
    mark: int | None
    generations: dict[str, int]
    unsequenced: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """One change in the feed. What is sent of it depends on the row as it is now."""

    position: int
    mark: int
    model: str
    object_id: uuid.UUID
    scope: str | None


@dataclass(frozen=True, slots=True)
class Trace:
    """The tombstone of a deleted object: its last revision and its scope."""

    revision: int
    scope: str | None


class Diverged(Exception):
    """A place proved that it is in another history than this one, of ``epoch``."""

    def __init__(self, epoch: str) -> None:
        super().__init__(epoch)
        self.epoch = epoch


@contextlib.contextmanager
def snapshot() -> Iterator[bool]:
    """One consistent state of the database for all reads of a pull.

    It gives whether that state is committed. Inside an open transaction, and without autocommit,
    it is what the transaction sees, which may never be committed.
    """
    db = connection()
    if db.in_atomic_block or not db.get_autocommit():
        yield False
        return
    with dialect().one_state(db), atomic():
        yield True


def check_constraints() -> None:
    """Check deferred constraints now, inside the savepoint, not at the commit.

    Raises ``IntegrityError``. SQLite cannot do this; there the commit raises it.
    """
    dialect().check_constraints(connection())


def state(position: int = 0) -> tuple[State, int | None]:
    """The feed's state, and the mark of the entry at ``position`` (``None``: no such entry).

    Position 0 is where every history begins; its mark is 0.
    """
    found = overview(position)
    return found.state, found.mark


def overview(position: int = 0, *, whole: bool = True) -> Overview:
    """State, outbox, generations, and the mark at ``position``, in one statement.

    It creates the feed's row where there is none yet. Without ``whole`` the head's mark is not
    looked up, which takes PostgreSQL a quarter of the statement's time; it is 0 then.
    """
    found = overview_or_none(position, whole=whole)
    if found is None:
        with connection().cursor() as cursor:
            sequencer.create_feed(cursor)
        return overview(position, whole=whole)
    return found


def overview_or_none(position: int = 0, *, whole: bool = True) -> Overview | None:
    """Like ``overview``, but it only reads; ``None`` where the feed has no row yet.

    On PostgreSQL, ``whole`` also turns JIT off for the rest of the transaction.
    """
    row = None if whole else dialect().quick_overview(connection(), position)
    if row is None:
        with connection().cursor() as cursor:
            cursor.execute(dialect().overview(whole=whole), [position])
            row = cursor.fetchone()
    if row is None:
        return None
    epoch, head, floor, mark, there, unsequenced, generations, *_ = row
    return Overview(
        state=State(str(uuid.UUID(str(epoch))), head, floor, mark or 0),
        mark=there if position else 0,
        generations=json.loads(generations) if generations else {},
        unsequenced=bool(unsequenced),
    )


def check_history(place: Place) -> State:
    """Like ``checked_state``, but it handles another history: it begins a new epoch.

    Raises ``CursorExpired`` where the place is too old or belongs to another history. Do not
    call it within ``snapshot()``: the exception would roll the new epoch back. Code in a snapshot
    calls ``checked_state``, and ``diverged`` after the snapshot.
    """
    try:
        return checked_state(place)
    except Diverged as found:
        diverged(found.epoch)
        raise errors.CursorExpired("The server's history is another one now.") from None


def checked_state(place: Place, known: Overview | None = None) -> State:
    """The feed's state in this snapshot, after a check that the place belongs to its history.

    It only reads. Where the feed has another entry at the position, its history is another one: a
    backup was restored. ``known`` is the overview at the position, if this snapshot has read it.
    Raises ``CursorExpired`` where the place is too old, ``Diverged`` where the place proves
    another history.
    """
    epoch, position, mark = place
    known = known or overview(position)
    state = known.state
    if is_later(epoch, than=state.epoch):
        raise Diverged(state.epoch)
    if epoch != state.epoch or position < state.floor:
        raise errors.CursorExpired
    if position > state.head or known.mark != mark:
        raise Diverged(state.epoch)
    return state


def diverged(epoch: str) -> None:
    """Begin a new epoch: a cursor proved that the history under ``epoch`` is another. Only once."""
    old = uuid.UUID(epoch)
    moved = Feed.objects.filter(id=1, epoch=old).update(epoch=new_id())
    if moved:
        log.warning("history diverged: a new epoch begins, and replicas start again")


def is_later(epoch: str, than: str) -> bool:
    """Whether an epoch began after another: ids of version 7 are in the order of time.

    If a cursor's epoch is later than the feed's own, that epoch was lost with a restore. (Epochs
    of version 4, from earlier releases, count as older than any other.)
    """
    born = [found.int if found.version == 7 else 0 for found in map(uuid.UUID, (epoch, than))]
    return born[0] > born[1]


def generations() -> dict[str, int]:
    """How often each model's feed had a gap, by label."""
    with connection().cursor() as cursor:
        cursor.execute(f"SELECT model, value FROM {GENERATION}")
        return dict(cursor.fetchall())


def read(
    scopes: Sequence[str], models: Sequence[str], after: int, upto: int, limit: int
) -> list[Entry]:
    """The first ``limit`` entries of these scopes and models behind ``after``, in order.

    The index on (scope, position) is entered once for each scope, so the cost follows the entries
    found, not the length of the log. The statements of both dialects leave the planner no other
    way. With statistics of a time when the log held few scopes, it would read all entries.
    """
    with connection().cursor() as cursor:
        cursor.execute(*dialect().read(scopes, models, after, upto, limit))
        return [
            Entry(position, mark, model, uuid.UUID(str(object_id)), scope)
            for position, mark, model, object_id, scope in cursor.fetchall()
        ]


def between(after: int, upto: int, limit: int) -> list[Entry]:
    """The first ``limit`` entries behind ``after``, of all scopes and models, in order."""
    if after == upto:
        return []
    found = Change.objects.filter(position__gt=after, position__lte=upto)
    columns = ("position", "mark", "model", "object_id", "scope")
    return [Entry(*row) for row in found.order_by("position").values_list(*columns)[:limit]]


NEWS = 1000
"""Entries that are read for their scopes; more may concern any user."""


def news(after: int | None) -> tuple[int, frozenset[str] | None, bool]:
    """The head; the scopes of the entries behind ``after`` (``None``: too many to list).

    Third, whether the outbox holds more than was sequenced first: then it is time to look again.
    Without ``after`` nothing is new.
    """
    left = sequencer.advance()
    current, _ = state()
    if after is None or after == current.head:
        return current.head, frozenset(), left
    if after > current.head or after < current.floor:
        return current.head, None, left
    entries = Change.objects.filter(position__gt=after, position__lte=current.head)
    scopes = list(entries.order_by("position").values_list("scope", flat=True)[:NEWS])
    known = frozenset(scope for scope in scopes if scope is not None)
    return current.head, known if len(scopes) < NEWS else None, left


def unsequenced(scopes: Sequence[str]) -> bool:
    """Whether this snapshot shows committed changes of these scopes without a position."""
    if not dialect().outbox_fills:
        return False
    among, listed = dialect().among(scopes)
    with connection().cursor() as cursor:
        cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {OUTBOX} WHERE scope {among})", [listed])
        return bool(cursor.fetchone()[0])


def tombstones(model: str, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Trace]:
    """The last traces of deleted objects among ``ids``."""
    among, listed = dialect().among(ids)
    with connection().cursor() as cursor:
        cursor.execute(
            f"SELECT object_id, revision, scope FROM {TOMBSTONE}"
            f" WHERE model = %s AND object_id {among}",
            [model, listed],
        )
        found = cursor.fetchall()
    return {uuid.UUID(str(id)): Trace(revision, scope) for id, revision, scope in found}


def history(model: str, object_id: uuid.UUID, above: int, upto: int) -> list[Step]:
    """An object's revisions above one and up to another, from the log and the outbox.

    Outbox and log are read in one statement, so that the sequencer cannot move
    an entry from one to the other between two reads.
    """
    at = dialect().at
    bounds: list[Any] = [model, dialect().id(object_id), above, upto]
    wanted = "model = %s AND object_id = %s AND revision > %s AND revision <= %s AND op <> 'm'"
    with connection().cursor() as cursor:
        cursor.execute(
            f"SELECT revision, op, columns, {at} FROM {CHANGE} WHERE {wanted}"
            f" UNION ALL SELECT revision, op, columns, {at} FROM {OUTBOX} WHERE {wanted}",
            bounds + bounds,
        )
        return [_step(*row) for row in cursor.fetchall()]


def steps(
    model: str, object_id: uuid.UUID, scopes: Sequence[str] | None, below: int | None, limit: int
) -> list[Step]:
    """The newest revisions of an object under ``below`` in these scopes (or in any).

    From outbox and log in one statement, for the reason that ``history`` has.
    """
    at = dialect().at
    bounds: list[Any] = [model, dialect().id(object_id)]
    wanted = "model = %s AND object_id = %s AND op <> 'm'"
    if scopes is not None:
        among, listed = dialect().among(scopes)
        wanted, bounds = f"{wanted} AND scope {among}", [*bounds, listed]
    if below is not None:
        wanted, bounds = f"{wanted} AND revision < %s", [*bounds, below]
    newest = "ORDER BY revision DESC LIMIT %s"
    log, outbox = (
        f"SELECT revision, op, columns, {at} AS at FROM {table} WHERE {wanted} {newest}"
        for table in (CHANGE, OUTBOX)
    )
    with connection().cursor() as cursor:
        cursor.execute(
            f"SELECT * FROM ({log}) c UNION ALL SELECT * FROM ({outbox}) o {newest}",
            [*bounds, limit, *bounds, limit, limit],
        )
        return [_step(*row) for row in cursor.fetchall()]


def _step(revision: int, op: str, columns: str, at: Any) -> Step:
    return Step(revision, op, tuple(filter(None, columns.split(","))), _in_utc(at))


def _in_utc(at: Any) -> datetime.datetime:
    """Mark a time that was read in UTC as such."""
    read = at if isinstance(at, datetime.datetime) else datetime.datetime.fromisoformat(at)
    return read.replace(tzinfo=datetime.UTC)
