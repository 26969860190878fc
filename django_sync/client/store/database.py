"""The client's store: one SQLite file, its tables, and transactions on it.

It does not know what the tables are for; ``outbox``, ``replica`` and
``conflicts`` do. One connection serves all threads of a process, behind a lock;
processes are kept apart by SQLite itself: every write begins with ``BEGIN
IMMEDIATE``, so what a transaction read is still true when it writes.

A commit is on the disk when it returns (``synchronous=FULL``). Deleted content is overwritten
(``secure_delete``), so nothing that left the user's view stays in free pages.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ... import errors
from ...protocol import ids
from .encoding import dumps, loads

SCHEMA_VERSION = 1

_OPEN = "('new', 'sent', 'aborted')"

_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS collections (
    name TEXT PRIMARY KEY,
    generation INTEGER NOT NULL DEFAULT 0,  -- raised when the collection comes anew
    sweeping INTEGER NOT NULL DEFAULT 0,    -- what is not of this generation goes at the end
    replaces INTEGER NOT NULL DEFAULT 0     -- a new epoch: revisions of unseen records mean nothing
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS records (
    collection TEXT NOT NULL,
    id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    scope TEXT NOT NULL,
    object TEXT NOT NULL,
    generation INTEGER NOT NULL,
    deleted INTEGER NOT NULL DEFAULT 0,     -- kept only while local edits stand on it
    PRIMARY KEY (collection, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS records_scope ON records (collection, scope);
CREATE INDEX IF NOT EXISTS records_deleted ON records (collection) WHERE deleted;
CREATE TABLE IF NOT EXISTS outbox (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    collection TEXT NOT NULL,
    object_id TEXT NOT NULL,
    op TEXT NOT NULL,
    base_revision INTEGER,
    epoch TEXT,
    fields TEXT NOT NULL,
    base TEXT,
    at TEXT NOT NULL,
    state TEXT NOT NULL,
    body TEXT,                              -- what was sent, byte for byte
    whole INTEGER NOT NULL DEFAULT 0,       -- sent with all that is known of the object
    settled_pull INTEGER,                   -- the last pull begun before its result came
    settled_revision INTEGER                -- the object's after it, as the result says
);
CREATE INDEX IF NOT EXISTS outbox_object ON outbox (collection, object_id);
CREATE INDEX IF NOT EXISTS outbox_state ON outbox (state);
CREATE TABLE IF NOT EXISTS outbox_size (
    open INTEGER NOT NULL                   -- mutations without a result, counted by the triggers
);
INSERT INTO outbox_size SELECT count(*) FROM outbox WHERE state IN {_OPEN}
    HAVING NOT EXISTS (SELECT 1 FROM outbox_size);
CREATE TRIGGER IF NOT EXISTS outbox_added AFTER INSERT ON outbox WHEN NEW.state IN {_OPEN}
    BEGIN UPDATE outbox_size SET open = open + 1; END;
CREATE TRIGGER IF NOT EXISTS outbox_removed AFTER DELETE ON outbox WHEN OLD.state IN {_OPEN}
    BEGIN UPDATE outbox_size SET open = open - 1; END;
CREATE TRIGGER IF NOT EXISTS outbox_moved AFTER UPDATE OF state ON outbox
    WHEN (NEW.state IN {_OPEN}) != (OLD.state IN {_OPEN})
    BEGIN UPDATE outbox_size SET open = open + iif(NEW.state IN {_OPEN}, 1, -1); END;
CREATE TABLE IF NOT EXISTS conflicts (
    seq INTEGER PRIMARY KEY REFERENCES outbox (seq) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    fields TEXT NOT NULL,
    base TEXT,
    server TEXT NOT NULL,
    epoch TEXT
);
CREATE TABLE IF NOT EXISTS rejections (
    seq INTEGER PRIMARY KEY,
    mutation TEXT NOT NULL,
    problem TEXT NOT NULL
);
"""

