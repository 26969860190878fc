"""A party: many replicas under faults, writers of every kind, and one truth.

    party = Party(host, {"ada": TokenAuth("…"), …}, seed=7, folder=tmp_path, transport=transport)
    party.run({act: 3, another_act: 1}, steps=80)     # acts are functions of the party
    party.converge()

The ``host`` tells what the database holds and who may see which scope, past
everything that is under test. The party holds each guest's store against that,
after every step and around every request:

- within an epoch no record in a store falls to a lower revision (G2);
- no store holds a record of a scope that its user could not see since their last pull (G7),
  and after a pull that nothing disturbed it holds the truth, and on its disk no text of what
  its user may not see;
- a request whose mutations are all repeats changes nothing, and an id has one result (G4);
- no mutation takes away a text that its writer has never been shown (G5);
- each mutation ends in one way, and the server and the user got the same one.

Texts are followed by *marks*: write ``party.mark(guest)`` into what a guest types and
``party.mark()`` into what others write. Each step draws from ``party.random``, which
starts from seed and number of the step, so a step does the same when others are left out.
"""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import httpx2

from django_sync import errors
from django_sync.client import Auth
from django_sync.testing.faults import FaultyTransport

from .guest import Guest, Key
from .guest import marks as marks_in
from .truth import Answers, Host, Truth, assert_same

Act = Callable[["Party"], object]


