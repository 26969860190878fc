"""Settings of the benches: what the example has, on models that peers have too.

Nothing but Django, DRF and django_sync is needed, so that these run in a peer's environment.
``DATABASE_URL`` names the database. ``make bench`` makes one for each run.
"""

import os
from typing import Any
from urllib.parse import unquote, urlsplit

_URL = urlsplit(os.environ["DATABASE_URL"])
if _URL.scheme == "sqlite":
    _DATABASE: dict[str, Any] = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": unquote(_URL.path),
        "OPTIONS": {
            "timeout": 60,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;",
        },
    }
else:
    _DATABASE = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _URL.path.lstrip("/"),
        "USER": _URL.username or "",
        "PASSWORD": unquote(_URL.password or ""),
        "HOST": _URL.hostname or "",
        "PORT": _URL.port or "",
    }
if os.environ.get("BENCH_POOL"):  # under ASGI, where each request would open a connection
    _DATABASE["OPTIONS"] = {"pool": {"min_size": 2, "max_size": 20}}
else:
    _DATABASE["CONN_MAX_AGE"] = None
DATABASES = {"default": _DATABASE}

SECRET_KEY = "of the benches"
DEBUG = False
ALLOWED_HOSTS = ["*"]
USE_TZ = True
TIME_ZONE = "UTC"
ROOT_URLCONF = "tests.benchmarks.notes.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "rest_framework",
    "rest_framework.authtoken",
    "django_sync",
    "tests.benchmarks.notes",
    "tests.benchmarks.shapes",
    "example_project.boards",  # a project with code of its own in serializers and viewsets
]
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
}
DATA_UPLOAD_MAX_MEMORY_SIZE = None
# A peer's harness asks for pages of 10,000 too.
DJANGO_SYNC = {
    "PAGE_SIZE": 10_000,
    "BODY_BYTES": 50 * 2**20,
    "TRANSPORTS": ["websocket", "sse", "poll"],
    "CONNECTIONS_PER_USER": 100_000,
}
if os.environ.get("BENCH_REDIS"):
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.core.RedisChannelLayer",
            "CONFIG": {"hosts": [{"address": os.environ["BENCH_REDIS"], "socket_timeout": 15}]},
        }
    }
