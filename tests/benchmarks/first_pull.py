"""A new client's first pull: seconds from server to the client's disk, and memory on both sides.

    python -m tests.benchmarks.first_pull [--records 61549] [--server wsgi|asgi]

Runs the example in a process of its own on a database of its own (SQLite, or the one that
DATABASE_URL names, in which it makes and drops its own), and a Python client in another. The
figures are this machine's.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NUMBERS = count(1)
"""Of the databases that this process has made."""
KEPT = 75
"""Seconds for which uvicorn keeps an idle connection; a client drops its own before that, since a
request that meets the closing is lost. uvicorn's own 5 seconds are httpx2's too."""
SERVERS = {
    "django": "import uvicorn; uvicorn.run('django.core.asgi:get_asgi_application', port={port},"
    " factory=True, log_level='error', lifespan='off')",
    "asgi": "import uvicorn; uvicorn.run('example_project.asgi:application', port={port},"
    f" log_level='error', lifespan='off', timeout_keep_alive={KEPT})",
    "wsgi": "from wsgiref.simple_server import make_server, WSGIRequestHandler;"
    "from example_project.wsgi import application;"
    "WSGIRequestHandler.log_message = lambda *a: None;"
    "make_server('127.0.0.1', {port}, application).serve_forever()",
}
MIGRATE = """
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
"""
FILL = """
import django; django.setup()
from django.contrib.auth.models import User
from rest_framework.authtoken.models import Token
from example_project.boards.models import Board, Card
user = User.objects.create_user("bench"); Token.objects.create(user=user, key="bench")
board = Board.objects.create(name="Bench", owner=user)
for start in range(0, {records}, 5000):
    Card.objects.bulk_create([Card(board=board, title="Card number %d" % n, body="b" * 160)
                              for n in range(start, min(start + 5000, {records}))])
from django.db import connection
connection.cursor().execute("ANALYZE")  # as autovacuum does within a minute
"""
CLIENT = """
import json, resource, sys, time
from django_sync.client import SyncClient, TokenAuth
client = SyncClient("http://127.0.0.1:{port}/sync/", store="{store}", auth=TokenAuth("bench"),
                    collections=["boards", "labels", "cards", "comments"])
seen = []
client.on_status(lambda status: seen.append(status.progress and status.progress.done))
began, cpu = time.perf_counter(), time.process_time()
client.sync()
told = {{"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu,
        "records": len(client.collection("cards")), "progress": len(set(seen)),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}}
print(json.dumps(told))
"""


def environment(folder: Path) -> dict[str, str]:
    url = os.environ.get("DATABASE_URL") or f"sqlite:///{folder}/bench.sqlite3"
    return os.environ | {
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "example_project.settings",
        "PYTHONPATH": str(ROOT),
        "DEBUG": "0",
        "SECRET_KEY": "bench",
    }


def run(code: str, env: dict[str, str]) -> str:
    told = subprocess.run(
        [sys.executable, "-c", code],
        env=env,
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return told.stdout


@contextmanager
def database(env: dict[str, str], kind: str = "bench") -> Iterator[None]:
    """On PostgreSQL, a database of this run's own; two of one process are of two kinds."""
    url = env["DATABASE_URL"]
    if not url.startswith("postgres"):
        yield
        return
    import psycopg

    name = f"django_sync_{kind}_{os.getpid()}_{next(NUMBERS)}"
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        env["DATABASE_URL"] = url.rsplit("/", 1)[0] + "/" + name
        try:
            yield
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def server(kind: str, port: int, env: dict[str, str]) -> Iterator[int]:
    process = subprocess.Popen([sys.executable, "-c", SERVERS[kind].format(port=port)], env=env)
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/admin/login/", timeout=5).close()
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def memory(pid: int) -> tuple[float, float]:
    """Resident memory now, and at its highest, in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    found = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith("Vm")}
    return int(found["VmRSS"]) / 1024, int(found["VmHWM"]) / 1024


def cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def filled(kind: str, records: int) -> Iterator[tuple[int, int, Path, dict[str, str]]]:
    """The example with so many records, served: process, port, a folder, the environment."""
    with tempfile.TemporaryDirectory() as name:
        env = environment(Path(name))
        with database(env):
            run(MIGRATE, env)
            run(FILL.format(records=records), env)
            port = free_port()
            with server(kind, port, env) as pid:
                yield pid, port, Path(name), env


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=61_549)
    parser.add_argument("--server", choices=SERVERS, default="wsgi")
    asked = parser.parse_args()
    with filled(asked.server, asked.records) as (pid, port, folder, env):
        before, spent = memory(pid)[0], cpu(pid)
        store = folder / "client.db"
        told = json.loads(run(CLIENT.format(port=port, store=store), env))
        told["server_cpu"] = cpu(pid) - spent
        told["server_mib"] = {"before": before, "peak": memory(pid)[1]}
        told["store_mib"] = store.stat().st_size / 2**20
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
