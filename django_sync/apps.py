"""The application: finds each app's ``sync.py`` and keeps the triggers in step with migrations.

No query is made while Django starts.
"""

from django.apps import AppConfig
from django.conf import settings
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate


class DjangoSyncConfig(AppConfig):
    name = "django_sync"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Sync"

    def ready(self) -> None:
        from . import announce, checks, endpoints, sync
        from .capture import after_migrate, attend
        from .conf import conf

        checks.enlist()
        if getattr(settings, "CHANNEL_LAYERS", None):  # Channels is an extra
            from .realtime.doorbell import Doorbell

            announce.listen(Doorbell())
        if conf.PUSH_SENDERS:
            announce.listen(endpoints.look_again)
        sync.autodiscover()
        connection_created.connect(attend, dispatch_uid="django_sync.attend")
        connection_created.connect(announce.attend, dispatch_uid="django_sync.announce")
        post_migrate.connect(after_migrate, sender=self, dispatch_uid="django_sync.after_migrate")
