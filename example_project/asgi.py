"""The ASGI application, for uvicorn and its like."""

import os

from django.conf import settings
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application

from django_sync.realtime import live

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_project.settings")

application = get_asgi_application()
if settings.DEBUG:
    # As `runserver` does: static files straight from the apps. On a site the web server has them.
    application = ASGIStaticFilesHandler(application)
application = live(application)  # pulls may wait
