"""The application: it imports each app's ``sync.py`` and keeps triggers up to date with migrations.

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
        from . import checks, sync
        from .capture import after_migrate, watch_connection
        from .conf import conf
        from .feed import notify
        from .push import endpoints

        checks.enlist()
        if getattr(settings, "CHANNEL_LAYERS", None):  # Channels is an extra
            from .realtime.channel_layer import ChannelNotifier

            notify.listen(ChannelNotifier())
        if conf.PUSH_SENDERS:
            notify.listen(endpoints.refresh_soon)
        sync.autodiscover()
        connection_created.connect(watch_connection, dispatch_uid="django_sync.attend")
        connection_created.connect(notify.watch_connection, dispatch_uid="django_sync.announce")
        post_migrate.connect(after_migrate, sender=self, dispatch_uid="django_sync.after_migrate")
