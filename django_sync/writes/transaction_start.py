"""The first two statements of a transaction of mutations.

The first locks the client's row: a request with the same mutations waits there. On SQLite it takes
the write lock of the database. The second reads the stored results and the feed's epoch, so it sees
what was committed meanwhile. The first could not: after a wait PostgreSQL reads only the locked row
again, and the rest of its answer is from before the wait.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .. import errors
from ..drf.caller import Caller
from ..drf.collection import Collection
from ..feed import log as feed_log
from ..feed import tables
from ..models import Client, Decision, MutationResult
from ..models.database import connection

CLIENT = Client._meta.db_table
DECISION = Decision._meta.db_table
RESULT = MutationResult._meta.db_table
_READ = f"SELECT c.user_id, c.forgotten_seq FROM {CLIENT} c WHERE c.id = %s"


@dataclass(frozen=True, slots=True)
class Stored:
    """What the second statement read; ``in_use``: an id of the probe has a row or had one."""

    epoch: str
    results: list[MutationResult]
    in_use: bool


@dataclass(frozen=True, slots=True)
class Probe:
    """Ids of objects to be created; the second statement also checks whether they are in use."""

    collection: Collection
    ids: Sequence[uuid.UUID]


def open_transaction(caller: Caller, client: Client | None) -> int:
    """Lock the client's row, made where it is not there yet; return its ``forgotten_seq``.

    Without a client (a REST call without a key) nothing is locked but, on SQLite, the database.
    Raises ``ClientMismatch`` where the client is another user's.
    """
    db = connection()
    _take_write_lock(db)
    if client is None:
        return -1
    found = _read(db, client.pk)
    if found is None:
        Client.objects.bulk_create([Client(id=client.pk, user=caller.user)], ignore_conflicts=True)
        found = _read(db, client.pk)
    if found is None or str(found[0]) != caller.key:
        raise errors.ClientMismatch
    return int(found[1])


def _read(db: Any, id: uuid.UUID) -> Any:
    lock = " FOR NO KEY UPDATE OF c" if db.vendor == "postgresql" else ""
    with db.cursor() as cursor:
        cursor.execute(_READ + lock, [_bound(db, id)])
        return cursor.fetchone()


def _take_write_lock(db: Any) -> None:
    """On SQLite, write before anything is read, unless the transaction began as a writer.

    One that reads first is refused without waiting where another has written in between.
    """
    if db.vendor != "sqlite":
        return
    if db.commit_on_exit and getattr(db, "transaction_mode", None) in ("IMMEDIATE", "EXCLUSIVE"):
        return
    with db.cursor() as cursor:
        cursor.execute(f"UPDATE {tables.FEED} SET head = head WHERE id = 0")


def stored_results(client: Client | None, ids: Sequence[uuid.UUID], probe: Probe | None) -> Stored:
    """The epoch, the client's stored results among these ids, and whether the probe's are used."""
    db = connection()
    asked, bounds = ("false", []) if probe is None else probe.collection.in_use(probe.ids)
    within, among = _among(db, ids)
    owner = None if client is None else _bound(db, client.pk)
    with db.cursor() as cursor:
        cursor.execute(
            f"SELECT p.in_use, p.epoch, r.id FROM (SELECT {asked} AS in_use,"
            f" (SELECT epoch FROM {tables.FEED} WHERE id = 1) AS epoch) p"
            f" LEFT JOIN {RESULT} r ON r.client_id = %s AND r.mutation_id {within}",
            [*bounds, owner, among],
        )
        rows = cursor.fetchall()
    in_use, epoch, _ = rows[0]
    known = [key for _, _, key in rows if key is not None]
    results = MutationResult.objects.filter(pk__in=known) if known else ()
    told = feed_log.state()[0].epoch if epoch is None else str(uuid.UUID(str(epoch)))
    return Stored(told, list(results), bool(in_use))


def has_open_decision(client: Client, objects: Sequence[uuid.UUID]) -> bool:
    """Whether a decision of this client about any of these objects is still open.

    One parameter holds all ids: an update that names each of them costs ten times as much.
    """
    db = connection()
    within, among = _among(db, objects)
    with db.cursor() as cursor:
        cursor.execute(
            f"SELECT EXISTS (SELECT 1 FROM {DECISION} WHERE client_id = %s"
            f" AND settled_at IS NULL AND object_id {within})",
            [_bound(db, client.pk), among],
        )
        return bool(cursor.fetchone()[0])


def _among(db: Any, ids: Sequence[uuid.UUID]) -> tuple[str, Any]:
    """SQL for being among these ids, and its parameter."""
    if db.vendor == "postgresql":
        return "= ANY(%s)", list(ids)
    return "IN (SELECT value FROM json_each(%s))", json.dumps([id.hex for id in ids])


def _bound(db: Any, id: uuid.UUID) -> Any:
    return id if db.features.has_native_uuid_field else id.hex