_LATER = {"whole": "INTEGER NOT NULL DEFAULT 0", "settled_revision": "INTEGER"}
"""Columns that the outbox has got since its first version."""

_TABLES = ("conflicts", "rejections", "outbox", "records", "collections", "meta")


class Store:
    """A file, its lock, its transactions, and the few single values in ``meta``."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self.lock = threading.RLock()
        self._db = sqlite3.connect(
            self.path, timeout=60, isolation_level=None, check_same_thread=False
        )
        self._db.row_factory = sqlite3.Row
        try:
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
                self._db.execute(f"PRAGMA {pragma}")
            self._db.execute("PRAGMA foreign_keys=ON")
            self._prepare()
        except BaseException:
            self._db.close()
            raise

    def _prepare(self) -> None:
        with self.write() as db:
            for statement in _SCHEMA.split(";\n"):
                if statement.strip():
                    db.execute(statement)
            columns = [row["name"] for row in db.execute("PRAGMA table_info(outbox)")]
            for name, kind in _LATER.items():
                if name not in columns:  # An older version made the store.
                    db.execute(f"ALTER TABLE outbox ADD COLUMN {name} {kind}")
            found = self.get("schema_version")
            if found is None:
                self.set("schema_version", SCHEMA_VERSION)
            elif found != SCHEMA_VERSION:
                raise errors.StoreMismatch(
                    f"The store {self.path} has schema {found}; this version of django_sync "
                    f"reads {SCHEMA_VERSION}. Use the version that made it."
                )
            if self.get("client_id") is None:
                self.set("client_id", str(ids.new_id()))

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction that writes; a block within another one joins it."""
        with self.lock:
            if self._db.in_transaction:
                yield self._db
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                self._roll_back()
                raise

    def _roll_back(self) -> None:
        if self._db.in_transaction:  # A failed COMMIT may have ended it already.
            self._db.execute("ROLLBACK")

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A transaction that sees one state of the store throughout."""
        with self.lock:
            if self._db.in_transaction:
                yield self._db
                return
            self._db.execute("BEGIN")
            try:
                yield self._db
            finally:
                self._db.execute("COMMIT")

    def get(self, key: str) -> object:
        """A value of ``meta``, or ``None``."""
        with self.lock:
            row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else loads(row["value"])

    def text(self, key: str) -> str | None:
        """A value of ``meta`` that is a string."""
        value = self.get(key)
        return value if isinstance(value, str) else None

    def number(self, key: str) -> int:
        """A value of ``meta`` that counts; 0 where there is none."""
        value = self.get(key)
        return value if isinstance(value, int) else 0

    def set(self, key: str, value: object) -> None:
        """Write a value of ``meta``, within the caller's transaction if it has one."""
        with self.write() as db:
            db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, dumps(value)))

    def count_up(self, key: str) -> int:
        """Raise a number in ``meta`` by one and return it."""
        with self.write():
            value = self.number(key) + 1
            self.set(key, value)
        return value

    def scrub(self) -> None:
        """Empty the write-ahead log, which would otherwise keep deleted content.

        It does not wait: while another process reads, the last connection that closes does it.
        """
        with self.lock:
            if not self._db.in_transaction:
                timeout = self._db.execute("PRAGMA busy_timeout").fetchone()[0]
                self._db.execute("PRAGMA busy_timeout=0")
                try:
                    self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
                except sqlite3.OperationalError:
                    pass  # Another process uses it; closing the store scrubs as well.
                finally:
                    self._db.execute(f"PRAGMA busy_timeout={timeout}")

    def wipe(self) -> None:
        """Forget everything, the client's id and its binding to a user included."""
        with self.write() as db:
            for table in _TABLES:
                db.execute(f"DELETE FROM {table}")
            self.set("schema_version", SCHEMA_VERSION)
            self.set("client_id", str(ids.new_id()))
        self.scrub()

    def close(self) -> None:
        """Close the file. A second call does nothing."""
        with self.lock:
            self._db.close()
