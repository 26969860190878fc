"""The example under uvicorn, as a process that can be stopped and killed, and its database.

The database is looked at and written past Django, by SQL: what the pages are compared with is what
is there, and a test's writes are those of "another program".
"""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.docs.running import free_port

from .rows import Records, seen_by

ROOT = Path(__file__).resolve().parents[2]
DEADLINE = 30.0
"""Seconds after which what a test waits for is taken as never coming."""
NOW = "2026-01-05 09:00:00"


def until(condition: Callable[[], object], what: Callable[[], object] | str) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"it never came to this: {what() if callable(what) else what}")
        time.sleep(0.01)


@dataclass(frozen=True)
class Board:
    """A board of one test: its key, and its id on the wire."""

    pk: int
    id: str


class Site:
    """One server after the other at one address, on one database."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = folder / "files"
        self.files.mkdir()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.database = folder / "site.sqlite3"
        self._env = os.environ | {
            "DJANGO_SETTINGS_MODULE": "tests.browser.settings",
            "DATABASE_URL": f"sqlite:///{self.database}",
            "SITE_FILES": str(self.files),
            "PYTHONPATH": str(ROOT),
            "DEBUG": "1",
        }
        for unwanted in ("REDIS_URL", "ALLOWED_HOSTS"):
            self._env.pop(unwanted, None)
        self._server: subprocess.Popen[bytes] | None = None
        self._run("-m", "django", "migrate", "--verbosity", "0")

    def _run(self, *command: str) -> None:
        subprocess.run([sys.executable, *command], cwd=ROOT, env=self._env, check=True)

    # ── The server ──

    @property
    def is_up(self) -> bool:
        return self._server is not None

    def start(self) -> None:
        """Begin, as ``make demo`` does, and wait until it answers."""
        command = ["-m", "uvicorn", "example_project.asgi:application", "--port", str(self.port)]
        options = ["--lifespan", "off", "--timeout-graceful-shutdown", "1"]
        with (self.folder / "server.log").open("ab") as log:
            self._server = server = subprocess.Popen(
                [sys.executable, *command, *options, "--log-level", "warning"],
                cwd=ROOT,
                env=self._env,
                stdout=log,
                stderr=log,
            )
        until(lambda: server.poll() is not None or self._answers(), "the server answers")
        assert server.poll() is None, (self.folder / "server.log").read_text()

    def _answers(self) -> bool:
        with socket.socket() as tried:
            return tried.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        """As a service manager does."""
        self._end("terminate")

    def kill(self) -> None:
        """Power fails."""
        self._end("kill")

    def _end(self, how: str) -> None:
        server, self._server = self._server, None
        if server is not None:
            getattr(server, how)()
            server.wait(DEADLINE)

    # ── The database ──

    @contextmanager
    def rows(self) -> Iterator[sqlite3.Connection]:
        """A transaction on it, of another program."""
        one = sqlite3.connect(self.database, timeout=20, isolation_level=None)
        one.row_factory = sqlite3.Row
        try:
            one.execute("BEGIN IMMEDIATE")
            yield one
            one.execute("COMMIT")
        finally:
            one.close()

    def new_board(self, name: str, cards: dict[str, list[str]]) -> Board:
        """A board of Ada's that Grace edits; its cards by column."""
        with self.rows() as rows:
            pk = rows.execute(
                "INSERT INTO boards_board (name, color, owner_id)"
                " SELECT ?, '#3465a4', id FROM auth_user WHERE username = 'ada'",
                [name],
            ).lastrowid
            rows.execute(
                "INSERT INTO boards_membership (role, board_id, user_id)"
                " SELECT 'editor', ?, id FROM auth_user WHERE username = 'grace'",
                [pk],
            )
            for column, titles in cards.items():
                for position, title in enumerate(titles, 1):
                    rows.execute(
                        'INSERT INTO boards_card (board_id, title, body, "column", position,'
                        " votes, checklist, created_at) VALUES (?, ?, '', ?, ?, 0, '[]', ?)",
                        [pk, title, column, float(position), NOW],
                    )
            [found] = rows.execute("SELECT sync_id FROM boards_board WHERE id = ?", [pk])
        assert pk is not None
        return Board(pk, str(uuid.UUID(found["sync_id"])))

    def forget_boards(self) -> None:
        """Delete the boards of tests, and leave those of the demo."""
        of_tests = "SELECT id FROM boards_board WHERE name LIKE 'test %'"
        cards = f"SELECT id FROM boards_card WHERE board_id IN ({of_tests})"
        with self.rows() as rows:
            rows.execute(f"DELETE FROM boards_card_labels WHERE card_id IN ({cards})")
            rows.execute(f"DELETE FROM boards_comment WHERE card_id IN ({cards})")
            for table in ("card", "label", "membership"):
                rows.execute(f"DELETE FROM boards_{table} WHERE board_id IN ({of_tests})")
            rows.execute("DELETE FROM boards_board WHERE name LIKE 'test %'")

    def seen_by(self, user: str) -> Records:
        """What a user's replica is to hold, as the rows are."""
        with self.rows() as rows:
            return seen_by(rows, user)
