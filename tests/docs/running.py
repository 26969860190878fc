"""Reads the fenced blocks of a page, and runs what they say in a folder, in a subprocess each."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.tools.pages import ROOT

FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"^(?:#|//|<!--) (?P<path>[\w./-]+\.\w+)(?P<end>, at the end)?(?: -->)?\n")
PORT = "8000"
"""The port that the docs write; a free one stands in for it."""
PATIENCE = 60
"""Seconds that anything may take before it counts as failed."""

CURL = """#!{python}
import sys, urllib.request
name, value = sys.argv[sys.argv.index("-H") + 1].split(": ", 1)
asked = urllib.request.Request(sys.argv[-1], headers={{name: value}})
sys.stdout.write(urllib.request.urlopen(asked).read().decode())
"""


@dataclass(frozen=True)
class Block:
    """A fenced block: what follows the fence, what is in it, and in which line it starts."""

    info: str
    body: str
    line: int


def blocks(text: str) -> Iterator[Block]:
    for found in FENCE.finditer(text):
        yield Block(found["info"].strip(), found["body"], text.count("\n", 0, found.start()) + 1)


def commands(body: str) -> Iterator[tuple[str, str]]:
    """Each command of a console block, with the output that is shown for it."""
    for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


def matches(shown: str, output: str) -> bool:
    """Whether the output is what the page shows, ``…`` standing for anything."""
    parts = (re.escape(part) for part in shown.strip("\n").split("…"))
    return re.fullmatch(".*".join(parts), output.strip("\n"), re.DOTALL) is not None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Machine:
    """A folder with an environment in which `python`, `django-admin` and `curl` are there."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder / "work", free_port()
        self.folder.mkdir()
        self.tools = folder / "bin"
        self.tools.mkdir()
        self.tool("python", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        self.tool("django-admin", f'#!/bin/sh\nexec "{sys.executable}" -m django "$@"\n')
        if shutil.which("curl") is None:
            self.tool("curl", CURL.format(python=sys.executable))
        ours = ("DJANGO_SETTINGS_MODULE", "DATABASE_URL", "PORT")
        self.env = {name: value for name, value in os.environ.items() if name not in ours}
        self.env |= {
            "PATH": f"{self.tools}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
        }

    def tool(self, name: str, text: str) -> None:
        file = self.tools / name
        file.write_text(text)
        file.chmod(0o755)

    def written(self, text: str) -> str:
        """What a block says, on this machine's port."""
        return text.replace(PORT, str(self.port))

    def write(self, path: str, text: str, *, append: bool) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a" if append else "w") as out:
            out.write(self.written(text))

    def run(self, command: str) -> str:
        """Run one command line; it must succeed. Returns what it wrote on its output."""
        done = subprocess.run(
            self.written(command),
            shell=True,
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, f"$ {command}\n{done.stdout}{done.stderr}"
        return done.stdout

    @contextlib.contextmanager
    def serving(self, command: str) -> Iterator[None]:
        """Have a server run that answers on the port, and end it afterwards."""
        log = self.folder.parent / "server.log"
        with log.open("w") as out:
            server = subprocess.Popen(
                ["/bin/sh", "-c", self.written(command)],
                cwd=self.folder,
                env=self.env,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
            try:
                assert self.answers(server), f"$ {command}\n{log.read_text()}"
                yield
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(server.pid, signal.SIGTERM)
                server.wait(PATIENCE)

    def answers(self, server: subprocess.Popen[bytes]) -> bool:
        """Whether the port was opened before the server ended or time was up."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return True
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(0.05)
                return False
        return False


def follow(machine: Machine, block: Block, place: str, until_the_end: contextlib.ExitStack) -> None:
    """Do what a reader does with this block."""
    match block.info.split():
        case ["sh"]:
            pass  # for people: it installs
        case ["console"]:
            for command, shown in commands(block.body):
                output = machine.run(command)
                told = f"{place}\n$ {command}\n── shown\n{shown}\n── came\n{output}"
                assert not shown or matches(machine.written(shown), output), told
        case ["console", "server"]:
            ((command, _),) = commands(block.body)
            until_the_end.enter_context(machine.serving(command))
        case ["python" | "html" | "js"]:
            named = FILE.match(block.body)
            assert named, f"{place}: the first line names no file"
            append = named["end"] is not None
            machine.write(named["path"], block.body[named.end() :], append=append)
        case _:
            pytest.fail(f"{place}: nobody knows what to do with a block of “{block.info}”")
