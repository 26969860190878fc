"""The page about finding records: its program, against a server at hand."""

from __future__ import annotations

import functools

from django_sync import client as client_module
from django_sync.client import SyncClient
from django_sync.client.store.indexes import fields_of
from django_sync.testing.server import MemoryServer

from .howto import run, snippets

(PROGRAM,) = snippets("find-records")


def test_the_program_finds_what_it_asks_for(tmp_path, monkeypatch):
    server = MemoryServer(["cards"])
    server.user("ada", token="t-ada")
    rows = [("b1", "2026-02-01"), ("b1", "2026-05-01"), ("b2", "2026-01-07"), ("b1", "")]
    for board, due in rows:
        server.put("cards", {"board": board, "due": due or None})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOKEN", "t-ada")
    here = functools.partial(SyncClient, transport=server.transport())
    monkeypatch.setattr(client_module, "SyncClient", here)
    space = run(PROGRAM)
    with space["client"] as client:
        assert len(space["on_board"]) == 3
        assert [card["due"] for card in space["late"]] == ["2026-01-07", "2026-02-01"]
        assert space["newest"]["due"] == "2026-05-01"
        with client._store.read() as db:
            assert fields_of(db, "cards") == {"board", "due"}
