"""Sync in Django's admin: a mixin for synced models, and pages over log, decisions and feed.

Django's autodiscovery imports this where ``django.contrib.admin`` is installed; nothing else
does, so the application works without.
"""

from .decisions import DecisionAdmin, OpenConflictAdmin
from .endpoints import EndpointAdmin
from .mixin import SyncAdminMixin
from .pages import ChangeAdmin, ClientAdmin, FeedAdmin
from .sessions import SessionAdmin
from .sets import SyncInlineMixin

__all__ = [
    "ChangeAdmin",
    "ClientAdmin",
    "DecisionAdmin",
    "EndpointAdmin",
    "FeedAdmin",
    "OpenConflictAdmin",
    "SessionAdmin",
    "SyncAdminMixin",
    "SyncInlineMixin",
]
