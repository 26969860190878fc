"""An application made of what docs/howto/server/access.md tells people to write."""

from django.apps import AppConfig


class AccessAppConfig(AppConfig):
    name = "tests.access_app"
    label = "access_app"
    default_auto_field = "django.db.models.BigAutoField"
