"""One installation at a party: a real client on a store on disk, and what is watched of it.

Triggers in the store itself keep a log of the outbox, so that nothing in the client
can forget an entry, and what happens between two looks is seen too.
"""

from __future__ import annotations

import json
import random
import re
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django_sync.client import Auth, Backoff, Conflict, Record, Rejection, Resolution, SyncClient
from django_sync.testing.faults import FaultyTransport

from .store_log import OUTBOX_LOG

Key = tuple[str, str]
_MARK = re.compile(r"~w[\d.]+~")  # what no cursor or id has in it


def marks(value: object) -> set[str]:
    """The marks within a value."""
    return set(_MARK.findall(value if isinstance(value, str) else json.dumps(value, default=str)))


@dataclass(frozen=True)
class Held:
    """A record that a store holds; ``earlier`` where a snapshot has yet to come by it."""

    key: Key
    revision: int
    scope: str
    earlier: bool


class Guest:
    """One person's client, and what they typed, were shown and were refused."""

    vanishes = False
    """Whether it may end after it reports to its user and before it notes that."""

    def __init__(
        self,
        name: str,
        auth: Auth,
        path: Path,
        url: str,
        collections: Sequence[str],
        network: FaultyTransport,
    ) -> None:
        self.name, self.path, self.network = name, path, network
        self._auth, self._url, self._collections = auth, url, tuple(collections)
        self.typed: set[str] = set()
        self.shown: set[str] = set()
        self.deleted: set[Key] = set()
        self.rejections: list[Rejection] = []
        self.allowed: set[str] = set()
        """Scopes that were open at any time since the last complete pull began."""
        self.opened: set[str] = set()
        self.decide: Any = lambda conflict: None
        """What ``on_conflict`` answers with."""
        self._looked_at: list[tuple[str, int, int]] = []
        self._held: dict[Key, tuple[object, int]] = {}
        self.client = self.open()
        self.keep_outbox_log()

    def open(self) -> SyncClient:
        """Open another client on the guest's store: a second window, in effect."""
        client = SyncClient(
            self._url,
            store=self.path,
            auth=self._auth,
            collections=self._collections,
            transport=self.network,
            backoff=Backoff(attempts=2, uniform=lambda low, high: high),
            sleep=lambda seconds: None,
        )
        client.on_rejected(self.rejections.append)
        client.on_conflict(self._asked)
        client.on_change()(lambda change: None)
        return client

    def keep_outbox_log(self) -> None:
        """Have the store itself note what becomes of the outbox."""
        with closing(sqlite3.connect(self.path)) as db:
            db.executescript(OUTBOX_LOG)

    def see(self, collection: str) -> list[Record]:
        """What the user is shown of a collection, and knows from then on."""
        records = list(self.client.collection(collection).all())
        for record in records:
            self.shown |= marks(record.object)
        return records

    def reopen(self) -> None:
        """The program ends without a word and is started again."""
        self.client.close()
        self.client = self.open()

    @property
    def pending(self) -> bool:
        return bool(self.client.outbox or self.client.conflicts)

    def settle(self, conflict: Conflict, resolution: Resolution) -> None:
        """Decide a conflict, having looked at it."""
        if conflict.server is not None:
            self.shown |= marks(conflict.server.object)
        conflict.settle(resolution)

    def settle_all(self, random: random.Random) -> None:
        """Decide all open conflicts, each in one of two ways."""
        for conflict in self.client.conflicts:
            kept = random.choice([conflict.keep_server, conflict.keep_client])
            self.settle(conflict, kept())

    def _asked(self, conflict: Conflict) -> Resolution | None:
        resolution: Resolution | None = self.decide(conflict)
        if resolution is not None and conflict.server is not None:
            self.shown |= marks(conflict.server.object)
        return resolution

    # What is watched.

    def rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        """Rows of the store, read past the client."""
        with closing(sqlite3.connect(self.path)) as db:
            db.row_factory = sqlite3.Row
            return db.execute(query, values).fetchall()

    def look(self) -> None:
        """Check what the store holds, and remember what its user has been shown."""
        found = self.held()
        if found is None:
            return
        epoch, rows = found
        for row in rows:
            known, revision = self._held.get(row.key, (epoch, 0))
            fell = epoch == known and row.revision < revision
            assert not fell, f"G2: {row.key} fell from {revision} to {row.revision}"
            if not row.earlier:  # else a snapshot in a new epoch has yet to come by it
                self._held[row.key] = (epoch, row.revision)
            allowed = row.scope in self.allowed
            assert allowed, f"G7: {self.name} holds {row.key} of scope {row.scope}"
        for name in self._collections:
            self.see(name)

    def held(self) -> tuple[object, list[Held]] | None:
        """The epoch and its records, past the client; ``None`` where nothing was written since."""
        written = [(f.name, f.stat().st_size, f.stat().st_mtime_ns) for f in self._files()]
        if written == self._looked_at:
            return None
        self._looked_at = written
        epoch = [row["value"] for row in self.rows("SELECT * FROM meta WHERE key = 'epoch'")]
        found = self.rows(
            "SELECT r.*, r.generation < c.generation AS earlier"
            " FROM records r JOIN collections c ON c.name = r.collection"
        )
        return epoch, [
            Held((row["collection"], row["id"]), row["revision"], row["scope"], row["earlier"])
            for row in found
        ]

    def records(self) -> dict[Key, tuple[int, str, Any]]:
        """The server's state as it lies on the disk."""
        found = self.rows("SELECT * FROM records WHERE NOT deleted")
        return {
            (row["collection"], row["id"]): (
                row["revision"],
                row["scope"],
                json.loads(row["object"]),
            )
            for row in found
        }

    def left_over(self) -> list[dict[str, Any]]:
        """What stays in the store besides records, once nothing is pending."""
        rest = self.rows("SELECT * FROM outbox") + self.rows("SELECT seq FROM rejections")
        deleted = self.rows("SELECT * FROM records WHERE deleted")
        return [dict(row) for row in rest + deleted]

    def on_disk(self, wanted: set[str]) -> dict[str, str]:
        """Those of the marks that are found on the disk, and in what: table or file."""
        found: dict[str, str] = {}
        for (table,) in self.rows("SELECT name FROM sqlite_master WHERE type = 'table'"):
            for row in self.rows(f"SELECT * FROM {table}"):
                for mark in marks([str(value) for value in tuple(row)]) & wanted:
                    found.setdefault(mark, f"{table}: {dict(row)}")
        for file in self._files():
            for mark in marks(file.read_bytes().decode("latin-1")) & wanted:
                found.setdefault(mark, file.name)
        return found

    def _files(self) -> list[Path]:
        """The store's files, without the one that only indexes the write-ahead log."""
        found = sorted(self.path.parent.glob(f"{self.path.name}*"))
        return [file for file in found if not file.name.endswith("-shm")]

    def outbox_log(self) -> Sequence[Mapping[str, Any]]:
        """What became of the outbox, entry by entry."""
        return [dict(row) for row in self.rows("SELECT * FROM party_outbox_log ORDER BY n")]

    def refused(self) -> list[str]:
        """The ids of the mutations that the user got as refused, once for each report."""
        return [rejection.mutation.id for rejection in self.rejections]

    def assert_accounted(self, answers: Mapping[str, str]) -> None:
        """Each mutation that was made ended in one way, and everybody got the same one."""
        made: dict[str, Key] = {}
        ends: dict[str, list[str]] = {}
        conflicts: set[Key] = set()
        for row in self.outbox_log():
            key = (row["collection"], row["object_id"])
            if row["what"] == "made":
                made[row["id"]] = key
                continue
            end = "refused" if row["what"] == "refused" else row["state"]
            ends.setdefault(row["id"], []).append(end)
            if end == "conflict":
                conflicts.add(key)
        refused = self.refused()
        for id, key in made.items():
            answer = answers.get(id)
            match sorted(ends.get(id, [])):
                case ["settled"]:
                    assert answer in ("applied", "merged"), (id, key, answer)
                case ["conflict"]:
                    assert answer == "conflict", (id, key, answer)
                case ["aborted", "refused"]:
                    assert answer in ("rejected", "conflict"), (id, key, answer)
                    often = refused.count(id)
                    assert often == 1 or (often and self.vanishes), f"{id}: reported {often} times"
                case ["new" | "aborted"]:
                    # Taken back with the object, or made part of a decision on its conflict.
                    assert key in self.deleted | conflicts, f"lost: {id} on {key}"
                    assert answer is None, f"{id} was {answer} and taken back"
                case other:
                    raise AssertionError(f"{id} on {key} ended in {other}")
        assert set(ends) <= set(made)
