"""The mixin for synced models, and the tables of the feed.

What each table is for stands with it. Triggers write ``Outbox`` and ``Tombstone``
(on SQLite ``Change`` in place of ``Outbox``); their columns are a contract with
``capture``. Nothing here decides anything.
"""

from __future__ import annotations

import uuid
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models

from ..fields import (
    OWN,
    SCOPE_LENGTH,
    JsonText,
    RevisionField,
    ScopeField,
    SyncIdField,
    forget,
    left_to_triggers,
    mark_stale,
    remember,
)
from ..protocol.sessions import NAME_LENGTH, PLATFORM_LENGTH, VERSION_LENGTH
from .push import Endpoint, PushCursor, PushScope, PushUser

__all__ = [
    "Change",
    "Client",
    "Decision",
    "Endpoint",
    "Feed",
    "Generation",
    "Hold",
    "MutationResult",
    "OpenConflict",
    "Order",
    "Outbox",
    "PushCursor",
    "PushScope",
    "PushUser",
    "ScopeSet",
    "SyncModel",
    "SyncSession",
    "Tombstone",
]

LABEL_LENGTH = 200


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

        (A signal would tell as well, and would end Django's fast deletes.)
        """
        told = super().delete(*args, **kwargs)
        forget(self)
        return told


class Feed(models.Model):
    """The feed's state, in one row that the sequencer locks first (``id`` is 1)."""

    id = models.PositiveSmallIntegerField(primary_key=True)
    epoch = models.UUIDField(default=uuid.uuid4)
    head = models.BigIntegerField(default=0)
    floor = models.BigIntegerField(default=0)

    objects: ClassVar[models.Manager[Feed]]

    class Meta:
        verbose_name = "feed"
        verbose_name_plural = "feed"


class Generation(models.Model):
    """How often a model's feed had a gap; another number sends its collections anew."""

    model = models.CharField(max_length=LABEL_LENGTH, primary_key=True)
    value = models.BigIntegerField(default=1)

    objects: ClassVar[models.Manager[Generation]]


class Entry(models.Model):
    """What a trigger writes down of one change.

    ``op`` is ``c`` (created), ``u`` (updated), ``d`` (deleted) or ``m`` (moved away:
    the entry of the scope that was left; the one of the new scope is ``u``).
    ``columns`` names what changed, comma-separated, m2m fields by their name;
    it is empty but for ``u``.
    """

    model = models.CharField(max_length=LABEL_LENGTH)
    object_id = models.UUIDField()
    revision = models.BigIntegerField()
    op = models.CharField(max_length=1)
    columns = models.TextField()
    scope = models.CharField(max_length=SCOPE_LENGTH, null=True)
    at = models.DateTimeField()

    class Meta:
        abstract = True


class Outbox(Entry):
    """Changes that have no position yet; the sequencer moves what is committed to the log.

    ``kind`` is ``c`` for a change and ``t`` for a touch that the sequencer has to
    carry out, for databases whose triggers cannot.
    """

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=1, db_default="c", default="c")

    objects: ClassVar[models.Manager[Outbox]]

    class Meta:
        verbose_name_plural = "outbox"


class Change(Entry):
    """The log, which is the feed: changes in the order in which they became visible.

    ``mark`` is random: it tells this entry from another that a restored history
    puts in the same place.
    """

    position = models.BigAutoField(primary_key=True)
    mark = models.BigIntegerField()

    objects: ClassVar[models.Manager[Change]]

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["scope", "position"], name="django_sync_change_scope"),
            models.Index(fields=["object_id", "revision"], name="django_sync_change_object"),
        ]


class Tombstone(models.Model):
    """The last revision and scope of each deleted object, so that no revision is used twice."""

    pk = models.CompositePrimaryKey("object_id", "model")
    model = models.CharField(max_length=LABEL_LENGTH)
    object_id = models.UUIDField()
    revision = models.BigIntegerField()
    scope = models.CharField(max_length=SCOPE_LENGTH, null=True)

    objects: ClassVar[models.Manager[Tombstone]]


