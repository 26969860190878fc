"""The first two statements of a transaction of mutations.

The first locks the client's row and reads the feed's state: a request with the same mutations waits
there. On SQLite it takes the write lock of the database. The second reads the stored results, so it
sees what the other batch has committed.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connections

from .. import errors, feed
from ..caller import Caller
from ..collection import Collection
from ..conf import conf
from ..models import Client, MutationResult

CLIENT = Client._meta.db_table
RESULT = MutationResult._meta.db_table
_READ = (
    f"SELECT c.user_id, c.forgotten_seq, (SELECT epoch FROM {feed.FEED} WHERE id = 1)"
    f" FROM {CLIENT} c WHERE c.id = %s"
)


@dataclass(frozen=True, slots=True)
class Opened:
    """What the first statement read; ``forgotten_seq`` is the client's."""

    epoch: str
    forgotten_seq: int = -1


@dataclass(frozen=True, slots=True)
class Probe:
    """Ids of objects to be created; the second statement also checks whether they are in use."""

    collection: Collection
    ids: Sequence[uuid.UUID]


def open_transaction(caller: Caller, client: Client | None) -> Opened:
    """Lock the client's row, which is made where it is not there yet, and read the feed's state.

    Without a client (a REST call without a key) nothing is locked but, on SQLite, the database.
    Raises ``ClientMismatch`` where the client is another user's.
    """
    db = connections[conf.DATABASE]
    _take_write_lock(db)
    if client is None:
        return Opened(feed.state()[0].epoch)
    found = _read(db, client.pk)
    if found is None:
        Client.objects.using(conf.DATABASE).bulk_create(
            [Client(id=client.pk, user=caller.user)], ignore_conflicts=True
        )
        found = _read(db, client.pk)
    if found is None or str(found[0]) != caller.key:
        raise errors.ClientMismatch
    epoch = feed.state()[0].epoch if found[2] is None else str(uuid.UUID(str(found[2])))
    return Opened(epoch, found[1])


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
        cursor.execute(f"UPDATE {feed.FEED} SET head = head WHERE id = 0")


def stored_results(
    client: Client | None, ids: Sequence[uuid.UUID], probe: Probe | None
) -> tuple[list[MutationResult], bool]:
    """The client's stored results among these ids, and whether an id of the probe is in use."""
    db = connections[conf.DATABASE]
    asked, bounds = ("false", []) if probe is None else probe.collection.in_use(probe.ids)
    among: Any = list(ids)
    within = "= ANY(%s)"
    if db.vendor != "postgresql":
        among, within = json.dumps([id.hex for id in ids]), "IN (SELECT value FROM json_each(%s))"
    owner = None if client is None else _bound(db, client.pk)
    found = MutationResult.objects.using(conf.DATABASE).raw(
        f"SELECT p.in_use, r.* FROM (SELECT {asked} AS in_use) p LEFT JOIN {RESULT} r"
        f" ON r.client_id = %s AND r.mutation_id {within}",
        [*bounds, owner, among],
    )
    rows: list[Any] = list(found)
    return [row for row in rows if row.pk is not None], bool(rows[0].in_use)


def _bound(db: Any, id: uuid.UUID) -> Any:
    return id if db.features.has_native_uuid_field else id.hex
