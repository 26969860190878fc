"""The JavaScript client in Node: its own tests, against a real server; and its types.

Node 20 or later runs them; TypeScript and an IndexedDB for Node are used where `.node` has them
(`npm install --prefix .node typescript@5.9 fake-indexeddb@6`, which `.ci/run` does where it can).
"""

from __future__ import annotations

import filecmp
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import django_sync
from tests.benchmarks.first_pull import environment, free_port, server

from . import shipped_types
from .shipped_types import CLIENT, HERE, ROOT, TSC

MODULES = ROOT / ".node" / "node_modules"
FAKE = MODULES / "fake-indexeddb" / "build" / "esm" / "index.js"
LONGEST = 240

pytestmark = pytest.mark.sqlite  # a server and a database of its own


def node() -> str:
    found = shutil.which("node")
    if found is None:
        pytest.skip("there is no Node here")
    told = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    if int(told.lstrip("v").split(".")[0]) < 20:
        pytest.skip(f"Node {told.strip()} is older than 20")
    return found


def flags(found: str) -> list[str]:
    """What has this Node know WebSockets; since 22 it does anyway."""
    command = [found, "-p", "typeof WebSocket"]
    ask = subprocess.run(command, capture_output=True, text=True, check=True)
    return [] if "function" in ask.stdout else ["--experimental-websocket"]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """The example with its demo's rows; the address of its sync."""
    env = environment(tmp_path) | {"DATABASE_URL": f"sqlite:///{tmp_path / 'demo.sqlite3'}"}
    manage = [sys.executable, str(ROOT / "example_project" / "manage.py")]
    for command in (["migrate", "--verbosity", "0"], ["seed"]):
        subprocess.run([*manage, *command], env=env, check=True, capture_output=True)
    port = free_port()
    with server("asgi", port, env):
        yield f"http://127.0.0.1:{port}/sync/"


def run(*command: str, **env: str) -> None:
    done = subprocess.run(
        command,
        check=False,
        cwd=ROOT,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=LONGEST,
    )
    assert done.returncode == 0, done.stdout[-8_000:] + done.stderr[-2_000:]


def test_the_client_keeps_its_rules_over_each_transport(site: str) -> None:
    found = node()
    tests = sorted(map(str, HERE.rglob("*.test.js")))
    fake = {"FAKE_INDEXEDDB": str(FAKE)} if FAKE.exists() else {}
    run(found, *flags(found), "--test", *tests, SYNC_URL=site, **fake)


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.ts"))


def test_its_types_are_sound_and_those_that_are_shipped_are_theirs(tmp_path: Path) -> None:
    node()
    if not TSC.exists():
        pytest.skip("TypeScript is not in .node")
    run(str(TSC), "-p", str(HERE))
    made = tmp_path / "types"
    shipped_types.make(made)
    names = files(made)
    assert names == files(shipped_types.SHIPPED)
    _, different, broken = filecmp.cmpfiles(made, shipped_types.SHIPPED, names, shallow=False)
    assert not different + broken, f"make types: {different + broken}"


def test_a_users_program_finds_the_types() -> None:
    node()
    if not TSC.exists():
        pytest.skip("TypeScript is not in .node")
    run(str(TSC), "-p", str(HERE / "user.tsconfig.json"))


def test_the_package_is_the_versions_of_the_project() -> None:
    told = json.loads((CLIENT / "package.json").read_text())
    assert told["version"] == django_sync.__version__
    assert f'VERSION = "{told["version"]}"' in (CLIENT / "net" / "sessions.js").read_text()
    assert not told.get("dependencies")
    assert (CLIENT / told["main"]).exists()
    assert (CLIENT / told["types"]).exists()
