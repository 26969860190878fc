"""The decisions about conflicts: those that a transaction makes, and those that it closes.

A decision is open until its client writes to the object again, or until staff decide. What a
resolver has decided is stored as well, already closed.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from django.utils import timezone

from ..drf.caller import Caller
from ..drf.registry import registry
from ..feed.dialects import dialect
from ..models import Client, Decision
from ..models.database import connection
from ..protocol import Conflict, Json, Mutation, Write
from .resolve import WHOLE, ResolvedOverlap


class Decisions:
    """The decisions of one transaction, by mutation, until they are inserted."""

    def __init__(self, caller: Caller, client: Client | None) -> None:
        self.caller = caller
        self.client = client
        self.made: dict[uuid.UUID, Decision] = {}

    def add_resolved(
        self,
        mutation: Mutation,
        resolved: ResolvedOverlap,
        scope: str | None,
        revision: int | None,
    ) -> None:
        """Note what resolvers have decided."""
        self._add(
            mutation,
            str(resolved.kind),
            dict(resolved.trace),
            by=Decision.By.RESOLVER,
            scope=scope,
            revision=revision,
            settled_at=timezone.now(),
        )

    def add_open(self, mutation: Mutation, conflict: Conflict) -> None:
        """Note a conflict that its client has to decide; a REST call has no client."""
        if self.client is not None:
            server = conflict.server
            self._add(
                mutation,
                str(conflict.kind),
                both_sides(mutation, conflict),
                scope=server.get("scope"),
                revision=server.get("revision"),
            )

    def _add(self, mutation: Mutation, kind: str, fields: Json, **values: Any) -> None:
        self.made[mutation.id] = Decision(
            kind=kind,
            op=str(mutation.op),
            collection=mutation.collection,
            model=registry.get(mutation.collection).label,
            object_id=mutation.object_id,
            base_revision=mutation.base_revision,
            fields=fields,
            asked=mutation.fields,
            user=self.caller.user,
            client=self.client,
            mutation_id=mutation.id,
            **values,
        )

    def discard(self, mutation_id: uuid.UUID) -> None:
        """Forget the decision about a mutation that was undone."""
        self.made.pop(mutation_id, None)

    def close(self, changed: Iterable[uuid.UUID]) -> None:
        """Close what was open about the objects that were written again, and insert the rest."""
        self._close_open(set(changed))
        if self.made:
            Decision.objects.bulk_create(list(self.made.values()))

    def _close_open(self, again: set[uuid.UUID]) -> None:
        """A client that writes to an object again has decided what was open there."""
        if self.client is None or not again:
            return
        if _has_open(self.client, list(again)):
            still_open = Decision.objects.filter(
                client=self.client, object_id__in=again, settled_at=None
            )
            still_open.update(
                by=Decision.By.CLIENT, settled_at=timezone.now(), settled_by=self.caller.user
            )


def _has_open(client: Client, objects: Sequence[uuid.UUID]) -> bool:
    """Whether a decision of this client about any of these objects is still open.

    One parameter holds all ids: an update that names each of them costs ten times as much.
    """
    among, ids = dialect().among(objects)
    with connection().cursor() as cursor:
        cursor.execute(
            f"SELECT EXISTS (SELECT 1 FROM {Decision._meta.db_table} WHERE client_id = %s"
            f" AND settled_at IS NULL AND object_id {among})",
            [dialect().id(client.pk), ids],
        )
        return bool(cursor.fetchone()[0])


def both_sides(mutation: Mutation, conflict: Conflict) -> Json:
    """Return what a ``Decision`` keeps of a conflict that is still open."""
    server, base = conflict.server.get("object"), conflict.base or {}
    if server is None or mutation.op is Write.DELETE:
        asked = None if mutation.op is Write.DELETE else mutation.fields
        return {WHOLE: {"server": server, "client": asked, "base": conflict.base}}
    return {
        name: {"server": server.get(name), "client": mutation.fields.get(name)}
        | ({"base": base[name]} if name in base else {})
        for name in conflict.fields
    }
