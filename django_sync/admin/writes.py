"""What each write of the admin does besides: it locks first, and records afterwards who wrote."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import Model

from ..conf import conf
from ..feed import log as feed_log
from ..models import Feed, MutationResult
from ..models.database import connection
from ..protocol import Json, Status, Write
from ..protocol.ids import new_id
from .display import label_of


def lock(model: type[Model], **named: Any) -> int | None:
    """Lock a row until the transaction ends; its revision, ``None`` if it is deleted.

    SQLite locks with the first write, so a write that changes nothing comes first there.
    """
    if not connection().features.has_select_for_update:
        Feed.objects.filter(id=0).update(head=0)
    rows = model._base_manager.using(conf.DATABASE).select_for_update().filter(**named)
    return rows.order_by().values_list("sync_revision", flat=True).first()


def lock_all(model: type[Model], keys: list[Any]) -> dict[Any, int]:
    """Lock rows, always in the same order; the revision of each that exists."""
    if not connection().features.has_select_for_update:
        Feed.objects.filter(id=0).update(head=0)
    rows = model._base_manager.using(conf.DATABASE).select_for_update().filter(pk__in=keys)
    return dict(rows.order_by("pk").values_list("pk", "sync_revision"))


def revision_after(model: type[Model], key: Any, id: uuid.UUID) -> int:
    """An object's current revision, or the last one if it is deleted."""
    rows = model._base_manager.using(conf.DATABASE).filter(pk=key)
    found = rows.order_by().values_list("sync_revision", flat=True).first()
    if found is not None:
        return int(found)
    trace = feed_log.tombstones(label_of(model), [id]).get(id)
    return 0 if trace is None else trace.revision


def note(
    user: Any,
    op: Write,
    label: str,
    id: uuid.UUID,
    revisions: tuple[int, int],
    values: Json | None = None,
) -> None:
    """Record who made the revisions above one and up to another, like a REST call does.

    ``values`` are the texts of each field ``before`` and ``after``, for the history page. They
    are kept as long as results are.
    """
    before, after = revisions
    if after <= before:
        return
    MutationResult.objects.create(
        user=user,
        mutation_id=new_id(),
        status=str(Status.APPLIED),
        op=str(op),
        model=label,
        object_id=id,
        revision_before=before,
        revision=after,
        trace={"values": values} if values else {},
    )
