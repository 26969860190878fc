"""Guests with a JavaScript client, in Node or in a page of Chromium, driven line by line.

Each is a process that reads a line of JSON and answers with one (``javascript/guest.js``). Here it
has the face of the Python client, as far as the acts of a party and its assertions look at that.
"""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django_sync import errors
from django_sync.client import Record, Resolution

HERE = Path(__file__).parent / "javascript"
LONGEST = 60.0
"""Seconds after which an answer is taken as never coming."""


class Lines:
    """A process that answers each line with one."""

    def __init__(self, command: Sequence[str]) -> None:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
        self._answers: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._answers.put(line)
        self._answers.put("")

    def ask(self, word: str, **asked: object) -> Any:
        """Send a command; what it found, or one of the errors that the client threw."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"word": word, **asked}) + "\n")
        self._process.stdin.flush()
        line = self._answers.get(timeout=LONGEST)
        if not line:
            raise RuntimeError(f"a guest's process has ended at “{word}”")
        told = json.loads(line)
        if "found" in told:
            return told["found"]
        kind = errors.BY_CODE.get(told["code"])
        raise RuntimeError(told["detail"]) if kind is None else kind(told["detail"])

    def end(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


class RemoteNetwork:
    """What stands before a guest's client, in its own process."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self.fates = "drawn over there"

    def heal(self) -> None:
        self._lines.ask("heal")

    def deliver_late(self) -> bool:
        return bool(self._lines.ask("late"))

    def goes(self) -> None:
        self._lines.ask("offline")

    def comes(self) -> None:
        self._lines.ask("online")


class RemoteCollection:
    def __init__(self, name: str, lines: Lines) -> None:
        self._name, self._lines = name, lines

    def _ask(self, word: str, **asked: object) -> Any:
        return self._lines.ask(word, collection=self._name, **asked)

    def create(self, fields: Mapping[str, Any]) -> Record:
        return record(self._ask("create", fields=fields))

    def update(self, id: str, fields: Mapping[str, Any]) -> Record:
        return record(self._ask("update", id=id, fields=fields))

    def delete(self, id: str) -> None:
        self._ask("delete", id=id)

    def all(self) -> list[Record]:
        return [record(told) for told in self._ask("all")]

    def filter(self, **wanted: object) -> list[Record]:
        return [r for r in self.all() if all(r[name] == value for name, value in wanted.items())]


@dataclass(frozen=True)
class RemoteConflict:
    """A conflict as it was shown over there."""

    lines: Lines
    mutation: str
    collection: str
    id: str
    server: Record | None

    def keep_server(self) -> Resolution:
        return Resolution("server")

    def keep_client(self) -> Resolution:
        return Resolution("client")

    def merge(self, values: Mapping[str, Any]) -> Resolution:
        return Resolution("merged", dict(values))

    def settle(self, resolution: Resolution) -> bool:
        told = {"kept": resolution.kept, "values": resolution.values}
        return bool(self.lines.ask("settle", mutation=self.mutation, **told))


@dataclass(frozen=True)
class RemoteStatus:
    transport: str | None
    told: str


class RemoteClient:
    """The client of a guest, in another process."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    def collection(self, name: str) -> RemoteCollection:
        return RemoteCollection(name, self._lines)

    def start(self) -> None:
        self._lines.ask("start")

    def sync(self) -> None:
        self._lines.ask("sync")

    def close(self) -> None:
        try:
            self._lines.ask("close")
        finally:
            self._lines.end()

    def dump(self) -> Any:
        return self._lines.ask("dump")

    @property
    def client_id(self) -> str:
        return str(self.dump()["clientId"])

    @property
    def status(self) -> RemoteStatus:
        told = self.dump()
        return RemoteStatus(told["transport"], told["standing"])

    @property
    def outbox(self) -> range:
        return range(self.dump()["open"][0])

    @property
    def rejections(self) -> range:
        return range(self.dump()["open"][2])

    @property
    def conflicts(self) -> list[RemoteConflict]:
        return [
            RemoteConflict(
                self._lines,
                told["mutation"],
                told["collection"],
                told["id"],
                record(told["server"]) if told["server"] else None,
            )
            for told in self._lines.ask("conflicts")
        ]


def record(told: Mapping[str, Any]) -> Record:
    return Record(
        told["collection"], told["id"], told["revision"], told["scope"], dict(told["object"])
    )
