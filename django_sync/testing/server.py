"""A django_sync server in memory, for tests of clients: no Django, no socket, no disk.

    server = MemoryServer()
    server.user("ann", token="t-ann", scopes={"b1"})
    client = SyncClient("https://sync.test/sync/", store=":memory:", auth=TokenAuth("t-ann"),
                        collections=["cards"], transport=server.transport())

It implements ``docs/protocol.md`` in the simplest way: for each cursor it remembers what its
holder knows, and a page is the difference to what the user sees now. That is too slow for a real
server, and easy to get right.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import httpx2

from .. import errors
from ..protocol import PROTOCOL_VERSION
from .connections import MemoryConnections
from .holding import Held as HeldRequests
from .holding import MemoryTransport
from .writes import Writes

Json = dict[str, Any]
Key = tuple[str, str]


@dataclass
class Stored:
    """An object on the server; ``object`` is ``None`` once it is deleted."""

    revision: int
    scope: str
    object: Json | None
    history: list[tuple[int, frozenset[str], str | None]] = field(default_factory=list)
    """Revision, changed fields, and the client whose mutation it was."""


@dataclass
class User:
    """Somebody who signs in with a token."""

    name: str
    scopes: set[str]
    read_only: bool = False


@dataclass
class Held:
    """What the holder of a cursor knows."""

    user: str
    known: dict[Key, tuple[int, str]]
    collections: frozenset[str]
    scopes: frozenset[str]
    epoch: str
    snapshot: int | None = 0


class MemoryServer:
    """The server. Its methods write as other users and programs do; ``transport()`` serves it.

    ``faults`` are called with each request before it is handled; one that returns a
    response, or raises an exception of httpx2, takes its place.
    """

    def __init__(
        self,
        collections: Iterable[str] = ("boards", "cards"),
        *,
        page_size: int = 1000,
        batch_size: int = 500,
    ) -> None:
        self.collections = tuple(collections)
        self.page_size = page_size
        self.batch_size = batch_size
        self.body_bytes = 5_242_880
        self.transports = ["poll"]
        self.has_sessions = True
        self.held = HeldRequests()
        self.connections = MemoryConnections(self)
        self.epoch = str(uuid.uuid4())
        self.objects: dict[Key, Stored] = {}
        self.users: dict[str, User] = {}
        self.cursors: dict[str, Held] = {}
        self.faults: list[Callable[[httpx2.Request], httpx2.Response | None]] = []
        self.requests: list[httpx2.Request] = []
        self.writes = Writes(self)
        self._changed = 0
        self._seen: dict[str, tuple[int, dict[Key, tuple[int, str]]]] = {}

    # For tests

    def user(self, name: str, token: str, scopes: Iterable[str] = ()) -> User:
        """Add a user, or another token of one."""
        same = next((user for user in self.users.values() if user.name == name), None)
        self.users[token] = same or User(name, set(scopes))
        return self.users[token]

    def put(self, collection: str, content: Json, *, id: str | None = None, scope: str = "") -> str:
        """Write an object as another program would; return its id."""
        id = id or str(uuid.uuid4())
        self.store((collection, id), content, scope, client=None)
        return id

    def store(self, key: Key, content: Json | None, scope: str, client: str | None) -> Stored:
        """Write an object's new state, raise its revision and note what changed."""
        old = self.objects.get(key)
        before = (old.object if old else None) or {}
        after = content or {}
        names = {n for n in before.keys() | after.keys() if before.get(n) != after.get(n)}
        revision = old.revision + 1 if old else 1
        history = [*(old.history if old else []), (revision, frozenset(names), client)]
        self.objects[key] = Stored(revision, scope, content, history)
        self._changed += 1
        self._news()
        return self.objects[key]

    def _news(self) -> None:
        with self.held.lock:
            self.held.news()
            self.connections.news()

    def delete(self, collection: str, id: str) -> None:
        """Delete an object as another program would."""
        key = (collection, id)
        self.store(key, None, self.objects[key].scope, client=None)

    def grant(self, user: str, scope: str) -> None:
        self._user(user).scopes.add(scope)
        self._news()

    def revoke(self, user: str, scope: str) -> None:
        self._user(user).scopes.discard(scope)
        self._news()

    def expire_cursors(self) -> None:
        """Prune so much that every cursor is too old."""
        for held in self.cursors.values():
            held.epoch = ""

    def new_epoch(self) -> None:
        """History diverges, as after a restored backup."""
        self.epoch = str(uuid.uuid4())

    def object(self, collection: str, id: str) -> Json | None:
        """An object's content, or ``None``."""
        stored = self.objects.get((collection, id))
        return None if stored is None else stored.object

    def visible(self, user: str) -> dict[Key, Json]:
        """All that a user sees."""
        found = self._user(user)
        return {
            key: stored.object
            for key, stored in self.objects.items()
            if stored.object is not None and self.sees(found, stored)
        }

    def transport(self) -> MemoryTransport:
        """An httpx2 transport that is answered from here."""
        return MemoryTransport(self)

    # For requests

    def sees(self, user: User, stored: Stored) -> bool:
        return stored.scope == "" or stored.scope in user.scopes

    def handle(
        self, request: httpx2.Request, wire: MemoryTransport | None = None
    ) -> httpx2.Response:
        """Answer one request. One over ``wire`` may be held, where a long poll is offered."""
        self.requests.append(request)
        for fault in list(self.faults):
            response = fault(request)
            if response is not None:
                return response
        try:
            with self.held.lock:
                if wire is not None and "upgrade" in request.headers:
                    return self.connections.socket(request, _asked(request), wire)
                found = self._answer(request, wire)
                ok = found if isinstance(found, httpx2.Response) else None
                return ok or httpx2.Response(200, json=found)
        except errors.SyncError as error:
            return problem(error)

    def _user(self, name: str) -> User:
        return next(user for user in self.users.values() if user.name == name)

    def _answer(
        self, request: httpx2.Request, wire: MemoryTransport | None = None
    ) -> Json | httpx2.Response:
        token = request.headers.get("Authorization", "").rpartition(" ")[2]
        user = self.users.get(token)
        if user is None:
            raise errors.NotAuthenticated()
        path = request.url.path.rpartition("/sync/")[2]
        match request.method, path:
            case "GET", "":
                return self._describe()
            case "GET", "changes/":
                return self.pull(user, _asked(request))
            case "GET", "live/changes/" if "long-poll" in self.transports:
                return self.held.hold(request, wire, lambda: self.pull(user, _asked(request)))
            case "GET", "live/stream/" if "sse" in self.transports and wire is not None:
                return self.connections.stream(user, _asked(request), wire)
            case (("POST" | "PATCH"), _) if path.startswith("sessions/") and self.has_sessions:
                id = path.removeprefix("sessions/").rstrip("/") or None
                return self.connections.session(user, id, json.loads(request.content))
            case "POST", "mutations/":
                if len(request.content) > self.body_bytes:
                    raise errors.TooLarge()
                return self.writes.batch(user, json.loads(request.content))
        raise errors.NotFound()

    def _describe(self) -> Json:
        return {
            "protocol": PROTOCOL_VERSION,
            "epoch": self.epoch,
            "collections": {name: {"url": f"/sync/{name}/"} for name in self.collections},
            "transports": self.transports,
            "limits": {
                "page_size": self.page_size,
                "batch_size": self.batch_size,
                "body_bytes": self.body_bytes,
            },
        }

    def check_cursor(self, user: User, cursor: str | None) -> Held | None:
        """What the holder of a cursor knows; raises if the cursor is void."""
        if cursor is None:
            return None
        held = self.cursors.get(cursor)
        if held is None or held.user != user.name:
            raise errors.InvalidCursor()
        if held.epoch != self.epoch:
            raise errors.CursorExpired()
        return held

    def pull(self, user: User, asked: dict[str, str]) -> Json:
        names = asked.get("collections", ",".join(self.collections)).split(",")
        if unknown := set(names) - set(self.collections):
            raise errors.UnknownCollection(", ".join(sorted(unknown)))
        limit = min(int(asked.get("limit", self.page_size)), self.page_size)
        held = self.check_cursor(user, asked.get("cursor"))
        changes: list[Json] = []
        known = {} if held is None else dict(held.known)
        snapshot = 0 if held is None else held.snapshot
        if held is not None:
            known = self._left(held, user, frozenset(names), known, changes)
        wanted = self._wanted(user, names, known)
        changes += [self._change(user, key, known) for key in wanted[:limit]]
        has_more = len(wanted) > limit
        if snapshot is not None:
            snapshot = snapshot + len(changes) if has_more else None
        cursor = str(uuid.uuid4())
        self.cursors[cursor] = Held(
            user.name, known, frozenset(names), frozenset(user.scopes), self.epoch, snapshot
        )
        page: Json = {
            "changes": changes,
            "cursor": cursor,
            "has_more": has_more,
            "epoch": self.epoch,
        }
        if snapshot is not None:
            page["snapshot"] = {"done": len(known), "total": len(known) + len(wanted) - limit}
        return page

    def _left(
        self,
        held: Held,
        user: User,
        names: frozenset[str],
        known: dict[Key, tuple[int, str]],
        changes: list[Json],
    ) -> dict[Key, tuple[int, str]]:
        """Add changes for collections newly asked for and for scopes that left the view."""
        new = sorted(names - held.collections)
        changes += [{"op": "begin", "collection": name} for name in new]
        gone = held.scopes - user.scopes
        for scope in sorted(gone):
            changes += [{"op": "drop", "collection": n, "scope": scope} for n in sorted(names)]
        return {k: v for k, v in known.items() if k[0] in names and v[1] not in gone}

    def _wanted(self, user: User, names: list[str], known: dict[Key, tuple[int, str]]) -> list[Key]:
        """Objects whose state the holder does not know, in the order of collections and ids."""
        found = []
        for key, stored in self.objects.items():
            if key[0] not in names:
                continue
            shown = stored.object is not None and self.sees(user, stored)
            known_state = known.get(key)
            if shown != (known_state is not None) or (
                known_state and known_state[0] != stored.revision
            ):
                found.append(key)
        order = {name: place for place, name in enumerate(self.collections)}
        return sorted(found, key=lambda key: (order[key[0]], key[1]))

    def _change(self, user: User, key: Key, known: dict[Key, tuple[int, str]]) -> Json:
        stored = self.objects[key]
        if stored.object is not None and self.sees(user, stored):
            known[key] = (stored.revision, stored.scope)
            return {"op": "put", **self.record(key, stored)}
        del known[key]
        if stored.object is None and self.sees(user, stored):
            return {
                "op": "delete",
                "collection": key[0],
                "id": key[1],
                "revision": stored.revision,
            }
        return {"op": "remove", "collection": key[0], "id": key[1]}

    def record(self, key: Key, stored: Stored) -> Json:
        """A record, or the tombstone of what is deleted."""
        head: Json = {"collection": key[0], "id": key[1], "revision": stored.revision}
        if stored.object is None:
            return {**head, "deleted": True}
        return {**head, "scope": stored.scope, "object": stored.object}


def _asked(request: httpx2.Request) -> dict[str, str]:
    return {n: v[0] for n, v in parse_qs(request.url.query.decode()).items()}


def problem(error: errors.SyncError) -> httpx2.Response:
    """The response for an error."""
    headers = {"Content-Type": "application/problem+json"}
    if error.retry_after is not None:
        headers["Retry-After"] = str(int(error.retry_after))
    return httpx2.Response(error.status, json=error.problem(), headers=headers)