class Party:
    """Guests, each with a store of their own, a network between, and what must hold."""

    def __init__(
        self,
        host: Host,
        people: Mapping[str, Auth],
        *,
        seed: int,
        folder: Path,
        transport: httpx2.BaseTransport,
        url: str = "http://testserver/sync/",
    ) -> None:
        self.host = host
        self.seed = seed
        self.random = random.Random(seed)
        self.history: list[str] = []
        self.acts: dict[Act, float] = {}
        self._marks = 0
        self._depth = 0
        self.answers: dict[str, Answers] = {}
        self.guests: dict[str, Guest] = {}
        for name, auth in people.items():
            self.guests[name] = self.invite(name, auth, folder / f"{name}.sqlite3", url, transport)
        self.changed()

    def invite(
        self, name: str, auth: Auth, path: Path, url: str, transport: httpx2.BaseTransport
    ) -> Guest:
        """A guest, and the network before them."""
        network = FaultyTransport(transport, self.random)
        guest = Guest(name, auth, path, url, self.host.collections, network)
        network.meanwhile = self._meanwhile
        network.on_delivery = partial(self._watch_delivery, guest)
        return guest

    # What acts use.

    @property
    def anyone(self) -> Guest:
        """A guest, drawn."""
        return self.random.choice(list(self.guests.values()))

    def mark(self, guest: Guest | None = None) -> str:
        """A text that was never written before, and that is known again wherever it turns up."""
        self._marks += 1
        text = f"~w{self._marks}~"
        if guest is not None:
            guest.typed.add(text)
        return text

    def changed(self) -> None:
        """Somebody may see more now: what was ever open since a guest's last pull is allowed."""
        scopes = self.host.scopes()
        for guest in self.guests.values():
            guest.opened |= scopes[guest.name]
            guest.allowed |= scopes[guest.name]

    def sync(self, guest: Guest) -> bool:
        """An exchange over the network as it is; whether it came to its end."""
        guest.opened = set(self.host.scopes()[guest.name])
        client = guest.client
        try:
            client.sync()
        except sqlite3.ProgrammingError:
            assert guest.client is not client, "the store was closed under its client"
            self.note(f"{guest.name}: killed in the middle of an exchange")
            return False
        except errors.StoreMismatch:
            raise
        except errors.SyncError as error:
            self.note(f"{guest.name}: {type(error).__name__}")
            return False
        self.changed()
        guest.allowed = set(guest.opened)
        return True

    def calm_sync(self, guest: Guest) -> None:
        """An exchange that nothing disturbs; the store must hold the truth then."""
        calm, guest.network.calm = guest.network.calm, True
        try:
            assert self.sync(guest), "an exchange over a calm network failed"
        finally:
            guest.network.calm = calm
        self.assert_true(guest)

    def note(self, text: str) -> None:
        """Add a line to the history, which is printed when the party fails."""
        self.history.append(text)

    # Running.

    def run(self, acts: Mapping[Act, float], steps: int | Iterable[int]) -> None:
        """Take steps, each one act drawn by weight; what must hold is looked at after each.

        ``steps`` may be the numbers of the steps to take, to leave others out.
        """
        self.acts = dict(acts)
        for number in range(steps) if isinstance(steps, int) else steps:
            self.random.seed(f"{self.seed}/{number}")
            self._act(f"{number} ")
            self.look()

    def converge(self) -> None:
        """Writing stops, the network heals, all sync and settle until nothing is pending (G6)."""
        self.random.seed(f"{self.seed}/converge")
        for guest in self.guests.values():
            guest.network.heal()
        for _ in range(10):
            for guest in self.guests.values():
                self.calm_sync(guest)
                guest.settle_all(self.random)
            if not any(guest.pending for guest in self.guests.values()):
                break
        for guest in self.guests.values():
            self.calm_sync(guest)
        self.assert_converged()

    def look(self) -> None:
        """What holds at any time, in each store."""
        self.changed()
        for guest in self.guests.values():
            guest.look()

    def assert_converged(self) -> None:
        """Each client shows the truth and nothing else; each mutation is accounted for."""
        for guest in self.guests.values():
            assert not guest.client.outbox
            assert not guest.client.conflicts
            assert not guest.client.rejections
            shown = {
                (name, record.id): (record.revision, record.scope, record.object)
                for name in self.host.collections
                for record in guest.client.collection(name).all()
            }
            assert_same(shown, self.truth(guest), f"what {guest.name} sees")
            self.assert_true(guest)
            assert guest.left_over() == [], f"{guest.name}: entries stay in the outbox"
            guest.assert_accounted(self.answers.get(guest.client.client_id, Answers()).status)

    # What must hold.

    def truth(self, guest: Guest) -> dict[Key, tuple[int, str | None, dict[str, Any]]]:
        """What the guest may see."""
        scopes = self.host.scopes()[guest.name]
        return {
            record.key: (record.revision, record.scope, dict(record.object))
            for record in self.host.records()
            if record.scope in scopes
        }

    def assert_true(self, guest: Guest) -> None:
        """After a complete pull: the server state on disk is the truth, and no more (G6, G7)."""
        assert_same(guest.records(), self.truth(guest), f"{guest.name}'s store")
        scopes = self.host.scopes()[guest.name]
        seen, hidden = set[str](), set[str]()
        for record in self.host.records():
            (seen if record.scope in scopes else hidden).update(marks_in(record.object))
        found = guest.on_disk(hidden - seen - guest.typed)
        assert not found, f"G7: {guest.name}'s disk holds {found}"

    def _watch_delivery(
        self, guest: Guest, request: httpx2.Request, deliver: Callable[[], httpx2.Response]
    ) -> httpx2.Response:
        """Watch one delivery to the server."""
        guest.look()
        writes = request.method == "POST" and json.loads(request.content)["mutations"]
        if not writes:
            response = deliver()
            self.changed()
            return response
        before = {record.key: record for record in self.host.records()}
        response = deliver()
        after = {record.key: record for record in self.host.records()}
        self.changed()
        anew = False
        if response.status_code == 200:
            answers = self.answers.setdefault(_client_of(request), Answers())
            anew = answers.enter(response.json()["results"])
        else:
            self.note(f"{guest.name}: {response.status_code} {response.json()['code']}")
            assert response.status_code < 500, response.text
        assert anew or before == after, "G4: a repeat changed the database"
        self._assert_no_loss(guest, writes, before, after)
        return response

    def _assert_no_loss(
        self,
        guest: Guest,
        mutations: Sequence[Mapping[str, Any]],
        before: Mapping[Key, Truth],
        after: Mapping[Key, Truth],
    ) -> None:
        """No mutation takes away a text that its writer was never shown (G5)."""
        for mutation in mutations:
            key = (mutation["collection"], mutation["object_id"])
            old, new = before.get(key), after.get(key)
            if old is None or mutation["op"] == "create":
                continue
            gone = new is None
            fields = old.object if gone else mutation["fields"]
            for name in fields:
                was = marks_in(old.object.get(name))
                lost = was - (set() if new is None else marks_in(new.object.get(name)))
                unknown = lost - guest.shown - guest.typed
                assert not unknown, f"G5: {guest.name} took away {unknown} unseen: {mutation}"

    # Steps.

    def _act(self, number: str) -> None:
        (act,) = self.random.choices(list(self.acts), list(self.acts.values()))
        self.note(f"{number}{getattr(act, '__name__', act)}")
        act(self)
        self.changed()

    def _meanwhile(self) -> None:
        """Others act while a request is under way; what they send is not held up in turn."""
        if self._depth or not self.acts:
            return
        self._depth += 1
        try:
            for _ in range(self.random.randint(1, 2)):
                self._act("  meanwhile ")
        finally:
            self._depth -= 1


def _client_of(request: httpx2.Request) -> str:
    return str(json.loads(request.content)["client_id"])


__all__ = ["Act", "Guest", "Host", "Party", "Truth"]
