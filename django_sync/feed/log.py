"""The feed: gives committed changes their positions, and reads them in that order.

On PostgreSQL (and MariaDB) a trigger writes an outbox, and whoever reads moves
what is committed into the log, under the lock of the one ``Feed`` row. Position
order is then the order of visibility, and writers wait for nobody. On SQLite,
with its single writer, the log's own id is the position.

This file knows nothing of users, collections or cursors.
"""

from __future__ import annotations

import contextlib
import datetime
import functools
import json
import logging
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import OperationalError, ProgrammingError, transaction

from ..conf import conf
from ..merge import Step
from ..models import Change, Feed, Generation, Outbox, Tombstone
from ..models.database import connection
from ..protocol.ids import new_id

log = logging.getLogger("django_sync.feed")

CHANGE = Change._meta.db_table
FEED = Feed._meta.db_table
GENERATION = Generation._meta.db_table
OUTBOX = Outbox._meta.db_table
TOMBSTONE = Tombstone._meta.db_table
LOCKED = "55P03"
"""PostgreSQL's SQLSTATE for a lock that was not to be had in time."""
NO_FUNCTION = frozenset({"42883", "42501"})
"""Its SQLSTATEs for a function that is not there, and for one that may not be called."""

_MOVE = f"""
WITH gone AS (
        DELETE FROM {OUTBOX}
        WHERE ctid = ANY (ARRAY(SELECT ctid FROM {OUTBOX} ORDER BY id LIMIT %s)) RETURNING *),
     moved AS (
        INSERT INTO {CHANGE}
               (position, mark, model, object_id, revision, op, columns, scope, at)
        SELECT %s + row_number() OVER (ORDER BY id), floor(random() * 9007199254740991)::bigint,
               model, object_id, revision, op, columns, scope, at
        FROM gone RETURNING 1)
UPDATE {FEED} SET head = head + (SELECT count(*) FROM moved) WHERE id = 1 RETURNING head
"""
"""Entries are deleted by ``ctid``, not by a join on ``id``. The statistics are mostly those of an
empty outbox; with a join, the planner would hash a long outbox at each step. A ``ctid`` stays
valid: entries are never updated, and only the sequencer deletes them, under its lock."""

STEPS = 4
"""The most sequencing transactions in one request or turn; if more is left, another one follows."""


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
    ``generations`` says how often capture of each model had a gap, by label. ``waiting``: the
    outbox holds committed changes that have no position yet.
    """

    state: State
    mark: int | None
    generations: dict[str, int]
    waiting: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """What the feed says of one change; the row decides what is sent."""

    position: int
    mark: int
    model: str
    object_id: uuid.UUID
    scope: str | None


@dataclass(frozen=True, slots=True)
class Trace:
    """What is left of a deleted object: its last revision, and where it lay."""

    revision: int
    scope: str | None


def sequence() -> int:
    """Give positions to what is committed and has none; return how many got one.

    Runs in transactions of its own, unless one is open already (as in a
    ``TestCase``). Where another sequencer holds the lock for longer than
    ``SEQUENCE_WAIT_MS``, what is positioned by then has to do. A long outbox takes its time: this
    is for commands. What somebody waits for calls ``advance``.
    """
    db, moved = connection(), 0
    while _waiting(db):
        step = _sequence_once(db)
        moved += step
        if step < conf.SEQUENCE_BATCH:
            break
    return moved


def catch_up() -> bool:
    """Sequence in at most ``STEPS`` transactions; return whether more may be left.

    So a pull does not wait until a long outbox is moved completely, and the lock is free between
    the transactions.
    """
    db = connection()
    return all(_sequence_once(db) == conf.SEQUENCE_BATCH for _ in range(STEPS))


def advance() -> bool:
    """``catch_up``, if the outbox holds anything; whether there is more to do."""
    return _waiting(connection()) and catch_up()


def _waiting(db: Any) -> bool:
    """Whether the outbox holds anything; makes the feed's row where there is none yet."""
    with db.cursor() as cursor:
        cursor.execute(
            f"SELECT EXISTS (SELECT 1 FROM {OUTBOX}), EXISTS (SELECT 1 FROM {FEED} WHERE id = 1)"
        )
        waiting, there = cursor.fetchone()
        if not there:
            _create(cursor)
        return bool(waiting)


