"""The example as `make demo` serves it, with files of a test's own in front of the application's.

``SITE_FILES`` names their folder: a file there stands for the one of its name, so that a test can
bring out a new release.
"""

import os

from example_project.settings import *  # noqa: F403  # settings are meant to be taken over whole
from example_project.settings import DJANGO_SYNC

SECRET_KEY = "the browser tests'"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick; nothing to protect
STATICFILES_DIRS = [os.environ["SITE_FILES"]]
DJANGO_SYNC = DJANGO_SYNC | {"HEARTBEAT": 1}  # at each it is looked whether the login holds
