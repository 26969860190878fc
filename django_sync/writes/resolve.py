"""Resolve an overlap with the collection's resolvers, and keep a trace of each decision.

Values and times go in; the fields to write and the trace come out. ``merge`` finds the overlap,
the resolvers decide. Nothing is written here.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection as Names
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from .. import protocol
from ..conf import conf
from ..drf.collection import Collection
from ..merge import FieldOverlap, Resolution, Resolver, Trail, clamped, same
from ..protocol import ConflictKind, Json, Kept, Mutation, Write

WHOLE = "*"
"""The object as a whole, if one side deleted it; no field has this name."""


@dataclass(frozen=True, slots=True)
class ResolvedOverlap:
    """How an overlap was resolved.

    ``fields`` are left to write, ``resolutions`` go into the result. ``trace`` holds, for each
    field, all that the ``Decision`` keeps of it. ``kept`` says, if one side deleted the object,
    which side's write was kept.
    """

    kind: ConflictKind
    fields: Json
    resolutions: tuple[protocol.Resolution, ...]
    trace: Mapping[str, Json]
    kept: Kept | None = None


def default_resolver() -> Resolver:
    """Return the project's. Raises ``ImproperlyConfigured`` if the setting names none."""
    try:
        found = import_string(str(conf.RESOLVER))
        made = found() if isinstance(found, type) else found
    except (ImportError, TypeError) as error:
        raise ImproperlyConfigured(f"DJANGO_SYNC[“RESOLVER”]: {error}") from error
    if not isinstance(made, Resolver):
        raise ImproperlyConfigured(f"DJANGO_SYNC[“RESOLVER”]: {conf.RESOLVER} is no Resolver.")
    return made


def resolver_of(collection: Collection, field: str) -> Resolver:
    """Return the resolver of this field of the collection."""
    named: Mapping[str, Resolver] = getattr(collection.viewset_class, "resolvers", {})
    return named.get(field) or named.get("*") or default_resolver()


def delete_resolver_of(collection: Collection) -> Resolver:
    """Return the resolver for objects that one side deleted and the other changed."""
    return getattr(collection.viewset_class, "delete_resolver", None) or default_resolver()


@dataclass(frozen=True, slots=True)
class MutationResolver:
    """Resolves between one mutation and what others wrote since its base."""

    collection: Collection
    mutation: Mutation
    trail: Trail
    now: datetime.datetime

    @property
    def client_at(self) -> datetime.datetime:
        """When the client's write counts as made."""
        sent = self.mutation.at
        at = None if sent is None else datetime.datetime.fromisoformat(sent)
        return clamped(at, self.trail.base_at, self.now)

    def resolve_fields(
        self,
        kind: ConflictKind,
        names: Names[str],
        server: Json,
        columns_of: Mapping[str, Names[str] | None],
    ) -> ResolvedOverlap | None:
        """Resolve each of these fields; ``None`` if a resolver leaves one open."""
        fields = dict(self.mutation.fields)
        resolutions: list[protocol.Resolution] = []
        trace: dict[str, Json] = {}
        for name in names:
            written_at = self.trail.last_foreign(columns_of[name])
            overlap = self._overlap(name, server.get(name), written_at)
            resolver = resolver_of(self.collection, name)
            resolution = resolver.resolve(overlap)
            if resolution is None:
                return None
            fields[name] = _checked(resolver, overlap, resolution).value
            resolutions.append(protocol.Resolution(name, resolver.name, str(resolution.kept)))
            trace[name] = _trace(resolver, overlap, resolution)
        return ResolvedOverlap(kind, fields, tuple(resolutions), trace)

    def resolve_whole(self, kind: ConflictKind, server: Json | None) -> ResolvedOverlap | None:
        """Resolve the whole object; ``server`` is its content there (``None``: deleted)."""
        client = None if self.mutation.op is Write.DELETE else dict(self.mutation.fields)
        overlap = FieldOverlap(
            None,
            server,
            client,
            self.mutation.base,
            self.mutation.base is not None,
            self.trail.last_foreign(None),
            self.client_at,
        )
        resolver = delete_resolver_of(self.collection)
        resolution = resolver.resolve(overlap)
        if resolution is None:
            return None
        if _checked(resolver, overlap, resolution).kept is Kept.MERGED:
            raise ImproperlyConfigured(f"{resolver!r} cannot merge with what is deleted.")
        entry = protocol.Resolution(WHOLE, resolver.name, str(resolution.kept))
        trace = {WHOLE: _trace(resolver, overlap, resolution)}
        fields = dict(self.mutation.fields)
        return ResolvedOverlap(kind, fields, (entry,), trace, resolution.kept)

    def _overlap(self, name: str, server: Any, at: datetime.datetime | None) -> FieldOverlap:
        base = self.mutation.base or {}
        return FieldOverlap(
            name,
            server,
            self.mutation.fields[name],
            base.get(name),
            name in base,
            at,
            self.client_at,
        )


def _checked(resolver: Resolver, overlap: FieldOverlap, resolution: Resolution) -> Resolution:
    """Return the resolution, if its value is that of the side that it names."""
    side = {Kept.SERVER: overlap.server, Kept.CLIENT: overlap.client}.get(resolution.kept)
    if resolution.kept is not Kept.MERGED and not same(side, resolution.value):
        raise ImproperlyConfigured(
            f"{resolver!r} says that it kept the {resolution.kept}'s value, and gives another."
        )
    return resolution


def _trace(resolver: Resolver, overlap: FieldOverlap, resolution: Resolution) -> Json:
    trace = {
        "by": resolver.name,
        "kept": str(resolution.kept),
        "server": overlap.server,
        "client": overlap.client,
    }
    if overlap.has_base:
        trace["base"] = overlap.base
    if resolution.kept is Kept.MERGED:
        trace["value"] = resolution.value
    return trace