def _sequence_once(db: Any) -> int:
    """One transaction: the lock in one statement, the move in a later one.

    In one statement, or at REPEATABLE READ, the snapshot would be older than
    the lock, and positions would be given twice.
    """
    try:
        with transaction.atomic(using=db.alias), db.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('lock_timeout', %s, true),"
                " CASE WHEN current_setting('synchronous_commit') = 'off'"
                " THEN set_config('synchronous_commit', 'on', true) END",
                [f"{conf.SEQUENCE_WAIT_MS}ms"],
            )
            cursor.execute(f"SELECT head FROM {FEED} WHERE id = 1 FOR UPDATE")
            row = cursor.fetchone()
            head = _create(cursor) if row is None else row[0]
            cursor.execute(_MOVE, [conf.SEQUENCE_BATCH, head])
            return int(cursor.fetchone()[0]) - int(head)
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) != LOCKED:
            raise
        log.info("another process is sequencing; serving what is positioned")
        return 0


def _create(cursor: Any) -> int:
    """Make the feed's row, with an epoch of its own; the head follows a log that is there."""
    cursor.execute(f"SELECT COALESCE(max(position), 0) FROM {CHANGE}")
    (head,) = cursor.fetchone()
    cursor.execute(
        f"INSERT INTO {FEED} (id, epoch, head, floor) VALUES (1, %s, %s, 0)"
        " ON CONFLICT (id) DO NOTHING",
        [new_id() if connection().vendor == "postgresql" else new_id().hex, head],
    )
    cursor.execute(f"SELECT head FROM {FEED} WHERE id = 1")
    return int(cursor.fetchone()[0])


_REPEATABLE_READ = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
_WITHOUT_JIT = "pg_catalog.set_config('jit', 'off', true)"
"""To compile what reads a page takes longer than to run it. Ends with the transaction."""


@contextlib.contextmanager
def snapshot() -> Iterator[bool]:
    """One consistent state of the database for all reads of a pull.

    Gives whether that is what is committed. Inside an open transaction, and without autocommit,
    it is whatever the transaction sees, which may never be.
    """
    db = connection()
    if db.in_atomic_block or not db.get_autocommit():
        yield False
        return
    with contextlib.ExitStack() as stack:
        if db.vendor == "postgresql":
            stack.enter_context(_repeatable_read(db))
        with _deferred(db):
            stack.enter_context(transaction.atomic(using=db.alias))
        yield True


@contextlib.contextmanager
def _repeatable_read(db: Any) -> Iterator[None]:
    """On PostgreSQL, have the next BEGIN say the level; a statement for that costs a round trip."""
    from django.db.backends.postgresql.psycopg_any import IsolationLevel

    db.ensure_connection()
    link, level = db.connection, db.connection.isolation_level
    link.isolation_level = IsolationLevel.REPEATABLE_READ
    try:
        yield
    finally:
        if not link.closed:
            link.isolation_level = level


@contextlib.contextmanager
def _deferred(db: Any) -> Iterator[None]:
    """On SQLite, begin as a reader, also where the project's transactions begin IMMEDIATE."""
    if db.vendor != "sqlite":
        yield
        return
    mode, db.transaction_mode = db.transaction_mode, "DEFERRED"
    try:
        yield
    finally:
        db.transaction_mode = mode


def check_constraints() -> None:
    """Let deferred constraints speak now, inside the savepoint, not at the commit.

    Raises ``IntegrityError``. SQLite cannot be asked; there the commit tells.
    """
    db = connection()
    if db.vendor == "postgresql":
        with db.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


def state(position: int = 0) -> tuple[State, int | None]:
    """The feed's state, and the mark of the entry at ``position`` (``None``: no such entry).

    Position 0 is where every history begins; its mark is 0.
    """
    seen = overview(position)
    return seen.state, seen.mark


def overview(position: int = 0, *, whole: bool = True) -> Overview:
    """State, outbox, generations, and the mark at ``position``, in one statement.

    It makes the feed's row where there is none yet. Without ``whole`` the head's mark is not
    looked up, which takes PostgreSQL a quarter of the statement's time; 0 stands for it.
    """
    found = seen(position, whole=whole)
    if found is None:
        with connection().cursor() as cursor:
            _create(cursor)
        return overview(position, whole=whole)
    return found


