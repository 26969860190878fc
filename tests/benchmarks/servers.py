"""Redis, two processes for connections and one for writes, for the bench of failures."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from tests.benchmarks.first_pull import ROOT, free_port


class Servers:
    """The processes of one run, each at a port of its own, their logs in ``folder``."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self.folder = folder
        self.redis_port, self.rest_port = free_port(), free_port()
        self.ports = [free_port(), free_port()]
        address = f"redis://127.0.0.1:{self.redis_port}/0"
        self.env = env | {"BENCH_REDIS": address}
        self.live: list[subprocess.Popen[bytes]] = []
        self.others: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        self.redis = self.start_redis()
        self.live = [self.start_live(number) for number in range(2)]
        asked = ["gunicorn", "tests.benchmarks.wsgi", "--threads", "2", "--log-level", "warning"]
        self.others = [self._started("gunicorn", "-m", *asked, "-b", f"127.0.0.1:{self.rest_port}")]
        for port in (*self.ports, self.rest_port):
            self.wait_for(port)

    def start_redis(self) -> subprocess.Popen[bytes]:
        asked = ["redis-server", "--port", str(self.redis_port), "--save", "", "--dir"]
        log = (self.folder / "redis.log").open("ab")
        return subprocess.Popen([*asked, str(self.folder)], stdout=log)

    def start_live(self, number: int) -> subprocess.Popen[bytes]:
        asked = ["uvicorn", "tests.benchmarks.asgi:application", "--lifespan", "off"]
        asked += ["--port", str(self.ports[number]), "--log-level", "warning", "--no-access-log"]
        asked += ["--timeout-graceful-shutdown", "5", "--ws-per-message-deflate", "false"]
        return self._started(f"live-{number}", "-m", *asked)

    def _started(self, name: str, *argv: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *argv], env=self.env, cwd=ROOT, stdout=log, stderr=log
            )

    def wait_for(self, port: int) -> None:
        deadline = time.monotonic() + 60
        asked = urllib.request.Request(
            f"http://127.0.0.1:{port}/empty/", headers={"Authorization": "Token bench"}
        )
        while True:
            try:
                urllib.request.urlopen(asked, timeout=5).close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def end(self) -> None:
        for process in (*self.live, *self.others, self.redis):
            process.terminate()
        for process in (*self.live, *self.others, self.redis):
            process.wait()

    def complaints(self) -> dict[str, list[str]]:
        """What the servers wrote to their logs, but Redis."""
        found = {}
        for file in sorted(self.folder.glob("*.log")):
            lines = file.read_text(errors="replace").splitlines()
            if lines and file.stem != "redis":
                found[file.stem] = lines
        return found
