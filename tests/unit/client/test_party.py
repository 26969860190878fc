"""Any mix of writes, faults and restarts: replicas and server converge, nothing typed is lost."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path
from typing import Any

import httpx2
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
)

from django_sync import errors
from django_sync.client import Backoff, SyncClient, TokenAuth
from django_sync.testing.server import MemoryServer
from tests.unit.client.conftest import URL

FIELDS = st.sampled_from(["title", "body", "due"])
WHO = st.sampled_from(["ann", "ann again", "bob"])
STORES = {"ann": ("a", "t-ann"), "ann again": ("a", "t-ann"), "bob": ("b", "t-bob")}


class Party(RuleBasedStateMachine):
    """Two clients of one store (two processes, in effect), a third of another user, a server."""

    cards = Bundle("cards")

    @initialize()
    def begin(self) -> Any:
        self.folder = tempfile.TemporaryDirectory()
        self.server = MemoryServer(["cards"], page_size=3, batch_size=3)
        self.server.user("ann", "t-ann", {"b1", "b2"})
        self.server.user("bob", "t-bob", {"b1", "b2"})
        self.values = itertools.count(1)
        self.clients: dict[str, SyncClient] = {}
        self.decisions = itertools.cycle(["keep_server", "keep_client"])
        for who in STORES:
            self.open(who)

    def open(self, who: Any) -> Any:
        store, token = STORES[who]
        client = SyncClient(
            URL,
            store=Path(self.folder.name) / store,
            auth=TokenAuth(token),
            collections=["cards"],
            transport=self.server.transport(),
            backoff=Backoff(attempts=2),
            sleep=lambda seconds: None,
        )
        client.on_change("cards")(lambda event: None)
        client.on_rejected(lambda rejection: None)
        self.clients[who] = client

    def teardown(self) -> Any:
        if not hasattr(self, "clients"):
            return
        try:
            self.converge()
        finally:
            for client in self.clients.values():
                client.close()
            self.folder.cleanup()

    @rule(target=cards, who=WHO, board=st.sampled_from(["b1", "b2"]))
    def create(self, who: Any, board: Any) -> Any:
        fields = {"board": board, "title": next(self.values)}
        return self.clients[who].collection("cards").create(fields).id

    @rule(who=WHO, id=cards, field=FIELDS)
    def update(self, who: Any, id: Any, field: Any) -> Any:
        cards = self.clients[who].collection("cards")
        if id in cards:
            value = next(self.values)
            assert cards.update(id, {field: value})[field] == value

    @rule(who=WHO, id=cards)
    def delete(self, who: Any, id: Any) -> Any:
        cards = self.clients[who].collection("cards")
        if id in cards:
            cards.delete(id)
            assert cards.get(id) is None

    @rule(target=cards, board=st.sampled_from(["b1", "b2"]))
    def elsewhere(self, board: Any) -> Any:
        content = {"board": board, "title": next(self.values)}
        return self.server.put("cards", content, scope=board)

    @rule(id=cards, field=FIELDS)
    def change_elsewhere(self, id: Any, field: Any) -> Any:
        stored = self.server.objects.get(("cards", id))
        if stored is not None and stored.object is not None:
            content = {**stored.object, field: next(self.values)}
            self.server.store(("cards", id), content, stored.scope, None)

    @rule(id=consumes(cards))
    def delete_elsewhere(self, id: Any) -> Any:
        stored = self.server.objects.get(("cards", id))
        if stored is not None and stored.object is not None:
            self.server.delete("cards", id)

    @rule(user=st.sampled_from(["ann", "bob"]), board=st.sampled_from(["b1", "b2"]))
    def revoke_or_grant(self, user: Any, board: Any) -> Any:
        if board in self.server._user(user).scopes:
            self.server.revoke(user, board)
        else:
            self.server.grant(user, board)

    @rule()
    def expire(self) -> Any:
        self.server.expire_cursors()

    @rule(who=WHO, lost=st.lists(st.sampled_from("-qalh"), max_size=8))
    def sync(self, who: Any, lost: Any) -> Any:
        """Each letter is one request: ok, question lost, answer lost, a delay, a hiccup."""
        fates = iter(lost)

        def fate(request: httpx2.Request) -> Any:
            match next(fates, "-"):
                case "q":
                    raise httpx2.ConnectError("question lost")
                case "a":
                    self.plain(request)
                    raise httpx2.ReadTimeout("answer lost")
                case "l":
                    return self.late(who, request)
                case "h":
                    return httpx2.Response(503)
            return None

        self.server.faults = [fate]
        try:
            self.clients[who].sync()
        except (errors.Offline, errors.Unavailable):
            pass
        finally:
            self.server.faults = []

    def plain(self, request: httpx2.Request) -> Any:
        faults, self.server.faults = self.server.faults, []
        try:
            return self.server.handle(request)
        finally:
            self.server.faults = faults

    def late(self, who: Any, request: httpx2.Request) -> Any:
        """The answer is made, then the store's other holder syncs, then it arrives."""
        answer = self.plain(request)
        faults, self.server.faults = self.server.faults, []
        try:
            if who != "bob":
                self.clients["ann" if who == "ann again" else "ann again"].sync()
        finally:
            self.server.faults = faults
        return answer

    @rule(who=WHO)
    def restart(self, who: Any) -> Any:
        self.clients[who].close()
        self.open(who)

    @rule(who=WHO, n=st.integers(0, 5), how=st.sampled_from(["keep_server", "keep_client"]))
    def settle(self, who: Any, n: Any, how: Any) -> Any:
        conflicts = self.clients[who].conflicts
        if conflicts:
            conflict = conflicts[n % len(conflicts)]
            conflict.settle(getattr(conflict, how)())

    @invariant()
    def counts_agree(self) -> Any:
        for client in getattr(self, "clients", {}).values():
            assert len(client.collection("cards")) == len(list(client.collection("cards")))

    def converge(self) -> Any:
        """G6: when writing stops and conflicts are settled, all hold what they may see."""
        for _ in range(8):
            for client in self.clients.values():
                client.sync()
                for conflict in client.conflicts:
                    conflict.settle(conflict.keep_server())
        for who, client in self.clients.items():
            assert client.outbox == []
            assert client.conflicts == []
            assert client.rejections == []
            held = {("cards", r.id): r.object for r in client.collection("cards").all()}
            assert held == self.server.visible(who.split()[0])
            with client._store.read() as db:
                assert db.execute("SELECT count(*) FROM outbox").fetchone()[0] == 0
                stored = db.execute("SELECT count(*) FROM records").fetchone()[0]
                assert stored == len(held)


TestParty = Party.TestCase
TestParty.settings = settings(
    max_examples=25,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
