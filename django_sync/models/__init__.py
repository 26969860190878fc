"""The mixin for synced models, and every table of django_sync.

Each module holds the tables of one concept. Nothing here decides anything. Triggers
write some of these tables: their columns are a contract with ``capture``.
"""

from .feed import Change, Feed, Generation, Hold, Outbox, ScopeSet, Tombstone
from .mixin import SyncModel
from .mutations import Decision, MutationResult, OpenConflict
from .push import Endpoint, PushCursor, PushScope, PushUser
from .sessions import Client, Order, SyncSession

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
