"""Celery's workers and beats as real processes, and brokers to run them with."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RABBITMQ = "amqp://guest:guest@127.0.0.1:5672//"


def until_listening(port: int) -> None:
    """Wait for whoever is to listen there."""
    deadline = time.monotonic() + 30
    while not answers(port):
        assert time.monotonic() < deadline, f"nobody listens at {port}"
        time.sleep(0.01)


def answers(port: int) -> bool:
    """Whether somebody listens there."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


class Redis:
    """A broker of our own, which may be stopped and started. What it held is gone then."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    @staticmethod
    def is_here() -> bool:
        return shutil.which("redis-server") is not None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [
                "redis-server",
                *("--port", str(self.port), "--bind", "127.0.0.1", "--save", ""),
                *("--appendonly", "no", "--dir", str(self.folder)),
            ],
            stdout=subprocess.DEVNULL,
        )
        until_listening(self.port)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class RabbitMQ:
    """The machine's own broker. ``stop`` and ``start`` are felt by all who use it."""

    url = RABBITMQ

    def start(self) -> None:
        subprocess.run(["rabbitmqctl", "start_app"], check=True, stdout=subprocess.DEVNULL)
        until_listening(5672)

    def stop(self) -> None:
        subprocess.run(["rabbitmqctl", "stop_app"], check=True, stdout=subprocess.DEVNULL)


class Celery:
    """Workers and beats of one database, queue and broker; none outlives it."""

    def __init__(self, folder: Path, broker: str, database: str, settings: dict[str, Any]) -> None:
        self.folder, self.queue = folder, f"push-{uuid.uuid4().hex[:8]}"
        self.env = {
            **os.environ,
            "CELERY_BROKER_URL": broker,
            "DJANGO_SETTINGS_MODULE": "tests.celery_settings",
            "PUSH_DATABASE": database,
            "PUSH_QUEUE": self.queue,
            "PUSH_SETTINGS": json.dumps(settings),
            "PYTHONPATH": str(ROOT),
        }
        self._started: list[subprocess.Popen[bytes]] = []

    def worker(self, pool: str = "solo", count: int = 1) -> subprocess.Popen[bytes]:
        quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat")
        name = f"{uuid.uuid4().hex[:8]}@here"
        how = ("--pool", pool, "-c", str(count), "-n", name, "-l", "WARNING")
        return self._start("worker", *quiet, *how)

    def beat(self) -> subprocess.Popen[bytes]:
        schedule = str(self.folder / f"beat-{uuid.uuid4().hex}")
        return self._start("beat", "-s", schedule, "--pidfile=", "-l", "WARNING")

    def command(self, *args: str) -> subprocess.Popen[bytes]:
        """One of Django's, in the same surroundings."""
        return self._start(*args, module=("django",))

    def _start(
        self, *args: str, module: tuple[str, ...] = ("celery", "-A", "example_project")
    ) -> subprocess.Popen[bytes]:
        log = (self.folder / f"{args[0]}-{len(self._started)}.log").open("wb")
        with log:
            process = subprocess.Popen(
                [sys.executable, "-m", *module, *args],
                env=self.env,
                cwd=self.folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._started.append(process)
        return process

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """``kill -9``, with whatever it forked."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def end(self) -> None:
        for process in self._started:
            self.kill(process)

    def logs(self) -> str:
        """What the processes said, for a test that fails."""
        return "\n".join(
            f"── {file.name}\n{file.read_text()[-3000:]}"
            for file in sorted(self.folder.glob("*.log"))
        )


@contextlib.contextmanager
def celery(folder: Path, broker: str, database: str, settings: dict[str, Any]) -> Iterator[Celery]:
    """No process is left behind."""
    started = Celery(folder, broker, database, settings)
    try:
        yield started
    finally:
        started.end()
