"""Offline-first sync for existing Django models.

The names a project needs are few: ``django_sync.models.SyncModel`` for its
models, ``django_sync.sync.register`` for an app's ``sync.py``, and
``django_sync.http.urls`` for its URL configuration. This file imports nothing,
so that ``django_sync.client`` can be used where there is no Django.
"""

__version__ = "0.1.0"
