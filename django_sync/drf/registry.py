"""The collections of this project, by name and by model, parents before children.

It only holds them: ``sync.register`` makes them, ``collection`` has their class.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ImproperlyConfigured
from django.db import models

from ..errors import UnknownCollection

if TYPE_CHECKING:
    from .collection import Collection


class Registry:
    """All registered collections.

    Iterating gives them in dependency order: a collection comes after those that
    its objects refer to, so that a snapshot sends a parent before its children.
    """

    def __init__(self) -> None:
        self._by_name: dict[str, Collection] = {}
        self._ranks: dict[str, int] | None = None

    def add(self, collection: Collection) -> None:
        """Add a collection; raises ``ImproperlyConfigured`` where its name is taken."""
        if collection.name in self._by_name:
            raise ImproperlyConfigured(
                f"The collection “{collection.name}” is registered twice; give one another name."
            )
        self._by_name[collection.name] = collection
        self._ranks = None

    def remove(self, name: str) -> None:
        """Forget a collection, for tests."""
        del self._by_name[name]
        self._ranks = None

    def get(self, name: str) -> Collection:
        """The collection of this name; raises ``UnknownCollection``."""
        try:
            return self._by_name[name]
        except KeyError:
            raise UnknownCollection(f"There is no collection “{name}”.") from None

    def of_model(self, model: type[models.Model]) -> list[Collection]:
        """The collections that show this model, itself or as a proxy."""
        concrete = model._meta.concrete_model
        return [c for c in self._by_name.values() if c.model._meta.concrete_model is concrete]

    def of_label(self, label: str) -> list[Collection]:
        """The collections whose entries carry this model label."""
        return [c for c in self._by_name.values() if c.label == label]

    def rank(self, name: str) -> int:
        """The collection's place in dependency order."""
        if self._ranks is None:
            self._ranks = {c.name: rank for rank, c in enumerate(self._sorted())}
        return self._ranks[name]

    def names(self) -> list[str]:
        return list(self._by_name)

    def __iter__(self) -> Iterator[Collection]:
        return iter(sorted(self._by_name.values(), key=lambda c: self.rank(c.name)))

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def _sorted(self) -> list[Collection]:
        """Depth first over references; a cycle is cut where it closes."""
        found: list[Collection] = []
        seen: set[str] = set()

        def visit(collection: Collection) -> None:
            if collection.name in seen:
                return
            seen.add(collection.name)
            for target in referred_models(collection.model):
                for parent in self.of_model(target):
                    visit(parent)
            found.append(collection)

        for name in sorted(self._by_name):
            visit(self._by_name[name])
        return found


def referred_models(model: type[models.Model]) -> list[type[models.Model]]:
    """The models that ``model`` points to by foreign key or many to many."""
    fields: list[Any] = [*model._meta.fields, *model._meta.many_to_many]
    found = [field.related_model for field in fields if field.is_relation]
    return [target for target in found if isinstance(target, type)]


registry = Registry()
