"""Settings of the example project: it runs on a fresh machine, with no server beside it.

Read from the environment:

    DATABASE_URL        the database; SQLite in WAL mode, example_project/db.sqlite3, without it
    REDIS_URL           the channel layer; in memory without it
    CELERY_BROKER_URL   Celery's broker; tasks run at once, in the process, without it
    SECRET_KEY          keys for signing; a public one without it, none where DEBUG is 0
    DEBUG               1 (as it is) or 0
    ALLOWED_HOSTS       comma-separated; this machine alone without it
"""

import os
from pathlib import Path
from typing import Any

import dj_database_url

from django_sync.push.schedule import SCHEDULE

BASE_DIR = Path(__file__).resolve().parent

DEBUG = os.environ.get("DEBUG", "1") == "1"
SECRET_KEY = os.environ.get("SECRET_KEY") or ("everybody knows this key" if DEBUG else "")
ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",")

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "rest_framework.authtoken",
    "django_sync",
    "example_project.boards",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "example_project.urls"
WSGI_APPLICATION = "example_project.wsgi.application"
ASGI_APPLICATION = "example_project.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]


def database(url: str) -> dict[str, Any]:
    """Return the entry of DATABASES for ``url``.

    SQLite gets WAL, so that readers and the one writer do not wait for each other.
    Its transactions begin IMMEDIATE: one that reads first and writes later would be refused
    without waiting, whatever the time-out, where another has written in between.
    """
    entry: dict[str, Any] = dict(dj_database_url.parse(url))
    if entry["ENGINE"] == "django.db.backends.sqlite3":
        entry["OPTIONS"] = {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;",
        }
    return entry


DATABASES = {
    "default": database(os.environ.get("DATABASE_URL") or f"sqlite:///{BASE_DIR / 'db.sqlite3'}")
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = os.environ.get("REDIS_URL", "")
CHANNEL_LAYERS: dict[str, dict[str, Any]] = {
    "default": (
        {
            "BACKEND": "channels_redis.core.RedisChannelLayer",
            # Longer than the 5 seconds for which the layer has Redis wait for a message.
            "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_timeout": 15}]},
        }
        if REDIS_URL
        else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
    )
}

CELERY_BROKER_URL = os.environ.get("CELERY_BROKER_URL") or "memory://"
CELERY_TASK_ALWAYS_EAGER = not os.environ.get("CELERY_BROKER_URL")

CELERY_IMPORTS = ["django_sync.push.tasks"]
CELERY_BEAT_SCHEDULE = {"sync-push": SCHEDULE}

DJANGO_SYNC: dict[str, Any] = {
    "TRANSPORTS": ["websocket", "sse", "long-poll", "poll"],
    # `manage.py sync_push` prints wake-ups. docs/howto/server/push.md shows how to send them.
    "PUSH_SENDERS": {
        "webpush": "django_sync.push.console.Console",
        "webhook": "django_sync.push.console.Console",
    },
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        # Token first: the first one decides whether an anonymous call reads 401 or 403.
        "rest_framework.authentication.TokenAuthentication",
        "rest_framework.authentication.BasicAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    # No throttles: a party of clients on one machine is what the example is for.
    "DEFAULT_THROTTLE_CLASSES": [],
}

# Its users sign in with passwords that the README prints, so no validators stand in their way.
AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = []
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "boards"
LOGOUT_REDIRECT_URL = "boards"

# Whether migration boards.0002 brings the demo's users and boards. Tests say no: they make the
# rows that they need.
BOARDS_DEMO_ROWS = True

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR.parent / "static-collected"
