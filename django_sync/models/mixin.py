"""The mixin for synced models: the columns that triggers keep, and how Django saves beside them."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.db import models

from ..fields import (
    OWN,
    RevisionField,
    ScopeField,
    SyncIdField,
    forget,
    left_to_triggers,
    mark_stale,
    remember,
)

__all__ = ["SyncModel"]


class SyncModel(models.Model):
    """Mixin for a model whose objects are synced.

    Subclass it, run ``makemigrations`` and ``migrate``: rows that exist get an
    id, and from then on every committed write, by whatever path, raises the
    revision and enters the feed.
    """

    sync_id = SyncIdField()
    sync_revision = RevisionField()
    sync_scope = ScopeField()

    sync_scope_path: ClassVar[str | None] = None
    """What decides the scope: ``"self"`` for the object's own id, the name of a column
    or foreign key, or a path over foreign keys (``"card__board"``). A foreign key gives
    the id of the synced object that it points to, or the primary key of another one.
    ``None``: no scopes, all are in ``""``."""

    sync_ignore: ClassVar[tuple[str, ...]] = ()
    """Names of fields whose changes are no change of the object: ``("updated_at",)``."""

    sync_touches: ClassVar[tuple[str, ...]] = ()
    """Foreign keys, or columns behind them (``"author__username"``), that the record is
    made from besides its own row: a change there is a change of this object."""

    class Meta:
        abstract = True

    @classmethod
    def from_db(cls, *args: Any, **kwargs: Any) -> Self:
        """Load an instance; it remembers which object it is, so that a copy becomes another."""
        instance = super().from_db(*args, **kwargs)
        remember(instance)
        return instance

    def _save_table(self, *args: Any, **kwargs: Any) -> bool:
        """Save into one table. What triggers may have set is read again at the next access."""
        updated: bool = super()._save_table(*args, **kwargs)  # type: ignore[misc]  # the stubs lack it
        mark_stale(type(self), self)
        return updated

    def _do_update(  # type: ignore[override]  # Django 5.2 and 6 pass other arguments
        self, base_qs: Any, using: str, pk_val: Any, values: list[Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Update a row without naming the columns that triggers keep."""
        if len(args) > 2:  # Django 6: the list of the fields that it reads back
            args[2][:] = [field for field in args[2] if field.attname not in OWN]
        values = [value for value in values if value[0].attname not in OWN]
        return super()._do_update(base_qs, using, pk_val, values, *args, **kwargs)

    def _do_insert(
        self, manager: Any, using: str, fields: Any, returning_fields: Any, raw: bool
    ) -> Any:
        """Insert a row without the columns that triggers set, unless it comes from a fixture."""
        if not raw:
            left = left_to_triggers(self)
            fields = [field for field in fields if field.attname not in left]
        parent: Any = super()  # the stubs lack this private method
        return parent._do_insert(manager, using, fields, returning_fields, raw)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete the object; saved again, it is the same object and no copy.

        (A signal could do this too, but it would switch off Django's fast deletes.)
        """
        deleted = super().delete(*args, **kwargs)
        forget(self)
        return deleted
