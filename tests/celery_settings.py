"""Settings of Celery's processes in tests: database and queue are those of who starts them."""

import json
import os

from kombu.entity import Queue

from tests.settings import *  # noqa: F403  # settings are meant to be taken over whole
from tests.settings import DATABASES

DATABASES["default"]["NAME"] = os.environ["PUSH_DATABASE"]
DJANGO_SYNC = json.loads(os.environ["PUSH_SETTINGS"])
CELERY_TASK_ALWAYS_EAGER = False
CELERY_TASK_DEFAULT_QUEUE = os.environ["PUSH_QUEUE"]
# Nothing is left at a broker that others use, whoever was killed.
CELERY_TASK_QUEUES = [Queue(os.environ["PUSH_QUEUE"], expires=120)]
CELERY_INCLUDE = os.environ.get("PUSH_INCLUDE", "").split()
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 30, "socket_timeout": 5}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "loggers": {"django_sync.push": {"level": "WARNING"}},
}
