"""Settings of a site behind nginx, the same for gunicorn and for uvicorn.

Read from the environment besides what the example's own settings read:

    SITE        its address as people see it, https://boards.example
    SECRET_KEY  has to be there
"""

import os
from urllib.parse import urlsplit

from example_project.settings import *  # noqa: F403  # settings are meant to be taken over whole
from example_project.settings import DATABASES

SITE = os.environ["SITE"]
SECRET_KEY = os.environ["SECRET_KEY"]
DEBUG = False
ALLOWED_HOSTS = [urlsplit(SITE).hostname or ""]
CSRF_TRUSTED_ORIGINS = [SITE]

# nginx speaks TLS, and says so; it lets no client say it (proxy_set_header replaces).
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True

# A connection for each thread, kept: gunicorn's threads, and LIVE_THREADS of each ASGI process.
DATABASES["default"] |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
