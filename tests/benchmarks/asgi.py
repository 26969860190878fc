"""The benches' application for an ASGI server: sockets beside requests."""

import os

from django.core.asgi import get_asgi_application

from django_sync.realtime import live

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.benchmarks.settings")
application = live(get_asgi_application())
