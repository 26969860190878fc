"""What the command line prints: coloured lines for people, one JSON object a line for programs."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, TextIO

from .client import SyncClient
from .conflicts import Conflict
from .types import Change, Counts, Record, Rejection, Status

STYLES = {"green": "32", "yellow": "33", "red": "31", "blue": "34", "dim": "2", "bold": "1"}
SIGNS = {"created": ("+", "green"), "updated": ("~", "yellow"), "deleted": ("−", "red")}
MOST = 60
"""Characters of a value that a line shows."""


class Terminal:
    """Prints to ``stream``; if ``color`` is ``None``, the stream decides about colours."""

    def __init__(self, stream: TextIO, *, as_json: bool = False, color: bool | None = None) -> None:
        self._stream = stream
        self._json = as_json
        wanted = stream.isatty() and "NO_COLOR" not in os.environ if color is None else color
        self._color = wanted and not as_json
        self._lock = threading.Lock()
        self._last_status = ""

    def attach(self, client: SyncClient, *, quiet: bool = False) -> None:
        """Print what the client reports; ``quiet`` leaves out changes and the link."""
        client.on_conflict(self.conflict)
        client.on_rejected(self.rejection)
        if not quiet:
            client.on_change()(self.change)
            client.on_status(self.status)

    def wait(self) -> None:
        """Wait until Ctrl-C."""
        threading.Event().wait()

    # What is printed

    def change(self, change: Change) -> None:
        """One change of what the user sees."""
        sign, color = SIGNS[change.kind]
        values = _differences(change)
        whose = "" if change.origin == "remote" else self._styled(" (mine)", "dim")
        text = " ".join(f"{name}: {value}" for name, value in values.items())
        named = self._named(change.collection, change.id)
        self._print(
            {"event": change.kind, "collection": change.collection, "id": change.id}
            | {"origin": change.origin}
            | ({} if change.record is None else {"object": change.record.object}),
            f"{self._styled(sign, color)} {named} {text}{whose}",
        )

    def status(self, status: Status) -> None:
        """The state of the link, if it has changed."""
        body = asdict(status) | {
            "problem": None if status.problem is None else status.problem.problem(),
            "retry_at": None if status.retry_at is None else status.retry_at.isoformat(),
        }
        by = "" if status.transport is None else f" by {status.transport}"
        color = "green" if status.link == "live" else "yellow"
        parts = [self._styled(f"· {status.link}{by}", color)]
        if status.progress is not None:
            parts.append(f"{status.progress.done} of about {status.progress.total}")
        if status.pending:
            parts.append(f"{status.pending} to send")
        if status.conflicts:
            parts.append(self._styled(f"{status.conflicts} in conflict", "red"))
        if status.problem is not None:
            parts.append(self._styled(_clean(status.problem.detail), "red"))
        if status.retry_at is not None:
            parts.append(f"again at {status.retry_at.astimezone():%H:%M:%S}")
        text = ", ".join(parts)
        if text != self._last_status:
            self._last_status = text
            self._print({"event": "status", **body}, text)

    def conflict(self, conflict: Conflict) -> None:
        """One conflict, side by side; it stays open."""
        server = None if conflict.server is None else conflict.server.object
        base = conflict.base or {}
        shown = [self._styled(f"! conflict ({conflict.kind}) on ", "red")]
        shown[0] += self._named(conflict.collection, conflict.id)
        for name in conflict.fields:
            theirs = "deleted" if server is None else _short(server.get(name))
            yours = "deleted" if conflict.mutation.op == "delete" else None
            yours = yours or _short(conflict.client.get(name))
            was = f" (was {_short(base[name])})" if name in base else ""
            shown.append(f"    {name}{was}: theirs {theirs}, yours {yours}")
        self._print(
            {
                "event": "conflict",
                "kind": conflict.kind,
                "collection": conflict.collection,
                "id": conflict.id,
                "fields": list(conflict.fields),
                "base": conflict.base,
                "server": server,
                "client": conflict.client,
            },
            "\n".join(shown),
        )

    def rejection(self, rejection: Rejection) -> None:
        """One mutation that the server refused for good."""
        mutation, problem = rejection.mutation, rejection.problem
        reasons = [
            _clean(f"    {name}: {reason.get('detail')}")
            for name, listed in dict(problem.get("errors") or {}).items()
            for reason in listed
        ]
        named, detail = (
            self._named(mutation.collection, mutation.object_id),
            _clean(str(problem.get("detail"))),
        )
        first = f"{self._styled('! refused:', 'red')} {mutation.op} {named} {detail}"
        self._print(
            {"event": "rejected", "mutation": asdict(mutation), "problem": dict(problem)},
            "\n".join([first, *reasons]),
        )

    def record(self, record: Record) -> None:
        """One record."""
        text = " ".join(f"{name}={_short(value)}" for name, value in record.items())
        self._print(
            {
                "collection": record.collection,
                "id": record.id,
                "revision": record.revision,
                "scope": record.scope,
                "object": record.object,
            },
            f"{self._named(record.collection, record.id)} {text}",
        )

    def counts(self, counts: Counts) -> None:
        """What one exchange did."""
        body = asdict(counts)
        done = ", ".join(f"{number} {name}" for name, number in body.items() if number)
        self._print({"event": "synced", **body}, done or "nothing new")

    def summary(self, status: Status, sizes: Mapping[str, int]) -> None:
        """What the store holds."""
        held = ", ".join(f"{number} {name}" for name, number in sizes.items())
        text = f"{held}; {status.pending} to send, {status.conflicts} in conflict"
        body = {"pending": status.pending, "conflicts": status.conflicts}
        self._print({"event": "status", "records": dict(sizes), **body}, text)

    def written(self, id: str) -> None:
        """Something was written to the store, under this id."""
        self._print({"event": "written", "id": id}, f"{self._styled('kept', 'dim')} {id}")

    def fail(self, code: str, text: str) -> None:
        """Something went wrong."""
        self._print(
            {"event": "problem", "code": code, "detail": text}, self._styled(_clean(text), "red")
        )

    # How it looks

    def _print(self, body: Mapping[str, Any], text: str) -> None:
        printed = json.dumps(body, default=str) if self._json else text
        with self._lock:
            print(printed, file=self._stream, flush=True)

    def _named(self, collection: str, id: str) -> str:
        return f"{self._styled(collection, 'bold')} {self._styled(id, 'dim')}"

    def _styled(self, text: str, style: str) -> str:
        return f"\x1b[{STYLES[style]}m{text}\x1b[0m" if self._color else text


def _differences(change: Change) -> dict[str, str]:
    """The fields to print for a change: all of a new record, and those of another that differ."""
    now = {} if change.record is None else change.record.object
    before = {} if change.before is None else change.before.object
    if change.record is None:
        return {}
    if change.before is None:
        return {name: _short(value) for name, value in now.items()}
    return {
        name: f"{_short(before.get(name))} → {_short(value)}"
        for name, value in now.items()
        if before.get(name) != value
    }


def _short(value: Any) -> str:
    """A value as JSON, on one line."""
    text = _clean(json.dumps(value, ensure_ascii=False, default=str))
    return text if len(text) <= MOST else f"{text[: MOST - 1]}…"


def _clean(text: str) -> str:
    """The text without control characters for a terminal; it may come from anybody."""
    return "".join(c if c.isprintable() else "�" for c in text)
