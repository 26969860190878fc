"""Record what a checkout stores: `python -m tests.compatibility.record CHECKOUT`.

CHECKOUT is a work tree of the commit before (`git worktree add ../before COMMIT`). Its server, its
Python client and its JavaScript client play one story, on SQLite or on the PostgreSQL server that
DATABASE_URL names. What they leave is written to tests/compatibility/recorded/, each with
the commit in its name:

    COMMIT-KIND-server.sql        the server's database, triggers and functions with it; that of
                                  PostgreSQL is long, and compressed (server.sql.gz)
    COMMIT-KIND-python.sql        Ada's store, an SQLite file
    COMMIT-KIND-javascript.json   Grace's store, an IndexedDB
    COMMIT-KIND-expected.json     what the code of before makes of these when both sync

test_from_before.py has today's code go on from there. Its recordings are never made anew from
today's code: they are worth something because they are old.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tests.compatibility.example import (
    HERE,
    Example,
    dump,
    dump_file,
    is_sqlite,
    new_database,
    restore,
    restore_file,
)

RECORDED = HERE / "recorded"
FILL = """
from example_project.boards.models import *
from django.contrib.auth.models import User
ada, grace, alan = (User.objects.get(username=name) for name in ("ada", "grace", "alan"))
launch = Board.objects.get(name="Launch")
for kind, count in COUNTS.items():
    for number in range(1, count + 1):
        Card.objects.create(board=launch, title=f"{kind} {number}", position=number)
closing = Board.objects.create(name="Closing", owner=alan)
Card.objects.create(board=closing, title="Nobody else's soon")
for user in (ada, grace):
    Membership.objects.create(board=closing, user=user, role="editor")
"""
COUNTS = {
    # The JavaScript client packs records that come together, 50 or more: in one recording it does.
    "sqlite": {"Python": 12, "JavaScript": 32},
    "postgresql": {"Python": 12, "JavaScript": 12},
}
"""How many cards each client has for its story."""
LATER = """
from example_project.boards.models import *
from django.contrib.auth.models import User
ada, grace, alan = (User.objects.get(username=name) for name in ("ada", "grace", "alan"))
Membership.objects.filter(board__name="Closing").delete()
for user in (ada, grace):
    Membership.objects.create(board=Board.objects.get(name="Private"), user=user, role="viewer")
launch = Board.objects.get(name="Launch")
Card.objects.create(board=launch, title="Made while both were away")
for kind in ("Python", "JavaScript"):
    Card.objects.get(title=f"{kind} 11").delete()
    Card.objects.filter(title=f"{kind} 12").update(title="Edited while both were away")
"""
BLOCK = (
    "INSERT INTO django_sync_order (kind, user_id, at)"
    " SELECT 'block', id, CURRENT_TIMESTAMP FROM auth_user WHERE username = 'alan'"
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("checkout", type=Path)
    checkout = parser.parse_args().checkout.resolve()
    command = ["git", "-C", str(checkout), "rev-parse", "--short=10", "HEAD"]
    commit = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    server = os.environ.get("DATABASE_URL", "")
    kind = "postgresql" if server.startswith("postgres") else "sqlite"
    RECORDED.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        record(checkout, server, Path(name), f"{commit}-{kind}")


def record(checkout: Path, server: str, folder: Path, prefix: str) -> None:
    with new_database(server, folder) as url:
        example = Example(checkout, url)
        play(example, folder)
        files = {
            "server.sql": dump(url),
            "python.sql": dump_file(folder / "python.db"),
            "javascript.json": (folder / "javascript.json").read_text(),
        }
    expected = {
        "python": go_on(checkout, server, folder / "ada", files, "python"),
        "javascript": go_on(checkout, server, folder / "grace", files, "javascript"),
    }
    files["expected.json"] = json.dumps(expected, ensure_ascii=False) + "\n"
    for name, text in files.items():
        if prefix.endswith("postgresql") and name == "server.sql":
            (RECORDED / f"{prefix}-{name}.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
        else:
            (RECORDED / f"{prefix}-{name}").write_text(text)


def recordings() -> list[str]:
    """The commits and kinds of which there are recordings."""
    return sorted(path.name.removesuffix("-python.sql") for path in RECORDED.glob("*-python.sql"))


def recorded(prefix: str) -> dict[str, str]:
    """One recording: its files by the ends of their names."""
    files = {}
    for path in RECORDED.glob(f"{prefix}-*"):
        name = path.name.removeprefix(f"{prefix}-")
        if name.endswith(".gz"):
            files[name.removesuffix(".gz")] = gzip.decompress(path.read_bytes()).decode()
        else:
            files[name] = path.read_text()
    return files


def play(example: Example, folder: Path) -> None:
    """The story up to the moment at which server and clients are updated."""
    example.manage("migrate", "--verbosity", "0")
    kind = "sqlite" if is_sqlite(example.url) else "postgresql"
    example.manage("shell", "--verbosity", "0", "-c", f"COUNTS = {COUNTS[kind]}{FILL}")
    with example.served() as address:
        example.python(HERE / "person.py", "write", address, str(folder))
        example.node(HERE / "browser.js", "write", address, str(folder))
    example.manage("sync_push", "--once")
    example.manage("shell", "--verbosity", "0", "-c", LATER)
    example.execute(BLOCK)
    for table in ("endpoint", "syncsession", "decision", "tombstone", "scopeset", "order"):
        assert example.rows()[f"django_sync_{table}"], table


def go_on(
    checkout: Path, server: str, folder: Path, files: dict[str, str], client: str
) -> dict[str, Any]:
    """What one client makes of a copy of all, as `summary` has it."""
    folder.mkdir()
    with new_database(server, folder) as url:
        restore(url, files["server.sql"])
        return summary(sync(Example(checkout, url), folder, files, client))


def sync(example: Example, folder: Path, files: dict[str, str], client: str) -> dict[str, Any]:
    """Have a recorded client sync with the server of an example; what it reports."""
    with example.served() as address:
        if client == "python":
            restore_file(folder / "python.db", files["python.sql"])
            found = example.python(HERE / "person.py", "sync", address, str(folder))
        else:
            (folder / "javascript.json").write_text(files["javascript.json"])
            found = example.node(HERE / "browser.js", "sync", address, str(folder))
    assert isinstance(found, dict)
    return found


def summary(report: dict[str, Any]) -> dict[str, Any]:
    """A client's report without what differs from run to run, and contents as digests."""
    before, sent = report["before"], report["exchanges"]
    known = {one[0] for one in before["outbox"]} | {one[2] for one in before["conflicts"]}
    created = {f"{one[2]}/{one[3]}" for one in before["outbox"] if one[1] == "create"}
    for exchange in sent:
        if "cursor" in exchange:
            exchange["cursor"] = "none" if exchange["cursor"] is None else "one"
        for result in exchange.get("results", []):
            result[0] = result[0] if result[0] in known else "the decision's"
    return {
        **{name: report[name] for name in ("client_id", "before", "synced", "settled", "after")},
        "exchanges": [json.dumps(exchange, ensure_ascii=False) for exchange in sent],
        "contents": {
            key: digest(revision, scope, record, is_new=key in created)
            for key, (revision, scope, record) in report["contents"].items()
        },
    }


def digest(revision: int, scope: str, record: dict[str, Any], *, is_new: bool) -> str:
    """A record in a few characters. What is created today has today's time."""
    kept = {name: value for name, value in record.items() if not (is_new and name == "created_at")}
    text = json.dumps([scope, kept], sort_keys=True)
    return f"{revision} {hashlib.sha256(text.encode()).hexdigest()[:16]}"


if __name__ == "__main__":
    main()
