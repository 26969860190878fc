"""The mixin for synced models, and every table of django_sync.

Each module holds the tables of one concept. Nothing here decides anything. Triggers
write some of these tables: their columns are a contract with ``capture``.
"""

from .push import Endpoint, PushCursor, PushScope, PushUser
from .tables import (
    Change,
    Client,
    Decision,
    Feed,
    Generation,
    Hold,
    MutationResult,
    OpenConflict,
    Order,
    Outbox,
    ScopeSet,
    SyncModel,
    SyncSession,
    Tombstone,
)

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