def seen(position: int = 0, *, whole: bool = True) -> Overview | None:
    """The same, which only reads; ``None`` where the feed has no row yet.

    On PostgreSQL the transaction goes on without JIT where it is asked for the whole.
    """
    db = connection()
    if not whole and (known := _by_function(db, position)) is not None:
        return known
    with db.cursor() as cursor:
        cursor.execute(_overview(db.vendor, whole), [position])
        row = cursor.fetchone()
    if row is None:
        return None
    epoch, head, floor, mark, there, waiting, generations, *_ = row
    return Overview(
        state=State(str(uuid.UUID(str(epoch))), head, floor, mark or 0),
        mark=there if position else 0,
        generations=json.loads(generations) if generations else {},
        waiting=bool(waiting),
    )


_without_function: set[str] = set()
"""Aliases of databases that refused the function: it is missing there, or not ours to call."""


def _by_function(db: Any, position: int) -> Overview | None:
    """The overview from the function of migration 0011, whose plan PostgreSQL keeps.

    ``None`` where it cannot be had, and where its failure would end somebody's transaction.
    """
    if db.vendor != "postgresql" or db.in_atomic_block or db.alias in _without_function:
        return None
    if not db.get_autocommit():
        return None
    try:
        with db.cursor() as cursor:
            cursor.execute(f"SELECT django_sync_overview({int(position)})")
            (text,) = cursor.fetchone()
    except ProgrammingError as error:
        if getattr(error.__cause__, "sqlstate", None) not in NO_FUNCTION:
            raise
        _without_function.add(db.alias)
        log.info("django_sync_overview() is missing or may not be called; a statement is used")
        return None
    return None if text is None else _parse_overview(text, position)


def _parse_overview(text: str, position: int) -> Overview:
    """Read the function's answer: its values are in the order of migration 0011."""
    epoch, head, floor, mark, waiting, *generations = text.split("|", 5)
    there = None if mark == "-1" else int(mark)
    return Overview(
        state=State(epoch, int(head), int(floor), 0),
        mark=there if position else 0,
        generations=json.loads(generations[0]) if generations else {},
        waiting=waiting == "1",
    )


@functools.cache
def _overview(vendor: str, whole: bool) -> str:
    """The statement of ``overview``."""
    head, gather, besides = "f.head", "json_object_agg(model, value)::text", ""
    if vendor == "sqlite":
        head = f"(SELECT COALESCE(max(position), 0) FROM {CHANGE})"
        gather = "json_group_object(model, value)"
    mark = f"(SELECT mark FROM {CHANGE} WHERE position = h.head)" if whole else "0"
    if whole and vendor == "postgresql":
        besides = f", {_WITHOUT_JIT}"
    return (
        f"SELECT h.epoch, h.head, h.floor, {mark},"
        f" (SELECT mark FROM {CHANGE} WHERE position = %s),"
        f" EXISTS (SELECT 1 FROM {OUTBOX}), (SELECT {gather} FROM {GENERATION}){besides}"
        f" FROM (SELECT f.epoch, f.floor, {head} AS head FROM {FEED} f WHERE f.id = 1) h"
    )


def diverged(epoch: str) -> None:
    """Begin a new epoch, once, where a cursor proved, under ``epoch``, that history is another."""
    old = uuid.UUID(epoch)
    moved = Feed.objects.filter(id=1, epoch=old).update(epoch=new_id())
    if moved:
        log.warning("history diverged: a new epoch begins, and replicas start again")


def is_later(epoch: str, than: str) -> bool:
    """Whether an epoch began after another: ids of version 7 are in the order of time.

    One that is later than the feed's own was lost with a restore, and its cursor proves
    it. (Those of version 4, from earlier releases, are taken for older than any other.)
    """
    born = [found.int if found.version == 7 else 0 for found in map(uuid.UUID, (epoch, than))]
    return born[0] > born[1]


def generations() -> dict[str, int]:
    """How often each model's feed had a gap, by label."""
    with connection().cursor() as cursor:
        cursor.execute(f"SELECT model, value FROM {GENERATION}")
        return dict(cursor.fetchall())


BY_SCOPE = next(index.name for index in Change._meta.indexes if "scope" in index.fields)

_PG_READ = f"""
SELECT c.position, c.mark, c.model, c.object_id, c.scope
FROM unnest(%s::text[]) AS s (scope) CROSS JOIN LATERAL (
    SELECT position, mark, model, object_id, scope FROM {CHANGE}
    WHERE (scope, position) > (s.scope, %s) AND (scope, position) <= (s.scope, %s)
      AND model = ANY(%s)
    ORDER BY scope, position LIMIT %s) c
ORDER BY c.position LIMIT %s
"""
_SQLITE_READ = f"""
SELECT c.position, c.mark, c.model, c.object_id, c.scope
FROM json_each(%s) AS s CROSS JOIN {CHANGE} AS c INDEXED BY {BY_SCOPE}
WHERE c.scope = s.value AND c.position > %s AND c.position <= %s
  AND c.model IN (SELECT value FROM json_each(%s))
ORDER BY c.position LIMIT %s
"""


