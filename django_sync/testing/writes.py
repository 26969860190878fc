"""How ``MemoryServer`` applies mutations: exactly once, compared with what others changed.

It finds conflicts field by field and never resolves them; resolvers of the real server do that.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .. import errors
from ..protocol import Mutation
from ..protocol.words import Write

if TYPE_CHECKING:
    from .server import Json, Key, MemoryServer, Stored, User


class Conflicting(Exception):
    """The mutation conflicts with another change."""

    def __init__(self, kind: str, fields: list[str]) -> None:
        super().__init__(kind)
        self.kind = kind
        self.fields = fields


class Writes:
    """The mutations of one server, and their results.

    ``validate`` may be set to a function that is given collection and object and
    raises an error to refuse them; ``scope_of`` to one that returns the scope of a created
    object (by default its field ``board``, or ``""``).
    """

    def __init__(self, server: MemoryServer) -> None:
        self._server = server
        self.results: dict[tuple[str, str], tuple[str, Json]] = {}
        self.owners: dict[str, str] = {}
        self.validate: Any = lambda collection, content: None
        self.scope_of: Any = lambda collection, content: content.get("board") or ""

    def batch(self, user: User, body: Json) -> Json:
        """Apply the mutations of one request."""
        client = body["client_id"]
        if self.owners.setdefault(client, user.name) != user.name:
            raise errors.ClientMismatch()
        self._server.check_cursor(user, body.get("cursor"))
        if len(body["mutations"]) > self._server.batch_size:
            raise errors.TooLarge()
        failed: set[str] = set()
        results = []
        for sent in body["mutations"]:
            result = self._once(user, client, sent, failed)
            if result["status"] not in ("applied", "merged"):
                failed.add(sent["object_id"])
            results.append(result)
        return {"results": results}

    def _once(self, user: User, client: str, sent: Json, failed: set[str]) -> Json:
        key = (client, sent["id"])
        content = json.dumps(sent, sort_keys=True)
        if key in self.results:
            known, result = self.results[key]
            if known != content:
                return _rejected(sent, errors.MutationIdReused())
            return {**result, "replayed": True}
        text = json.dumps(sent.get("fields"))
        if sent["object_id"] in failed or any(id in text for id in failed):
            error = errors.DependencyFailed().problem()
            return {"id": sent["id"], "status": "aborted", "problem": error}
        result = self._judge(user, client, sent)
        self.results[key] = (content, result)
        return result

    def _judge(self, user: User, client: str, sent: Json) -> Json:
        try:
            mutation = Mutation.from_json(sent)
            key = (mutation.collection, str(mutation.object_id))
            if user.read_only:
                raise errors.PermissionDenied()
            merged = self._apply(user, client, mutation, key)
        except errors.SyncError as error:
            return _rejected(sent, error)
        except Conflicting as conflict:
            return self._conflict(sent, mutation, key, conflict)
        stored = self._server.objects[key]
        return {
            "id": sent["id"],
            "status": "merged" if merged else "applied",
            "revision": stored.revision,
            "record": self._server.record(key, stored),
            "replayed": False,
        }

    def _conflict(self, sent: Json, mutation: Mutation, key: Key, found: Conflicting) -> Json:
        server = self._server.record(key, self._server.objects[key])
        return {
            "id": sent["id"],
            "status": "conflict",
            "replayed": False,
            "conflict": {
                "kind": found.kind,
                "fields": found.fields,
                "base_revision": mutation.base_revision,
                "base": mutation.base,
                "server": server,
                "client": mutation.fields,
            },
        }

    def _apply(self, user: User, client: str, mutation: Mutation, key: Key) -> bool:
        """Apply a mutation; return whether others had written. Raises why it cannot be applied."""
        if key[0] not in self._server.collections:
            raise errors.UnknownCollection()
        stored = self._server.objects.get(key)
        if mutation.op is Write.CREATE:
            return self._create(user, client, mutation, key, stored)
        if stored is None or not self._server.sees(user, stored):
            raise errors.NotFound()
        if stored.object is None:
            if mutation.op is Write.DELETE:
                return False
            known = (mutation.base_revision, mutation.epoch)
            if known != (stored.revision, self._server.epoch):
                raise Conflicting("update_delete", sorted(mutation.fields))
            self._write(user, client, key, dict(mutation.fields), stored)
            return False
        foreign = self._foreign(client, mutation, stored)
        if mutation.op is Write.DELETE:
            if foreign:
                raise Conflicting("delete_update", sorted(foreign))
            self._server.store(key, None, stored.scope, client)
            return False
        clash = {
            name
            for name in foreign & mutation.fields.keys()
            if stored.object.get(name) != mutation.fields[name]
        }
        if clash:
            raise Conflicting("update_update", sorted(clash))
        self._write(user, client, key, {**stored.object, **mutation.fields}, stored)
        return bool(foreign)

    def _create(
        self, user: User, client: str, mutation: Mutation, key: Key, stored: Stored | None
    ) -> bool:
        if stored is None:
            self._write(user, client, key, dict(mutation.fields), None)
            return False
        if not self._server.sees(user, stored):
            raise errors.AlreadyExists()
        if stored.object is None:
            raise Conflicting("update_delete", sorted(mutation.fields))
        differ = [n for n, v in mutation.fields.items() if stored.object.get(n) != v]
        if differ:
            raise Conflicting("create_create", sorted(differ))
        return False

    def _write(
        self, user: User, client: str, key: Key, content: Json, stored: Stored | None
    ) -> None:
        if stored is not None and stored.object == content:
            return
        self.validate(key[0], content)
        scope = self.scope_of(key[0], content)
        if scope and scope not in user.scopes:
            raise errors.ValidationFailed()
        self._server.store(key, content, scope, client)

    def _foreign(self, client: str, mutation: Mutation, stored: Stored) -> set[str]:
        """Fields that others changed since the mutation's base."""
        base = mutation.base_revision or 0
        if mutation.epoch != self._server.epoch or base > stored.revision:
            known = mutation.base or {}
            content = stored.object or {}
            if mutation.op is Write.UPDATE and all(
                name in known and known[name] == content.get(name) for name in mutation.fields
            ):
                return set()
            raise Conflicting("unknown_base", sorted(mutation.fields))
        return {
            name
            for revision, names, by in stored.history
            if revision > base and by != client
            for name in names
        }


def _rejected(sent: Json, error: errors.SyncError) -> Json:
    return {
        "id": sent["id"],
        "status": "rejected",
        "problem": error.problem(),
        "replayed": False,
    }
