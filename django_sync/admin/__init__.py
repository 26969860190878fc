"""Sync in Django's admin: a mixin for synced models, and pages over what sync keeps.

Django's autodiscovery imports this where ``django.contrib.admin`` is installed. Nothing else
imports it, so the application works without the admin.
"""

from .decisions import DecisionAdmin, OpenConflictAdmin
from .endpoints import EndpointAdmin
from .feed import ChangeAdmin, ClientAdmin, FeedAdmin
from .formsets import SyncInlineMixin
from .mixin import SyncAdminMixin
from .sessions import SessionAdmin

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
