"""The example project of one checkout, on a database of its own, run in processes of its own.

The recording runs the checkout of before, the test this one. Both use only what stays: commands,
settings, URLs, table names, and the import paths of users.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FAKE = ROOT / ".node" / "node_modules" / "fake-indexeddb" / "build" / "esm" / "index.js"
SECRET_KEY = "the key of the recordings"  # cursors are sealed with it
LONGEST = 120.0
"""Seconds after which a process is taken as hanging."""

SERVE = (
    "import uvicorn; uvicorn.run('example_project.asgi:application', port={port},"
    " log_level='error', lifespan='off', timeout_graceful_shutdown=1)"
)

Rows = dict[str, list[dict[str, str]]]
"""The rows of each table, every value as text."""


class Example:
    """The example of a checkout, on a database that is named by a URL."""

    def __init__(self, checkout: Path, url: str) -> None:
        self.checkout, self.url = checkout, url
        self.env = {name: value for name, value in os.environ.items() if "DJANGO" not in name}
        self.env |= {
            "DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": "example_project.settings",
            "PYTHONPATH": str(checkout),
            "SECRET_KEY": SECRET_KEY,
            "DEBUG": "0",
        }

    def manage(self, *command: str) -> str:
        return self._run(
            sys.executable, str(self.checkout / "example_project" / "manage.py"), *command
        )

    def python(self, program: Path, *args: str) -> Any:
        """Run a program that prints JSON, on the checkout's Python client."""
        return json.loads(self._run(sys.executable, str(program), *args))

    def node(self, program: Path, *args: str) -> Any:
        """Run a program that prints JSON, on the checkout's JavaScript client."""
        found = shutil.which("node")
        assert found is not None
        client = self.checkout / "django_sync" / "static" / "django_sync" / "client.js"
        more = {"CLIENT": str(client), "FAKE_INDEXEDDB": str(FAKE)}
        return json.loads(self._run(found, str(program), *args, **more))

    def _run(self, *command: str, **more: str) -> str:
        done = subprocess.run(
            command,
            env=self.env | more,
            cwd=self.checkout,
            capture_output=True,
            text=True,
            check=False,
            timeout=LONGEST,
        )
        assert done.returncode == 0, (done.stdout[-4_000:], done.stderr[-8_000:])
        return done.stdout

    @contextmanager
    def served(self) -> Iterator[str]:
        """Serve it; the address of the server."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = [sys.executable, "-c", SERVE.format(port=port)]
        with subprocess.Popen(command, env=self.env, cwd=self.checkout) as process:
            try:
                address = f"http://127.0.0.1:{port}"
                wait_for(f"{address}/sync/health/live", process)
                yield address
            finally:
                process.terminate()
                process.wait(LONGEST)

    def rows(self) -> Rows:
        """All rows of all tables."""
        with closing(self.connect()) as db:
            return {table: rows_of(db, table) for table in self._tables(db)}

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(self.connect()) as db:
            return list(db.execute(sql).fetchall())

    def execute(self, sql: str) -> None:
        with closing(self.connect()) as db:
            db.execute(sql)
            db.commit()

    def connect(self) -> Any:
        if is_sqlite(self.url):
            return sqlite3.connect(path_of(self.url), timeout=60)
        import psycopg

        return psycopg.connect(self.url)

    def _tables(self, db: Any) -> list[str]:
        if is_sqlite(self.url):
            found = (
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            )
        else:
            found = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        return sorted(name for (name,) in db.execute(found).fetchall())


def rows_of(db: Any, table: str) -> list[dict[str, str]]:
    cursor = db.execute(f'SELECT * FROM "{table}"')
    names = [column[0] for column in cursor.description]
    found = [dict(zip(names, map(repr, row), strict=True)) for row in cursor.fetchall()]
    return sorted(found, key=lambda row: sorted(row.items()))


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until a server answers."""
    deadline = time.monotonic() + LONGEST
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            assert process.poll() is None, "the server has ended"
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.05)
        else:
            return


# ── Databases ────────────────────────────────────────────────────────────────────────────────────


def is_sqlite(url: str) -> bool:
    return url.startswith("sqlite")


def path_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


@contextmanager
def new_database(server: str, folder: Path) -> Iterator[str]:
    """An empty database, on the server that a URL names or, without one, in a file; its URL."""
    name = f"compatibility_{uuid.uuid4().hex[:12]}"
    if not server or is_sqlite(server):
        yield f"sqlite:///{folder}/{name}.sqlite3"
        return
    import psycopg

    with psycopg.connect(server, autocommit=True) as db:
        db.execute(f"CREATE DATABASE {name}")
    try:
        yield f"{server.rsplit('/', 1)[0]}/{name}"
    finally:
        with psycopg.connect(server, autocommit=True) as db:
            db.execute(f"DROP DATABASE {name} WITH (FORCE)")


def dump(url: str) -> str:
    """A database as SQL: tables, rows, triggers, functions."""
    if is_sqlite(url):
        return dump_file(path_of(url))
    options = ["--no-owner", "--no-privileges", "--inserts", "--rows-per-insert=1000"]
    command = ["pg_dump", *options, f"--dbname={url}"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    # A password that pg_dump makes anew each time, for psql alone; and comments.
    kept = [row for row in text.splitlines() if not re.match(r"\\(un)?restrict |--", row)]
    return re.sub(r"\n{2,}", "\n\n", "\n".join(kept)).strip() + "\n"


def restore(url: str, text: str) -> None:
    """Fill an empty database with what ``dump`` wrote."""
    if is_sqlite(url):
        restore_file(path_of(url), text)
        return
    import psycopg

    with psycopg.connect(url, autocommit=True) as db:
        db.execute(text.encode())


def dump_file(path: Path) -> str:
    with closing(sqlite3.connect(path)) as db:
        return "\n".join(db.iterdump()) + "\n"


def restore_file(path: Path, text: str) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.executescript(text)