class ScopeSet(models.Model):
    """A set of scopes that cursors name by its hash, so that they stay short."""

    digest = models.CharField(max_length=64, primary_key=True)
    body = models.TextField()
    used_on = models.DateField()

    objects: ClassVar[models.Manager[ScopeSet]]


class Hold(models.Model):
    """A position from which somebody is reading just now; the floor does not pass it.

    Clients that read from one position share the row. ``at`` is when one was last seen.
    """

    position = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()

    objects: ClassVar[models.Manager[Hold]]


class Client(models.Model):
    """One installation; it belongs to the first user who used it."""

    id = models.UUIDField(primary_key=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sync_clients"
    )
    forgotten_seq = models.BigIntegerField(default=-1)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager[Client]]


class MutationResult(models.Model):
    """What became of a mutation; answered again when it is sent again.

    ``client`` is null for a REST call without ``Idempotency-Key``. The record is not
    kept: a replay renders it anew, for what the user may see then. The revisions
    above ``revision_before`` up to ``revision`` are the mutation's own.
    """

    id = models.BigAutoField(primary_key=True)
    client = models.ForeignKey(Client, on_delete=models.CASCADE, null=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    mutation_id = models.UUIDField()
    seq = models.BigIntegerField(default=0)
    digest = models.CharField(max_length=64)
    status = models.CharField(max_length=10, default="")
    op = models.CharField(max_length=10, default="")
    model = models.CharField(max_length=LABEL_LENGTH, default="")
    object_id = models.UUIDField(null=True)
    revision_before = models.BigIntegerField(null=True)
    revision = models.BigIntegerField(null=True)
    trace = JsonText(default=dict)
    at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager[MutationResult]]

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["client", "mutation_id"], name="django_sync_result_mutation"
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["object_id", "client"], name="django_sync_result_object")
        ]


class Decision(models.Model):
    """Two writes that met, and what was decided: by a resolver, or by people, or not yet.

    ``fields`` tells of each overlapping field what the ``server`` had, what the ``client``
    asked for, its ``base`` where that is known, and, once decided, whose value was ``kept`` and
    ``by`` whom: a value that was lost can be brought back from here. ``"*"`` stands for the object
    where one side deleted it. ``asked`` is all that the mutation asked for. ``revision`` is the
    object's when it was decided, of an open one the server's that the client was shown.
    """

    class By(models.TextChoices):
        """Who decided."""

        NOBODY = "", "open"
        RESOLVER = "resolver", "a resolver"
        CLIENT = "client", "the client's user"
        STAFF = "staff", "staff"

    id = models.BigAutoField(primary_key=True)
    by = models.CharField(max_length=10, choices=By, default=By.NOBODY, blank=True)
    kind = models.CharField(max_length=20)
    op = models.CharField(max_length=10)
    collection = models.CharField(max_length=LABEL_LENGTH)
    model = models.CharField(max_length=LABEL_LENGTH)
    object_id = models.UUIDField()
    scope = models.CharField(max_length=SCOPE_LENGTH, null=True)
    base_revision = models.BigIntegerField(null=True)
    revision = models.BigIntegerField(null=True)
    fields = JsonText(default=dict)
    asked = JsonText(default=dict)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    client = models.ForeignKey(Client, on_delete=models.SET_NULL, null=True)
    mutation_id = models.UUIDField()
    at = models.DateTimeField(auto_now_add=True)
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )

    objects: ClassVar[models.Manager[Decision]]

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["object_id"], name="django_sync_decision_object"),
            models.Index(fields=["at"], name="django_sync_decision_at"),
            models.Index(
                fields=["client", "object_id"],
                condition=models.Q(settled_at__isnull=True),
                name="django_sync_decision_open",
            ),
            models.Index(
                fields=["id"],
                condition=models.Q(settled_at__isnull=True),
                name="django_sync_decision_wait",
            ),
        ]

    @property
    def is_open(self) -> bool:
        """Whether it waits for somebody to decide."""
        return self.settled_at is None


