"""Backups of the test's database, taken and restored as those who run it do.

Each kind is restored while the server is stopped, some are taken then, which is the test's to see
to. Where another database takes the place of the first, connections of this process go there
until the test is over.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection

from tests import processes as p

ON_POSTGRESQL = ["pg_dump, in place", "pg_dump, elsewhere", "a copy is promoted"]
ON_SQLITE = ["VACUUM INTO", "backup API", "a file at rest"]
KINDS = [
    *(pytest.param(kind, marks=pytest.mark.postgresql) for kind in ON_POSTGRESQL),
    *(pytest.param(kind, marks=pytest.mark.sqlite) for kind in ON_SQLITE),
]
QUICK = [
    pytest.param("a copy is promoted", marks=pytest.mark.postgresql),
    pytest.param("VACUUM INTO", marks=pytest.mark.sqlite),
]
AT_REST = frozenset({"a copy is promoted", "a file at rest"})
"""Kinds that are taken while nobody has the database open."""


class Backup:
    """One backup of one kind. ``place`` is where the database is found."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind, self.file = kind, folder / "backup"
        self.place: str = connection.settings_dict["NAME"]
        self.other = f"{self.place}_copy"
        if kind.startswith("pg_dump"):
            _need_programs()

    def take(self) -> None:
        match self.kind:
            case "pg_dump, in place":
                run("pg_dump", "--format=custom", f"--file={self.file}", self.place)
            case "pg_dump, elsewhere":
                run("pg_dump", f"--file={self.file}", self.place)
            case "a copy is promoted":
                connection.close()
                with admin() as database:
                    p.until(lambda: not _in_use(database, self.place), "nobody is connected")
                    database.execute(f"CREATE DATABASE {self.other} TEMPLATE {self.place}")
            case "VACUUM INTO":
                with connection.cursor() as cursor:
                    cursor.execute("VACUUM INTO %s", [str(self.file)])
            case "backup API":
                with (
                    closing(sqlite3.connect(self.place)) as source,
                    closing(sqlite3.connect(self.file)) as target,
                ):
                    source.backup(target)
            case "a file at rest":
                connection.close()
                assert not Path(f"{self.place}-wal").exists(), "somebody has it open"
                shutil.copyfile(self.place, self.file)

    def restore(self) -> None:
        connection.close()
        match self.kind:
            case "pg_dump, in place":
                options = ["--clean", "--if-exists", "--single-transaction", "--exit-on-error"]
                run("pg_restore", *options, f"--dbname={self.place}", str(self.file))
            case "pg_dump, elsewhere":
                with admin() as database:
                    database.execute(f"CREATE DATABASE {self.other} TEMPLATE template0")
                options = [
                    "--quiet",
                    "--no-psqlrc",
                    "--set=ON_ERROR_STOP=1",
                    "--single-transaction",
                ]
                run("psql", *options, f"--file={self.file}", self.other)
                connection.settings_dict["NAME"] = self.other
            case "a copy is promoted":
                connection.settings_dict["NAME"] = self.other
            case _:
                for end in ("-wal", "-shm"):
                    Path(f"{self.place}{end}").unlink(missing_ok=True)
                shutil.copyfile(self.file, self.place)

    def close(self) -> None:
        """Connections go to the first place again; the other one is dropped."""
        connection.close()
        connection.settings_dict["NAME"] = self.place
        if connection.vendor == "postgresql":
            with admin() as database:
                database.execute(f"DROP DATABASE IF EXISTS {self.other} WITH (FORCE)")


def run(*command: str) -> None:
    told = subprocess.run(
        command, env=_environment(), capture_output=True, text=True, check=False, timeout=p.DEADLINE
    )
    assert told.returncode == 0, told.stderr


@contextmanager
def admin() -> Iterator[Any]:
    """A connection to the server that is none to the test's database."""
    known = _environment()
    with psycopg.connect(
        host=known["PGHOST"],
        port=known["PGPORT"],
        user=known["PGUSER"],
        password=known["PGPASSWORD"],
        dbname="postgres",
        autocommit=True,
    ) as database:
        yield database


def _environment() -> dict[str, str]:
    """The parameters of the test's connection, for PostgreSQL's own programs."""
    names = {"HOST": "PGHOST", "PORT": "PGPORT", "USER": "PGUSER", "PASSWORD": "PGPASSWORD"}
    settings = connection.settings_dict
    return os.environ | {theirs: str(settings[ours] or "") for ours, theirs in names.items()}


def _in_use(database: Any, name: str) -> bool:
    asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s"
    return bool(database.execute(asked, [name]).fetchone()[0])


def _need_programs() -> None:
    found = shutil.which("pg_dump")
    if found is None or shutil.which("pg_restore") is None or shutil.which("psql") is None:
        pytest.skip("pg_dump, pg_restore and psql are not on the PATH")
    told = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    version = int(told.split(")")[1].split(".")[0])
    server = connection.cursor().connection.info.server_version // 10_000
    if version < server:
        pytest.skip(f"pg_dump is of PostgreSQL {version}, the server of {server}: it refuses")