def read(
    scopes: Sequence[str], models: Sequence[str], after: int, upto: int, limit: int
) -> list[Entry]:
    """The first ``limit`` entries of these scopes and models behind ``after``, in order.

    The index on (scope, position) is entered once for each scope, so the cost
    follows the entries found, not the length of the log. Both statements leave the
    planner no other way: by statistics of a time when the log held few scopes it would
    walk past everybody's entries.
    """
    with connection().cursor() as cursor:
        if connection().vendor == "sqlite":
            bounds = [json.dumps(list(scopes)), after, upto, json.dumps(list(models)), limit]
            cursor.execute(_SQLITE_READ, bounds)
        else:
            cursor.execute(_PG_READ, [list(scopes), after, upto, list(models), limit, limit])
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
"""Entries that are looked at for their scopes; more may concern anybody."""


def news(after: int | None) -> tuple[int, frozenset[str] | None, bool]:
    """The head; the scopes of what stands behind ``after`` (``None``: of too much to say).

    And whether the outbox holds more than was sequenced first: then it is time to look again.
    Without ``after`` nothing is new.
    """
    left = advance()
    current, _ = state()
    if after is None or after == current.head:
        return current.head, frozenset(), left
    if after > current.head or after < current.floor:
        return current.head, None, left
    entries = Change.objects.filter(position__gt=after, position__lte=current.head)
    scopes = list(entries.order_by("position").values_list("scope", flat=True)[:NEWS])
    told = frozenset(scope for scope in scopes if scope is not None)
    return current.head, told if len(scopes) < NEWS else None, left


def unsequenced(scopes: Sequence[str]) -> bool:
    """Whether this snapshot shows committed changes of these scopes without a position."""
    if connection().vendor == "sqlite":
        return False
    with connection().cursor() as cursor:
        cursor.execute(
            f"SELECT EXISTS (SELECT 1 FROM {OUTBOX} WHERE scope = ANY(%s))", [list(scopes)]
        )
        return bool(cursor.fetchone()[0])


def tombstones(model: str, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Trace]:
    """The last traces of deleted objects among ``ids``."""
    among = "IN (SELECT value FROM json_each(%s))"
    bounds: list[Any] = [model, json.dumps([id.hex for id in ids])]
    if connection().vendor == "postgresql":
        bounds, among = [model, list(ids)], "= ANY(%s)"
    with connection().cursor() as cursor:
        cursor.execute(
            f"SELECT object_id, revision, scope FROM {TOMBSTONE}"
            f" WHERE model = %s AND object_id {among}",
            bounds,
        )
        found = cursor.fetchall()
    return {uuid.UUID(str(id)): Trace(revision, scope) for id, revision, scope in found}


def history(model: str, object_id: uuid.UUID, above: int, upto: int) -> list[Step]:
    """An object's revisions above one and up to another, wherever their entries lie.

    Outbox and log are read in one statement, so that the sequencer cannot move
    an entry from one to the other between two reads.
    """
    at: str = "at"
    key: uuid.UUID | str = object_id.hex
    if connection().vendor == "postgresql":
        at, key = "at AT TIME ZONE 'UTC'", object_id
    bounds: list[Any] = [model, key, above, upto]
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
    """The newest revisions of an object under ``below`` that lie in these scopes (or in any).

    From outbox and log in one statement, for the reason that ``history`` has.
    """
    at, within = "at", "IN (SELECT value FROM json_each(%s))"
    bounds: list[Any] = [model, object_id.hex]
    among: Any = json.dumps(list(scopes or ()))
    if connection().vendor == "postgresql":
        at, within = "at AT TIME ZONE 'UTC'", "= ANY(%s)"
        bounds, among = [model, object_id], list(scopes or ())
    wanted = "model = %s AND object_id = %s AND op <> 'm'"
    if scopes is not None:
        wanted, bounds = f"{wanted} AND scope {within}", [*bounds, among]
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
    """A time that was read as UTC says so."""
    read = at if isinstance(at, datetime.datetime) else datetime.datetime.fromisoformat(at)
    return read.replace(tzinfo=datetime.UTC)
