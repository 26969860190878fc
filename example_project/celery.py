"""Celery, for whoever gives it a broker: ``celery -A example_project worker --beat``.

Without one nothing here is needed: ``manage.py sync_push`` does the same.
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_project.settings")

app = Celery("example_project")
app.config_from_object("django.conf:settings", namespace="CELERY")