class OpenConflict(Decision):
    """A decision that nobody has made yet, with permissions of its own for the admin."""

    objects: ClassVar[models.Manager[OpenConflict]]

    class Meta:
        proxy = True
        verbose_name = "open conflict"


class SyncSession(models.Model):
    """What the server knows of a client and its user: what it can do, how far it has got.

    ``collections`` is null for all. ``seen_at`` is when it was last heard of, to within
    ``SEEN_SECONDS``, and ``position`` the place in the feed up to which it had everything then;
    null during its snapshot, whose ``progress`` is told in records. ``problem`` is the code of what
    it was last refused with. ``ticket`` is the SHA-256 of one that has not been used; the ticket
    itself is kept nowhere.
    """

    class Ending(models.TextChoices):
        """How a session ended."""

        OPEN = "", "open"
        REPLACED = "replaced", "replaced by a newer one"
        CLIENT = "client", "by its client"
        SERVER = "server", "by the server"
        EXPIRED = "expired", "not heard of for too long"

    id = models.UUIDField(primary_key=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sync_sessions"
    )
    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="sessions")
    name = models.CharField(max_length=NAME_LENGTH, default="")
    platform = models.CharField(max_length=PLATFORM_LENGTH, default="")
    version = models.CharField(max_length=VERSION_LENGTH, default="", db_default="")
    collections = JsonText(null=True)
    transports = JsonText(default=list)
    failed = JsonText(default=list)
    network = JsonText(default=dict)
    foreground = models.BooleanField(default=True)
    transport = models.CharField(max_length=20)
    opened_at = models.DateTimeField()
    seen_at = models.DateTimeField(db_index=True)
    ended_at = models.DateTimeField(null=True)
    ending = models.CharField(
        max_length=10, choices=Ending, default=Ending.OPEN, db_default="", blank=True
    )
    position = models.BigIntegerField(null=True)
    progress = JsonText(null=True)
    problem = models.CharField(max_length=50, default="", db_default="")
    problem_at = models.DateTimeField(null=True)
    ticket = models.CharField(max_length=64, null=True, unique=True)
    ticket_until = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager[SyncSession]]

    class Meta:
        verbose_name = "session"
        default_permissions = ("view",)
        permissions: ClassVar = [
            ("end_syncsession", "Can end sessions"),
            ("block_syncsession", "Can block and unblock users and clients"),
            ("refresh_syncsession", "Can order fresh snapshots"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["transport", "-seen_at"],
                condition=models.Q(ended_at__isnull=True),
                name="django_sync_session_open",
            ),
            models.Index(fields=["platform", "-seen_at"], name="django_sync_session_platform"),
        ]

    def __str__(self) -> str:
        return self.name or str(self.id)

    @property
    def goes_on(self) -> bool:
        """Whether it is open, or would be if its client were heard of."""
        return self.ended_at is None or self.ending == self.Ending.EXPIRED


class Order(models.Model):
    """What the server has ordered of a user or a client, and has not been done or taken back.

    ``block``: of the user, or of one client of theirs; stays until it is taken back. ``end``: of a
    session; stays until its client opens another. ``snapshot``: of a client; stays until that pulls
    without a cursor.
    """

    class Kind(models.TextChoices):
        """What is ordered."""

        BLOCK = "block", "blocked"
        END = "end", "session ended"
        SNAPSHOT = "snapshot", "fresh snapshot"

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=10, choices=Kind)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sync_orders"
    )
    client = models.ForeignKey(Client, on_delete=models.CASCADE, null=True, related_name="orders")
    session = models.ForeignKey(
        SyncSession, on_delete=models.CASCADE, null=True, related_name="orders"
    )
    at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )

    objects: ClassVar[models.Manager[Order]]

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["kind", "user"],
                condition=models.Q(client__isnull=True),
                name="django_sync_order_user",
            ),
            models.UniqueConstraint(
                fields=["kind", "client"],
                condition=models.Q(session__isnull=True),
                name="django_sync_order_client",
            ),
            models.UniqueConstraint(fields=["session"], name="django_sync_order_session"),
        ]
