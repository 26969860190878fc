"""The application: finds each app's ``sync.py`` and keeps the triggers in step with migrations.

No query is made while Django starts.
"""

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class DjangoSyncConfig(AppConfig):
    name = "django_sync"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Sync"

    def ready(self) -> None:
        from . import checks, sync
        from .capture import after_migrate, before_migrate

        checks.enlist()
        sync.autodiscover()
        pre_migrate.connect(before_migrate, sender=self, dispatch_uid="django_sync.before_migrate")
        post_migrate.connect(after_migrate, sender=self, dispatch_uid="django_sync.after_migrate")
