"""Settle an overlap by the collection's resolvers, and say how, so that nothing is lost unseen.

Values and times go in, the fields to write and the trace of what was decided come out; the
deciding itself is ``merge``'s. Nothing is written here.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection as Names
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from ..conf import conf
from ..drf.collection import Collection
from ..merge import FieldOverlap, Resolution, Resolver, Trail, clamped, same
from ..protocol import ConflictKind, Json, Kept, Mutation, Write
from ..protocol import Resolution as Told

WHOLE = "*"
"""The object as a whole, where one side deleted it; no field has this name."""


@dataclass(frozen=True, slots=True)
class ResolvedOverlap:
    """How an overlap was settled: ``fields`` are left to write, ``told`` goes into the result.

    ``trace`` holds, for each field, all that the ``Decision`` keeps of it. ``kept`` is whose
    deed stands where one side deleted the object.
    """

    kind: ConflictKind
    fields: Json
    told: tuple[Told, ...]
    trace: Mapping[str, Json]
    kept: Kept | None = None


def default_resolver() -> Resolver:
    """The project's. Raises ``ImproperlyConfigured`` where the setting names none."""
    try:
        found = import_string(str(conf.RESOLVER))
        made = found() if isinstance(found, type) else found
    except (ImportError, TypeError) as error:
        raise ImproperlyConfigured(f"DJANGO_SYNC[“RESOLVER”]: {error}") from error
    if not isinstance(made, Resolver):
        raise ImproperlyConfigured(f"DJANGO_SYNC[“RESOLVER”]: {conf.RESOLVER} is no Resolver.")
    return made


def resolver_of(collection: Collection, field: str) -> Resolver:
    """Who settles this field of the collection."""
    named: Mapping[str, Resolver] = getattr(collection.viewset_class, "resolvers", {})
    return named.get(field) or named.get("*") or default_resolver()


def delete_resolver_of(collection: Collection) -> Resolver:
    """Who settles it where one side deleted what the other changed."""
    return getattr(collection.viewset_class, "delete_resolver", None) or default_resolver()


@dataclass(frozen=True, slots=True)
class MutationResolver:
    """The two sides of one mutation: what it asks, and what others did since its base."""

    collection: Collection
    mutation: Mutation
    trail: Trail
    now: datetime.datetime

    @property
    def client_at(self) -> datetime.datetime:
        """When the client's write counts as made."""
        told = self.mutation.at
        at = None if told is None else datetime.datetime.fromisoformat(told)
        return clamped(at, self.trail.base_at, self.now)

    def fields(
        self,
        kind: ConflictKind,
        names: Names[str],
        server: Json,
        columns_of: Mapping[str, Names[str] | None],
    ) -> ResolvedOverlap | None:
        """Settle each of these fields; ``None`` where a resolver leaves one open."""
        fields = dict(self.mutation.fields)
        told: list[Told] = []
        trace: dict[str, Json] = {}
        for name in names:
            met = self._overlap(name, server.get(name), self.trail.last_foreign(columns_of[name]))
            resolver = resolver_of(self.collection, name)
            resolution = resolver.resolve(met)
            if resolution is None:
                return None
            fields[name] = _checked(resolver, met, resolution).value
            told.append(Told(name, resolver.name, str(resolution.kept)))
            trace[name] = _trace(resolver, met, resolution)
        return ResolvedOverlap(kind, fields, tuple(told), trace)

    def whole(self, kind: ConflictKind, server: Json | None) -> ResolvedOverlap | None:
        """Settle the object itself, which ``server`` shows (``None``: deleted there)."""
        client = None if self.mutation.op is Write.DELETE else dict(self.mutation.fields)
        met = FieldOverlap(
            None,
            server,
            client,
            self.mutation.base,
            self.mutation.base is not None,
            self.trail.last_foreign(None),
            self.client_at,
        )
        resolver = delete_resolver_of(self.collection)
        resolution = resolver.resolve(met)
        if resolution is None:
            return None
        if _checked(resolver, met, resolution).kept is Kept.MERGED:
            raise ImproperlyConfigured(f"{resolver!r} cannot merge with what is deleted.")
        told = Told(WHOLE, resolver.name, str(resolution.kept))
        trace = {WHOLE: _trace(resolver, met, resolution)}
        fields = dict(self.mutation.fields)
        return ResolvedOverlap(kind, fields, (told,), trace, resolution.kept)

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


def _checked(resolver: Resolver, met: FieldOverlap, resolution: Resolution) -> Resolution:
    """The resolution, if it says of itself what is true."""
    side = {Kept.SERVER: met.server, Kept.CLIENT: met.client}.get(resolution.kept)
    if resolution.kept is not Kept.MERGED and not same(side, resolution.value):
        raise ImproperlyConfigured(
            f"{resolver!r} says that it kept the {resolution.kept}'s value, and gives another."
        )
    return resolution


def _trace(resolver: Resolver, met: FieldOverlap, resolution: Resolution) -> Json:
    trace = {
        "by": resolver.name,
        "kept": str(resolution.kept),
        "server": met.server,
        "client": met.client,
    }
    if met.has_base:
        trace["base"] = met.base
    if resolution.kept is Kept.MERGED:
        trace["value"] = resolution.value
    return trace
