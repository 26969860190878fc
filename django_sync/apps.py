"""The application: finds each app's ``sync.py``, installs capture after ``migrate``."""

from django.apps import AppConfig


class DjangoSyncConfig(AppConfig):
    name = "django_sync"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Sync"
