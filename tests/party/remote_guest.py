"""A guest with a JavaScript client, as the party and its assertions look at it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django_sync.client import TokenAuth

from .guest import Guest, Held, Key, marks
from .remote import Lines, RemoteClient, RemoteNetwork


class RemoteGuest(Guest):
    """A guest who comes by a JavaScript client; ``command`` starts what that runs in."""

    client: Any
    network: Any
    way = "poll"
    seed = 0
    fault: str | None = None
    command: Callable[[str], Sequence[str]]

    def open(self) -> Any:
        assert isinstance(self._auth, TokenAuth)
        self.lines = Lines(self.command(self._url))
        self.network = RemoteNetwork(self.lines)
        self.lines.ask(
            "open",
            url=self._url,
            token=self._auth.token,
            user=self.name,
            collections=self._collections,
            way=self.way,
            seed=f"{self.seed}/{self.name}",
            fault=self.fault,
            calm=False,
        )
        return RemoteClient(self.lines)

    def keep_outbox_log(self) -> None:
        """``javascript/watched.js`` keeps it."""

    def reopen(self) -> None:
        """The program ends and is started again; a page is loaded again, whatever it does."""
        self.lines.ask("restart")

    def held(self) -> tuple[object, list[Held]]:
        tables = self.client.dump()["tables"]
        epoch = [row.get("epoch") for row in tables["meta"]]
        generation = {row["name"]: row["generation"] for row in tables["collections"]}
        return epoch, [
            Held(
                (row["collection"], row["id"]),
                row["revision"],
                row["scope"],
                row["generation"] < generation[row["collection"]],
            )
            for row in tables["records"]
        ]

    def records(self) -> dict[Key, tuple[int, str, Any]]:
        return {
            (row["collection"], row["id"]): (row["revision"], row["scope"], row["object"])
            for row in self.client.dump()["tables"]["records"]
            if not row.get("gone")
        }

    def left_over(self) -> list[dict[str, Any]]:
        tables = self.client.dump()["tables"]
        gone = [row for row in tables["records"] if row.get("gone")]
        return [*tables["outbox"], *tables["conflicts"], *tables["rejections"], *gone]

    def on_disk(self, wanted: set[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for table, rows in self.client.dump()["tables"].items():
            for row in rows:
                for mark in marks(row) & wanted:
                    found.setdefault(mark, f"{table}: {row}")
        return found

    def outbox_log(self) -> Sequence[Mapping[str, Any]]:
        return list(self.client.dump()["ledger"])

    def refused(self) -> list[str]:
        return list(self.client.dump()["told"])
